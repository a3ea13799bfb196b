//! Answers that take long to judge, so that judging them does not delay the reading of others.

use crate::assert::check::{Check, may_take_long};
use crate::dify::transcript::Transcript;

/// Answers longer than this take long, bytes.
const LONG_ANSWER: u64 = 256 * 1024;
/// Events and documents longer than this take long too, bytes: comparing their values is slow.
const LONG_EVENT: usize = 16 * 1024;

/// Judges an answer. If that may take long, another thread takes over the other tasks of this one meanwhile.
pub(super) fn judge_blocking<T>(transcript: &Transcript, checks: &[Check], judge: impl FnOnce() -> T) -> T {
    if is_long(transcript) || may_take_long(checks) { tokio::task::block_in_place(judge) } else { judge() }
}

fn is_long(transcript: &Transcript) -> bool {
    let is_document = transcript.events.is_empty() && transcript.bytes > LONG_EVENT as u64;
    let holds_much = || transcript.events.iter().any(|event| event.length() > LONG_EVENT);
    transcript.bytes > LONG_ANSWER || is_document || holds_much()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{Arrival, PostedRequest, ResponseMode};
    use crate::dify::wire::chunk::{ChunkTemplate, TextChunk};

    fn answer(bytes: u64, events: Vec<Arrival>) -> Transcript {
        let begun = begin(ResponseMode::Streaming, serde_json::json!({}), PostedRequest::default());
        Transcript { bytes, events, ..begun }
    }

    #[test]
    fn what_may_take_long_to_judge_is_long() {
        let event = |length: usize| Arrival::new(Duration::ZERO, "x".repeat(length));
        assert!(!is_long(&answer(16_384, Vec::new())));
        assert!(is_long(&answer(16_385, Vec::new())), "a document");
        assert!(!is_long(&answer(262_144, vec![event(16_384), event(9)])), "many short events");
        assert!(is_long(&answer(262_145, vec![event(9)])));
        assert!(is_long(&answer(20_000, vec![event(9), event(16_385)])), "one long event");
        let chunk = r#"{"event":"text_chunk","workflow_run_id":"r","task_id":"t","data":{"text":"a","from_variable_selector":["n"]}}"#;
        let mold = Arc::new(ChunkTemplate::of(chunk, &TextChunk::read(chunk).unwrap()).unwrap());
        let chunk = |length: usize| Arrival::of_mold(Duration::ZERO, mold.clone(), &"a".repeat(length));
        assert!(!is_long(&answer(20_000, vec![chunk(16_384)])));
        assert!(is_long(&answer(20_000, vec![chunk(16_385)])));
    }
}
