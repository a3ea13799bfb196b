//! How a run was asked for, which tests it planned, and how it goes on: what a later process needs to continue it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::record::event::SuiteThresholds;

/// What chose the tests of a run and how each was run: flags, and where they were silent the environment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunChoices {
    /// `--target`; none: the project's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// `--profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Suites: files or folders, as they were named; empty: the project's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// True with `--allow-outside`.
    pub outside: bool,
    /// `--filter`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<String>,
    /// True with `--exact`.
    pub exact: bool,
    /// `--tag`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// `--skip-tag`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skip_tags: Vec<String>,
    /// `--sample`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
    /// `--workflow-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
    /// `--repeat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<String>,
    /// `--retries`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// `--timeout`, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// `--concurrency`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// `--rate`, requests a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// `--budget-tokens`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_tokens: Option<u64>,
    /// `--budget-cost`, an amount in each currency.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub budget_cost: Vec<String>,
    /// `--max-time`, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_time_ms: Option<u64>,
    /// `--no-tests`.
    #[serde(skip_serializing_if = "NoTests::is_fail")]
    pub no_tests: NoTests,
}

/// What to do when no test was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoTests {
    /// It is a failure.
    #[default]
    Fail,
    /// It is said, and is no failure.
    Warn,
    /// It is no failure.
    Pass,
}

impl NoTests {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_fail(&self) -> bool {
        *self == Self::Fail
    }
}

/// A test that will be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCase {
    /// Which test: the hash of its full name.
    pub key: Digest,
    /// Its full name.
    pub name: Arc<str>,
    /// The fingerprint of what it sends and asserts.
    pub print: Digest,
    /// Its place among the tests of all shards, as files and tests stand; none where that was not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
}

/// Why a run goes on that had been told.
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
    /// The fingerprint of the whole plan as it is now; none where that was not told.
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
    pub asked: Option<Box<RunChoices>>,
    /// By what the suites are judged from now on, where that has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Vec<SuiteThresholds>>,
}
