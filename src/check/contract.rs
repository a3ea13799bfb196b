//! A transcript held against what its version of Dify is known to send.

use crate::exchange::{Arrival, Transcript};
use crate::wire::contract::{Answer, Contracts, Deviation};
use crate::wire::event::TextChunk;

/// Most differences that are told of one attempt.
const MOST: usize = 64;

/// A difference, and where it was met first in the attempt: the number of the event from 1, none for an answer that is no stream.
pub type Found = (Deviation, Option<usize>);

/// How the events and the answer of an attempt differ from what is known, each difference once; and which version that is.
pub fn contract_deviations(transcript: &Transcript, contracts: &Contracts) -> (&'static str, Vec<Found>) {
    let contract = contracts.of(transcript.dify_version.as_deref());
    let mut all: Vec<Found> = Vec::new();
    if transcript.recovery.is_some() {
        // What follows a lost stream comes from other calls, in shapes of their own.
        return (contract.version, all);
    }
    let mut found = Vec::new();
    for (index, event) in transcript.events.iter().enumerate() {
        // A chunk is read only where it has the known fields and types, and no others.
        if TextChunk::read(&event.text).is_none() {
            contract.check_event(&Arrival::json(event), &mut found);
            keep(&mut all, &mut found, Some(index + 1));
        }
    }
    if let Some(body) = &transcript.body
        && let Some(answer) = answer_of(transcript)
    {
        contract.check_answer(answer, body, &mut found);
        keep(&mut all, &mut found, None);
    }
    (contract.version, all)
}

fn keep(all: &mut Vec<Found>, found: &mut Vec<Deviation>, event: Option<usize>) {
    for deviation in found.drain(..) {
        if all.len() < MOST && !all.iter().any(|(known, _)| *known == deviation) {
            all.push((deviation, event));
        }
    }
}

/// What the document is; none where something else than Dify wrote it.
fn answer_of(transcript: &Transcript) -> Option<Answer> {
    let body = transcript.body.as_ref()?;
    match transcript.http_status? {
        200 if body["data"]["status"] == "paused" => Some(Answer::Paused),
        200 if body["data"].is_object() => Some(Answer::Run),
        200..=399 => None,
        _ => (body["code"].is_string() && body["message"].is_string()).then_some(Answer::Refusal),
    }
}
