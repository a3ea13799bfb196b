//! The wait before a retry.

use std::sync::Mutex;
use std::time::Duration;

use crate::base::lock::lock;
use crate::engine::retry_after::LONGEST_RETRY_AFTER;
use crate::plan::case::{Jitter, Retries};

/// Waits that grow from retry to retry.
pub struct RetryDelays {
    random: Mutex<fastrand::Rng>,
}

impl RetryDelays {
    /// Draws the jitter from this seed.
    pub fn new(seed: u64) -> Self {
        Self { random: Mutex::new(fastrand::Rng::with_seed(seed)) }
    }

    /// How long to wait before retry number `retry` (from 1): doubled each time, at most `max_delay`.
    ///
    /// With jitter it is evenly distributed between half and all of that; a longer `Retry-After` is obeyed.
    pub fn delay(&self, retries: &Retries, retry: u32, retry_after: Option<Duration>) -> Duration {
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
        let delays = RetryDelays::new(1);
        let seconds: Vec<u64> =
            (1..=5).map(|retry| delays.delay(&retries(Jitter::Off), retry, None).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 5, 5]);
    }

    #[test]
    fn jitter_stays_between_half_and_all_of_the_delay() {
        let delays = RetryDelays::new(7);
        for _ in 0..1000 {
            let delay = delays.delay(&retries(Jitter::On), 2, None);
            assert!((Duration::from_secs(1)..=Duration::from_secs(2)).contains(&delay), "{delay:?}");
        }
    }

    #[test]
    fn retry_after_is_obeyed_within_reason() {
        let delays = RetryDelays::new(1);
        let asked =
            |seconds| delays.delay(&retries(Jitter::Off), 1, Some(Duration::from_secs(seconds))).as_secs();
        assert_eq!(asked(7), 7);
        assert_eq!(asked(0), 1);
        assert_eq!(asked(100_000), 300);
    }
}
