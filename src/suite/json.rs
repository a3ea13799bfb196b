//! JSON text to a value, as strictly as YAML is read: no key twice, no whole number that would be rounded.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// What is wrong with a JSON text, and where: line and column from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// A lower-case fragment.
    pub message: String,
}

/// Reads a JSON text; a key that is given twice and a whole number beyond 64 bits are faults.
pub fn parse_json(text: &str) -> Result<Value, JsonFault> {
    let Strict(value) = serde_json::from_str(text).map_err(|error| fault(text, &error))?;
    match find_huge(text) {
        None => Ok(value),
        Some(at) => {
            let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            Err(JsonFault {
                line: text[..at].matches('\n').count() + 1,
                column: text[start..at].chars().count() + 1,
                message: "a whole number beyond 64 bits cannot be kept exactly".to_owned(),
            })
        }
    }
}

/// The parser's message without its place, and that place in characters, for the parser counts bytes.
fn fault(text: &str, error: &serde_json::Error) -> JsonFault {
    let said = error.to_string();
    let message = said.split(" at line ").next().unwrap_or_default();
    let twice = message.ends_with(" is given twice");
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let end = error.column().saturating_sub(1).min(line.len());
    let end = (0..=end).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    JsonFault {
        line: error.line().max(1),
        column: line[..end].chars().count() + 1,
        message: if twice { message.to_owned() } else { format!("no JSON: {message}") },
    }
}

/// The first byte of a whole number, in a text that is JSON, that neither a signed nor an unsigned word holds.
fn find_huge(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut in_text) = (0, false);
    while let Some(byte) = bytes.get(at) {
        match (in_text, byte) {
            (true, b'\\') => at += 1,
            (_, b'"') => in_text = !in_text,
            (false, b'-' | b'0'..=b'9') => {
                let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let length = bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                let number = &text[at..at + length];
                let is_whole = !number.contains(['.', 'e', 'E']);
                if is_whole && number.parse::<i64>().is_err() && number.parse::<u64>().is_err() {
                    return Some(at);
                }
                at += length;
                continue;
            }
            (true | false, _) => {}
        }
        at += 1;
    }
    None
}

/// A value none of whose objects has a key twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if members.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` is given twice")));
            }
            let Strict(member) = map.next_value()?;
            members.insert(key, member);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(text: &str) -> (usize, usize, String) {
        let fault = parse_json(text).unwrap_err();
        (fault.line, fault.column, fault.message)
    }

    #[test]
    fn values_are_read_as_they_are() {
        let text = r#"[null, true, -1, 18446744073709551615, -9223372036854775808, 1.5, 1e3, "é\"99999999999999999999", {"a": [{"a": 1}]}]"#;
        let expected = json!([
            null,
            true,
            -1,
            u64::MAX,
            i64::MIN,
            1.5,
            1000.0,
            "é\"99999999999999999999",
            { "a": [{ "a": 1 }] }
        ]);
        assert_eq!(parse_json(text), Ok(expected));
    }

    #[test]
    fn what_would_be_lost_is_a_fault_at_its_place() {
        assert_eq!(faults("[\n {\"a\": 1,\n  \"a\": 2}]").0, 3);
        assert!(faults(r#"{"a": 1, "a": 2}"#).2.contains("`a` is given twice"));
        let huge = "a whole number beyond 64 bits cannot be kept exactly".to_owned();
        assert_eq!(faults("[1,\n \"é\", 18446744073709551616]"), (2, 7, huge.clone()));
        assert_eq!(faults("-9223372036854775809"), (1, 1, huge));
        assert_eq!(faults("[1e400]").2, "no JSON: number out of range");
        assert!(faults("[NaN]").2.starts_with("no JSON: expected value"));
        assert_eq!(faults("").0, 1);
        assert!(faults(&"[".repeat(100_000)).2.contains("recursion limit"));
    }
}
