//! Whether an attempt may be sent again without the risk of running, and paying, twice.

use std::time::Duration;

use crate::engine::heard::retry_after;
use crate::exchange::{Ending, Recovery, Trace, Transcript};
use crate::wire::error::ErrorClass;

/// Whether an attempt may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Surely nothing ran; wait at least this long if the server said so.
    Safe(Option<Duration>),
    /// Something ran, or may have; sending again may run twice.
    Unsafe,
    /// Sending again would meet the same.
    Useless,
}

/// Only what provably did not start may be sent again.
pub(super) fn again(transcript: &Transcript) -> Again {
    if let Some(Recovery::Lost { trace: Trace::Seen, .. }) = &transcript.recovery {
        // It ran, or runs: even who accepts a second run has no use for two at once.
        return Again::Useless;
    }
    match &transcript.ending {
        Ending::Rejected(error) | Ending::ErrorEvent(error) if error.not_started => {
            Again::Safe(retry_after(transcript))
        }
        Ending::NotSent { retryable: true, .. } => Again::Safe(None),
        Ending::Rejected(error) if error.class == ErrorClass::Transport => Again::Unsafe,
        Ending::Stalled { .. } | Ending::Cut { .. } => Again::Unsafe,
        Ending::NotSent { .. }
        | Ending::Rejected(_)
        | Ending::ErrorEvent(_)
        | Ending::Finished
        | Ending::Unreadable { .. }
        | Ending::TimedOut { .. }
        | Ending::Stopped { .. }
        | Ending::Exceeded { .. }
        | Ending::Paused
        | Ending::Unanswered { .. } => Again::Useless,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::begin;
    use crate::exchange::{Posted, ResponseMode, Wait};
    use crate::wire::error::WireError;

    fn ended(ending: Ending) -> Transcript {
        let begun = begin(ResponseMode::Streaming, serde_json::json!({}), Posted::default());
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
            (Ending::Rejected(error(Transport, true)), Again::Safe(None)),
            (Ending::Rejected(error(Quota, true)), Again::Safe(None)),
            (Ending::ErrorEvent(error(Transport, true)), Again::Safe(None)),
            (Ending::NotSent { detail: detail(), retryable: true }, Again::Safe(None)),
            (Ending::Rejected(error(Transport, false)), Again::Unsafe),
            (Ending::Stalled { wait: Wait::Idle, after }, Again::Unsafe),
            (Ending::Cut { detail: detail() }, Again::Unsafe),
            (Ending::Rejected(error(Config, false)), Again::Useless),
            (Ending::Rejected(error(Rejected, false)), Again::Useless),
            (Ending::Rejected(error(Quota, false)), Again::Useless),
            (Ending::ErrorEvent(error(Transport, false)), Again::Useless),
            (Ending::NotSent { detail: detail(), retryable: false }, Again::Useless),
            (Ending::Finished, Again::Useless),
            (Ending::Unreadable { detail: detail() }, Again::Useless),
            (Ending::TimedOut { after }, Again::Useless),
            (Ending::Stopped { reason: detail() }, Again::Useless),
            (Ending::Exceeded { detail: detail() }, Again::Useless),
            (Ending::Paused, Again::Useless),
            (Ending::Unanswered { detail: detail(), hint: None }, Again::Useless),
        ] {
            assert_eq!(again(&ended(ending.clone())), expected, "{ending:?}");
        }
    }

    #[test]
    fn the_servers_wish_to_wait_is_kept() {
        let mut busy = ended(Ending::Rejected(error(ErrorClass::Transport, true)));
        busy.headers = vec![("retry-after".to_owned(), "7".to_owned())];
        assert_eq!(again(&busy), Again::Safe(Some(Duration::from_secs(7))));
        busy.ending = Ending::NotSent { detail: String::from("refused"), retryable: true };
        assert_eq!(again(&busy), Again::Safe(None), "nobody answered");
    }

    #[test]
    fn a_run_that_was_seen_is_not_sent_again() {
        let lost = |trace| {
            let recovery =
                Recovery::Lost { lost: String::from("cut"), why: String::new(), trace, going_on: false };
            let mut cut = ended(Ending::Cut { detail: String::from("reset") });
            cut.recovery = Some(recovery);
            again(&cut)
        };
        assert_eq!((lost(Trace::Seen), lost(Trace::None)), (Again::Useless, Again::Unsafe));
    }
}
