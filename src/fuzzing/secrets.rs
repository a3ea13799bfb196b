//! Masking: whatever the text, no secret is left in it.

use serde_json::{Map, Value, json};

use super::{Parts, split_line};
use crate::base::redact::Redactor;

/// The fewest bytes of a secret that is masked.
const SHORTEST: usize = 6;

/// A secret in the first line, and a text below it: no form of the secret is left of the text, nor where it is put into it.
pub fn masking(bytes: &[u8]) {
    let Some(Parts { first: secret, rest }) = split_line(bytes) else { return };
    if secret.len() < SHORTEST || secret.trim_matches('*').is_empty() {
        return;
    }
    let text = String::from_utf8_lossy(rest);
    let redactor = Redactor::new([secret.to_owned()]);
    let (quoted, encoded) = (Value::from(secret).to_string(), url_encoded(secret));
    let escaped = &quoted[1..quoted.len() - 1];
    for form in [secret, escaped, &encoded] {
        for text in [&*text, &format!("{text}{form}"), &format!("{form}{text}{form}")] {
            let masked = redactor.text(text);
            let left = [secret, escaped, &encoded].into_iter().find(|form| masked.contains(*form));
            assert_eq!(left, None, "of {text:?} is left {masked:?}");
            assert!(!redactor.contains_secret(&masked), "of {text:?} is left {masked:?}");
            assert_eq!(redactor.text(&masked), masked, "masked again");
            let excerpt = redactor.excerpt(text);
            assert_eq!(excerpt.chars().count(), text.chars().count(), "an excerpt keeps its places");
        }
    }
    let mut value = serde_json::from_slice(rest).unwrap_or_else(|_| json!({ "text": text }));
    let members = Map::from_iter([(format!("{text}{secret}"), value.clone()), (secret.to_owned(), value)]);
    value = json!([members, secret]);
    redactor.json(&mut value);
    assert_without(&value, secret);
}

fn assert_without(value: &Value, secret: &str) {
    match value {
        Value::String(text) => assert!(!text.contains(secret), "{text:?}"),
        Value::Array(items) => items.iter().for_each(|item| assert_without(item, secret)),
        Value::Object(members) => {
            for (key, member) in members {
                assert!(!key.contains(secret), "{key:?}");
                assert_without(member, secret);
            }
        }
        Value::Number(number) => assert!(!number.to_string().contains(secret), "{number}"),
        Value::Null | Value::Bool(_) => {}
    }
}

fn url_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}
