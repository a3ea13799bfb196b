//! Texts of several lines as lists of lines, so that version control shows a changed line and not a changed text.
//!
//! `{ "$lines": ["a", "b"] }` stands for `"a\nb"`. An object that really has `$lines` as its one key gets a `$` more, so
//! that every value comes back as it was.

use serde_json::{Map, Value};

/// The key that marks a text of several lines.
const LINES: &str = "$lines";

/// The value as it is written: keys sorted, texts of several lines taken apart.
pub(super) fn fold(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains('\n') => {
            mark(LINES, text.split('\n').map(Value::from).collect())
        }
        Value::Array(items) => items.iter().map(fold).collect(),
        Value::Object(members) => match only(members).filter(|(key, _)| is_mark(key)) {
            Some((key, member)) => mark(&format!("${key}"), fold(member)),
            None => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(b.0));
                Value::Object(sorted.into_iter().map(|(key, member)| (key.clone(), fold(member))).collect())
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The value that was written.
pub(super) fn unfold(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(unfold).collect(),
        Value::Object(members) => match only(&members).filter(|(key, _)| is_mark(key)) {
            Some((LINES, lines)) => match joined(lines) {
                Some(text) => Value::from(text),
                None => mark(LINES, unfold(lines.clone())),
            },
            Some((key, member)) => mark(&key[1..], unfold(member.clone())),
            None => Value::Object(members.into_iter().map(|(key, member)| (key, unfold(member))).collect()),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn mark(key: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}

fn only(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut members = members.iter();
    let (key, member) = members.next()?;
    members.next().is_none().then_some((key.as_str(), member))
}

/// True for `$lines`, `$$lines` and so on.
fn is_mark(key: &str) -> bool {
    key.starts_with('$') && key.trim_start_matches('$') == &LINES[1..]
}

fn joined(lines: &Value) -> Option<String> {
    let lines: Option<Vec<&str>> = lines.as_array()?.iter().map(Value::as_str).collect();
    Some(lines?.join("\n"))
}
