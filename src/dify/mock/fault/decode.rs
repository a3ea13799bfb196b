//! Faults as they are written: a text such as `drop_after:3,times=2`, a mapping such as `{ drop_after: 3, times: 2 }`, or a
//! list of these.

use serde_json::{Map, Value};

use super::name::{FaultError, NAMES, fault_of, no_fault};
use super::spec::{ConnectionEnd, FaultSpec, LostRunRecord, MockFault, RunningReplies};
use crate::dify::mock::script_value::{count, text};

/// Keys besides the name.
pub const OPTIONS: [&str; 5] = ["name", "times", "running", "booked", "end"];

/// Decodes one fault or a list of them.
pub fn decode_faults(value: &Value) -> Result<Vec<FaultSpec>, FaultError> {
    match value {
        Value::Array(items) if items.is_empty() => {
            Err("a list of faults must not be empty".to_owned().into())
        }
        Value::Array(items) => items.iter().map(decode_fault).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Ok(vec![decode_fault(value)?])
        }
    }
}

fn decode_fault(value: &Value) -> Result<FaultSpec, FaultError> {
    match value {
        Value::String(text) => parse_fault(text),
        Value::Object(members) => decode_members(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err("a fault must be a name, a mapping, or a list of these".to_owned().into())
        }
    }
}

/// Reads `NAME[:ARGUMENT][,KEY=VALUE]…`, as a suite and the command line write it.
pub fn parse_fault(text: &str) -> Result<FaultSpec, FaultError> {
    let mut parts = text.split(',').map(str::trim);
    let head = parts.next().unwrap_or_default();
    let (name, argument) = match head.split_once(':') {
        Some((name, argument)) => (name.trim(), Value::from(argument.trim())),
        None => (head, Value::Null),
    };
    if !NAMES.contains(&name) {
        return Err(no_fault(name));
    }
    let mut members = Map::from_iter([(name.to_owned(), argument)]);
    for part in parts {
        let Some((key, value)) = part.split_once('=') else {
            let help = Some("write `drop_after:3,times=2`".to_owned());
            return Err(FaultError { message: format!("`{part}` is no `key=value`"), help });
        };
        let key = key.trim();
        if !OPTIONS[1..].contains(&key) {
            let known = OPTIONS[1..].join(", ");
            let help = Some(format!("known keys: {known}"));
            return Err(FaultError { message: format!("a fault has no key `{key}`"), help });
        }
        drop(members.insert(key.to_owned(), Value::from(value.trim())));
    }
    decode_members(&members)
}

fn decode_members(members: &Map<String, Value>) -> Result<FaultSpec, FaultError> {
    let mut fault = None;
    for (key, value) in members.iter().filter(|(key, _)| *key == "name" || !OPTIONS.contains(&key.as_str())) {
        let (name, argument) = match key.as_str() {
            "name" => (text(value)?, &Value::Null),
            name => (name.to_owned(), value),
        };
        if fault.is_some() {
            return Err("must name one fault; several are a list".to_owned().into());
        }
        fault = Some(fault_of(&name, Some(argument).filter(|argument| !argument.is_null()))?);
    }
    let Some(fault) = fault else {
        let help = Some("write `{ name: http_500, times: 2 }` or `{ drop_after: 3 }`".to_owned());
        return Err(FaultError { message: "must name a fault".to_owned(), help });
    };
    let mut spec = FaultSpec::always(fault);
    for (key, value) in members {
        set_option(&mut spec, key, value).map_err(|message| format!("`{key}` {message}"))?;
    }
    Ok(spec)
}

fn set_option(spec: &mut FaultSpec, key: &str, value: &Value) -> Result<(), String> {
    match key {
        "times" => spec.times = Some(from_one(value)?),
        "running" => spec.running = running(value)?,
        "booked" => spec.booked = booked(value)?,
        "end" => spec.end = Some(end(value)?),
        _ => return Ok(()),
    }
    match spec.fault {
        MockFault::Loss(loss) if key == "end" && !loss.has_end() => {
            Err("belongs to `drop_after`, `cut_mid_event` or `no_terminal_event`".to_owned())
        }
        MockFault::Instead(_) | MockFault::Damage(_) | MockFault::Form(_) | MockFault::Facts(_)
            if key != "times" =>
        {
            Err("belongs to a fault after which the run goes on, such as `drop_after`".to_owned())
        }
        MockFault::Loss(_)
        | MockFault::Instead(_)
        | MockFault::Damage(_)
        | MockFault::Form(_)
        | MockFault::Facts(_) => Ok(()),
    }
}

/// Checks one entry of a mapping by itself, so that a problem names its place.
pub fn check_entry(key: &str, value: &Value) -> Result<(), FaultError> {
    let argument = Some(value).filter(|value| !value.is_null());
    let checked = match key {
        "name" => return text(value).map_err(FaultError::from).and_then(|name| known(&name)),
        "times" => from_one(value).map(drop),
        "running" => running(value).map(drop),
        "booked" => booked(value).map(drop),
        "end" => end(value).map(drop),
        name => return fault_of(name, argument).map(drop),
    };
    checked.map_err(|message| FaultError::from(format!("`{key}` {message}")))
}

fn known(name: &str) -> Result<(), FaultError> {
    if NAMES.contains(&name) { Ok(()) } else { Err(no_fault(name)) }
}

fn from_one(value: &Value) -> Result<u32, String> {
    match count(value)? {
        0 => Err("must be at least 1".to_owned()),
        times => u32::try_from(times).map_err(|_| format!("is at most {}", u32::MAX)),
    }
}

fn running(value: &Value) -> Result<RunningReplies, String> {
    if value == "forever" {
        return Ok(RunningReplies::Forever);
    }
    let times = count(value).map_err(|_| "must be a count or `forever`".to_owned())?;
    u32::try_from(times)
        .map(RunningReplies::Times)
        .map_err(|_| format!("is at most {}; or `forever`", u32::MAX))
}

fn booked(value: &Value) -> Result<LostRunRecord, String> {
    match value {
        Value::Bool(true) => Ok(LostRunRecord::Yes),
        Value::Bool(false) => Ok(LostRunRecord::No),
        Value::String(word) if word == "true" => Ok(LostRunRecord::Yes),
        Value::String(word) if word == "false" => Ok(LostRunRecord::No),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Err("must be `true` or `false`".to_owned())
        }
    }
}

fn end(value: &Value) -> Result<ConnectionEnd, String> {
    match text(value)?.as_str() {
        "clean" => Ok(ConnectionEnd::Clean),
        "close" => Ok(ConnectionEnd::Close),
        "reset" => Ok(ConnectionEnd::Reset),
        other => Err(format!("cannot be `{other}`; one of: clean, close, reset")),
    }
}
