//! Masks secrets in one line of the journal without ever breaking the line.

use serde_json::Value;

use crate::base::redact::Redactor;

/// Keys whose texts are words of the schema: they hold nothing from outside, and masking one would lose the fact.
const WORDS: [&str; 11] = [
    "verdict",
    "truth",
    "severity",
    "mode",
    "class",
    "kind",
    "side",
    "recovered",
    "metric",
    "statistic",
    "comparison",
];

/// Keys below which any JSON may stand.
const FREE: [&str; 3] = ["expected", "actual", "outputs"];

/// Whether something was masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Masking {
    /// No secret was found: the line is what was written.
    Nothing,
    /// The line was changed.
    Something,
}

/// Masks what was appended to `buffer` since `start`.
///
/// The line is searched as it is, in every form of a secret; only where one is found it is taken apart, so that a
/// secret which happens to be a number or a word of the schema damages no fact.
pub(super) fn mask_line(buffer: &mut Vec<u8>, start: usize, redactor: &Redactor) -> Masking {
    let line = std::str::from_utf8(&buffer[start..]).expect("serde_json writes UTF-8");
    if !redactor.contains_secret(line) {
        return Masking::Nothing;
    }
    let mut value: Value =
        serde_json::from_str(line).expect("serde_json reads what it wrote, its depth was bounded");
    mask_value(&mut value, redactor);
    buffer.truncate(start);
    buffer.extend_from_slice(value.to_string().as_bytes());
    Masking::Something
}

/// Masks texts everywhere but in words of the schema, and keys and numbers where any JSON may stand.
fn mask_value(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(_) => redactor.json(value),
        Value::Array(items) => items.iter_mut().for_each(|item| mask_value(item, redactor)),
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                if FREE.contains(&key.as_str()) {
                    redactor.json(field);
                } else if !(field.is_string() && WORDS.contains(&key.as_str())) {
                    mask_value(field, redactor);
                }
            }
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}
