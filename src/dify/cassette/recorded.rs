//! One recorded exchange: what makes its request the same as another, and everything that came back.

use std::time::Duration;

use serde_json::{Map, Value};

use super::find::Pin;
use crate::dify::transcript::{Arrival, Continuation, Ending, ResponseMode, Transcript};
use crate::dify::wire::error::ErrorClass;

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
    /// True when a secret stood in the answer, beyond the echo of the inputs, and was masked: no replay of it is judged.
    pub masked: bool,
}

/// What makes two requests the same; neither key nor user.
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
    /// How its forms are answered; of a run that asked nobody none is kept.
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
    /// BLAKE3 of an uploaded file's bytes, in hexadecimal; none for an address.
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
    /// One document that is no JSON, or nested too deep to stand in a line.
    Text(String),
}

/// Keeps what came back, if a replay of it can be judged as the exchange itself was; else says why not.
///
/// Errors of the network, the key and the quota are no answers of a workflow: a replay would repeat an accident.
pub fn hear(transcript: &Transcript) -> Result<RecordedResponse, &'static str> {
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
    if transcript.pauses.is_torn {
        return Err("what the run told once its form was answered was not all seen");
    }
    if transcript.recovery.is_some() {
        return Err("its answer broke off, and the rest of the run was not seen");
    }
    let status = transcript.http_status.ok_or("no answer came")?;
    let (first, after) = parts(transcript)
        .ok_or("the run was joined from several answers, which this version cannot replay")?;
    Ok(RecordedResponse {
        status,
        headers: transcript.headers.iter().filter(|(name, _)| lasts(name)).cloned().collect(),
        pings: transcript.pings,
        answer: answer_of(transcript, first).ok_or("the answer had no body")?,
        after,
        elapsed: transcript.elapsed,
    })
}

/// True for a header that says something of the answer.
fn lasts(name: &str) -> bool {
    !PASSING.contains(&name)
}

/// The events of the first answer, and what followed each answered form; none where they do not fall apart so.
fn parts(transcript: &Transcript) -> Option<(&[Arrival], Vec<Continuation>)> {
    let (events, answered) = (&transcript.events, &transcript.pauses.answered);
    let starts = answered.iter().map(|given| given.events);
    let ends = starts.clone().skip(1).chain([events.len()]);
    let first = events.get(..starts.clone().next().unwrap_or(events.len()))?;
    let mut after = Vec::with_capacity(answered.len());
    for ((given, start), end) in answered.iter().zip(starts).zip(ends) {
        let events = events.get(start..end).filter(|events| events.last().is_some_and(is_end))?;
        after.push(Continuation { answered_at: given.at, events: events.to_vec() });
    }
    (first.is_empty() || ends_once(first)).then_some((first, after))
}

/// True when the last event, and no other, ends a stream.
fn ends_once(events: &[Arrival]) -> bool {
    let looks_like_end = |event: &&Arrival| {
        ["workflow_finished", "workflow_paused", "\"error\""].iter().any(|word| event.text().contains(word))
    };
    match events.split_last() {
        Some((last, before)) => is_end(last) && !before.iter().filter(looks_like_end).any(is_end),
        None => false,
    }
}

fn is_end(event: &Arrival) -> bool {
    let name = event.json()["event"].as_str().map(str::to_owned);
    matches!(name.as_deref(), Some("workflow_finished" | "workflow_paused" | "error"))
}

fn answer_of(transcript: &Transcript, events: &[Arrival]) -> Option<RecordedAnswer> {
    if !events.is_empty() {
        return Some(RecordedAnswer::Events(events.to_vec()));
    }
    let is_json = |(name, value): &(String, String)| name == "content-type" && value.contains("json");
    Some(match transcript.body.as_ref()? {
        Value::String(text) if !transcript.headers.iter().any(is_json) => RecordedAnswer::Text(text.clone()),
        body => RecordedAnswer::Json(body.clone()),
    })
}

impl RecordedResponse {
    /// True when the first answer told that the run waits for a person.
    pub fn is_paused(&self) -> bool {
        let last = match &self.answer {
            RecordedAnswer::Events(events) => events.last().map(Arrival::json).unwrap_or_default(),
            RecordedAnswer::Json(body) => body.clone(),
            RecordedAnswer::Text(_) => Value::Null,
        };
        last["event"] == "workflow_paused" || last["data"]["status"] == "paused"
    }

    /// When the first answer had come.
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

impl RecordedExchange {
    /// True when it answers a request. Answers to forms matter where the run asked for them.
    pub fn is_for(&self, asked: &RecordedRequest, pin: Pin) -> bool {
        self.asked.is_same(asked, pin) && (!self.heard.is_paused() || self.asked.has_same_answers(asked))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{PostedRequest, RecoveredBy, Recovery, Trace};

    fn finished() -> Transcript {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let begun = begin(ResponseMode::Blocking, Value::Null, PostedRequest::default());
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
        found.recovery =
            Some(Recovery::Lost { lost, why: String::new(), trace: Trace::None, going_on: false });
        assert!(hear(&found).unwrap_err().contains("broke off"));
        let mut torn = finished();
        torn.pauses.is_torn = true;
        assert!(hear(&torn).unwrap_err().contains("not all seen"));
    }
}
