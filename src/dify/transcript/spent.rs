//! What the nodes of a run say they used so far, and the most that a run may use.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{NodeRun, NodeSummary};
use crate::base::units::{Money, format_count};
use crate::dify::wire::usage::NodePrice;

/// The most that one run may use; more of it stops the run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunCap {
    /// Tokens.
    pub tokens: Option<u64>,
    /// A price.
    pub cost: Option<Money>,
}

/// What the nodes that have finished say they used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodesUsage {
    /// Tokens.
    pub tokens: u64,
    /// Exact prices by currency.
    pub prices: BTreeMap<String, Decimal>,
}

impl NodesUsage {
    /// The sum over executions; those of an iteration or loop count by themselves.
    pub fn of(nodes: &[NodeRun]) -> Self {
        let mut spent = Self::default();
        for node in nodes.iter().filter(|node| !node.is_container()) {
            if let Some(told) = node.told() {
                spent.add(told);
            }
        }
        spent
    }

    /// Adds what a finished node says.
    pub fn add(&mut self, told: &NodeSummary) {
        self.tokens = self.tokens.saturating_add(told.tokens.unwrap_or(0));
        let NodePrice::Known { amount, currency } = &told.price else { return };
        match self.prices.get_mut(currency) {
            Some(sum) => *sum = sum.saturating_add(*amount),
            None => drop(self.prices.insert(currency.clone(), *amount)),
        }
    }

    /// The price in one currency.
    pub fn price(&self, currency: &str) -> Decimal {
        self.prices.get(currency).copied().unwrap_or_default()
    }
}

impl RunCap {
    /// True where nothing is capped.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What was used of too much, and how much may be: `9,000 tokens, more than the 8,000 of …`.
    pub fn exceeded(&self, tokens: u64, price: impl Fn(&str) -> Decimal) -> Option<String> {
        if let Some(most) = self.tokens.filter(|most| tokens > *most) {
            return Some(format!(
                "{} tokens, and `budget.per_test` allows {}",
                format_count(tokens),
                format_count(most)
            ));
        }
        let most = self.cost.as_ref()?;
        let price = price(&most.currency);
        (price > most.amount)
            .then(|| format!("{price} {}, and `budget.per_test` allows {most}", most.currency))
    }

    /// The same for what nodes say.
    pub fn exceeded_by(&self, spent: &NodesUsage) -> Option<String> {
        self.exceeded(spent.tokens, |currency| spent.price(currency))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::base::units::parse_money;

    fn node(node_type: &str, tokens: u64, price: Value) -> NodeRun {
        let usage = json!({ "total_tokens": tokens, "total_price": price, "currency": "USD" });
        let finished = Some(json!({ "status": "succeeded", "execution_metadata": usage }).into());
        NodeRun { node_type: node_type.to_owned(), finished, ..NodeRun::default() }
    }

    #[test]
    fn leaves_are_summed_and_prices_that_are_none_are_left_out() {
        let open = NodeRun { node_type: "llm".into(), ..NodeRun::default() };
        let nodes = [
            node("llm", 40, json!("0.1")),
            node("llm", 2, json!("0.2")),
            node("llm", 1, json!("0.0")),
            node("llm", 1, Value::Null),
            node("llm", 1, json!("a lot")),
            node("iteration", 45, json!("0.3")),
            open,
        ];
        let spent = NodesUsage::of(&nodes);
        assert_eq!(
            (spent.tokens, spent.price("USD"), spent.price("EUR")),
            (45, "0.3".parse().unwrap(), Decimal::ZERO)
        );
    }

    #[test]
    fn only_more_than_the_cap_exceeds_it() {
        let cap = RunCap { tokens: Some(45), cost: Some(parse_money("0.30 USD").unwrap()) };
        let spent = NodesUsage { tokens: 45, prices: [("USD".into(), "0.3".parse().unwrap())].into() };
        assert_eq!(cap.exceeded_by(&spent), None);
        let more = NodesUsage { tokens: 46, ..spent.clone() };
        assert_eq!(cap.exceeded_by(&more).unwrap(), "46 tokens, and `budget.per_test` allows 45");
        let dearer = NodesUsage { prices: [("USD".into(), "0.300001".parse().unwrap())].into(), ..spent };
        assert_eq!(cap.exceeded_by(&dearer).unwrap(), "0.300001 USD, and `budget.per_test` allows 0.30 USD");
        assert_eq!(RunCap::default().exceeded_by(&more), None);
    }
}
