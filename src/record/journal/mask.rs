//! Masks secrets in one line of the journal without ever breaking the line.

use serde_json::Value;

use crate::base::redact::Redactor;

/// Keys whose texts are words of the schema: they hold nothing from outside, and masking one would lose the fact.
const WORDS: [&str; 16] = [
    "verdict",
    "truth",
    "severity",
    "mode",
    "class",
    "kind",
    "side",
    "recovered",
    "key",
    "print",
    "plan",
    "address",
    "how",
    "metric",
    "statistic",
    "comparison",
];

/// Keys of lists whose texts are such words.
const LISTS: [&str; 1] = ["withdrawn"];

/// Keys below which any JSON may be.
const FREE: [&str; 4] = ["expected", "actual", "outputs", "settled"];

/// Whether something was masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MaskResult {
    /// No secret was found: the line is what was written.
    Nothing,
    /// The line was changed.
    Something,
}

/// Masks what was appended to `buffer` since `start`.
///
/// The line is searched as it is, in every form of a secret; only where one is found it is taken apart, so that a
/// secret which happens to be a number or a word of the schema damages no fact.
pub(super) fn mask_line(buffer: &mut Vec<u8>, start: usize, redactor: &Redactor) -> MaskResult {
    let line = std::str::from_utf8(&buffer[start..]).expect("serde_json writes UTF-8");
    if !redactor.contains_secret(line) {
        return MaskResult::Nothing;
    }
    let mut value: Value =
        serde_json::from_str(line).expect("serde_json reads what it wrote, its depth was bounded");
    mask_value(&mut value, redactor);
    buffer.truncate(start);
    buffer.extend_from_slice(value.to_string().as_bytes());
    MaskResult::Something
}

/// Masks texts everywhere but in words of the schema, and keys and numbers where any JSON may be.
fn mask_value(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(_) => redactor.json(value),
        Value::Array(items) => items.iter_mut().for_each(|item| mask_value(item, redactor)),
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                if FREE.contains(&key.as_str()) {
                    redactor.json(field);
                } else if LISTS.contains(&key.as_str()) {
                    continue;
                } else if !(field.is_string() && WORDS.contains(&key.as_str())) {
                    mask_value(field, redactor);
                }
            }
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}
