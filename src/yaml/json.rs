//! JSON text to a value, as strictly as YAML is read: no key twice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::base::json_number::{NUMBER_KEY, read_number};

/// Said of a number whose exponent is beyond all reckoning.
const TOO_LARGE: &str = "the number is too large to be kept exactly";

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

/// Reads a JSON text; a key that is given twice is a fault.
pub fn parse_json(text: &str) -> Result<Value, JsonFault> {
    serde_json::from_str(text).map(|StrictValue(value)| value).map_err(|error| fault(text, &error))
}

/// The parser's message without its place, and that place in characters, for the parser counts bytes.
fn fault(text: &str, error: &serde_json::Error) -> JsonFault {
    let said = error.to_string();
    let message = said.split(" at line ").next().unwrap_or_default();
    let is_whole = message.ends_with(" is given twice") || message == TOO_LARGE;
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let end = error.column().saturating_sub(1).min(line.len());
    let end = (0..=end).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    JsonFault {
        line: error.line().max(1),
        column: line[..end].chars().count() + 1,
        message: if is_whole { message.to_owned() } else { format!("no JSON: {message}") },
    }
}

/// A value none of whose objects has a key twice.
struct StrictValue(Value);

impl<'de> Deserialize<'de> for StrictValue {
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

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(StrictValue(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == NUMBER_KEY && members.is_empty() {
                let number = read_number(&map.next_value::<String>()?);
                return number.map(Value::Number).ok_or_else(|| A::Error::custom(TOO_LARGE));
            }
            if members.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` is given twice")));
            }
            let StrictValue(member) = map.next_value()?;
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
        let long = "[18446744073709551616,-9223372036854775809,0.1000000000000000000001,1e+400]";
        assert_eq!(parse_json(long).unwrap().to_string(), long);
    }

    #[test]
    fn what_would_be_lost_is_a_fault_at_its_place() {
        assert_eq!(faults("[\n {\"a\": 1,\n  \"a\": 2}]").0, 3);
        assert!(faults(r#"{"a": 1, "a": 2}"#).2.contains("`a` is given twice"));
        assert_eq!(faults("[1e99999999999999999999]").2, TOO_LARGE);
        assert!(faults("[NaN]").2.starts_with("no JSON: expected value"));
        assert_eq!(faults("").0, 1);
        assert!(faults(&"[".repeat(100_000)).2.contains("recursion limit"));
    }
}
