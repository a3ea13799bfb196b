//! Scripted nodes as nodes of a graph: ids, titles, defaults, and children in their containers.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::graph_node::{GraphNode, NodeRole, ScriptedRound};
use super::model;
use super::schedule;
use super::text::cut;
use crate::dify::mock::reply::ScriptedReply;
use crate::dify::mock::reply::node::{NodeStatus, ScriptedNode, StreamedText};

/// Puts children into their containers and gives every node an id.
pub(super) fn place(reply: &ScriptedReply, scripted: Vec<ScriptedNode>) -> Vec<GraphNode> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut nodes: Vec<GraphNode> = Vec::new();
    let mut children = Vec::new();
    for node in scripted {
        let wanted = node.id.clone().unwrap_or_else(|| slug(node.title.as_deref().unwrap_or("node")));
        let times = seen.entry(wanted.clone()).and_modify(|times| *times += 1).or_insert(0);
        // An id that is written twice is intended: the node ran twice.
        let id = if node.id.is_some() || *times == 0 { wanted } else { format!("{wanted}_{times}") };
        let placed = node_of(reply, &node, id);
        match node.parent {
            Some(parent) => children.push((parent, placed)),
            None => nodes.push(placed),
        }
    }
    for (parent, child) in children {
        match nodes.iter_mut().find(|node| node.id == parent || node.title == parent) {
            Some(container) => container.children.push(child),
            None => nodes.push(child),
        }
    }
    nodes.iter_mut().for_each(finish_container);
    nodes
}

/// Completes a container: a failing child ends a failed one, and its time follows from the rounds that run.
fn finish_container(node: &mut GraphNode) {
    if !matches!(node.role, NodeRole::Iteration | NodeRole::Loop) {
        return;
    }
    if node.rounds[0].status == NodeStatus::Failed {
        let failed_in = (0..node.iterations)
            .find(|index| node.children.iter().any(|child| child.round(*index).status == NodeStatus::Failed));
        node.iterations = failed_in.map_or(node.iterations, |index| index + 1);
    }
    if node.elapsed <= 0.0 {
        let rounds = schedule::round_times(node);
        node.elapsed = match node.parallel {
            Some(workers) => {
                schedule::round_ends(&rounds, workers).iter().map(|end| end.at).fold(0.0, f64::max)
            }
            None => rounds.iter().sum(),
        };
    }
}

/// The node of a graph that a scripted node becomes.
pub(super) fn node_of(reply: &ScriptedReply, node: &ScriptedNode, id: String) -> GraphNode {
    let title = node.title.clone().or_else(|| node.id.clone()).unwrap_or_else(|| id.clone());
    let kind = node.kind.clone().unwrap_or_else(|| "code".to_owned());
    let role = match kind.as_str() {
        "start" => NodeRole::Start,
        "end" => NodeRole::End,
        "iteration" => NodeRole::Iteration,
        "loop" => NodeRole::Loop,
        _ => NodeRole::Plain,
    };
    let stream = match &node.stream {
        Some(StreamedText::Whole(text)) => cut(text, reply.chunk_size),
        Some(StreamedText::Cut(chunks)) => chunks.clone(),
        None if kind == "llm" => match node.outputs.first().and_then(|outputs| outputs.get("text")) {
            Some(Value::String(text)) => cut(text, reply.chunk_size),
            _ => Vec::new(),
        },
        None => Vec::new(),
    };
    let is_live = node.stream.is_some() && node.parent.is_none();
    let default_elapsed = match role {
        NodeRole::Start | NodeRole::End => 0.000148,
        NodeRole::Plain | NodeRole::Unfinished => 0.012,
        NodeRole::Iteration | NodeRole::Loop => 0.0,
    };
    let elapsed = node.elapsed.first().map_or(default_elapsed, Duration::as_secs_f64);
    let rounds = (0..count_rounds(node))
        .map(|index| ScriptedRound {
            elapsed: pick(&node.elapsed, index).map_or(default_elapsed, |given| given.as_secs_f64()),
            ..round_of(node, &kind, index)
        })
        .collect();
    let iterations = node.iterations.unwrap_or(1);
    let mut graph_node = GraphNode {
        id,
        title,
        kind,
        role,
        rounds,
        elapsed,
        price: node.price.clone(),
        stream,
        is_live,
        retries: node.retries,
        iterations,
        parallel: node.parallel,
        beside: node.beside.map(|after| after.as_secs_f64()),
        is_timed: !node.elapsed.is_empty(),
        children: Vec::new(),
    };
    model::fill_outputs(&mut graph_node);
    graph_node
}

/// The number of rounds: that of the longest list, at least one.
fn count_rounds(node: &ScriptedNode) -> usize {
    let counts = [
        node.inputs.len(),
        node.process_data.len(),
        node.outputs.len(),
        node.status.len(),
        node.error.len(),
        node.tokens.len(),
        node.elapsed.len(),
    ];
    counts.into_iter().max().unwrap_or(1).max(1)
}

fn pick<T: Clone>(values: &[T], index: usize) -> Option<T> {
    values.get(index % values.len().max(1)).cloned()
}

fn round_of(node: &ScriptedNode, kind: &str, index: usize) -> ScriptedRound {
    let status = pick(&node.status, index).unwrap_or_default();
    let error = pick(&node.error, index).filter(|text| !text.is_empty());
    let error = match status {
        NodeStatus::Succeeded => None,
        NodeStatus::Failed | NodeStatus::Exception => {
            Some(error.unwrap_or_else(|| "the mock's script says so".to_owned()))
        }
    };
    let is_container = matches!(kind, "iteration" | "loop");
    ScriptedRound {
        inputs: pick(&node.inputs, index).unwrap_or_default(),
        process_data: pick(&node.process_data, index).unwrap_or_default(),
        outputs: pick(&node.outputs, index).unwrap_or_default(),
        status,
        error: if is_container { pick(&node.error, index).filter(|text| !text.is_empty()) } else { error },
        tokens: pick(&node.tokens, index).unwrap_or(0),
        elapsed: 0.0,
    }
}

/// An id made of a title: lower case, other characters become `_`.
fn slug(title: &str) -> String {
    title.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}
