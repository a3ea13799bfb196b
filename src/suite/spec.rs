//! A suite as written: what its keys say, nothing defaulted, merged or compiled.

use std::sync::Arc;
use std::time::Duration;

use crate::base::repeat::RepeatRange;
use crate::suite::data::{ReadState, Rows};
use crate::suite::grounds::SuiteFolder;
use crate::suite::read_budget::BudgetSpec;
use crate::suite::thresholds::ThresholdSpec;
use crate::yaml::node::{FilePosition, MapEntry, Node, SourceText};
use crate::yaml::reader::Located;

/// One suite file.
#[derive(Debug)]
pub struct SuiteSpec {
    /// Its text, for places.
    pub source: Arc<SourceText>,
    /// Where its relative paths start and which folder they may not leave.
    pub grounds: SuiteFolder,
    /// Its `name`, else its path under the suites folder without its ending.
    pub name: Located<String>,
    /// The app it tests.
    pub app: Option<Located<String>>,
    /// What it is about.
    pub description: Option<String>,
    /// Tags of all its tests.
    pub tags: Vec<Located<String>>,
    /// Named values for templates, in the order written.
    pub vars: Vec<MapEntry>,
    /// Whether `vars` could be read.
    pub vars_read: ReadState,
    /// Whether Dify's token total is audited.
    pub usage: Option<UsageSpec>,
    /// What its tests inherit.
    pub defaults: RunSpec,
    /// What it may use.
    pub budget: Option<BudgetSpec>,
    /// What all its attempts together must come to.
    pub thresholds: Vec<ThresholdSpec>,
    /// Suite-level answers of the mock, a list of `when` and `reply`.
    pub mock: Option<Node>,
    /// Its tests, in the order written.
    pub tests: Vec<TestSpec>,
    /// How many problems were met while it was read, its data files included.
    pub problems: usize,
}

/// One entry of `tests`.
#[derive(Debug)]
pub struct TestSpec {
    /// Its name, unique in the suite.
    pub name: Located<String>,
    /// Its own tags.
    pub tags: Vec<Located<String>>,
    /// Why it is not run.
    pub skip: Option<String>,
    /// Where `only: true` is.
    pub only: Option<FilePosition>,
    /// `skip_defaults: true`.
    pub skip_defaults: bool,
    /// Rows of `each` or `matrix`.
    pub rows: Option<Rows>,
    /// What it has in common with `defaults`.
    pub run: RunSpec,
    /// Answers to the forms of paused runs.
    pub answers: Vec<AnswerSpec>,
    /// What the mock answers.
    pub mock: Option<Node>,
}

/// One entry of `human_input`.
#[derive(Debug)]
pub struct AnswerSpec {
    /// Where it is.
    pub mark: FilePosition,
    /// Title or id of the node that asks.
    pub node: Node,
    /// The action taken.
    pub action: Node,
    /// What is filled in.
    pub inputs: Vec<MapEntry>,
    /// Files by field.
    pub files: Vec<MapEntry>,
}

/// The keys that a test and `defaults` share.
#[derive(Debug, Default)]
pub struct RunSpec {
    /// The workflow's variables.
    pub inputs: Vec<MapEntry>,
    /// Files by variable.
    pub files: Vec<MapEntry>,
    /// Dify's end user.
    pub user: Option<Node>,
    /// Streaming or blocking.
    pub mode: Option<ModeSpec>,
    /// Limit of a whole attempt.
    pub timeout: Option<Duration>,
    /// Infrastructure retries.
    pub retries: RetriesSpec,
    /// How often it runs.
    pub repeat: Option<Located<RepeatRange>>,
    /// The share of repeats that must pass.
    pub pass_rate: Option<Located<f64>>,
    /// The share at which a sequential test fails.
    pub fail_below: Option<Located<f64>>,
    /// 1 minus the chance of either error.
    pub confidence: Option<Located<f64>>,
    /// What repeats count as that do not decide.
    pub on_inconclusive: Option<InconclusiveSpec>,
    /// The assertions, uncompiled.
    pub assertions: Vec<Node>,
}

/// `on_inconclusive`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InconclusiveSpec {
    /// `fail`.
    Fail,
    /// `warn`.
    Warn,
}

/// `response_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModeSpec {
    /// `streaming`.
    Streaming,
    /// `blocking`.
    Blocking,
}

/// `usage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageSpec {
    /// `audit`.
    Audit,
    /// `trust`.
    Trust,
}

/// `retries`, each key for itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RetriesSpec {
    /// How many tries follow the first.
    pub count: Option<u32>,
    /// Before the first retry.
    pub delay: Option<Duration>,
    /// At most between two tries.
    pub max_delay: Option<Duration>,
    /// Whether delays are randomised.
    pub jitter: Option<bool>,
    /// Whether a run that may have started is sent again.
    pub resend: Option<bool>,
}

impl RetriesSpec {
    /// This one's keys, and where it has none those of `below`.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            count: self.count.or(below.count),
            delay: self.delay.or(below.delay),
            max_delay: self.max_delay.or(below.max_delay),
            jitter: self.jitter.or(below.jitter),
            resend: self.resend.or(below.resend),
        }
    }

    /// True when no key is given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
