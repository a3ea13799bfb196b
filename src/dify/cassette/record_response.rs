//! The response of an attempt as a cassette keeps it, or the reason why it is not kept.

use serde_json::Value;

use super::exchange::{RecordedAnswer, RecordedResponse};
use crate::dify::transcript::{Arrival, Continuation, Ending, Transcript};
use crate::dify::wire::error::ErrorClass;

/// Headers that belong to one connection, one moment or one browser.
const TRANSIENT_HEADERS: [&str; 22] = [
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

/// Keeps the response of an attempt if a replay of it can be judged like the attempt; otherwise returns the reason.
///
/// Errors of the network, the key and the quota are not answers of a workflow: a replay would repeat an accident.
pub fn record_response(transcript: &Transcript) -> Result<RecordedResponse, &'static str> {
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
        return Err("the events after the answer to a form were not all seen");
    }
    if transcript.recovery.is_some() {
        return Err("its answer broke off, and the rest of the run was not seen");
    }
    let status = transcript.http_status.ok_or("no answer came")?;
    let ResponseParts { first, after } = split_at_answers(transcript)
        .ok_or("the run was joined from several answers, which this version cannot replay")?;
    Ok(RecordedResponse {
        status,
        headers: transcript.headers.iter().filter(|(name, _)| is_recorded(name)).cloned().collect(),
        pings: transcript.pings,
        answer: answer_of(transcript, first).ok_or("the answer had no body")?,
        after,
        elapsed: transcript.elapsed,
    })
}

/// True for a header that belongs to the answer itself.
fn is_recorded(name: &str) -> bool {
    !TRANSIENT_HEADERS.contains(&name)
}

/// The events of a run that was answered in several parts.
struct ResponseParts<'t> {
    /// Up to the first pause, or to the end.
    first: &'t [Arrival],
    /// After each answered form.
    after: Vec<Continuation>,
}

/// Splits the events at the answers to forms; `None` where a part does not end with the event that ends a stream.
fn split_at_answers(transcript: &Transcript) -> Option<ResponseParts<'_>> {
    let (events, answered) = (&transcript.events, &transcript.pauses.answered);
    let starts = answered.iter().map(|given| given.events);
    let ends = starts.clone().skip(1).chain([events.len()]);
    let first = events.get(..starts.clone().next().unwrap_or(events.len()))?;
    let mut after = Vec::with_capacity(answered.len());
    for ((given, start), end) in answered.iter().zip(starts).zip(ends) {
        let events = events.get(start..end).filter(|events| events.last().is_some_and(is_end))?;
        after.push(Continuation { answered_at: given.at, events: events.to_vec() });
    }
    (first.is_empty() || ends_once(first)).then_some(ResponseParts { first, after })
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{PostedRequest, RecoveredBy, Recovery, ResponseMode, Trace};

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
    fn only_a_response_that_was_seen_whole_is_recorded() {
        assert!(record_response(&finished()).is_ok());
        let mut recovered = finished();
        let lost = "the stream ended after 3 events".to_owned();
        recovered.recovery = Some(Recovery::Recovered { by: RecoveredBy::Events, lost: lost.clone() });
        assert!(record_response(&recovered).unwrap_err().contains("broke off"));
        let mut found = finished();
        found.recovery =
            Some(Recovery::Lost { lost, why: String::new(), trace: Trace::None, going_on: false });
        assert!(record_response(&found).unwrap_err().contains("broke off"));
        let mut torn = finished();
        torn.pauses.is_torn = true;
        assert!(record_response(&torn).unwrap_err().contains("not all seen"));
    }
}
