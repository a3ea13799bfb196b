//! What silence can mean, and what helps: only what is still possible is named.

use crate::dify::transcript::{Ending, Recovery, ResponseMode, StallKind, Transcript};
use crate::record::attempt::Cause;

use super::plain_cause::plain;

/// Why a wait was given up, and what helps.
pub(super) fn stalled(transcript: &Transcript, wait: StallKind, after: &str) -> Cause {
    let streaming = transcript.mode == ResponseMode::Streaming;
    match wait {
        StallKind::FirstEvent if !transcript.pauses.answered.is_empty() => plain(
            format!("a form was answered, and then no event came for {after}"),
            "is Dify's worker running? it goes on with the run",
        ),
        StallKind::FirstEvent if streaming && transcript.pings > 0 => plain(
            format!("Dify sent {} and no event for {after}", pings(transcript.pings)),
            "either the run waits for a worker: lower `concurrency`, or start the worker if it is down; or its inputs are bad, \
             which Dify 1.13 and 1.14 answer so: `response_mode: blocking` shows the reason",
        ),
        StallKind::FirstEvent => plain(
            format!("no answer within {after}"),
            if streaming {
                "is Dify running, and its workers? else raise `timeouts.first_event`"
            } else {
                "raise `timeouts.first_event`, or stream: a blocking answer comes when the run has ended"
            },
        ),
        StallKind::Idle => plain(
            format!("the answer began and then nothing came for {after}"),
            "the run may go on at Dify; raise `timeouts.idle` if a node is silent for so long",
        ),
    }
}

/// What helps where Dify says that a run goes on: its inputs are out of the question.
pub(super) fn still_running() -> &'static str {
    "Dify says that it runs: it may wait for a worker that is busy (lower `concurrency`) or down; after a restart or a crash of \
     its worker it stays `running` for ever: see the worker's log; else raise `timeout` and `recovery.deadline`"
}

/// What helps with a stream of pings where other runs of the target brought events, so that a worker is there.
pub fn hint_beside_others(transcript: &Transcript) -> Option<&'static str> {
    let is_silent = matches!(transcript.ending, Ending::Stalled { wait: StallKind::FirstEvent, .. });
    let is_first = transcript.pauses.answered.is_empty() && transcript.pings > 0;
    let was_seen = matches!(transcript.recovery, Some(Recovery::Lost { going_on: true, .. }));
    (is_silent && is_first && !was_seen && transcript.mode == ResponseMode::Streaming).then_some(
        "either the run waits behind others, which brought events: lower `concurrency`; or its inputs are bad, which \
         Dify 1.13 and 1.14 answer so: `response_mode: blocking` shows the reason",
    )
}

fn pings(count: u32) -> String {
    if count == 1 { "one ping".to_owned() } else { format!("{count} pings") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::assert::check::cause::cause;
    use crate::dify::client::begin;
    use crate::dify::transcript::{FormAnswerTime, Pauses, PostedRequest, Trace};

    fn silent(recovery: Option<Recovery>) -> Transcript {
        let ending = Ending::Stalled { wait: StallKind::FirstEvent, after: Duration::from_secs(60) };
        Transcript {
            ending,
            pings: 1,
            recovery,
            ..begin(ResponseMode::Streaming, json!({}), PostedRequest::default())
        }
    }

    fn lost(going_on: bool) -> Option<Recovery> {
        let (lost, why) = ("no answer came within 60 s".to_owned(), "the run r-1 had not ended".to_owned());
        Some(Recovery::Lost { lost, why, trace: Trace::Seen, going_on })
    }

    #[test]
    fn advice_names_only_what_is_still_possible() {
        let hint = |transcript: &Transcript| cause(transcript).unwrap().hint.unwrap();
        let unseen = hint(&silent(lost(false)));
        assert!(unseen.contains("inputs are bad") && unseen.contains("if it is down"), "{unseen}");
        let running = hint(&silent(lost(true)));
        assert!(!running.contains("inputs") && running.contains("worker"), "{running}");
        let beside = hint_beside_others(&silent(lost(false))).unwrap();
        assert!(beside.contains("inputs are bad") && !beside.contains("down"), "{beside}");
        assert_eq!(hint_beside_others(&silent(lost(true))), None);
    }

    #[test]
    fn only_a_first_silence_with_pings_has_other_runs_beside_it() {
        let begun = || silent(None);
        let answered = FormAnswerTime { events: 3, at: Duration::from_secs(1) };
        let after_a_form = Pauses { answered: vec![answered], ..Pauses::default() };
        let idle = Ending::Stalled { wait: StallKind::Idle, after: Duration::from_secs(60) };
        assert!(hint_beside_others(&begun()).is_some());
        for (other, why) in [
            (Transcript { ending: idle, ..begun() }, "it had begun"),
            (Transcript { ending: Ending::Finished, ..begun() }, "it ended"),
            (Transcript { pings: 0, ..begun() }, "no worker is asked for without pings"),
            (Transcript { pauses: after_a_form, ..begun() }, "its inputs were good enough for a form"),
            (Transcript { mode: ResponseMode::Blocking, ..begun() }, "a blocking answer has no events"),
        ] {
            assert_eq!(hint_beside_others(&other), None, "{why}");
        }
    }

    #[test]
    fn each_silence_is_told_as_what_it_is() {
        use StallKind::{FirstEvent, Idle};
        let of = |mode, pings, answered: usize, wait| {
            let answered = vec![FormAnswerTime { events: 3, at: Duration::from_secs(1) }; answered];
            let pauses = Pauses { answered, ..Pauses::default() };
            let Cause { message, hint, .. } =
                stalled(&Transcript { mode, pings, pauses, ..silent(None) }, wait, "60 s");
            (message, hint.unwrap_or_default())
        };
        for (mode, pings, answered, wait, message, hint) in [
            (
                ResponseMode::Streaming,
                1,
                0,
                FirstEvent,
                "Dify sent one ping and no event for 60 s",
                "inputs are bad",
            ),
            (
                ResponseMode::Streaming,
                2,
                0,
                FirstEvent,
                "Dify sent 2 pings and no event for 60 s",
                "inputs are bad",
            ),
            (ResponseMode::Streaming, 0, 0, FirstEvent, "no answer within 60 s", "is Dify running"),
            (ResponseMode::Blocking, 2, 0, FirstEvent, "no answer within 60 s", "or stream"),
            (
                ResponseMode::Streaming,
                2,
                1,
                FirstEvent,
                "a form was answered, and then no event came",
                "worker running",
            ),
            (
                ResponseMode::Streaming,
                2,
                1,
                Idle,
                "the answer began and then nothing came for 60 s",
                "timeouts.idle",
            ),
        ] {
            let found = of(mode, pings, answered, wait);
            assert!(found.0.contains(message) && found.1.contains(hint), "{message}: {found:?}");
        }
    }
}
