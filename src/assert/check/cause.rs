//! Why nothing of a transcript can be judged, in the words of its reader, with the next step.

use crate::base::long_text::tell_end;
use crate::base::units::format_duration;
use crate::dify::transcript::{Ending, Recovery, Transcript};
use crate::dify::wire::error::WireError;
use crate::record::attempt::Cause;

use super::error_advice::{advise_on_answer, advise_on_event};
use super::exchange_end::rejected;
use super::paused::paused;
use super::plain_cause::plain;
use super::silence::{stalled, still_running};
use super::stopped::told_stop;

/// The cause and a hint; `None` where there is a run or a rejection to judge.
pub fn cause(transcript: &Transcript) -> Option<Cause> {
    if rejected(transcript).is_some() {
        return None;
    }
    let mut cause = of_ending(transcript)?;
    match (&transcript.recovery, &transcript.ending) {
        (Some(Recovery::Lost { lost, why, .. }), Ending::TimedOut { after }) => {
            cause = search_timed_out(lost, why, &format_duration(*after));
        }
        (Some(Recovery::Lost { why, .. }), _) => {
            cause.message.push_str("; ");
            cause.message.push_str(why);
        }
        (Some(Recovery::Recovered { .. }) | None, _) => {}
    }
    if let Some(Recovery::Lost { going_on: true, .. }) = &transcript.recovery {
        cause.hint = Some(still_running().to_owned());
    }
    let is_told = matches!(transcript.ending, Ending::Unanswered { .. });
    if let Some(unsure) = transcript.pauses.unsure.as_ref().filter(|_| !is_told) {
        cause.message = format!("{}; {unsure}", cause.message);
    }
    if let Some(stop) = told_stop(transcript) {
        cause.message.push_str("; ");
        cause.message.push_str(&stop);
    }
    Some(cause)
}

fn of_ending(transcript: &Transcript) -> Option<Cause> {
    match &transcript.ending {
        Ending::Finished => finished(transcript),
        Ending::Rejected(error) => Some(of_error(error, advise_on_answer(error, transcript.mode))),
        Ending::ErrorEvent(error) => Some(of_error(error, advise_on_event(error, transcript.mode))),
        Ending::Stalled { wait, after } => Some(stalled(transcript, *wait, &format_duration(*after))),
        Ending::Cut { detail } => Some(plain(
            format!("the connection ended before the run did: {detail}"),
            "the run may go on at Dify; look into its logs, or for a proxy with a time limit",
        )),
        Ending::Unreadable { detail } => Some(unreadable(detail)),
        Ending::TimedOut { after } => Some(plain(
            format!("no end within {}", format_duration(*after)),
            "raise `timeout` of the test, or find out what is slow in the workflow",
        )),
        Ending::Stopped { reason } => {
            Some(Cause { hint: None, ..plain(format!("flowproof gave the run up: {reason}"), "") })
        }
        Ending::Exceeded { detail } => Some(plain(
            format!("flowproof gave the run up: it had used at least {detail}"),
            "raise `budget.per_test` of the suite, or find out what costs so much: the path of nodes is below",
        )),
        Ending::Paused => Some(paused(transcript)),
        Ending::Unanswered { detail, hint } => {
            Some(Cause { hint: hint.map(str::to_owned), ..plain(detail.clone(), "") })
        }
        Ending::NotSent { detail, retryable } => {
            let hint = retryable.then(|| "is `base_url` right, and Dify running?".to_owned());
            Some(Cause { hint, ..plain(format!("the request was not sent: {detail}"), "") })
        }
    }
}

/// The loss is the news, not the time that was left to repair it.
fn search_timed_out(lost: &str, why: &str, after: &str) -> Cause {
    plain(
        format!("{lost}; searching for the run timed out, {after} after the test began: {why}"),
        "the run may go on at Dify; look for a proxy with a time limit, or raise `timeout` of the test so that there is time to find the run again",
    )
}

/// A finished exchange must hold a run that has ended.
fn finished(transcript: &Transcript) -> Option<Cause> {
    let Some(run) = &transcript.answer.run else {
        return Some(plain(
            "the answer holds no run".to_owned(),
            "does `base_url` point to Dify's API, ending in `/v1`?",
        ));
    };
    match run.status() {
        Some(status) if status.is_open() => Some(plain(
            format!("the run has not ended: it is \"{}\"", status.word()),
            "look into the run in Dify's logs",
        )),
        Some(_) => None,
        None => Some(plain("the run has no status".to_owned(), "is this a workflow app of Dify?")),
    }
}

fn unreadable(detail: &str) -> Cause {
    let hint = if detail.to_ascii_lowercase().contains("html") {
        "does `base_url` end in `/v1`?"
    } else {
        "is a proxy between flowproof and Dify changing the answers?"
    };
    plain(format!("the answer cannot be read: {detail}"), hint)
}

