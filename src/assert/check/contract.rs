//! A transcript compared with what its version of Dify is known to send.

use crate::base::borrowed_json::BorrowedValue;
use crate::dify::transcript::Transcript;
use crate::dify::wire::chunk::TextChunk;
use crate::dify::wire::contract::{Contracts, Deviation, WatchedAnswer, check_head};

/// The most differences that are reported for one attempt.
const MOST: usize = 64;

/// A difference, and where it was met first in the attempt: the number of the event from 1, none for an answer that is no stream.
pub type PlacedDeviation = (Deviation, Option<usize>);

/// How the events and the answer of an attempt differ from what is known, each difference once; and which version that is.
pub fn contract_deviations(
    transcript: &Transcript,
    contracts: &Contracts,
) -> (&'static str, Vec<PlacedDeviation>) {
    let told = transcript.asides.iter().find_map(|aside| aside.dify_version.as_deref());
    let contract = contracts.of(transcript.dify_version.as_deref().or(told));
    let (mut all, mut found): (Vec<PlacedDeviation>, Vec<Deviation>) = (Vec::new(), Vec::new());
    let is_stream = transcript.answer.first_event_at.is_some() && !transcript.events.is_empty();
    if let Some(answer) = transcript.watched_answer().or(is_stream.then_some(WatchedAnswer::Stream)) {
        check_head(answer, version(transcript), &mut found);
        keep(&mut all, &mut found, None);
    }
    for (index, event) in transcript.events.iter().enumerate() {
        // A chunk is read only where it has the known fields and types, and no others.
        if event.fits == Some(contract.version) {
            continue;
        }
        let text = event.text();
        if TextChunk::read(&text).is_none() {
            let json = BorrowedValue::read(&text).expect("it was read as JSON when it came");
            contract.check_event(&json, &mut found);
            keep(&mut all, &mut found, Some(index + 1));
        }
    }
    if let Some(body) = &transcript.body
        && let Some(answer) = transcript.watched_answer()
    {
        contract.check_answer(answer, body, &mut found);
        keep(&mut all, &mut found, None);
    }
    for aside in &transcript.asides {
        if let Some(answer) = aside.watched_answer() {
            check_head(answer, aside.dify_version.as_deref(), &mut found);
            contract.check_answer(answer, &aside.json, &mut found);
            keep(&mut all, &mut found, None);
        }
    }
    (contract.version, all)
}

/// What the head of the run's own answer says: another call may have named the version since.
fn version(transcript: &Transcript) -> Option<&str> {
    let header = transcript.headers.iter().find(|(name, _)| name == "x-version");
    header.map(|(_, version)| version.as_str())
}

fn keep(all: &mut Vec<PlacedDeviation>, found: &mut Vec<Deviation>, event: Option<usize>) {
    for deviation in found.drain(..) {
        if all.len() < MOST && !all.iter().any(|(known, _)| *known == deviation) {
            all.push((deviation, event));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{Answer, Arrival, PostedRequest, ResponseMode};

    fn answered(status: u16, body: Value) -> Transcript {
        let begun = begin(ResponseMode::Blocking, json!({}), PostedRequest::default());
        Transcript { http_status: Some(status), body: Some(body), ..begun }
    }

    #[test]
    fn the_version_of_the_head_is_that_of_its_own_header() {
        let mut transcript = answered(200, json!({}));
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        transcript.headers = vec![header("content-type", "application/json"), header("x-version", "1.14.2")];
        assert_eq!(version(&transcript), Some("1.14.2"));
        transcript.headers.truncate(1);
        assert_eq!(version(&transcript), None);
    }

    #[test]
    fn each_difference_is_told_once_where_it_was_met_first() {
        let contracts = Contracts::new();
        let mut transcript = answered(200, json!({ "data": { "status": "succeeded", "brand_new": 1 } }));
        transcript.dify_version = Some("1.14.2".to_owned());
        transcript.headers = vec![("x-version".to_owned(), "1.14.2".to_owned())];
        let (known, of_body) = contract_deviations(&transcript, &contracts);
        assert_eq!(known, "1.14");
        let told = |found: &[PlacedDeviation]| {
            found
                .iter()
                .filter(|(deviation, _)| deviation.to_string().contains("brand_new"))
                .map(|(_, at)| *at)
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&of_body), [None]);
        let event = |number: u64| {
            let event = json!({
                "event": "workflow_finished", "task_id": "t", "workflow_run_id": "r",
                "data": { "id": format!("r-{number}"), "brand_new": number },
            });
            Arrival::new(Duration::ZERO, event.to_string())
        };
        let ping = || Arrival::new(Duration::ZERO, json!({ "event": "ping" }).to_string());
        let streamed = Transcript {
            body: None,
            events: vec![ping(), event(1), event(2)],
            answer: Answer { first_event_at: Some(Duration::ZERO), ..Answer::default() },
            ..transcript
        };
        assert_eq!(told(&contract_deviations(&streamed, &contracts).1), [Some(2)]);
    }
}
