//! What a plan is made by besides the files: the options of the run, and what this process makes of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::plan::shard::Shard;
use crate::record::event::RunOptions;

/// The options of a run, which are above everything a file says, and what the process adds to them.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// The flags, and where they are silent the `FLOWPROOF_*` environment.
    pub options: RunOptions,
    /// The share of the tests that runs here.
    pub shard: Option<Shard>,
    /// The seed of shuffling, sampling and jitter.
    pub seed: u64,
    /// `CI` is set: a key that is missing is an error.
    pub in_ci: bool,
    /// Whether judges will be asked, so that they need their keys.
    pub judges: Judges,
    /// The environment, for `env.*` and `secrets`.
    pub env: Arc<BTreeMap<String, String>>,
    /// The only names of it that files may read; `None`: any.
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
