//! A node of a graph as it is run.

use serde_json::{Map, Value};

use crate::dify::mock::reply::node::{NodeStatus, ScriptedPrice};

/// A node as it is run.
#[derive(Debug, Clone, Default)]
pub struct GraphNode {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its type.
    pub kind: String,
    /// Its role in the run.
    pub role: NodeRole,
    /// What it yields in each round; at least one.
    pub rounds: Vec<ScriptedRound>,
    /// `elapsed_time` in seconds.
    pub elapsed: f64,
    /// Its price, each round.
    pub price: Option<ScriptedPrice>,
    /// Streamed text, in chunks.
    pub stream: Vec<String>,
    /// Whether its text is streamed although no variable of the end shows it.
    pub is_live: bool,
    /// Failed attempts before the last.
    pub retries: u64,
    /// Rounds run (containers).
    pub iterations: u64,
    /// Most rounds at once (iterations).
    pub parallel: Option<u64>,
    /// Seconds after the start of the node before it; `None`: after the end of that node.
    pub beside: Option<f64>,
    /// Whether its time was written, and so decides when it ends among parallel nodes.
    pub is_timed: bool,
    /// What runs inside (containers).
    pub children: Vec<GraphNode>,
}

/// The role of a node in the run.
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
    /// Started and never finished: the run was stopped in it.
    Unfinished,
}

/// What a node yields in one round.
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
    /// What it yields in a round; scripted lists are cycled.
    pub fn round(&self, index: u64) -> &ScriptedRound {
        &self.rounds[index as usize % self.rounds.len()]
    }

    /// Whether it calls a model.
    pub fn is_model(&self) -> bool {
        matches!(self.kind.as_str(), "llm" | "agent")
    }

    /// The number of chunks it streams: a model ends with two empty ones, another node with one.
    pub fn chunks(&self) -> usize {
        match (self.stream.len(), self.is_live) {
            (0, _) => 0,
            (chunks, true) => chunks,
            (chunks, false) => chunks + if self.is_model() { 2 } else { 1 },
        }
    }

    /// The tokens of all its rounds; of a container, the tokens of its children.
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
