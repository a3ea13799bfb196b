//! A reply as the graph that Dify would run: with start and end, and with ids, titles and defaults filled in.

use super::graph_node::{GraphNode, NodeRole};
use super::layout::{node_of, place};
use super::model;
use super::schedule;
use super::sources::{OutputSegment, find_segments, has_defaults};
use crate::dify::mock::reply::node::{NodeStatus, ScriptedNode};
use crate::dify::mock::reply::pause::ScriptedForm;
use crate::dify::mock::reply::{RunStatus, ScriptedReply};

/// A reply with its nodes in the order they run.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The reply as decoded.
    pub reply: ScriptedReply,
    /// How the run ends.
    pub status: RunStatus,
    /// The run's error text.
    pub error: Option<String>,
    /// Start, the scripted nodes, end where it is reached.
    pub nodes: Vec<GraphNode>,
    /// What is streamed, in the order of the end's variables.
    pub segments: Vec<OutputSegment>,
    /// Its pauses in their order, each with the forms that wait at the same time.
    pub pauses: Vec<Vec<GraphForm>>,
    /// `total_tokens`.
    pub tokens: u64,
    /// `total_steps`.
    pub steps: u64,
    /// `exceptions_count`.
    pub exceptions: u64,
    /// `elapsed_time` in seconds.
    pub elapsed: f64,
}

/// A form of a pause, and the node that asks.
#[derive(Debug, Clone)]
pub struct GraphForm {
    /// The node's index.
    pub node: usize,
    /// What it asks.
    pub form: ScriptedForm,
}

/// How a run ends.
struct RunEnding {
    status: RunStatus,
    error: Option<String>,
}

impl Graph {
    /// True where a node has this title or id, those in containers included.
    pub fn has_node(&self, name: &str) -> bool {
        fn is_among(nodes: &[GraphNode], name: &str) -> bool {
            nodes.iter().any(|node| node.id == name || node.title == name || is_among(&node.children, name))
        }
        is_among(&self.nodes, name)
    }

    /// Builds the graph of a reply.
    pub fn lay_out(reply: ScriptedReply) -> Self {
        let mut scripted = reply.nodes.clone();
        model::complete(&reply, &mut scripted);
        add_asking_nodes(&reply, &mut scripted);
        let mut nodes = place(&reply, scripted);
        let RunEnding { status, error } = ending(&reply, &nodes);
        cut_at_end(&mut nodes, status);
        add_ends(&mut nodes, &reply, status);
        let elapsed = reply.elapsed.map_or_else(|| schedule::makespan(&nodes), |given| given.as_secs_f64());
        let tokens = reply.tokens.unwrap_or_else(|| nodes.iter().map(GraphNode::total_tokens).sum());
        let retries: u64 = nodes.iter().map(|node| node.retries).sum();
        let steps = reply.steps.unwrap_or(nodes.len() as u64 + retries);
        let unsuccessful =
            nodes.iter().filter(|node| node.rounds[0].status != NodeStatus::Succeeded).count() as u64;
        let exceptions =
            retries + if status == RunStatus::Failed { unsuccessful.max(1) } else { unsuccessful };
        let segments = find_segments(&reply, &mut nodes, status);
        let pauses = find_pauses(&reply, &nodes);
        Self { reply, status, error, nodes, segments, pauses, tokens, steps, exceptions, elapsed }
    }

    /// The node that is named as the source of a variable that no node has, unless the inputs have it.
    pub fn open_source(&self) -> usize {
        let is_candidate = |node: &GraphNode| node.role == NodeRole::Plain && !node.is_model();
        self.nodes.iter().rposition(is_candidate).unwrap_or(0)
    }

    /// Whether the script names outputs of a node other than a model: a null variable that no node has then has no source.
    pub fn names_outputs(&self) -> bool {
        let is_candidate = |node: &&GraphNode| node.role == NodeRole::Plain && !node.is_model();
        self.nodes.iter().filter(is_candidate).any(|node| !node.rounds[0].outputs.is_empty())
    }

    /// The node before which nothing is streamed: the last one that decides the way to the end.
    pub fn last_fork(&self) -> usize {
        let forks = |node: &GraphNode| {
            let branches = matches!(node.kind.as_str(), "if-else" | "question-classifier" | "human-input");
            branches || (node.rounds[0].status == NodeStatus::Exception && !has_defaults(node))
        };
        self.nodes.iter().rposition(forks).unwrap_or(0)
    }
}

