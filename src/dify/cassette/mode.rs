//! What is sent and recorded, and how fast a replay is.

use serde::{Deserialize, Serialize};

/// What is sent and what is recorded; the meanings are those of vcrpy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is sent; a request that is not recorded fails.
    None,
    /// Recorded where there is no cassette yet; otherwise as `none`.
    Once,
    /// What is recorded is replayed, the rest is sent and recorded.
    NewEpisodes,
    /// Everything is sent and recorded anew.
    All,
}

/// How fast recorded answers come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Speed {
    /// At once; the times judged are those recorded.
    #[default]
    AtOnce,
    /// Each event at its recorded time; the times judged are measured.
    RealTime,
}
