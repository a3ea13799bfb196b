//! How many cases ended how, over a run and over a suite.

use crate::record::attempt::{JudgesSpent, SequentialFacts, UsageTotals};
use crate::record::journal::at_work::LeftRuns;
use crate::record::journal::index::CaseLines;
use crate::record::verdict::Verdict;

/// How many cases ended how, and what they used.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Totals {
    /// Every assertion held.
    pub passed: u32,
    /// An assertion was broken.
    pub failed: u32,
    /// There was nothing to judge.
    pub errored: u32,
    /// The repeats did not decide.
    pub inconclusive: u32,
    /// Those of them that the suite takes as a warning.
    pub tolerated: u32,
    /// Passed after an infrastructure retry.
    pub flaky: u32,
    /// Not run, for a reason.
    pub skipped: u32,
    /// Those of the skipped that no longer fit their budget.
    pub over_budget: u32,
    /// Assertions of severity warn that do not hold.
    pub warnings: u32,
    /// Attempts made, those of unfinished cases included.
    pub attempts: u32,
    /// Those of them that were replayed from cassettes.
    pub replayed: u32,
    /// What the attempts used.
    pub used: UsageTotals,
    /// Runs that were given up, or at work when the run was killed.
    pub left: LeftRuns,
    /// What judges were asked and what that took; in no other sum.
    pub judges: JudgesSpent,
    /// What sequential tests saved.
    pub saved: SavedRepeats,
}

/// What sequential tests saved compared with plans of a fixed number of repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SavedRepeats {
    /// Tests that were decided.
    pub tests: u32,
    /// Repeats; less than 0 where more were run.
    pub runs: i64,
    /// The tokens that these would have used.
    pub tokens: i64,
}

impl SavedRepeats {
    pub(super) fn add(&mut self, sequential: &SequentialFacts) {
        let Some(runs) = sequential.saved_runs else { return };
        self.tests += 1;
        self.runs = self.runs.saturating_add(runs);
        self.tokens = self.tokens.saturating_add(sequential.saved_tokens.unwrap_or(0));
    }

    pub(super) fn join(&mut self, other: Self) {
        self.tests += other.tests;
        self.runs = self.runs.saturating_add(other.runs);
        self.tokens = self.tokens.saturating_add(other.tokens);
    }
}

impl Totals {
    /// Cases that finished or were skipped.
    pub fn cases(&self) -> u32 {
        self.passed + self.failed + self.errored + self.inconclusive + self.flaky + self.skipped
    }

    /// Cases that turn the build red.
    pub fn red(&self) -> u32 {
        self.failed + self.errored + self.undecided()
    }

    /// Cases whose repeats did not decide, where that turns the build red.
    pub fn undecided(&self) -> u32 {
        self.inconclusive - self.tolerated
    }

    pub(super) fn count(&mut self, case: CaseLines<'_>) {
        self.tolerated += u32::from(case.tolerated);
        let counter = match case.verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed => &mut self.failed,
            Verdict::Errored => &mut self.errored,
            Verdict::Inconclusive => &mut self.inconclusive,
            Verdict::Flaky => &mut self.flaky,
            Verdict::Skipped => &mut self.skipped,
        };
        *counter += 1;
    }
}

/// The counts of one suite.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct SuiteTotals {
    /// The suite's name.
    pub name: String,
    /// Its cases that finished or were skipped, by verdict.
    pub totals: Totals,
    /// The sum of their durations, milliseconds.
    pub duration_ms: f64,
}
