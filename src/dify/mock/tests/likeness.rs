//! How alike two answers are: the same events, keys in the same order, values of the same types.

use serde_json::Value;

/// Where two streams differ first; `None` when they are alike.
pub fn compare_streams(recorded: &[Value], mocked: &[Value]) -> Result<(), String> {
    for (index, (recorded, mocked)) in recorded.iter().zip(mocked).enumerate() {
        let name = &recorded["event"];
        if *name != mocked["event"] {
            return Err(format!("event {index}: {name} became {}", mocked["event"]));
        }
        compare_keys(recorded, mocked).map_err(|error| format!("event {index} {name}: {error}"))?;
        compare_data(recorded, mocked).map_err(|error| format!("event {index} {name}: {error}"))?;
    }
    match recorded.len() == mocked.len() {
        true => Ok(()),
        false => Err(format!("{} events became {}", recorded.len(), mocked.len())),
    }
}

/// The same members, in the same order, each of the same type.
pub fn compare_keys(recorded: &Value, mocked: &Value) -> Result<(), String> {
    let (Some(left), Some(right)) = (recorded.as_object(), mocked.as_object()) else { return Ok(()) };
    let names = |value: &serde_json::Map<String, Value>| value.keys().cloned().collect::<Vec<_>>();
    if names(left) != names(right) {
        return Err(format!("keys {:?} became {:?}", names(left), names(right)));
    }
    for (key, value) in left {
        if type_of(value) != type_of(&right[key]) {
            return Err(format!("`{key}` {value} became {}", right[key]));
        }
    }
    Ok(())
}

fn compare_data(recorded: &Value, mocked: &Value) -> Result<(), String> {
    let (left, right) = (&recorded["data"], &mocked["data"]);
    compare_keys(left, right)?;
    // What a script decides is equal; what Dify makes of it has the same members.
    for key in [
        "text",
        "from_variable_selector",
        "node_id",
        "node_type",
        "title",
        "index",
        "status",
        "error",
        "retry_index",
        "metadata",
        "steps",
    ] {
        if unsigned(&left[key]) != unsigned(&right[key]) {
            return Err(format!("`{key}` {} became {}", left[key], right[key]));
        }
    }
    for key in ["total_tokens", "total_steps", "exceptions_count", "iteration_id", "loop_id", "files"] {
        if unsigned(&left[key]) != unsigned(&right[key]) {
            return Err(format!("`{key}` {} became {}", left[key], right[key]));
        }
    }
    compare_deep(left, right).map_err(|error| format!("data{error}"))
}

/// Without the signatures of file addresses, which differ each time they are shown.
fn unsigned(value: &Value) -> String {
    let text = value.to_string();
    let mut parts = text.split("timestamp=");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        out + part.trim_start_matches(|c: char| c.is_alphanumeric() || "&=%_-".contains(c))
    })
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "mapping",
    }
}

/// The same members in the same order, lists as long, and the same types, all the way down.
pub fn compare_deep(left: &Value, right: &Value) -> Result<(), String> {
    compare_keys(left, right).map_err(|error| format!(": {error}"))?;
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => left.iter().try_for_each(|(key, value)| {
            compare_deep(value, &right[key]).map_err(|error| format!(".{key}{error}"))
        }),
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            left.iter().zip(right).enumerate().try_for_each(|(at, (left, right))| {
                compare_deep(left, right).map_err(|error| format!("[{at}]{error}"))
            })
        }
        (Value::Array(left), Value::Array(right)) => {
            Err(format!(": {} items became {}", left.len(), right.len()))
        }
        (left, right) if type_of(left) == type_of(right) => Ok(()),
        (left, right) => Err(format!(": {left} became {right}")),
    }
}