/// Gives every form its node: the scripted node it names, otherwise a new one after the others.
fn add_asking_nodes(reply: &ScriptedReply, scripted: &mut Vec<ScriptedNode>) {
    for form in reply.pauses.iter().flatten() {
        let names_it = |node: &&mut ScriptedNode| {
            [&node.id, &node.title].into_iter().flatten().any(|name| *name == form.node)
        };
        let kind = Some("human-input".to_owned());
        match scripted.iter_mut().find(names_it) {
            Some(node) => node.kind = kind,
            None => scripted.push(ScriptedNode {
                title: Some(form.node.clone()),
                kind,
                ..ScriptedNode::default()
            }),
        }
    }
}

/// The pauses that are reached.
fn find_pauses(reply: &ScriptedReply, nodes: &[GraphNode]) -> Vec<Vec<GraphForm>> {
    let find = |form: &ScriptedForm| {
        let asks = |node: &GraphNode| node.id == form.node || node.title == form.node;
        nodes.iter().position(asks).map(|node| GraphForm { node, form: form.clone() })
    };
    let groups = reply.pauses.iter().map(|group| group.iter().filter_map(find).collect::<Vec<_>>());
    groups.filter(|group| !group.is_empty()).collect()
}

/// How the run ends: as written, otherwise as follows from its nodes.
fn ending(reply: &ScriptedReply, nodes: &[GraphNode]) -> RunEnding {
    let failing = nodes.iter().find(|node| node.rounds[0].status == NodeStatus::Failed);
    let strategy = nodes.iter().any(|node| node.rounds[0].status == NodeStatus::Exception);
    let status = reply.status.unwrap_or(match (failing, strategy) {
        (Some(_), _) => RunStatus::Failed,
        (None, true) => RunStatus::PartialSucceeded,
        (None, false) if reply.error.is_some() => RunStatus::Failed,
        (None, false) => RunStatus::Succeeded,
    });
    let error = reply.error.clone().or_else(|| match status {
        RunStatus::Succeeded | RunStatus::PartialSucceeded => None,
        RunStatus::Failed => {
            failing.and_then(error_of).or_else(|| Some("the mock's script says so".to_owned()))
        }
        RunStatus::Stopped => Some("Stopped by user.".to_owned()),
    });
    RunEnding { status, error }
}

/// A node's own error text; of a container, that of the child that failed.
fn error_of(node: &GraphNode) -> Option<String> {
    let of_child = |child: &GraphNode| {
        child.rounds.iter().find(|round| round.status == NodeStatus::Failed)?.error.clone()
    };
    node.rounds[0].error.clone().or_else(|| node.children.iter().find_map(of_child))
}

/// Removes what runs after a failed node; in a stopped run, the last node stays unfinished.
fn cut_at_end(nodes: &mut Vec<GraphNode>, status: RunStatus) {
    match status {
        RunStatus::Succeeded | RunStatus::PartialSucceeded => {}
        RunStatus::Failed => {
            if let Some(at) = nodes.iter().position(|node| node.rounds[0].status == NodeStatus::Failed) {
                nodes.truncate(schedule::group(nodes, at).end);
                schedule::leave_unfinished(nodes, at);
            }
        }
        RunStatus::Stopped => {
            if let Some(last) = nodes.last_mut().filter(|last| last.role != NodeRole::Start) {
                last.role = NodeRole::Unfinished;
            }
        }
    }
}

/// Adds the start, and the end where it is reached.
fn add_ends(nodes: &mut Vec<GraphNode>, reply: &ScriptedReply, status: RunStatus) {
    if !nodes.iter().any(|node| node.role == NodeRole::Start) {
        let start = ScriptedNode {
            title: Some("Start".to_owned()),
            kind: Some("start".to_owned()),
            ..ScriptedNode::default()
        };
        nodes.insert(0, node_of(reply, &start, "start".to_owned()));
    }
    let reached = matches!(status, RunStatus::Succeeded | RunStatus::PartialSucceeded);
    if reached && !nodes.iter().any(|node| node.role == NodeRole::End) {
        let end = ScriptedNode {
            title: Some("End".to_owned()),
            kind: Some("end".to_owned()),
            ..ScriptedNode::default()
        };
        let id = if nodes.iter().any(|node| node.id == "end") { "end_1" } else { "end" };
        nodes.push(node_of(reply, &end, id.to_owned()));
    }
}
