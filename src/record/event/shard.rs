//! What is known of a run that is one of several shares, or was joined from them.

use serde::{Deserialize, Serialize};

/// One share of the tests selected, run on a machine of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharded {
    /// Which, from 1.
    pub index: u32,
    /// How many there are.
    pub total: u32,
    /// Tests of all shards together.
    pub cases: u32,
    /// Those of them that no suite skips.
    pub runnable: u32,
}

/// A run that became part of a merged one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedRun {
    /// Its id.
    pub run: String,
    /// When it started: RFC 3339, UTC.
    pub started: String,
    /// Which shard it was; `None`: all tests that were selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Sharded>,
    /// The run of the build server that it was part of, such as `GitHub Actions 4711`; `None` elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
}
