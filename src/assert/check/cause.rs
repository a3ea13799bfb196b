//! Why nothing of a transcript can be judged, in the words of its reader, with the next step.

use crate::base::long_text::tell_end;
use crate::base::units::format_duration;
use crate::dify::transcript::{Ending, Recovery, Transcript};
use crate::dify::wire::error::WireError;
use crate::record::attempt::Cause;

use super::error_advice::{advise_on_answer, advise_on_event};
use super::paused::paused;
use super::silence::{stalled, still_running};
use super::stopped::told_stop;
use super::view::rejected;

/// The cause and a hint; none where there is a run or a rejection to judge.
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

/// The loss is the news, not the time that was left to mend it.
fn search_timed_out(lost: &str, why: &str, after: &str) -> Cause {
    plain(
        format!("{lost}; searching for the run timed out, {after} after the test began: {why}"),
        "the run may go on at Dify; look for a proxy with a time limit, or raise `timeout` of the test so that there is time to find the run again",
    )
}

pub(super) fn plain(message: String, hint: &str) -> Cause {
    Cause { message, hint: Some(hint.to_owned()), class: None, stops_suite: false }
}

/// A finished exchange must hold a run that has ended.
fn finished(transcript: &Transcript) -> Option<Cause> {
    let Some(run) = &transcript.run else {
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
