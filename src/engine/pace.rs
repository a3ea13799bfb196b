//! When an attempt may be sent: slots, the rate, and the back-off between retries.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::base::clock;
use crate::base::units::Rate;
use crate::engine::gate::Gate;
use crate::plan::case::{Jitter, Retries};

/// The longest that a server's `Retry-After` is obeyed.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

/// Slots and rate of one target.
pub struct Pace {
    /// How many attempts may be at the target at once.
    pub gate: Gate,
    slots: Semaphore,
    gap: Option<Duration>,
    next: Mutex<Option<Instant>>,
    random: Mutex<fastrand::Rng>,
}

impl Pace {
    /// As many slots as attempts may run at once; `rate` spaces their starts.
    pub fn new(concurrency: usize, rate: Option<Rate>, seed: u64) -> Self {
        Self {
            gate: Gate::new(concurrency),
            slots: Semaphore::new(concurrency.max(1)),
            gap: rate.map(|rate| Duration::from_secs_f64(1.0 / rate.per_second)),
            next: Mutex::new(None),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
        }
    }

    /// Waits for a slot; it is free again when the permit is dropped.
    pub async fn slot(&self) -> SemaphorePermit<'_> {
        self.slots.acquire().await.expect("the semaphore is never closed")
    }

    /// Waits until the rate allows another start.
    ///
    /// Starts are spaced evenly from the first one on, whatever the answers do (open loop).
    pub async fn turn(&self) {
        if let Some(at) = self.reserve_turn(clock::now()) {
            tokio::time::sleep_until(at.into()).await;
        }
    }

    fn reserve_turn(&self, now: Instant) -> Option<Instant> {
        let gap = self.gap?;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.map_or(now, |due| due.max(now));
        *next = Some(at + gap);
        Some(at)
    }

    /// How long to wait before retry number `retry` (from 1): doubled each time, at most `max_delay`.
    ///
    /// With jitter it lies evenly between half and all of that; a longer `Retry-After` is obeyed.
    pub fn back_off(&self, retries: &Retries, retry: u32, retry_after: Option<Duration>) -> Duration {
        let doubled = retries.delay.saturating_mul(1 << (retry.saturating_sub(1)).min(16));
        let delay = doubled.min(retries.max_delay);
        let drawn = match retries.jitter {
            Jitter::Off => delay,
            Jitter::On => {
                let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
                delay.mul_f64(0.5 + random.f64() / 2.0)
            }
        };
        drawn.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::case::Resend;

    fn retries(jitter: Jitter) -> Retries {
        Retries {
            count: 5,
            delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(5),
            jitter,
            resend: Resend::Never,
        }
    }

    #[test]
    fn back_off_doubles_up_to_its_limit() {
        let pace = Pace::new(1, None, 1);
        let delays: Vec<u64> =
            (1..=5).map(|retry| pace.back_off(&retries(Jitter::Off), retry, None).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 5, 5]);
    }

    #[test]
    fn jitter_stays_between_half_and_all_of_the_delay() {
        let pace = Pace::new(1, None, 7);
        for _ in 0..1000 {
            let delay = pace.back_off(&retries(Jitter::On), 2, None);
            assert!((Duration::from_secs(1)..=Duration::from_secs(2)).contains(&delay), "{delay:?}");
        }
    }

    #[test]
    fn retry_after_is_obeyed_within_reason() {
        let pace = Pace::new(1, None, 1);
        let asked =
            |seconds| pace.back_off(&retries(Jitter::Off), 1, Some(Duration::from_secs(seconds))).as_secs();
        assert_eq!(asked(7), 7);
        assert_eq!(asked(0), 1);
        assert_eq!(asked(100_000), 300);
    }

    #[test]
    fn the_rate_spaces_starts_evenly_and_does_not_save_up() {
        let pace = Pace::new(1, Some(Rate { per_second: 10.0 }), 1);
        let now = clock::now();
        let first = pace.reserve_turn(now).expect("a rate is set");
        let second = pace.reserve_turn(now).expect("a rate is set");
        assert_eq!(second - first, Duration::from_millis(100));
        let late = now + Duration::from_secs(5);
        assert_eq!(pace.reserve_turn(late), Some(late));
        assert_eq!(pace.reserve_turn(late), Some(late + Duration::from_millis(100)));
    }
}
