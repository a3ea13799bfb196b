//! A reply laid out as the graph a Dify would run: start and end added, ids, titles and defaults filled in.

use serde_json::{Map, Value};

use super::layout::{node_of, place};
use super::model;
use super::schedule;
use super::sources::{OutputSegment, find_segments};
use crate::dify::mock::reply::pause::Pause;
use crate::dify::mock::reply::{NodeStatus, RunStatus, ScriptedNode, ScriptedPrice, ScriptedReply};

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
    /// Its pauses in their order: the nodes that ask at once, by index, with their forms.
    pub pauses: Vec<Vec<(usize, Pause)>>,
    /// `total_tokens`.
    pub tokens: u64,
    /// `total_steps`.
    pub steps: u64,
    /// `exceptions_count`.
    pub exceptions: u64,
    /// `elapsed_time` in seconds.
    pub elapsed: f64,
}

/// A node as it is run.
#[derive(Debug, Clone, Default)]
pub struct GraphNode {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its type.
    pub kind: String,
    /// What it does in the run.
    pub role: NodeRole,
    /// What each round yields; at least one.
    pub rounds: Vec<ScriptedRound>,
    /// `elapsed_time` in seconds.
    pub elapsed: f64,
    /// Its price, each round.
    pub price: Option<ScriptedPrice>,
    /// Streamed text, cut.
    pub stream: Vec<String>,
    /// Whether its text is streamed although no variable of the end shows it.
    pub is_live: bool,
    /// Failed attempts before the last.
    pub retries: u64,
    /// Rounds run (containers).
    pub iterations: u64,
    /// Most rounds at once (iterations).
    pub parallel: Option<u64>,
    /// Seconds after the start of the node before it; none: it waits for that node's end.
    pub beside: Option<f64>,
    /// Whether its time was written, and so decides when it ends beside others.
    pub is_timed: bool,
    /// What runs inside (containers).
    pub children: Vec<GraphNode>,
}

/// What a node does in the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NodeRole {
    /// Its inputs and outputs are the run's inputs.
    Start,
    /// Any other node.
    #[default]
    Plain,
    /// Runs its children in rounds.
    Iteration,
    /// Runs its children until it breaks.
    Loop,
    /// Its inputs and outputs are the run's outputs.
    End,
    /// Begun and never finished: the run was stopped in it.
    Unfinished,
}

/// What one round of a node yields.
#[derive(Debug, Clone, Default)]
pub struct ScriptedRound {
    /// Its inputs.
    pub inputs: Map<String, Value>,
    /// Its process data.
    pub process_data: Map<String, Value>,
    /// Its outputs.
    pub outputs: Map<String, Value>,
    /// How it ends.
    pub status: NodeStatus,
    /// Its error text.
    pub error: Option<String>,
    /// Tokens used.
    pub tokens: u64,
    /// `elapsed_time` in seconds.
    pub elapsed: f64,
}

impl GraphNode {
    /// What a round yields; scripted lists are cycled.
    pub fn round(&self, index: u64) -> &ScriptedRound {
        &self.rounds[index as usize % self.rounds.len()]
    }

    /// Whether a model answers in it.
    pub fn is_model(&self) -> bool {
        matches!(self.kind.as_str(), "llm" | "agent")
    }

    /// Chunks it streams: a model ends with two empty ones, another node with one.
    pub fn chunks(&self) -> usize {
        match (self.stream.len(), self.is_live) {
            (0, _) => 0,
            (chunks, true) => chunks,
            (chunks, false) => chunks + if self.is_model() { 2 } else { 1 },
        }
    }

    /// Tokens of all its rounds; a container has those of its children.
    pub fn total_tokens(&self) -> u64 {
        match self.role {
            NodeRole::Iteration | NodeRole::Loop => {
                let of = |child: &GraphNode| {
                    (0..self.iterations).map(|index| child.round(index).tokens).sum::<u64>()
                };
                self.children.iter().map(of).sum()
            }
            NodeRole::Start | NodeRole::Plain | NodeRole::End => self.rounds[0].tokens,
            NodeRole::Unfinished => 0,
        }
    }
}

