//! Where a measure is relative to its bound: within it or beyond it, also if what is missing were as bad, or as good, as it can be.

use rust_decimal::Decimal;

use crate::base::stats::PermutationResult;
use crate::base::stats::spread::times_as_many;
use crate::record::compare::chance::Difference;

/// On which side of a bound something lies; exactly at it is within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// No more than is allowed.
    Within,
    /// More.
    Beyond,
}

/// Where a measure is relative to its bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BoundStanding {
    /// By the pairs that are known.
    pub found: Position,
    /// If what is missing were as bad as it can be.
    pub worst: Position,
    /// If what is missing were as good as it can be.
    pub best: Position,
    /// One-sided, what is missing being as good as it can be: could chance have put it as far beyond the bound?
    pub test: PermutationResult,
    /// How many times as many pairs would distinguish it from chance; `None` if it is within the bound.
    pub times: Option<f64>,
}

/// What a measure is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CompareLimit {
    /// The most it may be worse by.
    pub allowed: Decimal,
    /// The level of significance that is left for it among all gates.
    pub level: f64,
}

impl CompareLimit {
    /// How many times as many pairs would show these differences from chance.
    pub fn times(&self, differences: &[Difference]) -> Option<f64> {
        let values: Vec<f64> = differences.iter().map(|difference| difference.value).collect();
        times_as_many(&values, self.level)
    }
}
