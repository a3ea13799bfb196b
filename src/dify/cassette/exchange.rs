//! One recorded exchange: the request as it is compared with others, and the whole response.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::dify::transcript::{Arrival, Continuation, ResponseMode};

/// One line of a cassette.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedExchange {
    /// Which exchange of all cassettes it is, from 0; names it to the mock.
    pub number: usize,
    /// The test's full name.
    pub test: String,
    /// Which repeat, from 0.
    pub repeat: u32,
    /// What was asked.
    pub asked: RecordedRequest,
    /// When it was recorded: RFC 3339, UTC.
    pub recorded: String,
    /// What came back.
    pub heard: RecordedResponse,
    /// True when a secret in the answer, beyond the echo of the inputs, was masked: no replay of it is judged.
    pub masked: bool,
}

/// What makes two requests the same; key and user are no part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedRequest {
    /// The app; empty: the only one.
    pub app: String,
    /// Streaming or blocking.
    pub mode: ResponseMode,
    /// The version the target pinned.
    pub workflow_id: Option<String>,
    /// The inputs as rendered, the run's id replaced.
    pub inputs: Map<String, Value>,
    /// Files by variable.
    pub files: Vec<(String, Vec<FilePrint>)>,
    /// How its forms are answered; empty for a run that did not pause.
    pub answers: Vec<AnswerPrint>,
}

/// What makes two answers to a form the same.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerPrint {
    /// The node that asks.
    pub node: String,
    /// The action taken.
    pub action: String,
    /// What is filled in, the run's id replaced.
    pub inputs: Map<String, Value>,
    /// Files by field.
    pub files: Vec<(String, Vec<FilePrint>)>,
}

/// What makes two files the same; an upload's id is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePrint {
    /// Dify's type.
    pub kind: String,
    /// The name of an uploaded file, or the address of one that Dify fetches.
    pub name: String,
    /// BLAKE3 of an uploaded file's bytes, in hexadecimal; `None` for an address.
    pub blake3: Option<String>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers in wire order, names in lower case, without those of the connection.
    pub headers: Vec<(String, String)>,
    /// Pings of a stream.
    pub pings: u32,
    /// The body.
    pub answer: RecordedAnswer,
    /// What followed each answered form.
    pub after: Vec<Continuation>,
    /// Request sent to the end of the answer.
    pub elapsed: Duration,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordedAnswer {
    /// Data events of a stream with the times they came.
    Events(Vec<Arrival>),
    /// One JSON document.
    Json(Value),
    /// One document that is no JSON, or nested too deep for a line.
    Text(String),
}

impl RecordedResponse {
    /// True when the first answer says that the run waits for a person.
    pub fn is_paused(&self) -> bool {
        let last = match &self.answer {
            RecordedAnswer::Events(events) => events.last().map(Arrival::json).unwrap_or_default(),
            RecordedAnswer::Json(body) => body.clone(),
            RecordedAnswer::Text(_) => Value::Null,
        };
        last["event"] == "workflow_paused" || last["data"]["status"] == "paused"
    }

    /// When the first answer was complete, since the request was sent.
    pub fn first_elapsed(&self) -> Duration {
        self.after.first().map_or(self.elapsed, |continuation| continuation.answered_at)
    }

    /// When each data event of the first answer came, since the request was sent.
    pub fn times(&self) -> Vec<Duration> {
        match &self.answer {
            RecordedAnswer::Events(events) => events.iter().map(|event| event.at).collect(),
            RecordedAnswer::Json(_) | RecordedAnswer::Text(_) => Vec::new(),
        }
    }
}
