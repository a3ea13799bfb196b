//! Values cut to what is kept and shown of them; what is left out leaves a mark.

use serde_json::{Map, Value};

/// Longest text kept of an expected or actual value, in bytes; the whole value may have twice that.
pub const KEPT: usize = 8 << 10;
/// Longest text kept of a run's outputs, in bytes; all of them may have twice that.
const KEPT_OUTPUT: usize = 64 << 10;

/// A copy of a run's outputs, cut where they are longer than is recorded.
pub fn clip(value: &Value) -> Value {
    clip_by(value, KEPT_OUTPUT, &mut KEPT_OUTPUT.saturating_mul(2))
}

/// Whether a recorded value was cut, as far as its marks say: a text that only looks so counts too.
pub fn is_clipped(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => {
            let counted = text.strip_suffix(" bytes in all)").and_then(|text| text.rsplit_once("… ("));
            let more = text.strip_prefix("… ").and_then(|text| text.strip_suffix(" more"));
            [counted.map(|(_, count)| count), more].into_iter().flatten().any(is_count)
        }
        Value::Array(items) => items.iter().any(is_clipped),
        Value::Object(members) => members.iter().any(|(key, member)| {
            let more = member.as_str().and_then(|text| text.strip_suffix(" more"));
            is_clipped(member)
                || is_clipped(&Value::from(key.as_str()))
                || (key == "…" && more.is_some_and(is_count))
        }),
    }
}

fn is_count(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A copy with at most about `left` bytes; what is left out leaves a mark.
pub fn clip_to(value: &Value, left: &mut usize) -> Value {
    clip_by(value, KEPT, left)
}

/// The same, where no text is longer than `longest`.
fn clip_by(value: &Value, longest: usize, left: &mut usize) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            *left = left.saturating_sub(8);
            value.clone()
        }
        Value::String(text) => Value::String(clip_text(text, longest, left)),
        Value::Array(items) => {
            let mut kept = Vec::new();
            for item in items {
                if *left == 0 {
                    kept.push(Value::from(format!("… {} more", items.len() - kept.len())));
                    break;
                }
                *left = left.saturating_sub(2);
                kept.push(clip_by(item, longest, left));
            }
            Value::Array(kept)
        }
        Value::Object(members) => {
            let mut kept = Map::new();
            for (key, member) in members {
                if *left == 0 {
                    kept.insert("…".to_owned(), Value::from(format!("{} more", members.len() - kept.len())));
                    break;
                }
                let key = clip_text(key, longest, left);
                kept.insert(key, clip_by(member, longest, left));
            }
            Value::Object(kept)
        }
    }
}

fn clip_text(text: &str, longest: usize, left: &mut usize) -> String {
    let most = longest.min(*left);
    if text.len() <= most {
        *left -= text.len();
        return text.to_owned();
    }
    let at = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    *left -= at;
    format!("{}… ({} bytes in all)", &text[..at], text.len())
}
