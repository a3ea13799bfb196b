//! A node of a scripted reply.

use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::base::borrowed_json::BorrowedValue;
use crate::base::json_decimal::decimal;
use crate::base::units::parse_money;
use crate::dify::mock::script_value::{
    beside, counts, durations, mapping, mappings, one_or_list, text, texts, times, workers,
};

/// One node as written; lists give the rounds of a container's child their own values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScriptedNode {
    /// Its id in the graph.
    pub id: Option<String>,
    /// Its title on the canvas.
    pub title: Option<String>,
    /// `llm`, `code`, `iteration`, …
    pub kind: Option<String>,
    /// Its inputs, by round.
    pub inputs: Vec<Map<String, Value>>,
    /// Its process data, by round.
    pub process_data: Vec<Map<String, Value>>,
    /// Its outputs, by round.
    pub outputs: Vec<Map<String, Value>>,
    /// How it ends, by round.
    pub status: Vec<NodeStatus>,
    /// Its error text, by round.
    pub error: Vec<String>,
    /// Tokens it used, by round.
    pub tokens: Vec<u64>,
    /// What it cost, each round.
    pub price: Option<ScriptedPrice>,
    /// Reported running time, by round.
    pub elapsed: Vec<Duration>,
    /// Streamed text.
    pub stream: Option<StreamedText>,
    /// Failed attempts before the last one.
    pub retries: u64,
    /// The number of rounds (containers).
    pub iterations: Option<u64>,
    /// The largest number of parallel rounds (iterations).
    pub parallel: Option<u64>,
    /// The time after the start of the node before it at which it starts; `None`: it starts after the end of that node.
    pub beside: Option<Duration>,
    /// Title or id of the container it runs in.
    pub parent: Option<String>,
}

/// Streamed text.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamedText {
    /// To be cut into chunks of the reply's size.
    Whole(String),
    /// Chunks as they are written.
    Cut(Vec<String>),
}

/// A price as Dify writes it: decimal text and currency.
#[derive(Debug, Clone, PartialEq)]
pub struct ScriptedPrice {
    /// The exact amount.
    pub amount: Decimal,
    /// Three capital letters.
    pub currency: String,
}

/// How a node ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NodeStatus {
    /// `succeeded`.
    #[default]
    Succeeded,
    /// `failed`.
    Failed,
    /// `exception`: an error strategy took over.
    Exception,
}

impl NodeStatus {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Exception => "exception",
        }
    }
}

/// Decodes `nodes`.
pub fn decode_nodes(value: &Value) -> Result<Vec<ScriptedNode>, String> {
    let Value::Array(items) = value else { return Err("must be a list".to_owned()) };
    items.iter().map(decode_node).collect()
}

fn decode_node(value: &Value) -> Result<ScriptedNode, String> {
    let mut node = ScriptedNode::default();
    for (key, value) in mapping(value)? {
        set_node_key(&mut node, &key, &value).map_err(|error| format!("node `{key}`: {error}"))?;
    }
    Ok(node)
}

fn set_node_key(node: &mut ScriptedNode, key: &str, value: &Value) -> Result<(), String> {
    match key {
        "id" => node.id = Some(text(value)?),
        "title" => node.title = Some(text(value)?),
        "type" => node.kind = Some(text(value)?),
        "inputs" => node.inputs = mappings(value)?,
        "process_data" => node.process_data = mappings(value)?,
        "outputs" => node.outputs = mappings(value)?,
        "status" => node.status = statuses(value)?,
        "error" => node.error = texts(value)?,
        "tokens" => node.tokens = counts(value)?,
        "price" => node.price = Some(price(value)?),
        "elapsed" => node.elapsed = durations(value)?,
        "stream" => node.stream = Some(chunks(value)?),
        "retries" => node.retries = times(value)?,
        "iterations" => node.iterations = Some(times(value)?),
        "parallel" => node.parallel = Some(workers(value)?),
        "beside" => node.beside = beside(value)?,
        "parent" => node.parent = Some(text(value)?),
        _ => return Err("is not known".to_owned()),
    }
    Ok(())
}

/// How a node ends.
fn node_status(value: &Value) -> Result<NodeStatus, String> {
    match text(value)?.as_str() {
        "succeeded" => Ok(NodeStatus::Succeeded),
        "failed" => Ok(NodeStatus::Failed),
        "exception" => Ok(NodeStatus::Exception),
        other => Err(format!("cannot be `{other}`; one of: succeeded, failed, exception")),
    }
}

/// How a node ends, or how each round does.
pub fn statuses(value: &Value) -> Result<Vec<NodeStatus>, String> {
    one_or_list(value, node_status)
}

/// Streamed text, whole or in chunks.
pub fn chunks(value: &Value) -> Result<StreamedText, String> {
    match value {
        Value::Array(items) => items.iter().map(text).collect::<Result<_, _>>().map(StreamedText::Cut),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            text(value).map(StreamedText::Whole)
        }
    }
}

/// A price: `0.05 USD`, or a bare decimal in USD.
pub fn price(value: &Value) -> Result<ScriptedPrice, String> {
    if let Some(amount) = decimal(&BorrowedValue::of(value)) {
        return match amount.is_sign_negative() {
            true => Err("must not be negative".to_owned()),
            false => Ok(ScriptedPrice { amount, currency: "USD".to_owned() }),
        };
    }
    let money = parse_money(&text(value)?).map_err(|error| error.to_string())?;
    Ok(ScriptedPrice { amount: money.amount, currency: money.currency.to_string() })
}
