//! What endpoints and judges answer: streams, documents, votes.

use std::time::Duration;

use serde_json::Value;

use crate::assert::judge::{JudgeVote, read_chat, read_embeddings, read_tokens, read_trouble, read_workflow};
use crate::base::borrowed_json::BorrowedValue;
use crate::base::diff::{EqualOptions, equal};
use crate::dify::client::begin;
use crate::dify::client::{BodyEnd, StreamReader, read_document};
use crate::dify::transcript::{Ending, PostedRequest, ResponseMode, Transcript};
use crate::dify::wire::contract::Contracts;

/// The most bytes of one event: small, so that the bound is met.
const LARGEST_EVENT: u64 = 4_096;
/// What an honest judge repeats.
const NONCE: &str = "5c1f";

/// A stream of events: in whatever pieces it comes, the same transcript. The first byte says which pieces.
pub fn event_stream(bytes: &[u8]) {
    let Some((first, stream)) = bytes.split_first() else { return };
    let contracts = (first % 8 == 0).then(Contracts::new);
    let whole = read_stream([stream].into_iter(), contracts.as_ref());
    let sizes = if first % 2 == 0 { 1 } else { usize::from(*first) / 2 + 1 };
    let pieces = read_stream(stream.chunks(sizes), contracts.as_ref());
    assert!(whole == pieces, "in pieces of {sizes} bytes: {pieces:#?}\nas a whole: {whole:#?}");
    let has_run = whole.answer.run.is_some();
    assert!(has_run || !matches!(whole.ending, Ending::Finished | Ending::Paused), "{whole:#?}");
}

fn read_stream<'a>(pieces: impl Iterator<Item = &'a [u8]>, contracts: Option<&Contracts>) -> Transcript {
    let mut transcript = begin(ResponseMode::Streaming, Value::Null, PostedRequest::default());
    (transcript.http_status, transcript.dify_version) = (Some(200), Some("1.14.2".to_owned()));
    let mut reader = StreamReader::new(transcript, LARGEST_EVENT).watched(contracts);
    for piece in pieces {
        if reader.take(piece, Duration::ZERO).is_break() {
            break;
        }
    }
    reader.finish(&BodyEnd::Clean)
}

/// An answer that is one document: only HTTP 200 with a run in it has finished. The first byte says the status and the type.
pub fn blocking_document(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let status = [200, 200, 200, 200, 400, 401, 404, 429, 500, 502, 504, 202][usize::from(first % 12)];
    let kind = ["application/json", "application/json; charset=utf-8", "text/html", "text/plain", ""]
        [usize::from(first / 12 % 5)];
    let mut transcript = begin(ResponseMode::Blocking, Value::Null, PostedRequest::default());
    transcript.http_status = Some(status);
    let transcript = read_document(transcript, kind, body);
    if matches!(transcript.ending, Ending::Finished | Ending::Paused) {
        let run = transcript.answer.run.as_ref().expect("what has ended has a run");
        assert!(status == 200 && run.data().is_object(), "{status}: {run:?}");
    }
    if let Ok(text) = std::str::from_utf8(body) {
        let (lean, value) = (BorrowedValue::read(text), serde_json::from_str::<Value>(text));
        match (lean, value) {
            (Ok(lean), Ok(value)) => {
                assert!(equal(&value, &lean.to_value(), &EqualOptions::default()), "{value}")
            }
            // Ours refuses exponents beyond all reckoning, and objects that pass for numbers.
            (Err(_), Ok(_)) if text.contains(['e', 'E']) => {}
            (Err(_), Err(_)) => {}
            (lean, value) => panic!("one reader takes it: {lean:?}, {value:?}"),
        }
    }
}

/// A judge's answer: a vote is a number from 0 to 1 from an answer that bears the nonce.
pub fn judge_answer(bytes: &[u8]) {
    let is_share = |vote: &JudgeVote| (0.0..=1.0).contains(&vote.score) && vote.reason.len() <= 1_000;
    if let Ok(vote) = read_chat(bytes, NONCE) {
        let answer: Value = serde_json::from_slice(bytes).expect("a vote comes from JSON");
        assert_eq!(answer["choices"].as_array().map(Vec::len), Some(1), "{answer}");
        let content = answer["choices"][0]["message"]["content"].as_str().unwrap_or_default();
        assert!(content.contains(NONCE) || content.contains('\\'), "{answer}");
        assert!(content.contains("\"score\"") || content.contains('\\'), "{answer}");
        assert!(is_share(&vote), "{vote:?}");
    }
    if let Ok(vote) = read_embeddings(bytes) {
        assert!(is_share(&vote) && vote.reason.is_empty(), "{vote:?}");
    }
    if let Some(tokens) = read_tokens(bytes) {
        assert!(tokens > 0);
    }
    assert!(!read_trouble(bytes).contains(['\n', '\u{1b}']));
    let Ok(outputs) = serde_json::from_slice::<Value>(bytes) else { return };
    if let Ok(vote) = read_workflow(&outputs) {
        assert_eq!(Some(vote.score), outputs["score"].as_f64(), "{outputs}");
        assert!(is_share(&vote), "{vote:?}");
    }
}
