//! The answers to forms, and the events after each, as a line of a cassette holds them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::event_line::{EventLine, decode_events, duration, event_line, milliseconds};
use super::exchange::{AnswerPrint, RecordedResponse};
use super::file_line::{FileLine, decode_files, file_lines};
use crate::dify::transcript::Continuation;

/// How a form is answered.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerLine {
    node: String,
    action: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    inputs: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileLine>,
}

/// What followed an answer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContinuationLine {
    answered_ms: f64,
    events: Vec<EventLine>,
}

/// Writes an answer.
pub(super) fn answer_line(answer: &AnswerPrint) -> AnswerLine {
    AnswerLine {
        node: answer.node.clone(),
        action: answer.action.clone(),
        inputs: answer.inputs.clone(),
        files: file_lines(&answer.files),
    }
}

/// Reads an answer.
pub(super) fn decode_answer(line: AnswerLine) -> AnswerPrint {
    let AnswerLine { node, action, inputs, files } = line;
    AnswerPrint { node, action, inputs, files: decode_files(files) }
}

/// Writes what followed an answer.
pub(super) fn continuation_line(continuation: &Continuation) -> ContinuationLine {
    ContinuationLine {
        answered_ms: milliseconds(continuation.answered_at),
        events: continuation.events.iter().map(event_line).collect(),
    }
}

/// Reads what followed each answer, and checks that it fits the answers and the first part of the run.
pub(super) fn decode_after(
    lines: Vec<ContinuationLine>,
    answers: usize,
    first: &RecordedResponse,
) -> Result<Vec<Continuation>, String> {
    if lines.len() > answers {
        return Err(format!("goes on {} times in `after` with {answers} `answers`", lines.len()));
    }
    if !lines.is_empty() && !first.is_paused() {
        return Err("goes on in `after`, and the run did not pause".to_owned());
    }
    let mut after: Vec<Continuation> = Vec::with_capacity(lines.len());
    let mut last = first.times().last().copied().unwrap_or_default();
    for (index, line) in lines.into_iter().enumerate() {
        let number = index + 1;
        let answered_at = duration(line.answered_ms, &format!("answered_ms of answer {number}"))?;
        let events = decode_events(line.events)?;
        if answered_at < last || events.first().is_some_and(|event| event.at < answered_at) {
            return Err(format!("has an answer {number} at a time that does not fit the events around it"));
        }
        last = events.last().map_or(answered_at, |event| event.at);
        after.push(Continuation { answered_at, events });
    }
    Ok(after)
}