impl Graph {
    /// True where a node has this title or id, those in containers included.
    pub fn has_node(&self, name: &str) -> bool {
        fn among(nodes: &[GraphNode], name: &str) -> bool {
            nodes.iter().any(|node| node.id == name || node.title == name || among(&node.children, name))
        }
        among(&self.nodes, name)
    }

    /// Lays a reply out.
    pub fn lay_out(reply: ScriptedReply) -> Self {
        let mut scripted = reply.nodes.clone();
        model::complete(&reply, &mut scripted);
        add_asking(&reply, &mut scripted);
        let mut nodes = place(&reply, scripted);
        let (status, error) = ending(&reply, &nodes);
        cut_at_the_end(&mut nodes, status);
        add_ends(&mut nodes, &reply, status);
        let elapsed = reply.elapsed.map_or_else(|| schedule::makespan(&nodes), |given| given.as_secs_f64());
        let tokens = reply.tokens.unwrap_or_else(|| nodes.iter().map(GraphNode::total_tokens).sum());
        let retries: u64 = nodes.iter().map(|node| node.retries).sum();
        let steps = reply.steps.unwrap_or(nodes.len() as u64 + retries);
        let not_well =
            nodes.iter().filter(|node| node.rounds[0].status != NodeStatus::Succeeded).count() as u64;
        let exceptions = retries + if status == RunStatus::Failed { not_well.max(1) } else { not_well };
        let segments = find_segments(&reply, &mut nodes, status);
        let pauses = find_pauses(&reply, &nodes);
        Self { reply, status, error, nodes, segments, pauses, tokens, steps, exceptions, elapsed }
    }
}

/// Gives every pause its node: the scripted one it names, else one more after the others.
fn add_asking(reply: &ScriptedReply, scripted: &mut Vec<ScriptedNode>) {
    for pause in reply.pauses.iter().flatten() {
        let names_it = |node: &&mut ScriptedNode| {
            [&node.id, &node.title].into_iter().flatten().any(|name| *name == pause.node)
        };
        let kind = Some("human-input".to_owned());
        match scripted.iter_mut().find(names_it) {
            Some(node) => node.kind = kind,
            None => scripted.push(ScriptedNode {
                title: Some(pause.node.clone()),
                kind,
                ..ScriptedNode::default()
            }),
        }
    }
}

/// The pauses that are reached, by the nodes that ask.
fn find_pauses(reply: &ScriptedReply, nodes: &[GraphNode]) -> Vec<Vec<(usize, Pause)>> {
    let find = |pause: &Pause| {
        let asks = |node: &GraphNode| node.id == pause.node || node.title == pause.node;
        nodes.iter().position(asks).map(|index| (index, pause.clone()))
    };
    let groups = reply.pauses.iter().map(|group| group.iter().filter_map(find).collect::<Vec<_>>());
    groups.filter(|group| !group.is_empty()).collect()
}

/// How the run ends: as written, else as its nodes make it.
fn ending(reply: &ScriptedReply, nodes: &[GraphNode]) -> (RunStatus, Option<String>) {
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
    (status, error)
}

/// A node's own error text; a container's is that of the child that failed.
fn error_of(node: &GraphNode) -> Option<String> {
    let of_child = |child: &GraphNode| {
        child.rounds.iter().find(|round| round.status == NodeStatus::Failed)?.error.clone()
    };
    node.rounds[0].error.clone().or_else(|| node.children.iter().find_map(of_child))
}

/// Nothing runs after the node that failed, and a stopped run leaves its last node unfinished.
fn cut_at_the_end(nodes: &mut Vec<GraphNode>, status: RunStatus) {
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
