//! What became of a run whose answer broke off.

use serde::{Deserialize, Serialize};

/// How the end of a run became known that the answer to its own request did not contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveredBy {
    /// Its events were followed from where the answer broke off.
    Events,
    /// Its detail was read.
    Detail,
    /// It was found in the logs by its user, then its detail was read.
    Logs,
}

/// What became of a lost run: one that may have gone on after its answer broke off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// It was found and is ours; times, and what happened unseen, are not known.
    Recovered {
        /// Which way.
        by: RecoveredBy,
        /// How it was lost: "the stream ended after 3 events, without workflow_finished".
        lost: String,
    },
    /// It was looked for in vain.
    Lost {
        /// How it was lost: "the stream ended after 3 events, without workflow_finished".
        lost: String,
        /// What was found instead of its end, a clause: "the logs show no run of the user `u-7`".
        why: String,
        /// Whether a run was seen that is ours, or may be.
        trace: Trace,
        /// True where it was seen, and had not ended.
        going_on: bool,
    },
}

/// Whether a lost run left a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// No run was seen: it may have run all the same.
    None,
    /// A run was seen whose end is not known, or that may not be ours.
    Seen,
}
