//! Attempts at work: what is noted before one is sent, so that it can be looked for if the run is killed, and what is noted of
//! one that was given up.

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::record::attempt::ObservedUse;

/// An attempt that is about to be sent to a live target: from now on something may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptStart {
    /// Which case of the plan of the process that sends it, from 0.
    pub case: u32,
    /// Which case in every process: the hash of its full name.
    pub key: Digest,
    /// The fingerprint of what the test sends and asserts.
    pub print: Digest,
    /// Which repeat, from 0.
    pub repeat: u32,
    /// Which try of that repeat, from 0.
    pub attempt: u32,
    /// The id that its templates see as `run.id`.
    pub run: String,
    /// When, RFC 3339, UTC.
    pub sent: String,
    /// Dify's end user, where it names the run and the repeat; `None` where the logs cannot identify its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// An attempt that was given up since the run was stopped: nothing of it is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftAttempt {
    /// Which case of the plan of the process that sent it, from 0.
    pub case: u32,
    /// Which case in every process: the hash of its full name.
    pub key: Digest,
    /// Which repeat, from 0.
    pub repeat: u32,
    /// Which try of that repeat, from 0.
    pub attempt: u32,
    /// Dify's run id, if it was reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// What became of its run.
    pub how: AbandonedHow,
    /// What it is seen to have used.
    #[serde(default)]
    pub seen: ObservedUse,
}

/// What became of a run that was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbandonedHow {
    /// It had ended, or surely never ran.
    Ended,
    /// Dify was asked to stop it: what had begun may go on.
    AskedToStop,
    /// The request to stop it failed: it may go on.
    StopFailed,
    /// It has no task that could be stopped, as in blocking mode: it may go on.
    NotStoppable,
}
