//! A recorded exchange as one line of JSON, and back: reading a written line restores the exchange.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer_line::{
    AnswerLine, ContinuationLine, answer_line, continuation_line, decode_after, decode_answer,
};
use super::event_line::{DEEPEST, EventLine, decode_events, depth, duration, event_line, milliseconds};
use super::exchange::{AnswerPrint, RecordedAnswer, RecordedExchange, RecordedRequest, RecordedResponse};
use super::file_line::{FileLine, decode_files, file_lines};
use crate::dify::transcript::ResponseMode;

/// A line as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CassetteLine {
    test: String,
    repeat: u32,
    app: String,
    mode: ResponseMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workflow_id: Option<String>,
    inputs: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answers: Vec<AnswerLine>,
    recorded: String,
    status: u16,
    headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pings: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    events: Option<Vec<EventLine>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    after: Vec<ContinuationLine>,
    elapsed_ms: f64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    masked: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Writes a line, without its end.
pub(super) fn write_line(recorded: &RecordedExchange) -> String {
    let RecordedExchange { asked, heard, .. } = recorded;
    let (mut events, mut body, mut text) = (None, None, None);
    match &heard.answer {
        RecordedAnswer::Events(arrivals) => events = Some(arrivals.iter().map(event_line).collect()),
        RecordedAnswer::Json(value) if depth(value) > DEEPEST => text = Some(value.to_string()),
        RecordedAnswer::Json(value) => body = Some(value.clone()),
        RecordedAnswer::Text(words) => text = Some(words.clone()),
    }
    let line = CassetteLine {
        test: recorded.test.clone(),
        repeat: recorded.repeat,
        app: asked.app.clone(),
        mode: asked.mode,
        workflow_id: asked.workflow_id.clone(),
        inputs: asked.inputs.clone(),
        files: file_lines(&asked.files),
        answers: asked.answers.iter().map(answer_line).collect(),
        recorded: recorded.recorded.clone(),
        status: heard.status,
        headers: heard.headers.clone(),
        pings: heard.pings,
        events,
        body,
        text,
        after: heard.after.iter().map(continuation_line).collect(),
        elapsed_ms: milliseconds(heard.elapsed),
        masked: recorded.masked,
    };
    serde_json::to_string(&line).expect("maps with text keys and finite numbers always become JSON")
}

/// Why a line is no exchange.
pub(super) struct LineProblem {
    /// The column in bytes, from 1; 0 where it is the whole line.
    pub column: usize,
    /// What is wrong: goes on after "line 3".
    pub message: String,
}

impl LineProblem {
    /// A problem of the whole line.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { column: 0, message: message.into() }
    }
}

/// Reads a line.
pub(super) fn read_line(text: &str) -> Result<RecordedExchange, LineProblem> {
    let line: CassetteLine = serde_json::from_str(text).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
        let message = match error.is_eof() {
            true => "is cut off: the rest of the exchange is missing".to_owned(),
            false => format!("is no exchange of a cassette: {reason}"),
        };
        LineProblem { column: error.column(), message }
    })?;
    decode(line).map_err(LineProblem::whole)
}

fn decode(line: CassetteLine) -> Result<RecordedExchange, String> {
    if !(200..=599).contains(&line.status) {
        return Err(format!("has the status {}, which no answer has", line.status));
    }
    for (name, value) in &line.headers {
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        if !is_name || value.contains(|c: char| c.is_control() && c != '\t') {
            return Err(format!("has a header `{}` that cannot be sent", name.escape_debug()));
        }
    }
    let answer = match (line.events, line.body, line.text) {
        (Some(events), None, None) => RecordedAnswer::Events(decode_events(events)?),
        (None, Some(body), None) => RecordedAnswer::Json(body),
        (None, None, Some(text)) => RecordedAnswer::Text(text),
        _ => return Err("must hold one of `events`, `body` and `text`".to_owned()),
    };
    let elapsed = duration(line.elapsed_ms, "elapsed_ms")?;
    let answers: Vec<AnswerPrint> = line.answers.into_iter().map(decode_answer).collect();
    let mut heard = RecordedResponse {
        status: line.status,
        headers: line.headers,
        pings: line.pings,
        answer,
        after: Vec::new(),
        elapsed,
    };
    heard.after = decode_after(line.after, answers.len(), &heard)?;
    Ok(RecordedExchange {
        number: 0,
        test: line.test,
        repeat: line.repeat,
        asked: RecordedRequest {
            app: line.app,
            mode: line.mode,
            workflow_id: line.workflow_id,
            inputs: line.inputs,
            files: decode_files(line.files),
            answers,
        },
        recorded: line.recorded,
        heard,
        masked: line.masked,
    })
}
