//! What an answer says of the target: whether it takes so many at once, and how long it asks to be left alone.

use std::time::Duration;

use crate::base::clock;
use crate::dify::transcript::{Ending, Recovery, Trace, Transcript};
use crate::dify::wire::error::ErrorClass;
use crate::dify::wire::retry_after::decode_retry_after;
use crate::engine::limiter::LimitSignal;
use crate::engine::pace::LONGEST_RETRY_AFTER;

/// What an answer says of how many attempts the target takes at once.
pub fn heard(transcript: &Transcript) -> LimitSignal {
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
        Ending::Stalled { .. } | Ending::Cut { .. } if left_no_trace(transcript) => {
            LimitSignal::Unreached(None)
        }
        Ending::Rejected(error) if error.class == ErrorClass::Transport && !is_seen(transcript) => {
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

/// True where a run was looked for in vain.
fn left_no_trace(transcript: &Transcript) -> bool {
    matches!(transcript.recovery, Some(Recovery::Lost { trace: Trace::None, .. }))
}

/// True where a run was seen behind an answer that was not its own.
fn is_seen(transcript: &Transcript) -> bool {
    matches!(
        transcript.recovery,
        Some(Recovery::Recovered { .. } | Recovery::Lost { trace: Trace::Seen, .. })
    )
}

/// How long the server asks to be left alone.
pub fn retry_after(transcript: &Transcript) -> Option<Duration> {
    let header = |wanted: &str| transcript.headers.iter().find(|(name, _)| name == wanted);
    let date = header("date").map(|(_, date)| date.as_str());
    let (_, value) = header("retry-after")?;
    decode_retry_after(value, date, clock::wall())
}
