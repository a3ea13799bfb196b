//! Facts about a run, in past tense; the terminal and the journal listen.

mod continued;
mod in_flight;
mod options;
mod shard;
mod stored_options;

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::base::origin::Place;
use crate::dify::cassette::Mode;
use crate::record::attempt::{Attempt, CaseOutcome};
use crate::suite::thresholds::{Statistic, ThresholdComparison, ThresholdMetric};

pub use continued::{ContinuationReason, PlannedCase, RunContinuation};
pub use in_flight::{AbandonedHow, AttemptStart, LeftAttempt};
pub use options::{NoTests, RunOptions, ShardChoice, ShuffleSeed};
pub use shard::{MergedRun, Sharded};

/// What is known of a run when it starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStart {
    /// Version of the journal's schema.
    pub schema: u32,
    /// The run's id: sorts by time.
    pub run: String,
    /// flowproof's version.
    pub flowproof: String,
    /// The target's name.
    pub target: String,
    /// True when the target is the built-in mock: no live workflow was tested.
    pub mock: bool,
    /// What was sent and what was recorded, where cassettes were in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cassettes: Option<Mode>,
    /// The profile's name.
    pub profile: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// Cases selected.
    pub cases: u32,
    /// Which shard these cases are; `None`: all that were selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Sharded>,
    /// The runs it was merged of; empty where it ran itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<MergedRun>,
    /// The run of the build server that it is part of, such as `GitHub Actions 4711`; `None` elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// True where every test is a process of nextest: `cases` then counts those that were begun.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nextest: bool,
    /// Cases filtered out.
    pub deselected: u32,
    /// The seed of shuffling and jitter.
    pub seed: u64,
    /// True when the order was shuffled by the seed.
    #[serde(default)]
    pub shuffled: bool,
    /// The fingerprint of the whole plan, before a sample or a shard was taken of it; `None` before schema 2.
    #[serde(default, skip_serializing_if = "Digest::is_none")]
    pub plan: Digest,
    /// The fingerprint of the address and of the versions that are pinned; `None` on the mock.
    #[serde(default, skip_serializing_if = "Digest::is_none")]
    pub address: Digest,
    /// What was asked for, so that the run can be continued as it was begun; `None` before schema 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Box<RunOptions>>,
    /// What suites must come to as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<SuiteThresholds>,
}

/// What all attempts of a suite together must come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuiteThresholds {
    /// The suite's name.
    pub suite: String,
    /// How many tests the whole suite has, those that were not selected included.
    pub tests: u32,
    /// Each bound.
    pub thresholds: Vec<Threshold>,
}

impl SuiteThresholds {
    /// True when all of them hold the same bounds, wherever these are written.
    pub fn are_like(all: &[Self], others: &[Self]) -> bool {
        all.len() == others.len() && all.iter().zip(others).all(|(one, other)| one.is_like(other))
    }

    fn is_like(&self, other: &Self) -> bool {
        let bounds = self.thresholds.iter().zip(&other.thresholds);
        (&self.suite, self.tests, self.thresholds.len())
            == (&other.suite, other.tests, other.thresholds.len())
            && bounds
                .into_iter()
                .all(|(one, two)| *one == Threshold { place: one.place.clone(), ..two.clone() })
    }
}

/// One bound on one statistic of a suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Which number of an attempt.
    pub metric: ThresholdMetric,
    /// What is made of those of all attempts.
    pub statistic: Statistic,
    /// How it is compared.
    pub comparison: ThresholdComparison,
    /// With what: a share, milliseconds, a count or an amount; exact, as text.
    #[serde(with = "crate::base::units::exact")]
    pub limit: Decimal,
    /// The currency of an amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Where it is written.
    pub place: Place,
}

