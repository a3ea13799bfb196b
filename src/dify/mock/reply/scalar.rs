//! The values of a reply's keys: each decoder takes rendered JSON and says what it wants instead.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{NodeStatus, RunStatus, ScriptedPrice, StreamedText};
use crate::base::borrowed_json::BorrowedValue;
use crate::base::json_kind::kind;
use crate::base::json_number::decimal;
use crate::base::units::{parse_count, parse_duration, parse_money};

/// Checks a value at load time; what it decodes to is dropped.
pub type Decode = fn(&Value) -> Result<(), String>;

/// Most tokens, steps and the like.
const MOST: u64 = 1_000_000_000_000;

/// Drops what a decoder gives.
pub fn any<T>(decode: Result<T, String>) -> Result<(), String> {
    decode.map(|_| ())
}

fn wanted<T>(what: &str, found: &Value) -> Result<T, String> {
    Err(format!("must be {what}, found {}", kind(found)))
}

/// Text; a bare number is taken as written.
pub fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => wanted("text", value),
    }
}

fn each<T>(value: &Value, one: fn(&Value) -> Result<T, String>) -> Result<Vec<T>, String> {
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
    each(value, |item| if item.is_null() { Ok(String::new()) } else { text(item) })
}

/// A count, or one for each round.
pub fn counts(value: &Value) -> Result<Vec<u64>, String> {
    each(value, count)
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

/// Rounds and retries: each is several events.
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
    each(value, duration)
}

/// Whether a node runs beside the one before it: `true`, or how long after its start.
pub fn beside(value: &Value) -> Result<Option<Duration>, String> {
    match value {
        Value::Bool(is_beside) => Ok(is_beside.then_some(Duration::ZERO)),
        Value::String(_) => duration(value).map(Some),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            wanted("`true`, or a duration such as `300ms`", value)
        }
    }
}

/// Rounds at once, from 1.
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
    each(value, mapping)
}

/// How a run ends.
pub fn run_status(value: &Value) -> Result<RunStatus, String> {
    match text(value)?.as_str() {
        "succeeded" => Ok(RunStatus::Succeeded),
        "partial-succeeded" => Ok(RunStatus::PartialSucceeded),
        "failed" => Ok(RunStatus::Failed),
        "stopped" => Ok(RunStatus::Stopped),
        "paused" => Err("a run that waits is written `pause: { node, actions }`".to_owned()),
        "rejected" => Err("a rejection is written `reject: { code, message }`".to_owned()),
        other => Err(format!("cannot be `{other}`; one of: succeeded, partial-succeeded, failed, stopped")),
    }
}

/// How a node ends.
pub fn node_status(value: &Value) -> Result<NodeStatus, String> {
    match text(value)?.as_str() {
        "succeeded" => Ok(NodeStatus::Succeeded),
        "failed" => Ok(NodeStatus::Failed),
        "exception" => Ok(NodeStatus::Exception),
        other => Err(format!("cannot be `{other}`; one of: succeeded, failed, exception")),
    }
}

/// How a node ends, or how each round does.
pub fn statuses(value: &Value) -> Result<Vec<NodeStatus>, String> {
    each(value, node_status)
}

/// Streamed text, whole or in chunks.
pub fn chunks(value: &Value) -> Result<StreamedText, String> {
    match value {
        Value::Array(items) => items.iter().map(text).collect::<Result<_, _>>().map(StreamedText::Cut),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            text(value).map(StreamedText::Whole)
        }
    }
}

/// A price: `0.05 USD`, or a bare decimal in USD.
pub fn price(value: &Value) -> Result<ScriptedPrice, String> {
    if let Some(amount) = decimal(&BorrowedValue::of(value)) {
        return match amount.is_sign_negative() {
            true => Err("must not be negative".to_owned()),
            false => Ok(ScriptedPrice { amount, currency: "USD".to_owned() }),
        };
    }
    let money = parse_money(&text(value)?).map_err(|error| error.to_string())?;
    Ok(ScriptedPrice { amount: money.amount, currency: money.currency.to_string() })
}
