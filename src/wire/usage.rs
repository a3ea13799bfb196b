//! Tokens and prices as Dify reports them, and whether its total agrees with its nodes.
//!
//! Containers repeat their children's tokens and prices, so that only leaves are summed. A price of `"0.0"` on a node
//! that used a model is *no price known*, not free; 0 tokens there are *unknown*, not none.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::base::json_number;

/// What is known of a node's price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodePrice {
    /// The node says nothing of a price and uses no model.
    None,
    /// The node uses a model and its price is not known.
    Unknown,
    /// An exact amount.
    Known {
        /// The amount.
        amount: Decimal,
        /// `USD`, …; empty where Dify names none.
        currency: String,
    },
}

/// The usage of all leaves of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeafUsage {
    /// Sum of the tokens reported.
    pub tokens: u64,
    /// Nodes that use a model and report no tokens, or 0.
    pub without_tokens: u32,
    /// Exact sums by currency, in order of appearance.
    pub prices: Vec<(String, Decimal)>,
    /// Nodes that use a model and whose price is not known.
    pub without_price: u32,
}

/// Dify's total against the sum of its leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// They agree.
    Agrees,
    /// They do not.
    Differs {
        /// Sum of the leaves.
        leaves: u64,
        /// Dify's total.
        total: u64,
    },
    /// The total or a leaf is unknown.
    Unknown,
}

/// Tells whether a node repeats what its children report.
pub fn is_container(node_type: &str) -> bool {
    matches!(node_type, "iteration" | "loop")
}

/// Tells whether a node surely uses a model, so that 0 tokens cannot be true.
pub fn surely_uses_model(node_type: &str) -> bool {
    matches!(node_type, "llm" | "agent" | "question-classifier" | "parameter-extractor")
}

/// Tells whether a node may use a model: a tool can hide a workflow with one.
pub fn may_use_model(node_type: &str) -> bool {
    surely_uses_model(node_type) || node_type == "tool"
}

/// The tokens a node's `data` reports; 0 where it says 0.
pub fn node_tokens(data: &Value) -> Option<u64> {
    let places = [
        &data["execution_metadata"]["total_tokens"],
        &data["outputs"]["usage"]["total_tokens"],
        &data["process_data"]["usage"]["total_tokens"],
        &data["outputs"]["__usage"]["total_tokens"],
    ];
    places.into_iter().find_map(Value::as_u64)
}

/// The price a node's `data` reports.
pub fn node_price(node_type: &str, data: &Value) -> NodePrice {
    let places = [
        &data["execution_metadata"],
        &data["outputs"]["usage"],
        &data["process_data"]["usage"],
        &data["outputs"]["__usage"],
    ];
    let reported = places.into_iter().find_map(|place| {
        let amount = json_number::decimal(&place["total_price"])?;
        Some((amount, place["currency"].as_str().unwrap_or_default().to_owned()))
    });
    match reported {
        Some((amount, currency)) if !amount.is_zero() => NodePrice::Known { amount, currency },
        Some(_) | None if surely_uses_model(node_type) => NodePrice::Unknown,
        Some(_) | None => NodePrice::None,
    }
}

/// Dify's total tokens of a run; none where it is missing.
pub fn run_tokens(data: &Value) -> Option<u64> {
    data["total_tokens"].as_u64()
}

/// Sums what the finished leaves report: pairs of node type and the `data` of the node's last event.
pub fn sum_leaves<'a>(nodes: impl IntoIterator<Item = (&'a str, Option<&'a Value>)>) -> LeafUsage {
    let mut usage = LeafUsage::default();
    for (node_type, data) in nodes.into_iter().filter(|(node_type, _)| !is_container(node_type)) {
        let tokens = data.and_then(node_tokens).unwrap_or(0);
        usage.tokens = usage.tokens.saturating_add(tokens);
        usage.without_tokens += u32::from(tokens == 0 && surely_uses_model(node_type));
        match data.map_or(NodePrice::Unknown, |data| node_price(node_type, data)) {
            NodePrice::None => {}
            NodePrice::Unknown => usage.without_price += u32::from(surely_uses_model(node_type)),
            NodePrice::Known { amount, currency } => add_price(&mut usage.prices, amount, currency),
        }
    }
    usage
}

/// Compares Dify's total with the leaves.
pub fn audit(leaves: &LeafUsage, total: Option<u64>) -> Audit {
    match total {
        None => Audit::Unknown,
        Some(0) if leaves.without_tokens > 0 => Audit::Unknown,
        Some(total) if total == leaves.tokens => Audit::Agrees,
        Some(total) => Audit::Differs { leaves: leaves.tokens, total },
    }
}

fn add_price(prices: &mut Vec<(String, Decimal)>, amount: Decimal, currency: String) {
    match prices.iter_mut().find(|(known, _)| *known == currency) {
        Some((_, sum)) => *sum = sum.saturating_add(amount),
        None => prices.push((currency, amount)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn llm(tokens: u64, price: &str) -> Value {
        json!({ "execution_metadata": { "total_tokens": tokens, "total_price": price, "currency": "USD" } })
    }

    #[test]
    fn leaves_are_summed_and_containers_left_out() {
        let (one, two, all) = (llm(17, "0.0000056"), llm(17, "0.0000056"), llm(34, "0.0000112"));
        let code = json!({ "execution_metadata": null });
        let leaves = sum_leaves([
            ("llm", Some(&one)),
            ("code", Some(&code)),
            ("llm", Some(&two)),
            ("iteration", Some(&all)),
        ]);
        assert_eq!(leaves.tokens, 34);
        assert_eq!(leaves.prices, [("USD".to_owned(), "0.0000112".parse().unwrap())]);
        assert_eq!((leaves.without_tokens, leaves.without_price), (0, 0));
        assert_eq!(audit(&leaves, Some(34)), Audit::Agrees);
        assert_eq!(audit(&leaves, Some(68)), Audit::Differs { leaves: 34, total: 68 });
        assert_eq!(audit(&leaves, None), Audit::Unknown);
    }

    #[test]
    fn zero_on_a_model_is_unknown() {
        let free = llm(0, "0.0");
        let leaves = sum_leaves([("llm", Some(&free)), ("llm", None)]);
        assert_eq!((leaves.tokens, leaves.without_tokens, leaves.without_price), (0, 2, 2));
        assert_eq!(audit(&leaves, Some(0)), Audit::Unknown);
        assert_eq!(node_price("llm", &free), NodePrice::Unknown);
        assert_eq!(node_price("code", &json!({})), NodePrice::None);
        assert_eq!(node_price("llm", &json!({})), NodePrice::Unknown);
    }

    #[test]
    fn usage_is_found_where_metadata_lacks_it() {
        let data = json!({ "execution_metadata": null, "outputs": { "usage": { "total_tokens": 42, "total_price": "0.1", "currency": "EUR" } } });
        assert_eq!(node_tokens(&data), Some(42));
        assert_eq!(
            node_price("llm", &data),
            NodePrice::Known { amount: "0.1".parse().unwrap(), currency: "EUR".into() }
        );
    }
}
