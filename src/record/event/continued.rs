//! Which tests a run planned, and how it goes on: what a later process needs to continue it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::record::event::SuiteThresholds;
use crate::record::event::options::RunOptions;

/// A test that will be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCase {
    /// Which test: the hash of its full name.
    pub key: Digest,
    /// Its full name.
    pub name: Arc<str>,
    /// The fingerprint of what it sends and asserts.
    pub print: Digest,
    /// Its place among the tests of all shards, in the order of files and tests; `None` where that was not reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
}

/// Why a run goes on that had been reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContinuationReason {
    /// `--resume`: for the tests that had not finished.
    Resumed,
    /// `--rerun`: for those that were red, too.
    Rerun,
    /// `merge`: the lines that follow were recorded by another run of the same plan.
    Merged,
}

/// What is known of a run when it goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunContinuation {
    /// Why.
    pub how: ContinuationReason,
    /// flowproof's version.
    pub flowproof: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// Tests that it will run.
    pub cases: u32,
    /// Those of them that had not been planned before.
    #[serde(default)]
    pub added: u32,
    /// The fingerprint of the whole plan as it is now; `None` where that was not reported.
    #[serde(default, skip_serializing_if = "Digest::is_none")]
    pub plan: Digest,
    /// Tests whose results no longer count, because they are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<Digest>,
    /// Lines before this one that could not be read, and whose tests are run anew.
    #[serde(default)]
    pub mended: u64,
    /// The run that recorded what follows, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What is asked for from now on, where that has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Box<RunOptions>>,
    /// By what the suites are judged from now on, where that has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Vec<SuiteThresholds>>,
}
