//! Forms that a text may have.
//!
//! `uuid`: 36 characters, hyphenated. `date`: `YYYY-MM-DD`, a day that exists. `date_time`: RFC 3339 with seconds and an offset.
//! `email`: one `@`, a plain local part, a domain with a dot. `uri`: a scheme, then RFC 3986 characters only. `json`: the whole
//! text is one JSON document.

use serde_json::Value;

use super::judged::{JudgedCondition, misfit, verdict};
use super::operand::predicate_kind::{FORMATS, TextFormat, Word};
use super::shown::quote;

/// Judges a text's form.
pub(super) fn judge(format: TextFormat, value: &Value) -> JudgedCondition {
    let Value::String(text) = value else { return misfit(Word::Format, "text", value) };
    let holds = match format {
        TextFormat::Uuid => text.len() == 36 && uuid::Uuid::try_parse(text).is_ok(),
        TextFormat::Date => is_date(text),
        TextFormat::DateTime => is_date_time(text),
        TextFormat::Email => is_email(text),
        TextFormat::Uri => is_uri(text),
        TextFormat::Json => serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(),
    };
    let word = FORMATS.iter().find(|(_, known)| *known == format).map_or("", |(word, _)| word);
    verdict(holds, || format!("expected the format {word}, found {}", quote(text))).map_actual(value)
}

/// Returns whether `text` has a digit at each `0` of `shape` and its other characters where they are.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, wanted)| if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted })
}

fn is_date(text: &str) -> bool {
    has_shape(text, "0000-00-00") && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_date_time(text: &str) -> bool {
    let (Some(start), Some(rest)) = (text.get(..19), text.get(19..)) else { return false };
    let start = start.to_ascii_uppercase();
    if !has_shape(&start, "0000-00-00T00:00:00") {
        return false;
    }
    let digits = rest
        .strip_prefix('.')
        .map_or(0, |fraction| 1 + fraction.bytes().take_while(u8::is_ascii_digit).count());
    let offset = rest.get(digits..).unwrap_or_default();
    let has_offset =
        matches!(offset, "Z" | "z") || has_shape(offset, "+00:00") || has_shape(offset, "-00:00");
    // A fraction longer than a nanosecond is allowed by RFC 3339, but not by the parser: it is judged without.
    digits != 1
        && has_offset
        && format!("{start}{}", offset.to_ascii_uppercase()).parse::<jiff::Timestamp>().is_ok()
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let local_ok = !local.is_empty() && local.len() <= 64 && local.bytes().all(plain);
    let dots_ok = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|character| character.is_alphanumeric() || character == '-')
    };
    local_ok && dots_ok && domain.contains('.') && domain.len() <= 253 && domain.split('.').all(label)
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_ok = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let bytes = rest.as_bytes();
    let allowed = |(at, byte): (usize, &u8)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
        other => other.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(other),
    };
    let authority_ok = match rest.strip_prefix("//") {
        Some(after) => scheme == "file" || !after.is_empty() && !after.starts_with(['/', '?', '#', ':']),
        None => !rest.is_empty(),
    };
    scheme_ok && authority_ok && bytes.iter().enumerate().all(allowed)
}
