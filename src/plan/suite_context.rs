//! What the tests of a suite share.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::assert::check::UsageAudit;
use crate::assert::judge::JudgeName;
use crate::base::bindings::Bindings;
use crate::base::digest::Digest;
use crate::base::file_name::encoded;
use crate::plan::budget;
use crate::plan::case::{Retries, SuiteHead};
use crate::plan::choices::Choices;
use crate::plan::print::SuitePrint;
use crate::suite::project::ProfileSpec;
use crate::suite::spec::SuiteSpec;
use crate::yaml::names::KnownNames;

/// What all tests of a suite share.
pub struct SuiteContext<'a> {
    /// The suite's own facts.
    pub head: Arc<SuiteHead>,
    /// The suite as written.
    pub suite: &'a SuiteSpec,
    /// The app it tests.
    pub app: Arc<str>,
    /// Its `vars` and the environment.
    pub bindings: Arc<Bindings>,
    /// The names that all its tests may use.
    pub known: KnownNames,
    /// Choices of the command line.
    pub choices: &'a Choices,
    /// The profile in use.
    pub profile: Option<&'a ProfileSpec>,
    /// `usage` of the target.
    pub usage: UsageAudit,
    /// Retries of the target.
    pub retries: Retries,
    /// The fingerprint of what all its tests have in common.
    pub(super) print: SuitePrint,
    /// The judges of the project.
    pub judges: &'a [JudgeName],
    /// The fingerprints of those that can be asked.
    pub judge_prints: BTreeMap<String, Digest>,
}

/// The app of a suite.
pub struct SuiteApp {
    /// Its name.
    pub name: Arc<str>,
    /// Why the suite's tests are skipped, if they are.
    pub skip: Option<Arc<str>>,
}

impl SuiteApp {
    /// One that can be asked.
    pub fn of(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), skip: None }
    }
}

/// A suite's own facts.
pub fn head_of(suite: &SuiteSpec) -> SuiteHead {
    let (folder, file) = (&suite.grounds.folder, Path::new(&*suite.source.name));
    let cassette = file.with_extension("jsonl");
    let stem = encoded(&file.file_stem().unwrap_or_default().to_string_lossy());
    SuiteHead {
        name: Arc::from(suite.name.value.as_str()),
        budget: budget::of_suite(suite),
        cassette: folder.join("cassettes").join(cassette.file_name().unwrap_or_default()),
        place: suite.grounds.place.clone(),
        snapshots: Arc::new(folder.join("snapshots").join(stem)),
    }
}
