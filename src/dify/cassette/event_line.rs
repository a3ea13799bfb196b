//! The events of a stream and their times as a line of a cassette holds them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dify::transcript::Arrival;

/// JSON nested deeper than this is written as text: readers stop at 128.
pub(super) const DEEPEST: usize = 100;
/// No exchange lasts longer: a day.
const LONGEST_MS: f64 = 86_400_000.0;

/// One event: as JSON where that restores the received bytes, otherwise those bytes as text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventLine {
    at_ms: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// Writes an event.
pub(super) fn event_line(arrival: &Arrival) -> EventLine {
    let at_ms = milliseconds(arrival.at);
    let text = arrival.text();
    let value = serde_json::from_str::<Value>(&text).ok();
    let is_unchanged = |value: &Value| serde_json::to_string(value).is_ok_and(|written| written == text);
    let exact = value.filter(|value| depth(value) <= DEEPEST && is_unchanged(value));
    match exact {
        Some(value) => EventLine { at_ms, data: Some(value), text: None },
        None => EventLine { at_ms, data: None, text: Some(text.into_owned()) },
    }
}

/// Milliseconds to the microsecond.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// How deep a value is nested.
pub(super) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Reads a stream.
pub(super) fn decode_events(lines: Vec<EventLine>) -> Result<Vec<Arrival>, String> {
    let mut events: Vec<Arrival> = Vec::with_capacity(lines.len());
    for (index, line) in lines.into_iter().enumerate() {
        let number = index + 1;
        let at = duration(line.at_ms, &format!("at_ms of event {number}"))?;
        if events.last().is_some_and(|before| before.at > at) {
            return Err(format!("has an event {number} that is earlier than the one before it"));
        }
        let text = match (line.data, line.text) {
            (Some(data), None) => data.to_string(),
            (None, Some(text)) => text,
            _ => return Err(format!("has an event {number} that must hold either `data` or `text`")),
        };
        match serde_json::from_str::<Value>(&text) {
            Ok(Value::Object(_)) => events.push(Arrival::new(at, text)),
            Ok(_) | Err(_) => return Err(format!("has an event {number} that is no JSON object")),
        }
    }
    match events.is_empty() {
        true => Err("has a stream without an event".to_owned()),
        false => Ok(events),
    }
}

/// Reads a time.
pub(super) fn duration(milliseconds: f64, what: &str) -> Result<Duration, String> {
    match (0.0..=LONGEST_MS).contains(&milliseconds) {
        true => Ok(Duration::from_secs_f64(milliseconds / 1e3)),
        false => Err(format!("has a time `{what}` that is not between 0 and a day")),
    }
}
