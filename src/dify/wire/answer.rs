//! What Dify answers in one JSON document: a blocking run, the detail of a run, an upload.

use serde_json::{Map, Value};

/// A blocking answer with a run in it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunAnswer {
    /// The run's id.
    pub run_id: Option<String>,
    /// The task's id.
    pub task_id: Option<String>,
    /// The run's facts: `status`, `outputs`, `error`, `total_tokens`, …
    pub data: Value,
}

/// An answer has not the shape Dify gives it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It is no run.
    #[error("the answer is JSON but no workflow run: {0}")]
    NoRun(String),
    /// It names two runs.
    #[error("the answer is of the run {envelope}, and its `data.id` is {data}")]
    TwoRuns {
        /// `workflow_run_id`.
        envelope: String,
        /// `data.id`.
        data: String,
    },
    /// A field is missing or of another type.
    #[error("the answer has no {0}")]
    Missing(&'static str),
}

/// Reads a blocking answer; it must hold a run with a status.
pub fn decode_run(json: &Value) -> Result<RunAnswer, AnswerError> {
    let Some(object) = json.as_object() else {
        return Err(AnswerError::NoRun("it is not an object".to_owned()));
    };
    let Some(data) = object.get("data").filter(|data| data.is_object()) else {
        return Err(AnswerError::NoRun(what_else(object)));
    };
    if !data["status"].is_string() {
        return Err(AnswerError::Missing("`data.status`"));
    }
    let run_id = match (json["workflow_run_id"].as_str(), data["id"].as_str()) {
        (Some(envelope), Some(id)) if envelope != id => {
            return Err(AnswerError::TwoRuns { envelope: envelope.to_owned(), data: id.to_owned() });
        }
        (envelope, id) => envelope.or(id),
    };
    Ok(RunAnswer {
        run_id: run_id.map(str::to_owned),
        task_id: json["task_id"].as_str().map(str::to_owned),
        data: data.clone(),
    })
}

/// A blocking answer of a chat app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageAnswer {
    /// The message's id.
    pub message_id: String,
    /// The conversation's id; `None` of a completion.
    pub conversation_id: Option<String>,
    /// The task's id.
    pub task_id: Option<String>,
    /// The run's id, which only a run that waits is answered with.
    pub run_id: Option<String>,
    /// The text.
    pub text: String,
}

/// Reads a blocking answer of a chat app; it must hold a message.
pub fn decode_message(json: &Value) -> Result<MessageAnswer, AnswerError> {
    let text = |key: &str| json[key].as_str().map(str::to_owned);
    Ok(MessageAnswer {
        message_id: text("message_id").ok_or(AnswerError::Missing("`message_id`"))?,
        conversation_id: text("conversation_id"),
        task_id: text("task_id"),
        run_id: text("workflow_run_id"),
        text: text("answer").ok_or(AnswerError::Missing("`answer`"))?,
    })
}

/// Reads the id of an uploaded file.
pub fn decode_upload(json: &Value) -> Result<String, AnswerError> {
    json["id"].as_str().map(str::to_owned).ok_or(AnswerError::Missing("`id`"))
}

fn what_else(object: &Map<String, Value>) -> String {
    if object.contains_key("answer") && object.contains_key("conversation_id") {
        return "it is a chat app's answer".to_owned();
    }
    let keys: Vec<&str> = object.keys().take(8).map(String::as_str).collect();
    if keys.is_empty() { "it is empty".to_owned() } else { format!("its keys are {}", keys.join(", ")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_blocking_answer_is_a_run_only_with_a_status() {
        let good =
            json!({ "task_id": "t", "workflow_run_id": "r", "data": { "id": "r", "status": "succeeded" } });
        let run = decode_run(&good).unwrap();
        assert_eq!((run.run_id.as_deref(), run.task_id.as_deref()), (Some("r"), Some("t")));
        let bad = [
            (json!([1]), "the answer is JSON but no workflow run: it is not an object"),
            (json!({}), "the answer is JSON but no workflow run: it is empty"),
            (json!({ "data": 1, "x": 2 }), "the answer is JSON but no workflow run: its keys are data, x"),
            (json!({ "data": {} }), "the answer has no `data.status`"),
            (
                json!({ "workflow_run_id": "r", "data": { "id": "s", "status": "succeeded" } }),
                "the answer is of the run r, and its `data.id` is s",
            ),
            (json!({ "data": { "status": null } }), "the answer has no `data.status`"),
            (
                json!({ "answer": "hi", "conversation_id": "c" }),
                "the answer is JSON but no workflow run: it is a chat app's answer",
            ),
        ];
        for (json, expected) in bad {
            assert_eq!(decode_run(&json).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_message_has_an_id_and_a_text() {
        let whole = json!({ "message_id": "m", "answer": "", "conversation_id": null });
        let message = decode_message(&whole).unwrap();
        assert_eq!((message.message_id.as_str(), message.text.as_str()), ("m", ""));
        assert_eq!((message.conversation_id, message.run_id), (None, None));
        for missing in ["message_id", "answer"] {
            let mut less = whole.clone();
            less[missing] = Value::Null;
            assert!(decode_message(&less).unwrap_err().to_string().contains(missing));
        }
    }

    #[test]
    fn an_upload_has_an_id() {
        assert_eq!(decode_upload(&json!({ "id": "f" })).unwrap(), "f");
        assert!(decode_upload(&json!({ "id": null })).is_err());
    }
}