fn of_error(error: &WireError, advice: Option<&'static str>) -> Cause {
    let said = tell_end(&error.message);
    let code = error.code.as_deref().unwrap_or_default();
    let who = match (error.status, code) {
        (0, "") => String::new(),
        (0, code) => format!("{code}: "),
        (status, "") => format!("HTTP {status}: "),
        (status, code) => format!("HTTP {status} {code}: "),
    };
    Cause {
        message: format!("{who}{said}"),
        hint: advice.map(str::to_owned),
        class: Some(error.class),
        stops_suite: error.stops_suite,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{PostedRequest, RecoveredBy, ResponseMode, Trace};

    fn ended(ending: Ending) -> Transcript {
        let begun = begin(ResponseMode::Streaming, json!({}), PostedRequest::default());
        Transcript { ending, ..begun }
    }

    fn told(transcript: &Transcript) -> (String, Option<String>) {
        let Cause { message, hint, class, stops_suite } = cause(transcript).unwrap();
        assert_eq!((class, stops_suite), (None, false));
        (message, hint)
    }

    #[test]
    fn each_ending_without_a_run_says_why_and_helps_only_where_something_does() {
        let (detail, after) = (|| "x".to_owned(), Duration::from_secs(2));
        for (ending, message, hint) in [
            (
                Ending::Cut { detail: detail() },
                "the connection ended before the run did: x",
                Some("a proxy with a time limit"),
            ),
            (
                Ending::Unreadable { detail: detail() },
                "the answer cannot be read: x",
                Some("a proxy between flowproof and Dify"),
            ),
            (
                Ending::Unreadable { detail: "<HTML>".to_owned() },
                "the answer cannot be read: <HTML>",
                Some("end in `/v1`?"),
            ),
            (Ending::TimedOut { after }, "no end within 2.00 s", Some("raise `timeout` of the test")),
            (Ending::Stopped { reason: detail() }, "flowproof gave the run up: x", None),
            (
                Ending::Exceeded { detail: detail() },
                "flowproof gave the run up: it had used at least x",
                Some("raise `budget.per_test`"),
            ),
            (Ending::Unanswered { detail: detail(), hint: None }, "x", None),
            (Ending::Unanswered { detail: detail(), hint: Some("so") }, "x", Some("so")),
            (
                Ending::NotSent { detail: detail(), retryable: true },
                "the request was not sent: x",
                Some("is `base_url` right, and Dify running?"),
            ),
            (Ending::NotSent { detail: detail(), retryable: false }, "the request was not sent: x", None),
            (Ending::Finished, "the answer holds no run", Some("ending in `/v1`?")),
        ] {
            let (found, advice) = told(&ended(ending.clone()));
            assert_eq!(found, message);
            match (hint, &advice) {
                (Some(hint), Some(advice)) => assert!(advice.contains(hint), "{advice}"),
                (hint, advice) => assert_eq!(hint, advice.as_deref(), "{ending:?}"),
            }
        }
    }

    #[test]
    fn an_answer_is_judged_only_if_its_run_has_ended() {
        let finished = |run: Value| {
            let mut finished = ended(Ending::Finished);
            finished.answer.run = Some(run.into());
            finished
        };
        for status in ["succeeded", "failed", "partial-succeeded", "stopped", "odd"] {
            assert_eq!(cause(&finished(json!({ "status": status }))), None, "{status}");
        }
        for status in ["running", "paused", "scheduled"] {
            let message = format!("the run has not ended: it is \"{status}\"");
            assert_eq!(told(&finished(json!({ "status": status }))).0, message);
        }
        for run in [json!({}), json!({ "status": null }), json!({ "status": 7 })] {
            assert_eq!(told(&finished(run)).0, "the run has no status");
        }
    }

    #[test]
    fn what_became_of_a_lost_run_is_told_with_its_loss() {
        let lost = |ending, going_on| {
            let (lost, why) = ("the stream ended after 3 events".to_owned(), "no run was found".to_owned());
            let recovery = Some(Recovery::Lost { lost, why, trace: Trace::Seen, going_on });
            told(&Transcript { recovery, ..ended(ending) })
        };
        let cut = || Ending::Cut { detail: "reset".to_owned() };
        assert_eq!(lost(cut(), false).0, "the connection ended before the run did: reset; no run was found");
        assert!(lost(cut(), true).1.unwrap().starts_with("Dify says that it runs"));
        let (message, hint) = lost(Ending::TimedOut { after: Duration::from_secs(2) }, false);
        assert_eq!(
            message,
            "the stream ended after 3 events; searching for the run timed out, 2.00 s after the test began: no run was found"
        );
        assert!(hint.unwrap().contains("time to find the run again"));
        let by = RecoveredBy::Logs;
        let recovery = Some(Recovery::Recovered { by, lost: "reset".to_owned() });
        let found = Transcript { recovery, ..ended(cut()) };
        assert_eq!(told(&found).0, "the connection ended before the run did: reset");
    }

    #[test]
    fn an_answer_to_a_form_that_may_have_been_lost_is_told_unless_the_ending_says_so() {
        let unsure = |ending| {
            let mut transcript = ended(ending);
            transcript.pauses.unsure = Some("whether Dify took the answer is not known".to_owned());
            told(&transcript).0
        };
        assert_eq!(
            unsure(Ending::Cut { detail: "reset".to_owned() }),
            "the connection ended before the run did: reset; whether Dify took the answer is not known"
        );
        assert_eq!(unsure(Ending::Unanswered { detail: "it is lost".to_owned(), hint: None }), "it is lost");
    }
}
