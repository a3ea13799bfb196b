//! What is recorded of a node execution.

use serde::{Deserialize, Serialize};

use super::Price;

/// One node execution as reports show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeFact {
    /// The node's id in the graph; empty in journals of older versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The node's title.
    pub title: String,
    /// `llm`, `code`, …
    #[serde(rename = "type")]
    pub node_type: String,
    /// `succeeded`, `failed`, `exception`, or `running` when it never finished.
    pub status: String,
    /// When it started, milliseconds after the request was sent.
    pub start_ms: f64,
    /// When it ended, by the same clock; `None` in journals of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<f64>,
    /// The number of the event that began it, among the events of nodes; `None` where that was lost or is not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<u32>,
    /// The number of the event that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<u32>,
    /// Dify's elapsed time, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<f64>,
    /// Dify's tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// True for an iteration or loop, whose tokens repeat its children's.
    #[serde(default)]
    pub container: bool,
    /// The iteration or loop it ran in, and which round of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<(String, u64)>,
    /// What Dify says it cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Stands for its outputs, what varies by itself left out: equal outputs have equal digests; `None` where they are unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What it said went wrong, up to 64 KB; `None` where it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What its tries that were given up said, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry_errors: Vec<String>,
}
