//! Values and texts as messages show them: JSON, quoted, cut.

use serde_json::Value;

use crate::base::clip::clip_to;

/// Longest value in a message, in characters.
const SHOWN: usize = 120;

/// A value in a message: JSON, cut.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => cut(&clip_to(value, &mut (SHOWN * 4)).to_string()),
    }
}

/// A text in a message: quoted, cut, its control characters escaped.
pub(super) fn quote(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", Value::from(&text[..at])),
        None => Value::from(text).to_string(),
    }
}

/// At most as many characters as a message should have.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
