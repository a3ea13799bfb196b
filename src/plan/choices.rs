//! What the command line and the environment choose: they stand above everything a file says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::repeat::RepeatRange;
use crate::base::units::RequestRate;
use crate::dify::cassette::Mode;
use crate::plan::budget::BudgetChoice;
use crate::plan::shard::Shard;

/// Choices of the command line, and where it is silent of the `FLOWPROOF_*` environment.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// The target to run on.
    pub target: Option<String>,
    /// The profile to use.
    pub profile: Option<String>,
    /// The published version to run, of every app.
    pub workflow_id: Option<String>,
    /// Attempts at once.
    pub concurrency: Option<usize>,
    /// Requests begun per second.
    pub rate: Option<RequestRate>,
    /// Infrastructure retries.
    pub retries: Option<u32>,
    /// Limit of a whole attempt.
    pub timeout: Option<Duration>,
    /// How often each test runs.
    pub repeat: Option<RepeatRange>,
    /// What is sent and recorded, where cassettes are asked for.
    pub record: Option<Mode>,
    /// What the whole run may use.
    pub budget: BudgetChoice,
    /// Which tests run, and in what order.
    pub selection: TestSelection,
    /// The seed of shuffling, sampling and jitter.
    pub seed: u64,
    /// `CI` is set: a key that is missing is an error.
    pub in_ci: bool,
    /// Whether judges will be asked, so that they need their keys.
    pub judges: Judges,
    /// The environment, for `env.*` and `secrets`.
    pub env: Arc<BTreeMap<String, String>>,
    /// The only names of it that files may read; none: any.
    pub env_limit: Option<Arc<[String]>>,
}

/// Whether judges will be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Judges {
    /// As the tests ask them.
    #[default]
    Asked,
    /// Nothing is run.
    NotAsked,
}

/// Which tests run, and in what order.
#[derive(Debug, Clone, Default)]
pub struct TestSelection {
    /// A full name must match one of them, if there are any.
    pub filters: Vec<String>,
    /// How filters match.
    pub matching: FilterMatching,
    /// A test must have one of these tags, if there are any.
    pub tags: Vec<String>,
    /// A test may have none of these tags.
    pub skip_tags: Vec<String>,
    /// At most so many, drawn at random.
    pub sample: Option<usize>,
    /// Only this share of what is left.
    pub shard: Option<Shard>,
    /// The order to run in.
    pub order: RunOrder,
}

/// How filters match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FilterMatching {
    /// The full name contains the filter.
    #[default]
    Substring,
    /// `--exact`: the full name is the filter.
    Exact,
}

/// The order to run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunOrder {
    /// As files and tests stand.
    #[default]
    Written,
    /// Drawn at random.
    Shuffled,
}
