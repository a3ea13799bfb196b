//! What an answer says about the load of the target: whether it accepts more requests at once, and how long it asks for a pause.

use crate::dify::transcript::{Ending, Recovery, Trace, Transcript};
use crate::dify::wire::error::ErrorClass;
use crate::engine::limiter::LimitSignal;
use crate::engine::retry_after::{LONGEST_RETRY_AFTER, retry_after};

/// What an answer means for the number of requests that are sent at once.
pub fn limit_signal(transcript: &Transcript) -> LimitSignal {
    match &transcript.ending {
        Ending::Rejected(error) | Ending::ErrorEvent(error)
            if error.class == ErrorClass::Quota && error.not_started =>
        {
            LimitSignal::Refused(retry_after(transcript).map(|wait| wait.min(LONGEST_RETRY_AFTER)))
        }
        Ending::Finished | Ending::Exceeded { .. } | Ending::Paused | Ending::Unanswered { .. } => {
            LimitSignal::Ran
        }
        Ending::NotSent { retryable: true, .. } => LimitSignal::Unreached(None),
        Ending::Stalled { .. } | Ending::Cut { .. } if found_no_trace(transcript) => {
            LimitSignal::Unreached(None)
        }
        Ending::Rejected(error) if error.class == ErrorClass::Transport && !found_run(transcript) => {
            LimitSignal::Unreached(retry_after(transcript).map(|wait| wait.min(LONGEST_RETRY_AFTER)))
        }
        Ending::Rejected(_) | Ending::ErrorEvent(_) => LimitSignal::Answered,
        Ending::Stalled { .. }
        | Ending::Cut { .. }
        | Ending::Unreadable { .. }
        | Ending::TimedOut { .. }
        | Ending::Stopped { .. }
        | Ending::NotSent { .. } => LimitSignal::Nothing,
    }
}

/// True if the run was looked up and Dify knows nothing of it.
fn found_no_trace(transcript: &Transcript) -> bool {
    matches!(transcript.recovery, Some(Recovery::Lost { trace: Trace::None, .. }))
}

/// True if the lookup shows that a run exists, although the answer is not its own.
fn found_run(transcript: &Transcript) -> bool {
    matches!(
        transcript.recovery,
        Some(Recovery::Recovered { .. } | Recovery::Lost { trace: Trace::Seen, .. })
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{PostedRequest, RecoveredBy, ResponseMode, StallKind};
    use crate::dify::wire::error::WireError;

    fn ended(ending: Ending) -> Transcript {
        let begun = begin(ResponseMode::Streaming, json!({}), PostedRequest::default());
        Transcript { ending, headers: vec![("retry-after".to_owned(), "7".to_owned())], ..begun }
    }

    fn error(class: ErrorClass, not_started: bool) -> WireError {
        let message = String::from("busy");
        WireError { status: 503, code: None, message, class, not_started, stops_suite: false }
    }

    fn lost(trace: Trace) -> Option<Recovery> {
        Some(Recovery::Lost {
            lost: String::from("cut"),
            why: String::from("no run"),
            trace,
            going_on: false,
        })
    }

    #[test]
    fn each_ending_says_what_it_can_of_the_target() {
        use ErrorClass::{Config, Quota, Rejected, Transport};
        let (detail, after, wait) =
            (|| String::from("x"), Duration::from_secs(1), Some(Duration::from_secs(7)));
        for (ending, expected) in [
            (Ending::Rejected(error(Quota, true)), LimitSignal::Refused(wait)),
            (Ending::ErrorEvent(error(Quota, true)), LimitSignal::Refused(wait)),
            (Ending::Rejected(error(Quota, false)), LimitSignal::Answered),
            (Ending::ErrorEvent(error(Quota, false)), LimitSignal::Answered),
            (Ending::Rejected(error(Config, true)), LimitSignal::Answered),
            (Ending::Rejected(error(Rejected, true)), LimitSignal::Answered),
            (Ending::Rejected(error(Transport, false)), LimitSignal::Unreached(wait)),
            (Ending::ErrorEvent(error(Transport, false)), LimitSignal::Answered),
            (Ending::Finished, LimitSignal::Ran),
            (Ending::Exceeded { detail: detail() }, LimitSignal::Ran),
            (Ending::Paused, LimitSignal::Ran),
            (Ending::Unanswered { detail: detail(), hint: None }, LimitSignal::Ran),
            (Ending::NotSent { detail: detail(), retryable: true }, LimitSignal::Unreached(None)),
            (Ending::NotSent { detail: detail(), retryable: false }, LimitSignal::Nothing),
            (Ending::Stalled { wait: StallKind::FirstEvent, after }, LimitSignal::Nothing),
            (Ending::Cut { detail: detail() }, LimitSignal::Nothing),
            (Ending::Unreadable { detail: detail() }, LimitSignal::Nothing),
            (Ending::TimedOut { after }, LimitSignal::Nothing),
            (Ending::Stopped { reason: detail() }, LimitSignal::Nothing),
        ] {
            assert_eq!(limit_signal(&ended(ending.clone())), expected, "{ending:?}");
        }
    }

    #[test]
    fn silence_says_something_only_where_no_run_was_found_behind_it() {
        let (after, wait) = (Duration::from_secs(1), Some(Duration::from_secs(7)));
        let cut = || Ending::Cut { detail: String::from("reset") };
        let silent = || Ending::Stalled { wait: StallKind::Idle, after };
        let gateway = || Ending::Rejected(error(ErrorClass::Transport, false));
        let found = || Some(Recovery::Recovered { by: RecoveredBy::Logs, lost: String::from("HTTP 504") });
        for (ending, recovery, expected) in [
            (cut(), lost(Trace::None), LimitSignal::Unreached(None)),
            (silent(), lost(Trace::None), LimitSignal::Unreached(None)),
            (cut(), lost(Trace::Seen), LimitSignal::Nothing),
            (silent(), lost(Trace::Seen), LimitSignal::Nothing),
            (cut(), found(), LimitSignal::Nothing),
            (gateway(), lost(Trace::None), LimitSignal::Unreached(wait)),
            (gateway(), lost(Trace::Seen), LimitSignal::Answered),
            (gateway(), found(), LimitSignal::Answered),
        ] {
            let transcript = Transcript { recovery: recovery.clone(), ..ended(ending.clone()) };
            assert_eq!(limit_signal(&transcript), expected, "{ending:?} {recovery:?}");
        }
    }

    #[test]
    fn a_wish_to_be_left_alone_is_read_from_the_header_and_bounded() {
        let mut busy = ended(Ending::Rejected(error(ErrorClass::Quota, true)));
        assert_eq!(retry_after(&busy), Some(Duration::from_secs(7)));
        busy.headers[0].1 = "1000000".to_owned();
        assert_eq!(retry_after(&busy), Some(Duration::from_secs(1_000_000)));
        assert_eq!(limit_signal(&busy), LimitSignal::Refused(Some(LONGEST_RETRY_AFTER)));
        let date = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        busy.headers = vec![
            date("date", "Wed, 21 Oct 2015 07:28:00 GMT"),
            date("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT"),
        ];
        assert_eq!(retry_after(&busy), Some(Duration::from_secs(30)), "by the clock of the server");
        busy.headers = vec![date("x-retry-after", "7")];
        assert_eq!((retry_after(&busy), limit_signal(&busy)), (None, LimitSignal::Refused(None)));
    }
}
