//! How often requests may start.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest time between two starts: 10,000 hours.
const LONGEST_GAP: Duration = Duration::from_secs(36_000_000);

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RequestRate {
    /// Times a second; finite and more than zero.
    pub per_second: f64,
}

impl RequestRate {
    /// The time between two starts: at most the longest duration, whatever the rate.
    pub fn gap(self) -> Duration {
        Duration::try_from_secs_f64(1.0 / self.per_second).map_or(LONGEST_GAP, |gap| gap.min(LONGEST_GAP))
    }

    /// True of a rate that is finite, more than zero, and has a gap that can be waited.
    pub fn is_usable(self) -> bool {
        self.per_second.is_finite()
            && 1.0 / self.per_second > 0.0
            && 1.0 / self.per_second <= LONGEST_GAP.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_without_a_gap_is_not_usable() {
        for per_second in [0.0, -1.0, 1e-300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let rate = RequestRate { per_second };
            assert!(!rate.is_usable() && rate.gap() <= LONGEST_GAP, "{per_second}");
        }
    }
}