/// What is known of a run when it ends.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunEnd {
    /// Wall time, milliseconds.
    pub duration_ms: f64,
    /// True after Ctrl-C: what had not finished was not judged.
    pub interrupted: bool,
    /// Why tests were left out, when fail-fast, max-fail or a configuration error stopped the run early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_early: Option<String>,
    /// Which published versions ran, by app.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<RanVersion>,
    /// What the budgets came to: the run's, then the suites'.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetFacts>,
    /// What the limit of attempts at once fell to; `None` where none was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<FallenLimit>,
    /// How far starts kept the rate; one for each part of the run that had one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<RateAdherence>,
    /// Why what was recorded could not be written into a cassette.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrecorded: Option<String>,
    /// The fields that came with the events that every run has, as `event.field`, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// What a budget came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BudgetFacts {
    /// The suite it is for; `None` for the whole run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// Tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<CountLimit>,
    /// Prices, each currency for itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cost: Vec<PriceLimit>,
    /// Milliseconds since its first attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<CountLimit>,
    /// Attempts whose use nobody knows: what they had set aside counts as spent.
    #[serde(default)]
    pub unknown: u32,
}

/// A number that is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountLimit {
    /// The most it may be.
    pub limit: u64,
    /// What it is; more than the limit where attempts at work used more than was expected.
    pub spent: u64,
    /// What neither was spent nor is set aside.
    pub left: u64,
}

/// An exact amount of a currency that is limited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceLimit {
    /// `USD`, …
    pub currency: String,
    /// The most it may be, decimal text.
    pub limit: String,
    /// What it is.
    pub spent: String,
    /// What neither was spent nor is set aside.
    pub left: String,
}

/// A limit of attempts at once that fell, because the target refused some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FallenLimit {
    /// What the settings allow.
    pub most: usize,
    /// The least it was.
    pub lowest: usize,
    /// What it was at the end.
    pub last: usize,
    /// How many requests were refused as too many.
    pub refusals: u32,
}

/// How far the starts of attempts kept the rate they were meant to have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RateAdherence {
    /// Starts a second as asked for.
    pub rate: f64,
    /// Starts a second as they were, from the first to the last.
    pub kept: f64,
    /// How many there were.
    pub starts: u64,
    /// How much later than meant they were, milliseconds.
    pub late_ms: RankSpread,
    /// Latency from the start that was meant, milliseconds: what users would have waited who come at the rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<RankSpread>,
}

/// How values are spread: nearest ranks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RankSpread {
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The greatest.
    pub max: f64,
}

/// Attempts whose fields are looked at: they hardly differ, and a comparison says so where there were more.
pub const FIELDS_WATCHED: u32 = 200;

/// A published version that ran, and on which Dify.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RanVersion {
    /// The app; empty for a target's only app.
    pub app: String,
    /// The published version; `None` where Dify refused before it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
    /// Dify's version (`X-Version`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dify_version: Option<String>,
    /// How many attempts it answered.
    pub attempts: u32,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The run started.
    RunStarted(RunStart),
    /// Tests will be run; what was recorded of one with another fingerprint no longer counts.
    CasesPlanned(Arc<[PlannedCase]>),
    /// A run that was recorded goes on in the same record.
    RunContinued(RunContinuation),
    /// An attempt is about to be sent to a live target.
    AttemptStarted(AttemptStart),
    /// An attempt was given up, since the run was stopped.
    AttemptLeft(LeftAttempt),
    /// An attempt finished, one line of the journal.
    AttemptFinished(Arc<Attempt>),
    /// A test finished or was skipped.
    CaseFinished(Arc<CaseOutcome>),
    /// The run ended.
    RunFinished(RunEnd),
}

/// Who is notified of events, in order.
pub trait Sink {
    /// Takes one event; an error ends the run (the journal could not be written).
    fn take(&mut self, event: &Event) -> Result<(), SinkError>;
}

/// An event could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct SinkError {
    /// What was being written: "write reports/runs/…/journal.jsonl".
    pub what: String,
    /// The system's reason.
    #[source]
    pub source: std::io::Error,
}
