//! What an attempt waited for before it was sent.

use serde::{Deserialize, Serialize};

/// Milliseconds that an attempt waited before it was sent, by what it waited for; no part of its latency.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct WaitTimes {
    /// For a free slot among `concurrency`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slot_ms: f64,
    /// For attempts at work to settle what a budget had set aside for them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub budget_ms: f64,
    /// For the back-off before a retry, `Retry-After` included.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retry_ms: f64,
    /// Because Dify refused requests as too many: for a place under the limit that fell, and for its `Retry-After`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub limit_ms: f64,
    /// For its turn at the rate.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rate_ms: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

impl WaitTimes {
    /// True where there was nothing to wait for.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Each wait that there was, with what it was for.
    pub fn told(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let all = [
            ("for a slot", self.slot_ms),
            ("for a budget", self.budget_ms),
            ("before the retry", self.retry_ms),
            ("because Dify refused requests as too many", self.limit_ms),
            ("for the rate", self.rate_ms),
        ];
        all.into_iter().filter(|(_, milliseconds)| *milliseconds > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_that_there_was_is_told_with_its_reason() {
        let waits = WaitTimes { slot_ms: 1.0, budget_ms: 2.0, retry_ms: 0.0, limit_ms: 4.0, rate_ms: 5.5 };
        let told: Vec<_> = waits.told().collect();
        assert_eq!(
            told,
            [
                ("for a slot", 1.0),
                ("for a budget", 2.0),
                ("because Dify refused requests as too many", 4.0),
                ("for the rate", 5.5)
            ]
        );
        assert!(!waits.is_none() && WaitTimes::default().is_none());
        assert_eq!(WaitTimes::default().told().count(), 0);
        assert!(!WaitTimes { rate_ms: 0.1, ..WaitTimes::default() }.is_none());
    }
}
