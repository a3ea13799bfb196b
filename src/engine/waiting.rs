//! What an attempt waits for before it is sent, each wait by itself.

use std::time::{Duration, Instant};

use crate::base::clock;
use crate::record::attempt::WaitTimes;

/// Shorter waits are the work of the computer, and no wait.
const LEAST: Duration = Duration::from_micros(100);

/// What can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// A free slot.
    Slot,
    /// A budget.
    Budget,
    /// The back-off before a retry.
    Retry,
    /// A place under the limit that fell.
    Limit,
    /// A turn at the rate.
    Rate,
}

/// The waits of an attempt so far.
#[derive(Debug, Clone, Copy)]
pub struct AttemptWaits {
    due: Instant,
    mark: Instant,
    waits: WaitTimes,
}

impl AttemptWaits {
    /// It is due now.
    pub fn begin() -> Self {
        let now = clock::now();
        Self { due: now, mark: now, waits: WaitTimes::default() }
    }

    /// The time since the last call went by without waiting.
    pub fn skip(&mut self) {
        self.mark = clock::now();
    }

    /// The time since the last call was waited for this.
    pub fn waited_for(&mut self, what: WaitReason) {
        self.add(what, clock::now());
    }

    fn add(&mut self, what: WaitReason, now: Instant) {
        let waited = now.saturating_duration_since(std::mem::replace(&mut self.mark, now));
        if waited < LEAST {
            return;
        }
        let waits = &mut self.waits;
        let wait = match what {
            WaitReason::Slot => &mut waits.slot_ms,
            WaitReason::Budget => &mut waits.budget_ms,
            WaitReason::Retry => &mut waits.retry_ms,
            WaitReason::Limit => &mut waits.limit_ms,
            WaitReason::Rate => &mut waits.rate_ms,
        };
        *wait += waited.as_secs_f64() * 1000.0;
    }

    /// From when it was due.
    pub fn since_due(&self, sent: Instant) -> Duration {
        sent.saturating_duration_since(self.due)
    }

    /// What was waited for.
    pub fn waits(&self) -> WaitTimes {
        self.waits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_told_by_itself_and_the_noise_of_the_computer_is_none() {
        let mut waiting = AttemptWaits::begin();
        let due = waiting.due;
        let at = |milliseconds: u64| due + Duration::from_millis(milliseconds);
        let noise = Duration::from_nanos(50);
        let times = [at(5), at(5) + noise, at(15) + noise, at(18) + noise, at(30) + noise];
        let for_each =
            [WaitReason::Slot, WaitReason::Budget, WaitReason::Limit, WaitReason::Rate, WaitReason::Retry];
        for (what, time) in for_each.into_iter().zip(times) {
            waiting.add(what, time);
        }
        let told: Vec<(&str, f64)> = waiting.waits().told().collect();
        assert_eq!(
            told,
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
