//! Words of a schema that do nothing: JSON Schema ignores what it does not know, and what is ignored is never red.

use jsonschema::Draft;
use serde_json::{Map, Value};

use crate::assert::check::operand::{OperandError, OperandPlace};
use crate::base::spelling::nearest;

use super::graph::SchemaGraph;
use super::keywords::{
    FORMATS, KeywordRole, NOTED_FORMATS, meant, name_of, ref_stands_alone, role_of, types_of,
};

/// Finds the first keyword or format that no draft knows, or that has no effect where it is written.
pub(super) fn find_idle(graph: &SchemaGraph<'_>) -> Result<(), OperandError> {
    for index in 0..graph.nodes.len() {
        let Value::Object(keywords) = graph.nodes[index].schema else { continue };
        for (keyword, value) in keywords {
            if let Err(idle) = check_keyword(keyword, value, graph, index) {
                let at_key = idle.is_word && graph.nodes[index].place.document.is_none();
                let mut error = graph.error_at(index, Some(keyword), idle.message);
                error.spot = if at_key { OperandPlace::Key } else { OperandPlace::Value };
                error.help = Some(idle.help);
                return Err(error);
            }
        }
    }
    Ok(())
}

/// A keyword without effect.
struct IdleKeyword {
    message: String,
    help: String,
    /// True where the keyword itself is wrong, not its value.
    is_word: bool,
}

impl IdleKeyword {
    fn new(message: String, help: impl Into<String>) -> Self {
        Self { message, help: help.into(), is_word: true }
    }
}

fn check_keyword(
    keyword: &str,
    value: &Value,
    graph: &SchemaGraph<'_>,
    index: usize,
) -> Result<(), IdleKeyword> {
    let node = &graph.nodes[index];
    let Value::Object(keywords) = node.schema else { return Ok(()) };
    if keyword == "format" {
        return check_format(value, node.draft);
    }
    let Some(role) = role_of(keyword) else {
        let message = format!("JSON Schema knows no keyword `{keyword}`");
        return Err(match meant(keyword) {
            Some(near) => IdleKeyword::new(message, format!("did you mean `{near}`?")),
            None => IdleKeyword::new(message, "it would be ignored: begin a note of your own with `x-`"),
        });
    };
    if role != KeywordRole::Demand {
        return Ok(());
    }
    if !node.draft.is_known_keyword(keyword) {
        let message = format!("{} knows no keyword `{keyword}`: it would be ignored", name_of(node.draft));
        return Err(IdleKeyword::new(message, "name the draft that knows it in `$schema`, or take it out"));
    }
    if ref_stands_alone(node.draft) && keyword != "$ref" && keywords.contains_key("$ref") {
        let message = format!("{} ignores `{keyword}` beside `$ref`", name_of(node.draft));
        return Err(IdleKeyword::new(message, "put both into `allOf`"));
    }
    check_company(keyword, keywords)
}

/// A keyword that needs another one beside it, or a type that the schema does not allow.
fn check_company(keyword: &str, keywords: &Map<String, Value>) -> Result<(), IdleKeyword> {
    let needed = match keyword {
        "then" | "else" => Some("if"),
        "minContains" | "maxContains" => Some("contains"),
        _ => None,
    };
    if let Some(needed) = needed.filter(|needed| !keywords.contains_key(*needed)) {
        let message = format!("`{keyword}` has no effect without `{needed}`");
        return Err(IdleKeyword::new(message, format!("add `{needed}`, or take `{keyword}` out")));
    }
    let (Some(looks_at), Some(types)) = (types_of(keyword), keywords.get("type").and_then(written_types))
    else {
        return Ok(());
    };
    if types.iter().any(|one| looks_at.contains(one)) {
        return Ok(());
    }
    let message = format!(
        "`{keyword}` has no effect beside `type: {}`: it looks only at {}",
        types.join(", "),
        looks_at.join(" and ")
    );
    Err(IdleKeyword::new(message, format!("take `{keyword}` out, or correct `type`")))
}

/// The types that `type` allows; `None` where it is not made of words.
pub(super) fn written_types(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(one) => Some(vec![one]),
        Value::Array(several) => several.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

fn check_format(value: &Value, draft: Draft) -> Result<(), IdleKeyword> {
    let Some(format) = value.as_str() else { return Ok(()) };
    if jsonschema::options().is_known_format(draft, format) || NOTED_FORMATS.contains(&format) {
        return Ok(());
    }
    let (message, help) = match nearest(format, FORMATS) {
        Some(near) if near != format => {
            (format!("JSON Schema knows no format `{format}`"), format!("did you mean `{near}`?"))
        }
        Some(_) => (
            format!("{} knows no format `{format}`: it would be ignored", name_of(draft)),
            "name the draft that knows it in `$schema`, or write a `pattern`".to_owned(),
        ),
        None => (
            format!("JSON Schema knows no format `{format}`: it would be ignored"),
            "write a `pattern` instead".to_owned(),
        ),
    };
    Err(IdleKeyword { message, help, is_word: false })
}
