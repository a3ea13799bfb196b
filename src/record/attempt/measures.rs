//! What of the recorded facts of a run may be measured: only what is known whole.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::RunFacts;

impl RunFacts {
    /// Dify's total of tokens, unless the nodes do not confirm it and nobody trusts it.
    pub fn trusted_tokens(&self) -> Option<u64> {
        self.tokens.filter(|_| self.usage.as_ref().is_none_or(|doubt| doubt.trusted))
    }

    /// What the run cost, by currency; `None` where a price is not known. A run that used no model cost nothing.
    pub fn prices(&self) -> Option<BTreeMap<&str, Decimal>> {
        if self.cost.is_empty() {
            let used_none = self.used().cost_known && self.usage.is_none();
            return used_none.then(BTreeMap::new);
        }
        let mut prices = BTreeMap::new();
        for price in &self.cost {
            let amount: Decimal = price.amount.parse().ok()?;
            let is_new = prices.insert(price.currency.as_str(), amount).is_none();
            if amount.is_sign_negative() || !is_new {
                return None;
            }
        }
        Some(prices)
    }
}
