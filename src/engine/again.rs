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
