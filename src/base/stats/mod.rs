//! Formulas with their sources: tests, intervals, corrections for many of them, plans that end as soon as they are decided,
//! and ranks. Pure; randomness comes seeded.

pub(crate) mod energy;
pub(crate) mod fixed;
pub(crate) mod mcnemar;
pub(crate) mod multiple;
pub(crate) mod quantile;
pub(crate) mod runs;
pub(crate) mod sequential;
pub(crate) mod sign_flip;
pub(crate) mod spread;
pub(crate) mod wilson;

/// How a test is done that cannot look at every arrangement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RandomDraws {
    /// Arrangements drawn at random, where all would be too many.
    pub count: u32,
    /// Where drawing begins: the same seed draws the same.
    pub seed: u64,
}

/// What a permutation test says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PermutationResult {
    /// The share of arrangements at least as extreme as the one seen, itself included.
    pub p: f64,
    /// The smallest `p` that this many observations could give.
    pub attainable: f64,
}

/// The share of drawn arrangements that are as extreme, the one seen counted as one of them, so that it is never 0.
///
/// B. Phipson, G. K. Smyth, "Permutation p-values should never be zero", 2010.
fn share_of_draws(extreme: u32, draws: u32) -> f64 {
    (f64::from(extreme) + 1.0) / (f64::from(draws) + 1.0)
}

/// Sums that ought to be equal differ by rounding; below this they count as equal.
fn slack(scale: f64) -> f64 {
    1e-9 * scale.abs().max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slack_grows_with_what_is_added() {
        assert!((slack(1_000.0) - 1e-6).abs() < 1e-18 && slack(-1_000.0) == slack(1_000.0));
        assert!(slack(0.0) < f64::MIN_POSITIVE);
    }

    #[test]
    fn the_arrangement_that_was_seen_is_one_of_them() {
        assert_eq!((share_of_draws(0, 999), share_of_draws(9, 999)), (0.001, 0.01));
    }
}
