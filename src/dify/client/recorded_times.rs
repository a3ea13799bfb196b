//! Gives a replayed exchange the times it was recorded with; pure.
//!
//! A replay at once brings everything in a moment: judged by the clock, every bound on a time would hold.

use std::time::Duration;

use crate::dify::client::assemble::{BodyEnd, StreamReader};
use crate::dify::transcript::{Answer, Ending, Transcript};

/// The times of a recorded exchange.
#[derive(Debug, Clone, Copy)]
pub struct RecordedTimes<'a> {
    /// When each data event came, since the request was sent.
    pub events: &'a [Duration],
    /// Request sent to the end of the answer.
    pub elapsed: Duration,
    /// The limit of the whole attempt: what took longer was given up.
    pub total: Duration,
}

/// Reads the events again, each at its recorded time.
pub fn retime(mut transcript: Transcript, times: &RecordedTimes<'_>) -> Transcript {
    match &transcript.ending {
        Ending::Finished | Ending::Paused | Ending::Rejected(_) | Ending::ErrorEvent(_) => {}
        Ending::Stalled { .. }
        | Ending::Cut { .. }
        | Ending::Unreadable { .. }
        | Ending::TimedOut { .. }
        | Ending::Stopped { .. }
        | Ending::Exceeded { .. }
        | Ending::Unanswered { .. }
        | Ending::NotSent { .. } => return transcript,
    }
    let is_late = times.elapsed > times.total;
    let late = Ending::TimedOut { after: times.total };
    let events = std::mem::take(&mut transcript.events);
    let elapsed = times.elapsed.min(times.total);
    if events.is_empty() {
        transcript.elapsed = elapsed;
        return match is_late {
            true => {
                let answer = Answer { run: None, ..transcript.answer };
                Transcript { ending: late, answer, body: None, http_status: None, ..transcript }
            }
            false => transcript,
        };
    }
    let fresh = Transcript { answer: Answer::default(), elapsed, ..transcript };
    let mut reader = StreamReader::new(fresh, u64::MAX);
    for (index, event) in events.iter().enumerate() {
        let at = times.events.get(index).copied().unwrap_or(times.elapsed);
        if at > times.total {
            return reader.give_up(late);
        }
        if reader.take_event(&event.text(), at).is_break() {
            break;
        }
    }
    reader.finish(&BodyEnd::Clean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dify::client::assemble::begin;
    use crate::dify::transcript::ResponseMode;

    const EVENTS: [&str; 5] = [
        r#"{"event":"workflow_started","workflow_run_id":"r","task_id":"t","data":{"id":"r","workflow_id":"w"}}"#,
        r#"{"event":"node_started","workflow_run_id":"r","task_id":"t","data":{"id":"1","node_id":"n","node_type":"llm","title":"N"}}"#,
        r#"{"event":"text_chunk","workflow_run_id":"r","task_id":"t","data":{"text":"hi","from_variable_selector":["n","text"]}}"#,
        r#"{"event":"node_finished","workflow_run_id":"r","task_id":"t","data":{"id":"1","node_id":"n","node_type":"llm","title":"N","status":"succeeded"}}"#,
        r#"{"event":"workflow_finished","workflow_run_id":"r","task_id":"t","data":{"id":"r","status":"succeeded","outputs":{}}}"#,
    ];

    fn at_once() -> Transcript {
        let begun = Transcript {
            pings: 2,
            ..begin(
                ResponseMode::Streaming,
                serde_json::json!({}),
                crate::dify::transcript::PostedRequest::default(),
            )
        };
        let mut reader = StreamReader::new(begun, u64::MAX);
        for event in EVENTS {
            let _ = reader.take_event(event, Duration::ZERO);
        }
        reader.finish(&BodyEnd::Clean)
    }

    fn milliseconds(times: &[u64]) -> Vec<Duration> {
        times.iter().map(|time| Duration::from_millis(*time)).collect()
    }

    #[test]
    fn every_time_is_the_recorded_one() {
        let events = milliseconds(&[10, 30, 400, 900, 1000]);
        let [elapsed, total] = [1001, 5000].map(Duration::from_millis);
        let timed = retime(at_once(), &RecordedTimes { events: &events, elapsed, total });
        assert_eq!(timed.ending, Ending::Finished);
        assert_eq!(timed.events.iter().map(|event| event.at).collect::<Vec<_>>(), events);
        assert_eq!(
            (timed.answer.first_event_at, timed.answer.first_token_at),
            (Some(events[0]), Some(events[2]))
        );
        assert_eq!((timed.answer.max_gap, timed.elapsed), (Some(Duration::from_millis(500)), elapsed));
        assert_eq!((timed.answer.nodes.len(), timed.answer.nodes[0].started_at), (1, events[1]));
        assert_eq!(
            (timed.answer.text.as_str(), timed.pings, timed.answer.ids.run.as_deref()),
            ("hi", 2, Some("r"))
        );
    }

    #[test]
    fn a_limit_that_the_recorded_run_did_not_keep_is_not_kept_by_its_replay() {
        let events = milliseconds(&[10, 30, 400, 900, 1000]);
        let [elapsed, total] = [1001, 500].map(Duration::from_millis);
        let timed = retime(at_once(), &RecordedTimes { events: &events, elapsed, total });
        assert_eq!(timed.ending, Ending::TimedOut { after: total });
        assert_eq!((timed.events.len(), timed.answer.run, timed.elapsed), (3, None, total));
        let document = Transcript {
            answer: Answer {
                run: Some(serde_json::json!({ "status": "succeeded" }).into()),
                ..Answer::default()
            },
            events: Vec::new(),
            ..at_once()
        };
        let timed = retime(document, &RecordedTimes { events: &[], elapsed, total });
        assert_eq!((timed.ending, timed.answer.run), (Ending::TimedOut { after: total }, None));
    }
}
