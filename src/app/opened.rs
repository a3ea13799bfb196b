//! What both doors get: a run that can start, new or taken up again, and what is wrong with the rest.

use std::sync::Arc;

use crate::app::budget::UsageBefore;
use crate::app::session::Session;
use crate::plan::case::{Case, Plan};
use crate::record::event::{AttemptStart, PlannedCase, RunContinuation};
use crate::record::journal::Journal;
use crate::yaml::problem::Problem;

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
    /// The run that is taken up; `None`: a new one begins.
    pub again: Option<ResumedRun>,
}

/// A run that was taken up: nobody else can write its record meanwhile.
pub struct ResumedRun {
    /// Its journal, open to append to.
    pub journal: Journal,
    /// What is recorded first.
    pub continuation: RunContinuation,
    /// The tests that are new or have changed.
    pub planned: Vec<PlannedCase>,
    /// What its earlier parts used.
    pub before: UsageBefore,
    /// Attempts that were at work when it was killed.
    pub interrupted: Vec<AttemptStart>,
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
