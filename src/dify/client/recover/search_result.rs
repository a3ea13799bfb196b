//! What a search comes to: the run's end or why there is none, and what it gathered besides.

use crate::dify::client::wait::WaitEnd;
use crate::dify::transcript::{Ending, NodeRun, RecoveredBy, RunResult, Trace};

/// What a search gathered besides the run's end.
pub(super) struct SearchResult {
    /// The nodes that were repeated.
    pub nodes: Vec<NodeRun>,
    /// Dify's version.
    pub version: Option<String>,
    /// What the last look showed.
    pub shown: Option<String>,
    /// True where the run was seen, and had not ended.
    pub going_on: bool,
}

/// A run whose end is known.
pub(super) struct KnownRun {
    /// How: it ended, or waits.
    pub ending: Ending,
    /// Its facts.
    pub run: RunResult,
    /// Which way it became known.
    pub by: RecoveredBy,
}

/// Why a search is over without an end of the run.
pub(super) enum SearchEnd {
    /// The word to stop came, or the attempt's time is up.
    GivenUp(WaitEnd),
    /// Nothing, or not enough, was found: the reason, and whether a run was seen.
    Lost(String, Trace),
}
