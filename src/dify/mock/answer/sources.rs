//! The sources of the end's variables: what Dify streams, and when.
//!
//! Dify streams every variable of the reached end, in the end's order, each as soon as its source has it and those before it
//! are streamed. A script does not name sources, so they are found by value: a node's streamed text, a node's output, the inputs.

use serde_json::Value;

use super::file_object::same;
use super::graph_node::{GraphNode, NodeRole};
use crate::dify::mock::reply::node::NodeStatus;
use crate::dify::mock::reply::{RunStatus, ScriptedReply};

/// One variable of the end, as it is streamed.
#[derive(Debug, Clone)]
pub struct OutputSegment {
    /// Its name among the outputs.
    pub name: String,
    /// Where its value comes from.
    pub source: ValueSource,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueSource {
    /// The streamed text of a node.
    Stream(usize),
    /// An output of a node.
    Output(usize, String),
    /// An output that an error strategy set: streamed after the start of the end node.
    Default(usize, String),
    /// No node has it: the inputs, otherwise the last node that runs without a model.
    Open,
    /// Null, and no node has it.
    Nothing,
}

/// The variables to stream; a run that does not reach its end streams only the live text of its nodes.
pub fn find_segments(
    reply: &ScriptedReply,
    nodes: &mut [GraphNode],
    status: RunStatus,
) -> Vec<OutputSegment> {
    if !matches!(status, RunStatus::Succeeded | RunStatus::PartialSucceeded) {
        return Vec::new();
    }
    let mut taken = Vec::new();
    let mut segments = Vec::new();
    for (name, value) in &reply.outputs {
        let source = find_source(name, value, nodes, &taken);
        taken.push(source.clone());
        if let ValueSource::Stream(index) = source {
            nodes[index].is_live = false;
        }
        segments.push(OutputSegment { name: name.clone(), source });
    }
    segments
}

fn find_source(name: &str, value: &Value, nodes: &[GraphNode], taken: &[ValueSource]) -> ValueSource {
    if let Some(index) = streaming_node(value, nodes, taken) {
        return ValueSource::Stream(index);
    }
    let mut found: Vec<(u8, usize, &String)> = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        if matches!(node.role, NodeRole::Start | NodeRole::End | NodeRole::Unfinished) {
            continue;
        }
        for (key, _) in node.rounds[0].outputs.iter().filter(|(_, output)| same(output, value)) {
            let is_taken = taken.iter().any(|source| *source == output_of(node, index, key));
            let passes_on = node.kind == "variable-aggregator";
            let rank = u8::from(key != name && !passes_on) + 2 * u8::from(is_taken);
            found.push((rank, index, key));
        }
    }
    let is_common = is_common(value);
    found.sort_by_key(|(rank, index, _)| (*rank, if is_common { usize::MAX - index } else { *index }));
    match found.first() {
        Some((_, index, key)) => output_of(&nodes[*index], *index, key),
        None if value.is_null() => ValueSource::Nothing,
        None => ValueSource::Open,
    }
}

fn output_of(node: &GraphNode, index: usize, key: &str) -> ValueSource {
    let is_default = node.rounds[0].status == NodeStatus::Exception && has_defaults(node);
    if is_default {
        ValueSource::Default(index, key.to_owned())
    } else {
        ValueSource::Output(index, key.to_owned())
    }
}

/// Whether the error strategy set default values, rather than taking another branch.
pub fn has_defaults(node: &GraphNode) -> bool {
    node.rounds[0].outputs.keys().any(|key| !matches!(key.as_str(), "error_message" | "error_type"))
}

/// The node that streams this value.
fn streaming_node(value: &Value, nodes: &[GraphNode], taken: &[ValueSource]) -> Option<usize> {
    let text = value.as_str()?;
    let is_it = |(index, node): &(usize, &GraphNode)| {
        !node.stream.is_empty()
            && node.role == NodeRole::Plain
            && !taken.contains(&ValueSource::Stream(*index))
            && join_to(&node.stream, text)
    };
    nodes.iter().enumerate().find(is_it).map(|(index, _)| index)
}

/// Whether the chunks, joined, are the text.
fn join_to(chunks: &[String], mut text: &str) -> bool {
    let all = chunks.iter().all(|chunk| text.strip_prefix(chunk.as_str()).map(|rest| text = rest).is_some());
    all && text.is_empty()
}

/// True for a value that many nodes share by chance: the last of them is the likeliest source.
fn is_common(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}
