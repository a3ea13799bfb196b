//! What Dify adds to a model's answer: usage, prices, reasoning, and the outputs of the error strategy.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::graph_node::GraphNode;
use crate::dify::mock::reply::ScriptedReply;
use crate::dify::mock::reply::node::{NodeStatus, ScriptedNode, ScriptedPrice, StreamedText};

/// Gives the reply's `text` and `tokens` to a node, since no run has them without one.
///
/// A reply without nodes gets an LLM. Otherwise the first model without text of its own streams `text`, or the last node without
/// text of its own if there is no such model. `tokens` go to the first model where no node has any.
pub fn complete(reply: &ScriptedReply, nodes: &mut Vec<ScriptedNode>) {
    let uses_model = reply.text.is_some() || reply.tokens.is_some_and(|tokens| tokens > 0);
    if nodes.is_empty() && uses_model && reply.reject.is_none() {
        nodes.push(ScriptedNode {
            title: Some("LLM".to_owned()),
            kind: Some("llm".to_owned()),
            ..ScriptedNode::default()
        });
    }
    let is_model =
        |node: &ScriptedNode| matches!(node.kind.as_deref(), Some("llm" | "agent")) && node.parent.is_none();
    if let Some(text) = &reply.text {
        let is_free = |node: &ScriptedNode| node.stream.is_none() && node.parent.is_none();
        let free_model = nodes.iter().position(|node| is_model(node) && is_free(node));
        let at = free_model.or_else(|| nodes.iter().rposition(is_free));
        if let Some(at) = at {
            nodes[at].stream = Some(StreamedText::Whole(text.clone()));
        }
    }
    let unspent = reply.tokens.filter(|_| nodes.iter().all(|node| node.tokens.is_empty()));
    if let (Some(tokens), Some(node)) = (unspent, nodes.iter_mut().find(|node| is_model(node))) {
        node.tokens = vec![tokens];
    }
}

/// Fills in the outputs that Dify's own nodes add.
pub fn fill_outputs(node: &mut GraphNode) {
    let streamed = node.stream.concat();
    for index in 0..node.rounds.len() {
        let usage = usage(node, index);
        let is_llm = node.kind == "llm";
        let kind = node.kind.clone();
        let round = &mut node.rounds[index];
        match round.status {
            NodeStatus::Succeeded if is_llm => {
                let written = std::mem::replace(&mut round.process_data, process_data(&usage));
                round.process_data.extend(written);
                let mut outputs = Map::new();
                outputs.insert("text".to_owned(), Value::String(streamed.clone()));
                outputs.insert("reasoning_content".to_owned(), Value::String(String::new()));
                outputs.insert("usage".to_owned(), Value::Object(usage));
                outputs.insert("finish_reason".to_owned(), Value::String("stop".to_owned()));
                outputs.extend(std::mem::take(&mut round.outputs));
                round.outputs = outputs;
            }
            NodeStatus::Succeeded | NodeStatus::Failed => {}
            NodeStatus::Exception => {
                let message = round.error.clone().unwrap_or_default();
                round.outputs.entry("error_message").or_insert(Value::String(message));
                round.outputs.entry("error_type").or_insert(Value::String(error_type(&kind)));
            }
        }
    }
}

fn error_type(kind: &str) -> String {
    match kind {
        "llm" => "InvokeServerUnavailableError".to_owned(),
        "http-request" => "HttpRequestNodeError".to_owned(),
        "code" => "CodeNodeError".to_owned(),
        "tool" => "ToolNodeError".to_owned(),
        _ => "NodeError".to_owned(),
    }
}

/// The `usage` of a round: tokens split into prompt and completion, prices as exact texts.
fn usage(node: &GraphNode, index: usize) -> Map<String, Value> {
    let tokens = node.rounds[index].tokens;
    let completion = (node.stream.len() as u64).min(tokens);
    let prompt = tokens - completion;
    let PriceText { amount: total, currency } = price_text(node.price.as_ref());
    let amount = node.price.as_ref().map_or(Decimal::ZERO, |price| price.amount);
    let share = |part: u64| {
        if tokens == 0 { Decimal::ZERO } else { amount * Decimal::from(part) / Decimal::from(tokens) }
    };
    let prompt_price = share(prompt).round_dp(7);
    let unit = (share(1) * Decimal::from(1_000_000)).round_dp(2);
    let text = |value: Decimal| if value.is_zero() { "0.0".to_owned() } else { value.to_string() };
    let first = (node.elapsed * 0.2 * 1e3).round() / 1e3;
    let latency = (node.elapsed * 1e3).round() / 1e3;
    let Value::Object(usage) = json!({
        "prompt_tokens": prompt,
        "prompt_unit_price": text(unit),
        "prompt_price_unit": "0.000001",
        "prompt_price": text(prompt_price),
        "completion_tokens": completion,
        "completion_unit_price": text(unit),
        "completion_price_unit": "0.000001",
        "completion_price": text(amount - prompt_price),
        "total_tokens": tokens,
        "total_price": total,
        "currency": currency,
        "latency": latency,
        "time_to_first_token": first,
        "time_to_generate": ((latency - first) * 1e3).round() / 1e3,
    }) else {
        return Map::new();
    };
    usage
}

/// A price as Dify writes it.
pub struct PriceText {
    /// The amount, as a decimal.
    pub amount: String,
    /// Its currency.
    pub currency: String,
}

/// A price as Dify writes it; without one, `"0.0"` US dollars.
pub fn price_text(price: Option<&ScriptedPrice>) -> PriceText {
    match price {
        Some(price) => PriceText { amount: price.amount.to_string(), currency: price.currency.clone() },
        None => PriceText { amount: "0.0".to_owned(), currency: "USD".to_owned() },
    }
}

/// The `process_data` of a model that answered.
fn process_data(usage: &Map<String, Value>) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("model_mode".to_owned(), Value::from("chat"));
    data.insert("prompts".to_owned(), Value::Array(Vec::new()));
    data.insert("usage".to_owned(), Value::Object(usage.clone()));
    data.insert("finish_reason".to_owned(), Value::from("stop"));
    data.insert("model_provider".to_owned(), Value::from("flowproof/mock/mock"));
    data.insert("model_name".to_owned(), Value::from("mock"));
    data
}
