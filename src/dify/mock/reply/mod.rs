//! One scripted reply: what a run of the mock yields, decoded from its rendered form.
//!
//! Knows no YAML and no wire: `script` renders, `answer` speaks Dify.

pub(super) mod pause;
mod scalar;

use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use self::pause::Pause;
pub(super) use self::scalar::{
    Decode, any, beside, chunks, count, counts, duration, durations, mapping, mappings, price, run_status,
    statuses, text, texts, times, workers,
};
use crate::dify::mock::fault::{FaultSpec, decode_faults};

/// What one run answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScriptedReply {
    /// The run's outputs.
    pub outputs: Map<String, Value>,
    /// How the run ends, if written; else `succeeded`, or what the nodes and `error` make of it.
    pub status: Option<RunStatus>,
    /// The run's error text.
    pub error: Option<String>,
    /// Total tokens; none: the sum of the leaf nodes.
    pub tokens: Option<u64>,
    /// Total steps; none: the nodes executed, attempts counted.
    pub steps: Option<u64>,
    /// Reported running time; none: the sum of the nodes.
    pub elapsed: Option<Duration>,
    /// Text that is streamed.
    pub text: Option<String>,
    /// Characters a streamed chunk holds; none: a word each.
    pub chunk_size: Option<usize>,
    /// The nodes as written, start and end not added.
    pub nodes: Vec<ScriptedNode>,
    /// The version that answers; none: the app's.
    pub workflow_id: Option<String>,
    /// Refused instead of run.
    pub reject: Option<Reject>,
    /// The pauses of the run in their order, each with the forms that wait at once.
    pub pauses: Vec<Vec<Pause>>,
    /// Waited before the first byte.
    pub latency: Option<Duration>,
    /// What goes wrong on the way to the client.
    pub faults: Vec<FaultSpec>,
}

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
    /// Streamed text, in chunks if given so.
    pub stream: Option<StreamedText>,
    /// Failed attempts before the last one.
    pub retries: u64,
    /// Rounds of a container.
    pub iterations: Option<u64>,
    /// Most rounds an iteration runs at once.
    pub parallel: Option<u64>,
    /// Begins so long after the start of the node before it, rather than after its end.
    pub beside: Option<Duration>,
    /// Title or id of the container it runs in.
    pub parent: Option<String>,
}

/// Streamed text.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamedText {
    /// To be cut as the reply says.
    Whole(String),
    /// Cut as written.
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

/// A refusal instead of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// HTTP status.
    pub http: u16,
    /// Dify's code.
    pub code: String,
    /// Dify's message.
    pub message: String,
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// `succeeded`.
    Succeeded,
    /// `partial-succeeded`.
    PartialSucceeded,
    /// `failed`.
    Failed,
    /// `stopped`.
    Stopped,
}

impl RunStatus {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::PartialSucceeded => "partial-succeeded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
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

/// Decodes a rendered reply; keys it does not know were refused when the suite loaded.
pub fn decode_reply(value: &Value) -> Result<ScriptedReply, String> {
    let Value::Object(members) = value else { return Err("a mock reply must be a mapping".to_owned()) };
    let mut reply = ScriptedReply::default();
    for (key, value) in members {
        set_reply_key(&mut reply, key, value).map_err(|error| format!("`{key}`: {error}"))?;
    }
    let streams = |node: &ScriptedNode| node.stream.is_some() || node.parent.is_some();
    if reply.text.is_some() && !reply.nodes.is_empty() && reply.nodes.iter().all(streams) {
        return Err("`text` has no node to stream it: each streams its own".to_owned());
    }
    pause::check_nodes(&reply)?;
    if reply.reject.is_some() && !reply.faults.iter().all(|spec| spec.fault.acts_without_run()) {
        return Err("this fault cannot stand beside `reject`: nothing runs".to_owned());
    }
    Ok(reply)
}

fn set_reply_key(reply: &mut ScriptedReply, key: &str, value: &Value) -> Result<(), String> {
    match key {
        "outputs" => reply.outputs = mapping(value)?,
        "status" => reply.status = Some(run_status(value)?),
        "error" => reply.error = Some(text(value)?),
        "tokens" => reply.tokens = Some(count(value)?),
        "steps" => reply.steps = Some(count(value)?),
        "elapsed" => reply.elapsed = Some(duration(value)?),
        "text" => reply.text = Some(text(value)?),
        "chunk_size" => reply.chunk_size = Some(scalar::size(value)?),
        "workflow_id" => reply.workflow_id = Some(text(value)?),
        "latency" => reply.latency = Some(duration(value)?),
        "reject" => reply.reject = Some(decode_reject(value)?),
        "pause" => reply.pauses = pause::decode_pauses(value)?,
        "nodes" => reply.nodes = decode_nodes(value)?,
        "fault" => reply.faults = decode_faults(value).map_err(|error| error.to_string())?,
        _ => return Err("is not known".to_owned()),
    }
    Ok(())
}

fn decode_reject(value: &Value) -> Result<Reject, String> {
    let members = mapping(value)?;
    let or = |key: &str, default: &str| members.get(key).map_or(Ok(default.to_owned()), text);
    let http = members.get("http").map_or(Ok(400), scalar::http_status)?;
    Ok(Reject {
        http,
        code: or("code", "invalid_param")?,
        message: or("message", "the mock rejects this input")?,
    })
}

fn decode_nodes(value: &Value) -> Result<Vec<ScriptedNode>, String> {
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
