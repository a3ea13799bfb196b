//! One recorded exchange: what makes its request the same as another, and everything that came back.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::exchange::{Arrival, Ending, ResponseMode, Transcript};
use crate::wire::error::ErrorClass;

/// Headers that belong to one connection, one moment or one browser.
const PASSING: [&str; 22] = [
    "age",
    "alt-svc",
    "cf-ray",
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "etag",
    "keep-alive",
    "nel",
    "proxy-authenticate",
    "report-to",
    "set-cookie",
    "set-cookie2",
    "te",
    "traceparent",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-correlation-id",
    "x-request-id",
    "x-trace-id",
];

/// One line of a cassette.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Which exchange of all cassettes it is, from 0; names it to the mock.
    pub number: usize,
    /// The test's full name.
    pub test: String,
    /// Which repeat, from 0.
    pub repeat: u32,
    /// What was asked.
    pub asked: Asked,
    /// When it was recorded: RFC 3339, UTC.
    pub recorded: String,
    /// What came back.
    pub heard: Heard,
    /// True when a secret stood in the answer, beyond the echo of the inputs, and was masked: no replay of it is judged.
    pub masked: bool,
}

/// What makes two requests the same; neither key nor user.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
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
}

/// What makes two files the same; an upload's id is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePrint {
    /// Dify's type.
    pub kind: String,
    /// The name of an uploaded file, or the address of one that Dify fetches.
    pub name: String,
    /// BLAKE3 of an uploaded file's bytes, in hexadecimal; none for an address.
    pub blake3: Option<String>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// HTTP status.
    pub status: u16,
    /// Headers in wire order, names in lower case, without those of the connection.
    pub headers: Vec<(String, String)>,
    /// Pings of a stream.
    pub pings: u32,
    /// The body.
    pub answer: Answer,
    /// Request sent to the end of the answer.
    pub elapsed: Duration,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Data events of a stream with the times they came.
    Events(Vec<Arrival>),
    /// One JSON document.
    Json(Value),
    /// One document that is no JSON, or nested too deep to stand in a line.
    Text(String),
}

/// Keeps what came back, if a replay of it can be judged as the exchange itself was; else says why not.
///
/// Errors of the network, the key and the quota are no answers of a workflow: a replay would repeat an accident.
pub fn hear(transcript: &Transcript) -> Result<Heard, &'static str> {
    match &transcript.ending {
        Ending::Finished | Ending::Paused => {}
        Ending::Rejected(error) | Ending::ErrorEvent(error) => match error.class {
            ErrorClass::Rejected => {}
            ErrorClass::Config => return Err("the target is not configured for it"),
            ErrorClass::Quota => return Err("a limit of the target was met"),
            ErrorClass::Transport => return Err("the server or a proxy failed"),
        },
        Ending::Stalled { .. } | Ending::Cut { .. } | Ending::TimedOut { .. } | Ending::Stopped { .. } => {
            return Err("the answer did not come to its end");
        }
        Ending::Exceeded { .. } => return Err("it was stopped: it used more than its budget allows"),
        Ending::Unreadable { .. } => return Err("the answer could not be read"),
        Ending::Unanswered { .. } => return Err("its form could not be answered"),
        Ending::NotSent { .. } => return Err("the request was not sent"),
    }
    if transcript.pauses.answered > 0 {
        return Err(
            "its forms were answered by `human_input`, and a cassette holds one answer to one request",
        );
    }
    if transcript.recovery.is_some() {
        return Err("its answer broke off, and the rest of the run was not seen");
    }
    let status = transcript.http_status.ok_or("no answer came")?;
    if !transcript.events.is_empty() && !ends_once(&transcript.events) {
        return Err("the run was joined from several answers, which this version cannot replay");
    }
    Ok(Heard {
        status,
        headers: transcript.headers.iter().filter(|(name, _)| lasts(name)).cloned().collect(),
        pings: transcript.pings,
        answer: answer_of(transcript).ok_or("the answer had no body")?,
        elapsed: transcript.elapsed,
    })
}

/// True for a header that says something of the answer.
fn lasts(name: &str) -> bool {
    !PASSING.contains(&name)
}

/// True when the last event, and no other, ends a stream.
fn ends_once(events: &[Arrival]) -> bool {
    let is_end = |event: &Arrival| {
        let name = event.json()["event"].as_str().map(str::to_owned);
        matches!(name.as_deref(), Some("workflow_finished" | "workflow_paused" | "error"))
    };
    let looks_like_end = |event: &&Arrival| {
        ["workflow_finished", "workflow_paused", "\"error\""].iter().any(|word| event.text.contains(word))
    };
    match events.split_last() {
        Some((last, before)) => is_end(last) && !before.iter().filter(looks_like_end).any(is_end),
        None => false,
    }
}

fn answer_of(transcript: &Transcript) -> Option<Answer> {
    if !transcript.events.is_empty() {
        return Some(Answer::Events(transcript.events.clone()));
    }
    let is_json = |(name, value): &(String, String)| name == "content-type" && value.contains("json");
    Some(match transcript.body.as_ref()? {
        Value::String(text) if !transcript.headers.iter().any(is_json) => Answer::Text(text.clone()),
        body => Answer::Json(body.clone()),
    })
}

impl Heard {
    /// True when the run waits for a person.
    pub fn is_paused(&self) -> bool {
        let last = match &self.answer {
            Answer::Events(events) => events.last().map(Arrival::json).unwrap_or_default(),
            Answer::Json(body) => body.clone(),
            Answer::Text(_) => Value::Null,
        };
        last["event"] == "workflow_paused" || last["data"]["status"] == "paused"
    }

    /// When each data event came, since the request was sent.
    pub fn times(&self) -> Vec<Duration> {
        match &self.answer {
            Answer::Events(events) => events.iter().map(|event| event.at).collect(),
            Answer::Json(_) | Answer::Text(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::begin;
    use crate::exchange::{Posted, RecoveredBy, Recovery, Trace};

    fn finished() -> Transcript {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let begun = begin(ResponseMode::Blocking, Value::Null, Posted::default());
        Transcript {
            ending: Ending::Finished,
            http_status: Some(200),
            headers,
            body: Some(json!({ "data": { "status": "succeeded" } })),
            ..begun
        }
    }

    #[test]
    fn only_what_one_answer_told_is_kept() {
        assert!(hear(&finished()).is_ok());
        let mut recovered = finished();
        let lost = "the stream ended after 3 events".to_owned();
        recovered.recovery = Some(Recovery::Recovered { by: RecoveredBy::Events, lost: lost.clone() });
        assert!(hear(&recovered).unwrap_err().contains("broke off"));
        let mut found = finished();
        found.recovery = Some(Recovery::Lost { lost, why: String::new(), trace: Trace::None });
        assert!(hear(&found).unwrap_err().contains("broke off"));
        let mut answered = finished();
        answered.pauses.answered = 1;
        assert!(hear(&answered).unwrap_err().contains("answered by `human_input`"));
    }
}
