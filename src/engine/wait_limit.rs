//! How long an attempt waits for an app that asks for a pause, and why it gets no turn.

use std::time::{Duration, Instant};

use crate::base::units::format_duration;

/// How long an attempt may wait before it is sent.
#[derive(Debug, Clone, Copy)]
pub struct WaitLimit {
    /// Shorter than this, the limit of the whole attempt.
    pub attempt: Duration,
    /// Not beyond the end of the run, if its time is limited.
    pub run_ends: Option<Instant>,
}

/// Why an attempt gets no turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTurn {
    /// The run was stopped meanwhile.
    Stopped,
    /// The app gets no more requests.
    Shut,
    /// The app asks for a pause that is not shorter than the attempt may last.
    TooLong {
        /// The pause in all.
        wait: Duration,
        /// The attempt's limit.
        limit: Duration,
    },
    /// The app asks for a pause that ends after the run.
    PastRun {
        /// The pause.
        wait: Duration,
    },
}

impl WaitLimit {
    /// Whether an attempt that was already held back for some time may wait from `now` until `until`.
    pub fn check(&self, held_back: Duration, now: Instant, until: Instant) -> Result<(), NoTurn> {
        let wait = until.saturating_duration_since(now);
        if self.run_ends.is_some_and(|end| until >= end) {
            return Err(NoTurn::PastRun { wait });
        }
        let (wait, limit) = (held_back + wait, self.attempt);
        if wait >= limit { Err(NoTurn::TooLong { wait, limit }) } else { Ok(()) }
    }
}

/// Says that a pause ends after the run.
pub fn past_run(wait: Duration) -> String {
    let wait = format_duration(wait);
    format!("the endpoint asks to be left alone for {wait}, and the time of the run is over before")
}

/// Says that a pause is longer than an attempt may last.
pub fn too_long(wait: Duration, limit: Duration) -> String {
    format!(
        "not sent: the endpoint asks to be left alone for {}, and the limit of an attempt is {}",
        format_duration(wait),
        format_duration(limit)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock;

    #[test]
    fn a_wait_is_within_the_limits_of_its_attempt_and_of_the_run() {
        let seconds = Duration::from_secs;
        let now = clock::now();
        let limit = WaitLimit { attempt: seconds(60), run_ends: Some(now + seconds(600)) };
        let check = |held_back: u64, wait: u64| limit.check(seconds(held_back), now, now + seconds(wait));
        assert_eq!(check(0, 59), Ok(()));
        assert_eq!(check(0, 60), Err(NoTurn::TooLong { wait: seconds(60), limit: seconds(60) }));
        assert_eq!(check(40, 30), Err(NoTurn::TooLong { wait: seconds(70), limit: seconds(60) }));
        let late = WaitLimit { attempt: seconds(3600), ..limit };
        assert_eq!(late.check(seconds(0), now, now + seconds(599)), Ok(()));
        let past = late.check(seconds(0), now, now + seconds(600));
        assert_eq!(past, Err(NoTurn::PastRun { wait: seconds(600) }));
    }

    #[test]
    fn a_wait_that_is_too_long_is_named() {
        let (wait, limit) = (Duration::from_secs(90), Duration::from_secs(60));
        assert_eq!(
            too_long(wait, limit),
            "not sent: the endpoint asks to be left alone for 1m 30s, and the limit of an attempt is 1m 00s"
        );
        assert_eq!(
            past_run(wait),
            "the endpoint asks to be left alone for 1m 30s, and the time of the run is over before"
        );
    }
}
