//! How long a server asks not to be sent anything.

use std::time::Duration;

use crate::base::clock;
use crate::dify::transcript::Transcript;
use crate::dify::wire::retry_after::decode_retry_after;

/// The longest wait that is granted to a server, whatever its `Retry-After` says.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

/// The wait that the header `Retry-After` names, in the answer to the run or in that to an upload before it.
pub fn retry_after(transcript: &Transcript) -> Option<Duration> {
    of_run(transcript).or(transcript.side_wait)
}

fn of_run(transcript: &Transcript) -> Option<Duration> {
    let header = |wanted: &str| transcript.headers.iter().find(|(name, _)| name == wanted);
    let date = header("date").map(|(_, date)| date.as_str());
    let (_, value) = header("retry-after")?;
    decode_retry_after(value, date, clock::wall())
}
