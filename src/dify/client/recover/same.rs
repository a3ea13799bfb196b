//! Whether a run that was found is the one that was sent; pure.
//!
//! Dify drops inputs it does not know and turns numbers, switches and files into its own form: only what must have come
//! through unchanged is compared.

use serde_json::{Map, Value};

use crate::base::diff::{EqualOptions, equal};
use crate::base::json_number::{holds_long, is_long};
use crate::dify::wire::history::RunDetail;

/// What is known of the run that was sent.
#[derive(Debug, Clone, Copy)]
pub struct SentRunFacts<'a> {
    /// Its id.
    pub run_id: &'a str,
    /// Dify's end user.
    pub user: &'a str,
    /// The version that was reported or pinned.
    pub workflow_id: Option<&'a str>,
    /// The inputs as sent.
    pub inputs: &'a Value,
}

/// Why a run is not ours; `None` where nothing speaks against it.
pub fn difference(detail: &RunDetail, ours: &SentRunFacts<'_>) -> Option<String> {
    if detail.id != ours.run_id {
        return Some("the answer is about another run".to_owned());
    }
    if let (Some(theirs), Some(wanted)) = (detail.run["workflow_id"].as_str(), ours.workflow_id)
        && theirs != wanted
    {
        return Some(format!("it ran the version {theirs}, not {wanted}"));
    }
    if let Some(user) = detail.inputs.get("sys.user_id").and_then(Value::as_str)
        && user != ours.user
    {
        return Some("it ran for another user".to_owned());
    }
    let other = ours.inputs.as_object().and_then(|sent| other_input(sent, &detail.inputs));
    other.map(|name| format!("its input `{name}` is not what was sent"))
}

/// The first input that came through as something else.
fn other_input<'a>(sent: &'a Map<String, Value>, told: &Map<String, Value>) -> Option<&'a str> {
    let differs = |name: &str, value: &Value| told.get(name).is_some_and(|told| !may_become(value, told));
    sent.iter().find(|(name, value)| differs(name, value)).map(|(name, _)| name.as_str())
}

/// Whether Dify may have made one value of the other.
fn may_become(sent: &Value, told: &Value) -> bool {
    match (sent, told) {
        (Value::String(sent), Value::String(told)) => sent.replace('\0', "") == told.replace('\0', ""),
        (Value::Object(file), Value::Object(_)) if file.contains_key("transfer_method") => true,
        (Value::Array(sent), Value::Array(told)) => {
            sent.len() == told.len() && sent.iter().zip(told).all(|(sent, told)| may_become(sent, told))
        }
        // Dify's numbers are doubles, and whole numbers of any length.
        (Value::Number(long), Value::Number(number)) if is_long(long) && number.is_f64() => {
            long.as_f64() == number.as_f64()
        }
        (Value::Number(_), Value::Number(_)) | (Value::Bool(_), Value::Bool(_)) => {
            equal(sent, told, &EqualOptions::default())
        }
        (Value::Object(_), Value::Object(_)) => {
            holds_long(sent) || equal(sent, told, &EqualOptions::default())
        }
        // A value not given gets its default; scalars are converted into the declared type.
        (Value::Null, _) => true,
        (Value::String(sent), Value::Null) => sent.is_empty(),
        (Value::String(_) | Value::Number(_) | Value::Bool(_), Value::Number(_) | Value::Bool(_)) => true,
        (Value::Number(_) | Value::Bool(_), Value::String(_) | Value::Null)
        | (Value::String(_), Value::Array(_) | Value::Object(_))
        | (Value::Number(_) | Value::Bool(_), Value::Array(_) | Value::Object(_))
        | (Value::Array(_) | Value::Object(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dify::wire::history::decode_detail;

    fn compare(sent: &Value, told: Value, workflow_id: Option<&str>) -> Option<String> {
        let ours = SentRunFacts { run_id: "r", user: "u", workflow_id, inputs: sent };
        let json = json!({ "id": "r", "workflow_id": "w", "status": "running", "inputs": told });
        difference(&decode_detail(&json).unwrap().unwrap(), &ours)
    }

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_dify_makes_of_inputs_is_still_ours() {
        for (sent, told) in [
            (json!({ "q": "a", "gone": 1 }), json!({ "q": "a", "dflt": "x", "sys.user_id": "u" })),
            (
                json!({ "n": "7.0", "flag": "yes", "x": 2, "y": true }),
                json!({ "n": 7, "flag": true, "x": 2.0, "y": 1 }),
            ),
            (json!({ "n": "", "d": null }), json!({ "n": null, "d": "the default" })),
            (json!({ "f": { "transfer_method": "local_file" } }), json!({ "f": { "related_id": "x" } })),
            (json!({ "fs": [{ "transfer_method": "remote_url" }] }), json!({ "fs": [{ "filename": "x" }] })),
            (json!({ "o": { "a": [1, 2] } }), json!("{\"o\": {\"a\": [1.0, 2]}}")),
            (json!({ "q": "a" }), Value::Null),
            (json!({ "q": "a" }), json!("no JSON")),
            (json!({ "q": "a\0b" }), json!({ "q": "ab" })),
            (read(r#"{"n":0.1000000000000000000001}"#), json!({ "n": 0.1 })),
            (read(r#"{"n":18446744073709551616}"#), read(r#"{"n":18446744073709551616}"#)),
        ] {
            assert_eq!(compare(&sent, told, Some("w")), None, "{sent}");
        }
    }

    #[test]
    fn another_run_is_not_ours() {
        for (sent, told, expected) in [
            (json!({ "q": "a" }), json!({ "q": "b" }), "its input `q` is not what was sent"),
            (json!({ "n": 7 }), json!({ "n": 8 }), "its input `n` is not what was sent"),
            (
                read(r#"{"n":0.1000000000000000000001}"#),
                json!({ "n": 0.2 }),
                "its input `n` is not what was sent",
            ),
            (json!({ "o": { "a": 1 } }), json!({ "o": { "a": 2 } }), "its input `o` is not what was sent"),
            (json!({ "l": ["a"] }), json!({ "l": ["a", "b"] }), "its input `l` is not what was sent"),
            (json!({ "l": ["a"] }), json!({ "l": "a" }), "its input `l` is not what was sent"),
            (json!({}), json!({ "sys.user_id": "v" }), "it ran for another user"),
        ] {
            assert_eq!(compare(&sent, told, None).as_deref(), Some(expected), "{sent}");
        }
        assert_eq!(compare(&json!({}), json!({}), Some("v")).as_deref(), Some("it ran the version w, not v"));
    }
}
