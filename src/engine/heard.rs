//! What an answer says of the target: whether it takes so many at once, and how long it asks to be left alone.

use std::time::Duration;

use crate::base::clock;
use crate::engine::gate::Heard;
use crate::engine::pace::LONGEST_RETRY_AFTER;
use crate::exchange::{Ending, Transcript};
use crate::wire::error::ErrorClass;
use crate::wire::retry_after::decode_retry_after;

/// What an answer says of how many attempts the target takes at once.
pub fn heard(transcript: &Transcript) -> Heard {
    match &transcript.ending {
        Ending::Rejected(error) | Ending::ErrorEvent(error)
            if error.class == ErrorClass::Quota && error.not_started =>
        {
            Heard::Refused(retry_after(transcript).map(|wait| wait.min(LONGEST_RETRY_AFTER)))
        }
        Ending::Finished | Ending::Exceeded { .. } | Ending::Paused | Ending::Unanswered { .. } => Heard::Ran,
        Ending::Rejected(_)
        | Ending::ErrorEvent(_)
        | Ending::Stalled { .. }
        | Ending::Cut { .. }
        | Ending::Unreadable { .. }
        | Ending::TimedOut { .. }
        | Ending::Stopped { .. }
        | Ending::NotSent { .. } => Heard::Nothing,
    }
}

/// How long the server asks to be left alone.
pub fn retry_after(transcript: &Transcript) -> Option<Duration> {
    let header = |wanted: &str| transcript.headers.iter().find(|(name, _)| name == wanted);
    let date = header("date").map(|(_, date)| date.as_str());
    let (_, value) = header("retry-after")?;
    decode_retry_after(value, date, clock::wall())
}
