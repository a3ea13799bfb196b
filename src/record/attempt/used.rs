//! What an attempt used, as totals count it: all that is known, and where that is not all of it, what was seen.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::record::attempt::{Price, RunFacts};

/// What is known of the use of an attempt besides its tokens and its cost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ObservedUse {
    /// True where surely nothing ran: nothing was used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nothing: bool,
    /// Tokens that were seen, where the total is not known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tokens: u64,
    /// Prices that were seen, where the cost is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cost: Vec<Price>,
    /// True where the cost is not known although the tokens are 0, as of a tool.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What an attempt used; where something is not known, what is reported is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptUse<'a> {
    /// Tokens.
    pub tokens: u64,
    /// Whether these are all.
    pub tokens_known: bool,
    /// Prices.
    pub cost: &'a [Price],
    /// Whether these are all.
    pub cost_known: bool,
}

impl<'a> AttemptUse<'a> {
    /// Of what a record says of an attempt.
    pub fn of(tokens: Option<u64>, cost: &'a [Price], seen: Option<&'a ObservedUse>) -> Self {
        let least = seen.map_or(0, |seen| seen.tokens);
        let nothing = seen.is_some_and(|seen| seen.nothing);
        // Without tokens nothing costs, but for what hides its price.
        let is_free = tokens == Some(0) && !seen.is_some_and(|seen| seen.unpriced);
        let cost_known = nothing || is_free || !cost.is_empty();
        Self {
            tokens: tokens.unwrap_or(least),
            tokens_known: nothing || tokens.is_some(),
            cost: if cost.is_empty() { seen.map_or(&[], |seen| &seen.cost) } else { cost },
            cost_known,
        }
    }
}

impl RunFacts {
    /// What the attempt used.
    pub fn used(&self) -> AttemptUse<'_> {
        AttemptUse::of(self.tokens, &self.cost, self.seen.as_ref())
    }
}

/// What attempts used together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageTotals {
    /// Tokens that are known or were seen.
    pub tokens: u64,
    /// Attempts whose tokens are not all known.
    pub tokens_unknown: u32,
    /// Exact sums by currency of the prices that are known or were seen.
    pub cost: BTreeMap<String, Decimal>,
    /// Attempts whose cost is not all known.
    pub cost_unknown: u32,
}

impl UsageTotals {
    /// Adds an attempt; gives back the price that is no number, if there is one.
    pub fn add<'a>(&mut self, used: &AttemptUse<'a>) -> Result<(), &'a str> {
        self.tokens = self.tokens.saturating_add(used.tokens);
        self.tokens_unknown += u32::from(!used.tokens_known);
        self.cost_unknown += u32::from(!used.cost_known);
        let mut wrong = Ok(());
        for price in used.cost {
            match price.amount.parse::<Decimal>() {
                Ok(amount) => match self.cost.get_mut(&price.currency) {
                    Some(sum) => *sum = sum.saturating_add(amount),
                    None => drop(self.cost.insert(price.currency.clone(), amount)),
                },
                Err(_) => wrong = Err(price.amount.as_str()),
            }
        }
        wrong
    }

    /// Adds attempts that were sent, and of which nothing else is known.
    pub fn add_untold(&mut self, attempts: u32) {
        self.tokens_unknown += attempts;
        self.cost_unknown += attempts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(amount: &str) -> Vec<Price> {
        vec![Price { amount: amount.to_owned(), currency: "USD".to_owned() }]
    }

    #[test]
    fn what_is_not_known_is_never_counted_as_nothing() {
        let seen = ObservedUse { tokens: 51, cost: price("0.2"), ..ObservedUse::default() };
        let nothing = ObservedUse { nothing: true, ..ObservedUse::default() };
        let hidden = ObservedUse { unpriced: true, ..ObservedUse::default() };
        let known = |used: AttemptUse<'_>| (used.tokens, used.tokens_known, used.cost.len(), used.cost_known);
        assert_eq!(known(AttemptUse::of(Some(19), &price("0.1"), None)), (19, true, 1, true));
        assert_eq!(known(AttemptUse::of(Some(19), &[], None)), (19, true, 0, false), "no price is told");
        assert_eq!(known(AttemptUse::of(Some(0), &[], None)), (0, true, 0, true), "nothing that costs ran");
        assert_eq!(known(AttemptUse::of(Some(0), &[], Some(&hidden))), (0, true, 0, false));
        assert_eq!(known(AttemptUse::of(None, &[], None)), (0, false, 0, false));
        assert_eq!(known(AttemptUse::of(None, &[], Some(&seen))), (51, false, 1, false));
        assert_eq!(known(AttemptUse::of(None, &[], Some(&nothing))), (0, true, 0, true));
    }

    #[test]
    fn a_sum_says_of_how_many_attempts_it_is_not_all() {
        let mut sum = UsageTotals::default();
        let seen = ObservedUse { tokens: 51, cost: price("0.2"), ..ObservedUse::default() };
        sum.add(&AttemptUse::of(Some(19), &price("0.1"), None)).unwrap();
        sum.add(&AttemptUse::of(None, &[], Some(&seen))).unwrap();
        sum.add_untold(2);
        assert_eq!((sum.tokens, sum.tokens_unknown, sum.cost_unknown), (70, 3, 3));
        assert_eq!(sum.cost["USD"], "0.3".parse().unwrap());
        assert_eq!(sum.add(&AttemptUse::of(Some(1), &price("a lot"), None)), Err("a lot"));
    }
}
