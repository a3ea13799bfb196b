//! What an ending proves.

use super::Ending;
use crate::dify::wire::error::WireError;

impl Ending {
    /// True where surely no run began, so that none was paid and none can appear in the logs: the request was refused, or never arrived.
    pub fn nothing_ran(&self) -> bool {
        match self {
            Self::NotSent { .. } => true,
            Self::Rejected(error) => error.nothing_ran(),
            Self::ErrorEvent(error) => error.not_started,
            Self::Finished
            | Self::Stalled { .. }
            | Self::Cut { .. }
            | Self::Unreadable { .. }
            | Self::TimedOut { .. }
            | Self::Stopped { .. }
            | Self::Exceeded { .. }
            | Self::Paused
            | Self::Unanswered { .. } => false,
        }
    }

    /// The error that came in place of a run, as an answer or as an event.
    pub fn error(&self) -> Option<&WireError> {
        match self {
            Self::Rejected(error) | Self::ErrorEvent(error) => Some(error),
            Self::Finished
            | Self::Stalled { .. }
            | Self::Cut { .. }
            | Self::Unreadable { .. }
            | Self::TimedOut { .. }
            | Self::Stopped { .. }
            | Self::Exceeded { .. }
            | Self::Paused
            | Self::Unanswered { .. }
            | Self::NotSent { .. } => None,
        }
    }
}
