//! What both doors ask for, and what they get: a run that can start, or why none can.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::app::Session;
use crate::app::cassettes::Use;
use crate::app::resume::{ResumeRequest, ResumedRun};
use crate::app::shard::ShardChoice;
use crate::base::repeat::RepeatRange;
use crate::base::units::RequestRate;
use crate::plan::budget::BudgetChoice;
use crate::plan::case::{Case, Plan};
use crate::plan::choices::{Judges, TestSelection};
use crate::record::event::NoTests;
use crate::suite::load::OutsidePaths;
use crate::yaml::problem::Problem;

/// What the user asks for, above everything the environment and the files say.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Suites: files or folders.
    pub paths: Vec<PathBuf>,
    /// Which tests, in what order.
    pub selection: TestSelection,
    /// Which share of them.
    pub shard: Option<ShardChoice>,
    /// The run whose durations balance the shares.
    pub shard_by: Option<String>,
    /// Whether suites may name files outside the suites folder.
    pub outside: Option<OutsidePaths>,
    /// The target.
    pub target: Option<String>,
    /// The profile.
    pub profile: Option<String>,
    /// The published version.
    pub workflow_id: Option<String>,
    /// Attempts at once.
    pub concurrency: Option<u32>,
    /// Requests begun per second.
    pub rate: Option<RequestRate>,
    /// How often each test runs.
    pub repeat: Option<RepeatRange>,
    /// Infrastructure retries.
    pub retries: Option<u32>,
    /// Limit of a whole attempt.
    pub timeout: Option<Duration>,
    /// What the whole run may use.
    pub budget: BudgetChoice,
    /// What to do when no test was run; none: it is a failure.
    pub no_tests: Option<NoTests>,
    /// The seed; none: drawn.
    pub seed: Option<u64>,
    /// Folder of the reports.
    pub reports: Option<PathBuf>,
    /// Recording and replaying.
    pub cassettes: Use,
    /// The run that is to be taken up; none: a new one begins.
    pub again: Option<ResumeRequest>,
    /// The full name of the one test that is wanted: only its suite is loaded.
    pub only: Option<String>,
    /// Whether judges will be asked.
    pub judges: Judges,
}

/// Why nothing could be run; nothing was sent.
#[derive(Debug)]
pub enum OpenFailure {
    /// The command line or the environment cannot be read.
    Usage(String),
    /// Suites or the project file have problems.
    Problems(Vec<Problem>),
    /// The target cannot be used.
    Target(String),
}

/// A run that can start.
pub struct OpenedRun {
    /// What will run.
    pub plan: Plan,
    /// Where it is recorded.
    pub session: Session,
    /// What the user should know before.
    pub notes: Vec<String>,
    /// The run that is taken up; none: a new one begins.
    pub again: Option<ResumedRun>,
}

/// What was found for a harness: what can run, and what is wrong with the rest.
pub struct PartialRun {
    /// The run.
    pub opening: OpenedRun,
    /// Everything wrong with what is left out.
    pub problems: Vec<Problem>,
    /// The suite files that are left out.
    pub unsound: Vec<Arc<str>>,
    /// How many suite files there are, readable or not.
    pub files: usize,
}

/// How much was loaded without a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadedCounts {
    /// Suite files.
    pub suites: usize,
    /// Tests, data rows counted one by one.
    pub tests: usize,
}

impl PartialRun {
    /// Leaves out the suites that these problems concern.
    pub(super) fn leave_out(&mut self, found: Vec<Problem>) {
        let plan = &mut self.opening.plan;
        let is_sound = |case: &Case| !found.iter().any(|problem| problem.concerns(&case.test.place.file));
        for case in plan.cases.iter().filter(|case| !is_sound(case)) {
            if !self.unsound.contains(&case.test.place.file) {
                self.unsound.push(case.test.place.file.clone());
            }
        }
        plan.cases.retain(is_sound);
        for (ordinal, case) in plan.cases.iter_mut().enumerate() {
            case.ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
        }
        self.problems.extend(found);
    }
}
