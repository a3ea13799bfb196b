//! Dify's file objects among values.

use serde_json::{Map, Value};

/// Whether a value is a file object of Dify's.
pub fn is_file(value: &Value) -> bool {
    value.get("dify_model_identity").and_then(Value::as_str) == Some("__dify__file__")
}

/// Whether two values are the same; the signatures of the addresses of files do not count.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(members), Value::Object(others)) if is_file(left) && is_file(right) => {
            members.len() == others.len()
                && members.iter().all(|(key, value)| others.get(key).map(unsigned) == Some(unsigned(value)))
        }
        (left, right) => left == right,
    }
}

/// An address without its signature; anything else as it is.
fn unsigned(value: &Value) -> Value {
    let address = value.as_str().and_then(|text| text.split_once("?timestamp="));
    address.map_or_else(|| value.clone(), |(address, _)| Value::from(address))
}

/// The attribute of a file that has this value, as Dify names it.
pub fn attribute_of(file: &Value, value: &Value) -> Option<&'static str> {
    const ATTRIBUTES: [(&str, &str); 5] = [
        ("filename", "name"),
        ("size", "size"),
        ("mime_type", "mime_type"),
        ("extension", "extension"),
        ("type", "type"),
    ];
    let has = |(key, _): &&(&str, &str)| file.get(key) == Some(value);
    is_file(file).then(|| ATTRIBUTES.iter().find(has))?.map(|(_, name)| *name)
}

/// A file as Dify streams it: a link in Markdown.
pub fn link(file: &Value) -> String {
    let text = |key: &str| file.get(key).and_then(Value::as_str).unwrap_or_default();
    let mark = if text("type") == "image" { "!" } else { "" };
    format!("{mark}[{}]({})", text("filename"), text("url"))
}

/// The files among outputs, those in lists included.
pub(super) fn files_in(outputs: &Map<String, Value>) -> Vec<&Value> {
    let mut files = Vec::new();
    for value in outputs.values() {
        match value {
            Value::Array(items) => files.extend(items.iter().filter(|item| is_file(item))),
            value if is_file(value) => files.push(value),
            _ => {}
        }
    }
    files
}
