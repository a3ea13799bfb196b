//! Decoders of the values in mock scripts: each takes rendered JSON; its error names what the value must be.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::base::json_kind::kind;
use crate::base::units::{parse_count, parse_duration};

/// Checks a value while suites load.
pub type ValueCheck = fn(&Value) -> Result<(), String>;

/// The largest count of tokens, steps and the like.
const MOST: u64 = 1_000_000_000_000;

/// Drops a decoded value, to use its decoder as a check.
pub fn checked<T>(decode: Result<T, String>) -> Result<(), String> {
    decode.map(|_| ())
}

fn wanted<T>(what: &str, found: &Value) -> Result<T, String> {
    Err(format!("must be {what}, found {}", kind(found)))
}

/// Text; a bare number is taken as it is written.
pub fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => wanted("text", value),
    }
}

/// Decodes a value, or each item of a list.
pub fn one_or_list<T>(value: &Value, one: fn(&Value) -> Result<T, String>) -> Result<Vec<T>, String> {
    match value {
        Value::Array(items) if items.is_empty() => Err("must not be an empty list".to_owned()),
        Value::Array(items) => items.iter().map(one).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Ok(vec![one(value)?])
        }
    }
}

/// Text, or one for each round.
pub fn texts(value: &Value) -> Result<Vec<String>, String> {
    one_or_list(value, |item| if item.is_null() { Ok(String::new()) } else { text(item) })
}

/// A count, or one for each round.
pub fn counts(value: &Value) -> Result<Vec<u64>, String> {
    one_or_list(value, count)
}

/// A count such as `8k`.
pub fn count(value: &Value) -> Result<u64, String> {
    let count = match value {
        Value::Number(number) => parse_count(&number.to_string()),
        Value::String(text) => parse_count(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return wanted("a count such as `8k`", value);
        }
    };
    match count {
        Ok(count) if count <= MOST => Ok(count),
        Ok(count) => Err(format!("{count} is more than {MOST}")),
        Err(error) => Err(error.to_string()),
    }
}

/// A count of rounds or retries; each of them causes several events.
pub fn times(value: &Value) -> Result<u64, String> {
    match count(value)? {
        times @ 0..=10_000 => Ok(times),
        times => Err(format!("{times} is more than 10000")),
    }
}

/// A count from 1.
pub fn size(value: &Value) -> Result<usize, String> {
    match count(value)? {
        0 => Err("must be at least 1".to_owned()),
        size => Ok(size as usize),
    }
}

/// An HTTP status that is an error.
pub fn http_status(value: &Value) -> Result<u16, String> {
    match count(value)? {
        status @ 400..=599 => Ok(status as u16),
        _ => Err("must be an HTTP status from 400 to 599".to_owned()),
    }
}

/// A duration such as `300ms`.
pub fn duration(value: &Value) -> Result<Duration, String> {
    match value {
        Value::String(text) => parse_duration(text).map_err(|error| error.to_string()),
        Value::Number(number) => parse_duration(&number.to_string()).map_err(|error| error.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            wanted("a duration such as `300ms`", value)
        }
    }
}

/// A duration, or one for each round.
pub fn durations(value: &Value) -> Result<Vec<Duration>, String> {
    one_or_list(value, duration)
}

/// When a parallel node starts: `true`, or the time after the start of the node before it.
pub fn beside(value: &Value) -> Result<Option<Duration>, String> {
    match value {
        Value::Bool(is_beside) => Ok(is_beside.then_some(Duration::ZERO)),
        Value::String(_) => duration(value).map(Some),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            wanted("`true`, or a duration such as `300ms`", value)
        }
    }
}

/// A number of parallel rounds, from 1.
pub fn workers(value: &Value) -> Result<u64, String> {
    match times(value)? {
        0 => Err("must be at least 1".to_owned()),
        workers => Ok(workers),
    }
}

/// A mapping.
pub fn mapping(value: &Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(members) => Ok(members.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            wanted("a mapping", value)
        }
    }
}

/// A mapping, or one for each round.
pub fn mappings(value: &Value) -> Result<Vec<Map<String, Value>>, String> {
    one_or_list(value, mapping)
}
