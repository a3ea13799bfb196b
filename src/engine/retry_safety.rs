//! Whether a request may be sent again without the risk of running, and paying, twice.

use std::time::Duration;

use crate::dify::transcript::{Ending, Recovery, Trace, Transcript};
use crate::dify::wire::error::ErrorClass;
use crate::engine::retry_after::retry_after;

/// Whether a request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDecision {
    /// Nothing ran; the server may ask for a pause first.
    Safe(Option<Duration>),
    /// Something ran, or may have: sending again may run it twice.
    Unsafe,
    /// Sending again would end the same way.
    Useless,
}

/// Allows a request to be sent again only if it provably did not start.
pub(super) fn retry_decision(transcript: &Transcript) -> RetryDecision {
    if let Some(Recovery::Lost { trace: Trace::Seen, .. }) = &transcript.recovery {
        // It ran, or still runs: even a test that may run twice must not run twice at once.
        return RetryDecision::Useless;
    }
    match &transcript.ending {
        Ending::Rejected(error) | Ending::ErrorEvent(error) if error.not_started => {
            RetryDecision::Safe(retry_after(transcript))
        }
        Ending::NotSent { retryable: true, .. } => RetryDecision::Safe(None),
        Ending::Rejected(error) if error.class == ErrorClass::Transport => RetryDecision::Unsafe,
        Ending::Stalled { .. } | Ending::Cut { .. } => RetryDecision::Unsafe,
        Ending::NotSent { .. }
        | Ending::Rejected(_)
        | Ending::ErrorEvent(_)
        | Ending::Finished
        | Ending::Unreadable { .. }
        | Ending::TimedOut { .. }
        | Ending::Stopped { .. }
        | Ending::Exceeded { .. }
        | Ending::Paused
        | Ending::Unanswered { .. } => RetryDecision::Useless,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{PostedRequest, ResponseMode, StallKind};
    use crate::dify::wire::error::WireError;

    fn ended(ending: Ending) -> Transcript {
        let begun = begin(ResponseMode::Streaming, serde_json::json!({}), PostedRequest::default());
        Transcript { ending, ..begun }
    }

    fn error(class: ErrorClass, not_started: bool) -> WireError {
        WireError {
            status: 503,
            code: None,
            message: String::from("busy"),
            class,
            not_started,
            stops_suite: false,
        }
    }

    #[test]
    fn only_what_surely_did_not_start_is_sent_again() {
        use ErrorClass::{Config, Quota, Rejected, Transport};
        let detail = || String::from("x");
        let after = Duration::from_secs(1);
        for (ending, expected) in [
            (Ending::Rejected(error(Transport, true)), RetryDecision::Safe(None)),
            (Ending::Rejected(error(Quota, true)), RetryDecision::Safe(None)),
            (Ending::ErrorEvent(error(Transport, true)), RetryDecision::Safe(None)),
            (Ending::NotSent { detail: detail(), retryable: true }, RetryDecision::Safe(None)),
            (Ending::Rejected(error(Transport, false)), RetryDecision::Unsafe),
            (Ending::Stalled { wait: StallKind::Idle, after }, RetryDecision::Unsafe),
            (Ending::Cut { detail: detail() }, RetryDecision::Unsafe),
            (Ending::Rejected(error(Config, false)), RetryDecision::Useless),
            (Ending::Rejected(error(Rejected, false)), RetryDecision::Useless),
            (Ending::Rejected(error(Quota, false)), RetryDecision::Useless),
            (Ending::ErrorEvent(error(Transport, false)), RetryDecision::Useless),
            (Ending::NotSent { detail: detail(), retryable: false }, RetryDecision::Useless),
            (Ending::Finished, RetryDecision::Useless),
            (Ending::Unreadable { detail: detail() }, RetryDecision::Useless),
            (Ending::TimedOut { after }, RetryDecision::Useless),
            (Ending::Stopped { reason: detail() }, RetryDecision::Useless),
            (Ending::Exceeded { detail: detail() }, RetryDecision::Useless),
            (Ending::Paused, RetryDecision::Useless),
            (Ending::Unanswered { detail: detail(), hint: None }, RetryDecision::Useless),
        ] {
            assert_eq!(retry_decision(&ended(ending.clone())), expected, "{ending:?}");
        }
    }

    #[test]
    fn the_servers_wish_to_wait_is_kept() {
        let mut busy = ended(Ending::Rejected(error(ErrorClass::Transport, true)));
        busy.headers = vec![("retry-after".to_owned(), "7".to_owned())];
        assert_eq!(retry_decision(&busy), RetryDecision::Safe(Some(Duration::from_secs(7))));
        busy.ending = Ending::NotSent { detail: String::from("refused"), retryable: true };
        assert_eq!(retry_decision(&busy), RetryDecision::Safe(None), "nobody answered");
    }

    #[test]
    fn a_run_that_was_seen_is_not_sent_again() {
        let lost = |trace| {
            let recovery =
                Recovery::Lost { lost: String::from("cut"), why: String::new(), trace, going_on: false };
            let mut cut = ended(Ending::Cut { detail: String::from("reset") });
            cut.recovery = Some(recovery);
            retry_decision(&cut)
        };
        assert_eq!((lost(Trace::Seen), lost(Trace::None)), (RetryDecision::Useless, RetryDecision::Unsafe));
    }
}
