//! A run as folded from its journal: totals and a small index in memory.
//!
//! Memory grows by 32 bytes for a case of one attempt and 16 for each further attempt; no record is kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rust_decimal::Decimal;

use crate::event::{RunEnd, RunStart};
use crate::journal::JournalError;
use crate::journal::index::{CaseLines, Index};
use crate::journal::records::RecordReader;
use crate::journal::watched::Watched;
use crate::outcome::{Attempt, CaseOutcome, JudgesSpent, SequentialFacts};
use crate::verdict::Verdict;

/// Everything recorded of one case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CaseRecord {
    /// What became of it.
    pub outcome: CaseOutcome,
    /// Its attempts in the order they finished.
    pub attempts: Vec<Attempt>,
}

impl CaseRecord {
    /// The attempt that tells most of the verdict: the last one of the same verdict, else the last; none when skipped.
    pub fn deciding(&self) -> Option<&Attempt> {
        let judged = || self.attempts.iter().rev().filter(|attempt| !attempt.retried);
        let wanted = match self.outcome.verdict {
            // No attempt has that verdict: the broken ones tell why the repeats did not decide.
            Verdict::Inconclusive => Verdict::Failed,
            Verdict::Passed | Verdict::Failed | Verdict::Errored | Verdict::Flaky | Verdict::Skipped => {
                self.outcome.verdict
            }
        };
        judged().find(|attempt| attempt.verdict == wanted).or_else(|| self.attempts.last())
    }

    /// Dify's tokens over all attempts; none when no attempt told them.
    pub fn tokens(&self) -> Option<u64> {
        let known = self.attempts.iter().filter_map(|attempt| attempt.facts.tokens);
        known.reduce(u64::saturating_add)
    }
}

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
    /// Sum of the tokens that are known.
    pub tokens: u64,
    /// Attempts whose tokens are unknown.
    pub tokens_unknown: u32,
    /// Exact sums by currency.
    pub cost: BTreeMap<String, Decimal>,
    /// What judges were asked and what that took; in no other sum.
    pub judges: JudgesSpent,
    /// What sequential tests saved.
    pub saved: Saved,
}

/// What sequential tests saved against plans of a fixed number of repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Saved {
    /// Tests that were decided.
    pub tests: u32,
    /// Repeats; less than 0 where more were run.
    pub runs: i64,
    /// The tokens that these would have used.
    pub tokens: i64,
}

impl Saved {
    pub(super) fn add(&mut self, sequential: &SequentialFacts) {
        let Some(runs) = sequential.saved_runs else { return };
        self.tests += 1;
        self.runs = self.runs.saturating_add(runs);
        self.tokens = self.tokens.saturating_add(sequential.saved_tokens.unwrap_or(0));
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

/// A line of the journal that could not be read and was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// A finished, interrupted or still growing run.
#[derive(Debug, PartialEq)]
pub(crate) struct RunRecord {
    /// What was known when it started.
    pub start: RunStart,
    /// What was known when it ended; none when the process was killed or still runs.
    pub end: Option<RunEnd>,
    /// Counts over all cases.
    pub totals: Totals,
    /// Counts by suite, in order of each suite's first case.
    pub suites: Vec<SuiteTotals>,
    /// What attempts noted besides.
    pub watched: Watched,
    /// Lines left out, a torn last one included.
    pub damage: Vec<Damage>,
    pub(super) path: PathBuf,
    pub(super) index: Index,
}

impl RunRecord {
    /// Where the journal is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Cases selected that have no outcome: the run was interrupted or killed, or their line is damaged.
    pub fn unfinished(&self) -> u32 {
        self.start.cases.saturating_sub(self.totals.cases())
    }

    /// The records of the red cases in plan order, read one by one.
    pub fn failures(&self) -> impl Iterator<Item = Result<CaseRecord, JournalError>> + '_ {
        let mut reader = RecordReader::new(&self.path);
        self.index.cases().filter(|lines| lines.verdict.is_red()).map(move |lines| reader.read(lines))
    }

    /// The records of the cases of these verdicts, one verdict after the other, each in plan order, read one by one.
    pub fn cases_with<'a>(
        &'a self,
        verdicts: &'a [Verdict],
    ) -> impl Iterator<Item = Result<CaseRecord, JournalError>> + 'a {
        let mut reader = RecordReader::new(&self.path);
        let of = |verdict: &'a Verdict| self.index.cases().filter(move |lines| lines.verdict == *verdict);
        verdicts.iter().flat_map(of).map(move |lines| reader.read(lines))
    }

    /// The numbers of all cases, suite by suite as in `suites`, in plan order within each.
    pub fn order_by_suite(&self) -> Vec<u32> {
        let mut order: Vec<(u32, u32)> =
            self.index.cases().map(|lines| (lines.outcome.suite, lines.outcome.case)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, case)| case).collect()
    }

    /// The numbers of the cases of a suite, in plan order; none where nothing of it was recorded.
    pub fn cases_of(&self, suite: &str) -> Vec<u32> {
        let Some(position) = self.suites.iter().position(|known| known.name == suite) else {
            return Vec::new();
        };
        let of_suite = self.index.cases().filter(|lines| lines.outcome.suite as usize == position);
        of_suite.map(|lines| lines.outcome.case).collect()
    }

    /// Gives some cases to the documents of the run, in the order asked for, each with its attempts as the members of a JSON
    /// list. Of a case that passed and warns of nothing, only that text has findings and nodes: nobody explains what held.
    pub fn read_cases(
        &self,
        cases: &[u32],
        mut take: impl FnMut(CaseRecord, &[u8]),
    ) -> Result<(), JournalError> {
        let mut reader = RecordReader::new(&self.path);
        let mut attempts = Vec::new();
        for lines in cases.iter().filter_map(|case| self.index.case(*case)) {
            attempts.clear();
            let record = reader.read_with_text(lines, &mut attempts)?;
            take(record, &attempts);
        }
        Ok(())
    }

    /// The records of all cases, suite by suite as in `suites`, in plan order within each.
    #[cfg(test)]
    pub fn cases_by_suite(&self) -> impl Iterator<Item = Result<CaseRecord, JournalError>> + '_ {
        let mut reader = RecordReader::new(&self.path);
        let order = self.order_by_suite().into_iter();
        order.filter_map(|case| self.index.case(case)).map(move |lines| reader.read(lines))
    }

    /// Bytes the index holds.
    #[cfg(test)]
    pub fn index_bytes(&self) -> usize {
        self.index.bytes()
    }
}
