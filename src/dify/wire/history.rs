//! A run as Dify reports it afterwards: its detail, and its row in the logs.

use serde_json::{Map, Value};

use crate::base::borrowed_json::BorrowedValue;
use crate::dify::wire::answer::AnswerError;

/// The detail of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunDetail {
    /// The run's id.
    pub id: String,
    /// `running`, `succeeded`, …
    pub status: String,
    /// The inputs with Dify's own (`sys.user_id`), where Dify reports them.
    pub inputs: Map<String, Value>,
    /// The run's facts as the final `data` of a stream has them: `outputs` is always an object.
    pub run: Value,
}

/// A run as the logs show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// The run's id.
    pub run_id: String,
    /// The end user who sent it.
    pub user: Option<String>,
    /// When it started, in Unix seconds of the server.
    pub created_at: Option<i64>,
}

/// Reads a detail; `None` where Dify does not know the run (1.12 answers 200 with nulls).
pub fn decode_detail(json: &Value) -> Result<Option<RunDetail>, AnswerError> {
    let Some(object) = json.as_object().filter(|object| object.contains_key("id")) else {
        return Err(AnswerError::NoRun("it has no `id`".to_owned()));
    };
    let id = match &object["id"] {
        Value::Null => return Ok(None),
        Value::String(id) => id.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            return Err(AnswerError::NoRun("its `id` is no text".to_owned()));
        }
    };
    let status = json["status"].as_str().ok_or(AnswerError::Missing("`status`"))?.to_owned();
    let outputs = embedded(&json["outputs"])
        .ok_or_else(|| AnswerError::NoRun("its `outputs` are no object".to_owned()))?;
    let inputs = embedded(&json["inputs"]).unwrap_or_default();
    let mut run = object.clone();
    run.insert("outputs".to_owned(), Value::Object(outputs));
    run.insert("inputs".to_owned(), Value::Object(inputs.clone()));
    Ok(Some(RunDetail { id, status, inputs, run: Value::Object(run) }))
}

/// An object, or one written as JSON in a text; null is an empty one.
fn embedded(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Null => Some(Map::new()),
        Value::Object(object) => Some(object.clone()),
        Value::String(text) => match BorrowedValue::read_value(text.as_bytes()).ok()? {
            Value::Object(object) => Some(object),
            Value::Null => Some(Map::new()),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
        },
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// Reads a page of the logs; rows without a run are left out.
pub fn decode_logs(json: &Value) -> Result<Vec<LogRow>, AnswerError> {
    let rows = json["data"].as_array().ok_or(AnswerError::Missing("`data`"))?;
    Ok(rows.iter().filter_map(row).collect())
}

fn row(json: &Value) -> Option<LogRow> {
    let run = &json["workflow_run"];
    Some(LogRow {
        run_id: run["id"].as_str()?.to_owned(),
        user: json["created_by_end_user"]["session_id"].as_str().map(str::to_owned),
        created_at: run["created_at"].as_i64(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outputs_and_inputs_are_objects_however_they_are_written() {
        let old = json!({ "id": "r", "status": "succeeded", "inputs": "{\"q\": 9007199254740993}", "outputs": "{\"a\": \"{}\"}" });
        let new = json!({ "id": "r", "status": "succeeded", "inputs": { "q": 9007199254740993_i64 }, "outputs": { "a": "{}" } });
        let read = |json: &Value| decode_detail(json).unwrap().unwrap();
        assert_eq!(read(&old), read(&new));
        assert_eq!(
            (&read(&old).run["outputs"]["a"], &read(&old).inputs["q"]),
            (&json!("{}"), &json!(9007199254740993_i64))
        );
        for empty in [Value::Null, json!("{}"), json!("null")] {
            assert_eq!(
                read(&json!({ "id": "r", "status": "failed", "outputs": empty })).run["outputs"],
                json!({})
            );
        }
    }

    #[test]
    fn what_is_no_run_is_said() {
        assert_eq!(decode_detail(&json!({ "id": null, "status": null })), Ok(None));
        for bad in [
            json!([]),
            json!({ "status": "succeeded" }),
            json!({ "id": 1, "status": "succeeded" }),
            json!({ "id": "r" }),
            json!({ "id": "r", "status": "succeeded", "outputs": "not JSON" }),
            json!({ "id": "r", "status": "succeeded", "outputs": "[1]" }),
            json!({ "id": "r", "status": "succeeded", "outputs": [1] }),
        ] {
            assert!(decode_detail(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn rows_are_read_as_far_as_they_go() {
        let rows = json!({ "data": [
            { "workflow_run": { "id": "r", "created_at": 5 }, "created_by_end_user": { "session_id": "u" } },
            { "workflow_run": null }, { "workflow_run": { "id": null } }, 7,
            { "workflow_run": { "id": "s" }, "created_by_end_user": null },
        ] });
        let read = decode_logs(&rows).unwrap();
        let seen: Vec<_> =
            read.iter().map(|row| (&*row.run_id, row.user.as_deref(), row.created_at)).collect();
        assert_eq!(seen, [("r", Some("u"), Some(5)), ("s", None, None)]);
        assert!(decode_logs(&json!({ "data": null })).is_err());
    }
}
