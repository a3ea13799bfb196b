//! A recorded exchange as one line of JSON, and back; what is written reads as what was recorded.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answered::{
    AnswerLine, ContinuationLine, answer_line, continuation_line, decode_after, decode_answer,
};
use super::recorded::{
    AnswerPrint, FilePrint, RecordedAnswer, RecordedExchange, RecordedRequest, RecordedResponse,
};
use crate::dify::transcript::{Arrival, ResponseMode};

/// JSON nested deeper than this stands in a line as text: readers stop at 128.
const DEEPEST: usize = 100;
/// No exchange lasts longer: a day.
const LONGEST_MS: f64 = 86_400_000.0;

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

/// The files of one variable.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileLine {
    variable: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
}

/// One event: JSON where that gives the very bytes that came, else those bytes as text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventLine {
    at_ms: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
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

/// Writes files.
pub(super) fn file_lines(files: &[(String, Vec<FilePrint>)]) -> Vec<FileLine> {
    let each = files.iter().flat_map(|(variable, prints)| prints.iter().map(move |print| (variable, print)));
    each.map(|(variable, print)| FileLine {
        variable: variable.clone(),
        kind: print.kind.clone(),
        name: print.name.clone(),
        blake3: print.blake3.clone(),
    })
    .collect()
}

/// Reads files.
pub(super) fn decode_files(lines: Vec<FileLine>) -> Vec<(String, Vec<FilePrint>)> {
    let mut files: Vec<(String, Vec<FilePrint>)> = Vec::new();
    for FileLine { variable, kind, name, blake3 } in lines {
        let print = FilePrint { kind, name, blake3 };
        match files.last_mut() {
            Some((last, prints)) if *last == variable => prints.push(print),
            Some(_) | None => files.push((variable, vec![print])),
        }
    }
    files
}

/// Writes an event.
pub(super) fn event_line(arrival: &Arrival) -> EventLine {
    let at_ms = milliseconds(arrival.at);
    let text = arrival.text();
    let value = serde_json::from_str::<Value>(&text).ok();
    let is_written_so = |value: &Value| serde_json::to_string(value).is_ok_and(|written| written == text);
    let exact = value.filter(|value| depth(value) <= DEEPEST && is_written_so(value));
    match exact {
        Some(value) => EventLine { at_ms, data: Some(value), text: None },
        None => EventLine { at_ms, data: None, text: Some(text.into_owned()) },
    }
}

/// Milliseconds to the microsecond.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Reads a line; an error says what is wrong, and at which column if it is no JSON.
pub(super) fn read_line(text: &str) -> Result<RecordedExchange, (usize, String)> {
    let line: CassetteLine = serde_json::from_str(text).map_err(|error| {
        let said = error.to_string();
        let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
        match error.is_eof() {
            true => (error.column(), "is cut off: the rest of the exchange is missing".to_owned()),
            false => (error.column(), format!("is no exchange of a cassette: {said}")),
        }
    })?;
    decode(line).map_err(|message| (0, message))
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
