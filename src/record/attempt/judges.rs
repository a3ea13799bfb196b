//! What judges were asked and what that took: counted apart from the runs they judge.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Price, is_zero};

/// What one question to a judge came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgeFact {
    /// The judge's name.
    pub judge: String,
    /// The scores of its votes, 0 to 1, in the order asked; those that did not come are missing.
    pub scores: Vec<f64>,
    /// Why, in the judge's words: of the vote in the middle.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Why a vote did not come, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Requests sent, retries included.
    pub requests: u32,
    /// Tokens that the answers say they took.
    pub tokens: u64,
    /// Requests that may have taken tokens that nobody reported.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tokens_unknown: u32,
    /// Exact decimal prices by currency; empty when unknown, as it is of every endpoint that is no Dify.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cost: Vec<Price>,
    /// From the question to the last vote, milliseconds; in no time of the run.
    pub ms: f64,
}

/// What the questions to judges took together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JudgesSpent {
    /// Questions, each with all its votes.
    pub questions: u64,
    /// Questions of which a vote did not come.
    pub troubled: u64,
    /// Requests sent.
    pub requests: u64,
    /// Tokens reported.
    pub tokens: u64,
    /// Requests that may have taken tokens that nobody reported.
    pub tokens_unknown: u64,
    /// Prices reported, by currency.
    pub cost: BTreeMap<String, Decimal>,
}

impl JudgesSpent {
    /// Adds what the questions of one attempt took; a price that is no number is left out.
    pub fn add(&mut self, facts: &[JudgeFact]) {
        for fact in facts {
            self.questions += 1;
            self.troubled += u64::from(fact.trouble.is_some());
            self.requests += u64::from(fact.requests);
            self.tokens = self.tokens.saturating_add(fact.tokens);
            self.tokens_unknown += u64::from(fact.tokens_unknown);
            for price in &fact.cost {
                if let Ok(amount) = price.amount.parse::<Decimal>() {
                    let sum = self.cost.entry(price.currency.clone()).or_default();
                    *sum = sum.saturating_add(amount);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_judges_took_adds_up_and_what_is_unknown_is_counted() {
        let fact = |tokens, unknown, amount: &str| JudgeFact {
            judge: "j".to_owned(),
            scores: vec![1.0],
            reason: String::new(),
            trouble: None,
            requests: 2,
            tokens,
            tokens_unknown: unknown,
            cost: vec![Price { amount: amount.to_owned(), currency: "USD".to_owned() }],
            ms: 1.0,
        };
        let mut spent = JudgesSpent::default();
        spent.add(&[fact(10, 0, "0.1"), fact(u64::MAX, 1, "0.2"), fact(1, 0, "much")]);
        assert_eq!(
            (spent.questions, spent.requests, spent.tokens, spent.tokens_unknown),
            (3, 6, u64::MAX, 1)
        );
        assert_eq!(spent.cost["USD"].to_string(), "0.3");
    }
}
