//! The only reader of time: everything above asks here, so that no other file depends on when it runs.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Reads the monotonic clock, for measuring.
#[expect(clippy::disallowed_methods, reason = "this is the one reader of time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Reads the wall clock, for recording.
#[expect(clippy::disallowed_methods, reason = "this is the one reader of time")]
pub fn wall() -> Timestamp {
    Timestamp::now()
}

/// Writes a time as RFC 3339 in UTC with exactly three decimals: `2026-11-23T08:15:30.250Z`.
pub fn timestamp_text(timestamp: Timestamp) -> String {
    format!("{timestamp:.3}")
}

/// A duration in milliseconds, with a fraction.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        let whole = Timestamp::from_second(0).unwrap();
        assert_eq!(timestamp_text(whole), "1970-01-01T00:00:00.000Z");
        let exact = Timestamp::from_millisecond(1_795_421_730_250).unwrap();
        assert_eq!(timestamp_text(exact), "2026-11-23T08:15:30.250Z");
    }

    #[test]
    fn the_clock_goes_on() {
        assert!(now() <= now());
        assert!(wall() > Timestamp::from_second(1_700_000_000).unwrap());
    }
}
