//! Totals of tokens that are in doubt.

use serde::{Deserialize, Serialize};

/// A total of tokens that the nodes of its run do not confirm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageDoubt {
    /// What is wrong with it.
    pub kind: UsageKind,
    /// Dify's total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What the nodes add up to, containers left out.
    pub nodes: u64,
    /// The same in a sentence.
    pub message: String,
    /// True where `usage: trust` takes the total nevertheless.
    #[serde(default)]
    pub trusted: bool,
}

/// What is wrong with a total of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageKind {
    /// The nodes add up to another sum.
    Difference,
    /// It is 0, though a model ran.
    Zero,
    /// There is none, or a model that answered was not counted.
    Missing,
    /// A node with a model never finished.
    Unfinished,
}
