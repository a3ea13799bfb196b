//! What a test cost over all its attempts, exact and by currency.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::journal::CaseRecord;

/// The sums of a case's prices by currency; empty where none is known.
pub(super) fn cost(case: &CaseRecord) -> BTreeMap<&str, Decimal> {
    let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
    for price in case.attempts.iter().flat_map(|attempt| &attempt.facts.cost) {
        // A price that is no number is told with the run, by the fold.
        if let Ok(amount) = price.amount.parse::<Decimal>() {
            let sum = sums.entry(&price.currency).or_default();
            *sum = sum.saturating_add(amount);
        }
    }
    sums
}
