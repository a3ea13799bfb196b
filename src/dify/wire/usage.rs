//! Tokens and prices as Dify's nodes report them.
//!
//! A price of `"0.0"` on a node
//! that used a model is *no price known*, not free; 0 tokens there are *unknown*, not zero.

use rust_decimal::Decimal;

use crate::base::borrowed_json::BorrowedValue;
use crate::base::json_decimal;

/// What is known of a node's price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodePrice {
    /// The node has no price and uses no model.
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

/// Whether a node certainly uses a model, so that 0 tokens cannot be true.
pub fn surely_uses_model(node_type: &str) -> bool {
    matches!(node_type, "llm" | "agent" | "question-classifier" | "parameter-extractor")
}

/// Whether a node may use a model: a tool can contain a workflow with one.
pub fn may_use_model(node_type: &str) -> bool {
    surely_uses_model(node_type) || node_type == "tool"
}

/// The tokens that a node's `data` reports, 0 included.
pub fn node_tokens(node_type: &str, data: &BorrowedValue<'_>) -> Option<u64> {
    places(node_type, data).find_map(|place| place["total_tokens"].as_u64())
}

/// The price a node's `data` reports.
pub fn node_price(node_type: &str, data: &BorrowedValue<'_>) -> NodePrice {
    let priced = places(node_type, data).find(|place| json_decimal::is_decimal(&place["total_price"]));
    let reported = match priced.map(|place| (json_decimal::decimal(&place["total_price"]), place)) {
        Some((Some(amount), place)) => {
            Some((amount, place["currency"].as_str().unwrap_or_default().to_owned()))
        }
        // It has more digits than are held exactly: rounded, it would be another price.
        Some((None, _)) => return NodePrice::Unknown,
        None => None,
    };
    match reported {
        Some((amount, currency)) if amount > Decimal::ZERO => NodePrice::Known { amount, currency },
        Some((amount, _)) if amount < Decimal::ZERO => NodePrice::Unknown,
        Some(_) | None if surely_uses_model(node_type) => NodePrice::Unknown,
        Some(_) | None => NodePrice::None,
    }
}

/// Where a node may report usage. A variable called `usage` of any other node, an End for one, is the workflow's own.
fn places<'d, 'a>(
    node_type: &str,
    data: &'d BorrowedValue<'a>,
) -> impl Iterator<Item = &'d BorrowedValue<'a>> {
    let outputs = surely_uses_model(node_type).then(|| &data["outputs"]["usage"]);
    let process = surely_uses_model(node_type).then(|| &data["process_data"]["usage"]);
    let hidden = (node_type == "parameter-extractor").then(|| &data["outputs"]["__usage"]);
    [Some(&data["execution_metadata"]), outputs, process, hidden].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn llm(tokens: u64, price: &str) -> Value {
        json!({ "execution_metadata": { "total_tokens": tokens, "total_price": price, "currency": "USD" } })
    }

    #[test]
    fn zero_on_a_model_is_unknown() {
        let free = llm(0, "0.0");
        let free = BorrowedValue::of(&free);
        assert_eq!(node_price("llm", &free), NodePrice::Unknown);
        assert_eq!(
            node_price("llm", &BorrowedValue::of(&llm(5, "-1.0"))),
            NodePrice::Unknown,
            "nobody is paid for a run"
        );
        assert_eq!(node_price("code", &BorrowedValue::of(&llm(5, "-1.0"))), NodePrice::Unknown);
        for long in ["0.3000000000000000000000000000001", "3e-30", "99999999999999999999999999999999"] {
            assert_eq!(node_price("code", &BorrowedValue::of(&llm(5, long))), NodePrice::Unknown, "{long}");
        }
        assert_eq!(node_price("code", &BorrowedValue::of(&json!({}))), NodePrice::None);
        assert_eq!(node_price("llm", &BorrowedValue::of(&json!({}))), NodePrice::Unknown);
    }

    #[test]
    fn usage_is_found_where_metadata_lacks_it() {
        let data = json!({ "execution_metadata": null, "outputs": { "usage": { "total_tokens": 42, "total_price": "0.1", "currency": "EUR" } } });
        let data = BorrowedValue::of(&data);
        assert_eq!(node_tokens("llm", &data), Some(42));
        assert_eq!(node_tokens("end", &data), None, "a variable called usage is no usage");
        assert_eq!(
            node_price("llm", &data),
            NodePrice::Known { amount: "0.1".parse().unwrap(), currency: "EUR".into() }
        );
    }
}
