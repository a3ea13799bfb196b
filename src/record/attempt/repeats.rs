//! What is recorded of a test that runs more than once: its rate, and how a sequential test went.

use serde::{Deserialize, Serialize};

use super::is_zero;
use crate::base::plural::plural;

/// What the repeats of a test came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepeatFacts {
    /// Repeats in which every assertion held.
    pub passed: u32,
    /// Repeats in which one was broken.
    pub failed: u32,
    /// Repeats that were no observation.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub errored: u32,
    /// The share of the observed ones that passed, and where it lies; `None` without an observation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateFacts>,
    /// The rate that passes.
    pub pass_rate: f64,
    /// How sure the interval and the sequential test are, 0 to 1.
    pub confidence: f64,
    /// The chance that repeats which do not depend on each other pass and fail in as few runs; `None` where it may be chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticks: Option<f64>,
    /// The sequential test, where one decided how often the test ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequential: Option<SequentialFacts>,
}

/// How many repeats passed, of those that were judged, since the rate is of these: `17 of 18 repeats passed`, `1 of 1 judged
/// repeat passed, 2 were not judged`.
pub fn told_share(passed: u32, failed: u32, errored: u32) -> String {
    let judged = passed + failed;
    match (judged, errored) {
        (_, 0) => format!("{passed} of {judged} {} passed", plural(judged, "repeat", "repeats")),
        (0, _) => format!("none of {errored} {} was judged", plural(errored, "repeat", "repeats")),
        (_, _) => {
            let (repeats, were) = (plural(judged, "repeat", "repeats"), plural(errored, "was", "were"));
            format!("{passed} of {judged} judged {repeats} passed, {errored} {were} not judged")
        }
    }
}

/// A rate and its Wilson interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RateFacts {
    /// The share that passed, 0 to 1.
    pub observed: f64,
    /// The least it may well be.
    pub low: f64,
    /// The most it may well be.
    pub high: f64,
}

/// How a sequential test went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SequentialFacts {
    /// At least this many repeats.
    pub min: u32,
    /// At most this many.
    pub max: u32,
    /// The rate that fails.
    pub fail_below: f64,
    /// The repeats that a plan of a fixed number takes for the same errors; `None` where that is beyond reckoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_plan: Option<u32>,
    /// How many fewer it took; less than 0 where it took more, none where it did not decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_runs: Option<i64>,
    /// The tokens that these would have used, by the mean of those that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_tokens: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::told_share;

    #[test]
    fn the_count_before_the_rate_is_of_the_repeats_that_were_judged() {
        for (passed, failed, errored, expected) in [
            (17, 1, 0, "17 of 18 repeats passed"),
            (1, 0, 2, "1 of 1 judged repeat passed, 2 were not judged"),
            (3, 1, 1, "3 of 4 judged repeats passed, 1 was not judged"),
            (0, 0, 3, "none of 3 repeats was judged"),
        ] {
            assert_eq!(told_share(passed, failed, errored), expected);
        }
    }
}
