//! When an attempt may be sent: slots, the rate, and the back-off between retries.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::base::clock;
use crate::base::lock::lock;
use crate::base::units::RequestRate;
use crate::engine::limiter::RequestLimiter;
use crate::engine::starts::{StartSchedule, StartTime};
use crate::plan::case::{Jitter, Retries};
use crate::record::event::RateAdherence;

/// The longest that a server's `Retry-After` is obeyed.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

/// Slots and rate of one target.
pub struct TargetPace {
    /// How many attempts may be at the target at once.
    pub gate: RequestLimiter,
    slots: Arc<Semaphore>,
    starts: Option<StartSchedule>,
    random: Mutex<fastrand::Rng>,
}

impl TargetPace {
    /// As many slots as attempts may run at once; `rate` spaces their starts.
    pub fn new(concurrency: usize, rate: Option<RequestRate>, seed: u64) -> Self {
        Self {
            gate: RequestLimiter::new(concurrency),
            slots: Arc::new(Semaphore::new(concurrency.max(1))),
            starts: rate.map(StartSchedule::new),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
        }
    }

    /// Waits for a slot; it is free again when the permit is dropped.
    pub async fn slot(&self) -> OwnedSemaphorePermit {
        self.slots.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    /// Waits until the rate allows another start; tells when the rate meant it to be, if there is one.
    pub async fn turn(&self) -> Option<Instant> {
        let now = clock::now();
        let turn = self.starts.as_ref()?.reserve(now);
        if turn.at > now {
            tokio::time::sleep_until(turn.at.into()).await;
        }
        Some(turn.meant)
    }

    /// Notes a start that the rate meant to be at a time, and the latency of its answer, if that is known.
    pub fn note(&self, meant: Instant, sent: Instant, latency: Option<Duration>) {
        if let Some(starts) = &self.starts {
            starts.note(StartTime { meant, sent, latency });
        }
    }

    /// How far the rate was kept; none where there is no rate, or nothing was sent.
    pub fn kept(&self) -> Option<RateAdherence> {
        self.starts.as_ref()?.kept()
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
                let mut random = lock(&self.random);
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
        let pace = TargetPace::new(1, None, 1);
        let delays: Vec<u64> =
            (1..=5).map(|retry| pace.back_off(&retries(Jitter::Off), retry, None).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 5, 5]);
    }

    #[test]
    fn jitter_stays_between_half_and_all_of_the_delay() {
        let pace = TargetPace::new(1, None, 7);
        for _ in 0..1000 {
            let delay = pace.back_off(&retries(Jitter::On), 2, None);
            assert!((Duration::from_secs(1)..=Duration::from_secs(2)).contains(&delay), "{delay:?}");
        }
    }

    #[test]
    fn retry_after_is_obeyed_within_reason() {
        let pace = TargetPace::new(1, None, 1);
        let asked =
            |seconds| pace.back_off(&retries(Jitter::Off), 1, Some(Duration::from_secs(seconds))).as_secs();
        assert_eq!(asked(7), 7);
        assert_eq!(asked(0), 1);
        assert_eq!(asked(100_000), 300);
    }
}
