//! One step of an agent: what it thought, which tool it called, and what came of it.

use serde_json::Value;

/// A thought of an agent, as it was reported last.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentThought {
    /// Names the thought: an event with the same id tells it anew.
    pub id: String,
    /// Where it is among the thoughts, from 1.
    pub position: Option<u64>,
    /// The agent's words.
    pub thought: String,
    /// The tools it called, joined by `;`; empty where it called none.
    pub tool: String,
    /// What the tools were called with, as Dify writes it.
    pub tool_input: String,
    /// What the tools answered.
    pub observation: String,
    /// The whole of it, unknown fields included.
    pub data: Value,
}

impl AgentThought {
    /// Reads an event that tells a thought; `None` where it does not name it.
    pub fn of(event: Value) -> Option<Self> {
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        Some(Self {
            id: event["id"].as_str()?.to_owned(),
            position: event["position"].as_u64(),
            thought: text("thought"),
            tool: text("tool"),
            tool_input: text("tool_input"),
            observation: text("observation"),
            data: event,
        })
    }
}
