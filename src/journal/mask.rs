//! Masks secrets in one line of the journal without ever breaking the line.

use serde_json::Value;

use crate::base::redact::Redactor;
use crate::event::Event;

/// Keys whose texts are words of the schema: masking one would lose the fact, and they hold nothing from outside.
const WORDS: [&str; 7] = [
    "verdict", "truth", "severity", "mode", "class", "schema", "kind",
];

/// Keys below which any JSON may stand.
const FREE: [&str; 4] = ["expected", "actual", "outputs", "diff"];

/// Masks what was appended to `buffer` since `start`.
///
/// The text is masked as it is, which finds escaped forms too; where that would damage the line (a secret that is a
/// number, or a word of the schema), it is masked value by value instead.
pub(super) fn mask_line(buffer: &mut Vec<u8>, start: usize, redactor: &Redactor) {
    let Ok(line) = std::str::from_utf8(&buffer[start..]) else {
        return;
    };
    let std::borrow::Cow::Owned(masked) = redactor.mask(line) else {
        return;
    };
    let masked = if same_facts(line, &masked) {
        masked
    } else {
        mask_values(line, redactor)
    };
    buffer.truncate(start);
    buffer.extend_from_slice(masked.as_bytes());
}

/// True when the masked line still tells the same case and verdict.
fn same_facts(line: &str, masked: &str) -> bool {
    let facts = |text: &str| match serde_json::from_str::<Event>(text).ok()? {
        Event::RunStarted(start) => Some((start.schema, 0, None)),
        Event::AttemptFinished(attempt) => {
            Some((attempt.case, attempt.repeat, Some(attempt.verdict)))
        }
        Event::CaseFinished(outcome) => {
            Some((outcome.case, outcome.attempts, Some(outcome.verdict)))
        }
        Event::RunFinished(end) => Some((u32::from(end.interrupted), 0, None)),
    };
    let told = facts(masked);
    told.is_some() && told == facts(line)
}

fn mask_values(line: &str, redactor: &Redactor) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(line) else {
        return String::from("{}");
    };
    mask_value(&mut value, redactor, Inside::Schema);
    value.to_string()
}

/// Whether a value belongs to the schema or is any JSON.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Schema,
    Free,
}

fn mask_value(value: &mut Value, redactor: &Redactor, inside: Inside) {
    match value {
        Value::String(text) => {
            if let std::borrow::Cow::Owned(masked) = redactor.mask(text) {
                *text = masked;
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| mask_value(item, redactor, inside)),
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                let free = inside == Inside::Free || FREE.contains(&key.as_str());
                if free {
                    mask_value(field, redactor, Inside::Free);
                } else if !WORDS.contains(&key.as_str()) {
                    mask_value(field, redactor, Inside::Schema);
                }
            }
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => {
            if inside == Inside::Free
                && let std::borrow::Cow::Owned(masked) = redactor.mask(&value.to_string())
            {
                *value = Value::String(masked);
            }
        }
    }
}
