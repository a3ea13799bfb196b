//! What inputs take, in words, and what Dify takes for a number.

use serde_json::Value;

use crate::dify::wire::parameters::{Input, InputKind};
use crate::dify::wire::python_number::{PythonNumber, read_number};

/// The most names of a list that a message shows.
const MOST_SHOWN: usize = 12;

/// What an input takes, in words.
pub(super) fn takes(input: &Input) -> String {
    let most = |what: &str| match input.max_length {
        Some(most) => format!("{what}, at most {most}"),
        None => what.to_owned(),
    };
    match &input.kind {
        InputKind::Text => match input.max_length {
            Some(most) => format!("text of at most {most} characters"),
            None => "text".to_owned(),
        },
        InputKind::Select(options) => {
            format!("one of {}", listed(&options.iter().map(String::as_str).collect::<Vec<_>>()))
        }
        InputKind::Number => "a number".to_owned(),
        InputKind::Checkbox => "true or false".to_owned(),
        InputKind::Object => "a mapping".to_owned(),
        InputKind::File(_) => "a file".to_owned(),
        InputKind::Files(_) => most("a list of files"),
        InputKind::Other(kind) => format!("a `{kind}`"),
    }
}

/// Whether Dify takes a value for a number: a text is read as Python reads it, an empty one as null.
pub(super) fn is_number(value: &Value) -> bool {
    match value {
        Value::Number(_) | Value::Bool(_) => true,
        Value::String(text) => read_number(text) != PythonNumber::Refused,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Some names, and how many more there are.
pub(super) fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(MOST_SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(MOST_SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
