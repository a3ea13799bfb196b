//! What a search gathered besides the run's end.

use crate::dify::transcript::NodeRun;

/// What a search gathered besides the run's end.
pub(super) struct SearchResult {
    /// The nodes that were told again.
    pub nodes: Vec<NodeRun>,
    /// Dify's version.
    pub version: Option<String>,
    /// What the last look showed.
    pub shown: Option<String>,
    /// True where the run was seen, and had not ended.
    pub going_on: bool,
}
