//! What an attempt waits for before it is sent, each wait separately.

use std::time::{Duration, Instant};

use crate::base::clock::{self, milliseconds};
use crate::record::attempt::WaitTimes;

/// Shorter times are computing, not waiting.
const LEAST: Duration = Duration::from_micros(100);

/// What an attempt can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// A free slot.
    Slot,
    /// A budget.
    Budget,
    /// The back-off before a retry.
    Retry,
    /// The limit of simultaneous requests.
    Limit,
    /// The rate.
    Rate,
}

/// The waits of an attempt.
#[derive(Debug, Clone, Copy)]
pub struct AttemptWaits {
    /// When the attempt became due.
    due: Instant,
    /// Up to when its time is assigned to a wait, or to none.
    counted_until: Instant,
    waits: WaitTimes,
}

impl AttemptWaits {
    /// An attempt that is due now.
    pub fn begin() -> Self {
        let now = clock::now();
        Self { due: now, counted_until: now, waits: WaitTimes::default() }
    }

    /// Counts the time since the last call as no wait.
    pub fn skip(&mut self) {
        self.counted_until = clock::now();
    }

    /// Counts the time since the last call as a wait for this.
    pub fn waited_for(&mut self, reason: WaitReason) {
        self.add(reason, clock::now());
    }

    fn add(&mut self, reason: WaitReason, now: Instant) {
        let waited = now.saturating_duration_since(std::mem::replace(&mut self.counted_until, now));
        if waited < LEAST {
            return;
        }
        let waits = &mut self.waits;
        let wait = match reason {
            WaitReason::Slot => &mut waits.slot_ms,
            WaitReason::Budget => &mut waits.budget_ms,
            WaitReason::Retry => &mut waits.retry_ms,
            WaitReason::Limit => &mut waits.limit_ms,
            WaitReason::Rate => &mut waits.rate_ms,
        };
        *wait += milliseconds(waited);
    }

    /// The time from when the attempt was due until it was sent.
    pub fn since_due(&self, sent: Instant) -> Duration {
        sent.saturating_duration_since(self.due)
    }

    /// Each wait.
    pub fn waits(&self) -> WaitTimes {
        self.waits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_counted_separately_and_computing_is_no_wait() {
        let mut waiting = AttemptWaits::begin();
        let due = waiting.due;
        let at = |milliseconds: u64| due + Duration::from_millis(milliseconds);
        let noise = Duration::from_nanos(50);
        let times = [at(5), at(5) + noise, at(15) + noise, at(18) + noise, at(30) + noise];
        let for_each =
            [WaitReason::Slot, WaitReason::Budget, WaitReason::Limit, WaitReason::Rate, WaitReason::Retry];
        for (reason, time) in for_each.into_iter().zip(times) {
            waiting.add(reason, time);
        }
        let named: Vec<(&str, f64)> = waiting.waits().told().collect();
        assert_eq!(
            named,
            [
                ("for a slot", 5.0),
                ("before the retry", 12.0),
                ("because Dify refused requests as too many", 10.0),
                ("for the rate", 3.0)
            ]
        );
        assert_eq!(waiting.since_due(times[4]), Duration::from_millis(30) + noise);
    }
}
