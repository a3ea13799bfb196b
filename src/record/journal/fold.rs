//! Folds a journal to a `RunRecord` in one pass: every line is checked to be JSON, only a few fields are taken.
//!
//! The writer folds each event as it appends it, so that a run that has ended need not be read again; what it folds must be
//! what its lines say.
//!
//! The rules by which later lines replace earlier ones (a record may be continued, and several be merged):
//! - lines belong to a case by its `key`; of several results of a case the newest counts, with the attempts since the one
//!   before it or since `run_continued`, whichever is later;
//! - `cases_planned` with another fingerprint than that known withdraws what was reported about the case before;
//! - a result with another fingerprint than the planned one does not count; nor does one of a case withdrawn by
//!   `run_continued`;
//! - tokens, cost and attempts count all that was spent, withdrawn or not;
//! - after `run_continued` the run has no end until the next `run_finished`.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use crate::record::attempt::{Attempt, AttemptUse};
use crate::record::event::{AttemptStart, Event, LeftAttempt, RunContinuation, RunStart};
use crate::record::journal::at_work::{AttemptKey, RunningAttempts};
use crate::record::journal::cases::{CaseContribution, Cases, PlannedLine, planned};
use crate::record::journal::ends::PartEnds;
use crate::record::journal::index::{IndexEntry, JournalIndex, LineMark};
use crate::record::journal::line::{AttemptLine, JournalLine, OutcomeLine};
use crate::record::journal::read::{DamagedLine, RecordLoss, RunRecord};
use crate::record::journal::records::StoredRecord;
use crate::record::journal::totals::{SavedRepeats, SuiteTotals, Totals};
use crate::record::journal::watched::AttemptNotes;
use crate::record::verdict::Verdict;

/// The state of the fold.
#[derive(Debug, Clone)]
pub(super) struct JournalFold {
    start: RunStart,
    ends: PartEnds,
    totals: Totals,
    suites: Vec<String>,
    by_name: HashMap<String, u32>,
    watched: AttemptNotes,
    cases: Cases,
    entries: Vec<IndexEntry>,
    /// Attempts that were begun and have no end.
    at_work: RunningAttempts,
    /// Where the run was continued.
    parts: Vec<u64>,
    damage: Vec<DamagedLine>,
    line: u64,
}

impl JournalFold {
    /// A fold that has taken the first line.
    pub fn new(start: RunStart) -> Self {
        let expected = start.cases.min(1 << 20) as usize * 2;
        Self {
            start,
            ends: PartEnds::default(),
            totals: Totals::default(),
            suites: Vec::new(),
            by_name: HashMap::new(),
            watched: AttemptNotes::default(),
            cases: Cases::default(),
            entries: Vec::with_capacity(expected),
            at_work: RunningAttempts::default(),
            parts: Vec::new(),
            damage: Vec::new(),
            line: 1,
        }
    }

    /// Takes a further line, its end included.
    pub fn line(&mut self, line: &[u8], offset: u64) {
        self.line += 1;
        let Some(text) = line.strip_suffix(b"\n") else {
            self.damaged(RecordLoss::Torn, String::from("is torn: the run was killed while it was written"));
            return;
        };
        match serde_json::from_slice(text) {
            Ok(JournalLine::CasesPlanned(cases)) => self.plan(cases.into_iter(), offset),
            Ok(JournalLine::RunContinued(continuation)) => self.go_on(&continuation, offset),
            Ok(JournalLine::AttemptStarted(start)) => self.begin(&start),
            Ok(JournalLine::AttemptLeft(left)) => self.leave(&left),
            Ok(JournalLine::AttemptFinished(line)) => {
                let AttemptLine { case, key, repeat, attempt, facts, replayed, contract, judges } = line;
                self.at_work.end(AttemptKey { key, repeat, attempt });
                let number = self.cases.number(key, case);
                self.watched.take(number, facts.usage.clone(), contract);
                self.totals.replayed += u32::from(replayed);
                self.totals.judges.add(&judges);
                self.attempt(number, &facts.used(), offset);
            }
            Ok(JournalLine::CaseFinished(outcome)) => self.outcome(&outcome, offset),
            Ok(JournalLine::RunFinished(end)) => self.ends.finish(end),
            Ok(JournalLine::RunStarted(start)) if self.start.nextest && start.nextest => self.beside(*start),
            Ok(JournalLine::RunStarted(_)) => {
                self.damaged(RecordLoss::Unreadable, String::from("starts another run"))
            }
            Err(error) => self.damaged(RecordLoss::Unreadable, format!("cannot be read: {error}")),
        }
    }

    /// Takes an event whose line was written as it is; false if only the line itself has what is read from it.
    pub fn event(&mut self, event: &Event, offset: u64) -> bool {
        match event {
            Event::RunStarted(_) => return false,
            Event::CasesPlanned(cases) => self.plan(planned(cases), offset),
            Event::RunContinued(continuation) => self.go_on(continuation, offset),
            Event::AttemptStarted(start) => self.begin(start),
            Event::AttemptLeft(left) => self.leave(left),
            Event::AttemptFinished(attempt) => {
                let Attempt { key, repeat, attempt: number, .. } = **attempt;
                self.at_work.end(AttemptKey { key, repeat, attempt: number });
                let facts = &attempt.facts;
                let number = self.cases.number(attempt.key, attempt.case);
                self.watched.take(number, facts.usage.clone(), attempt.contract.clone());
                self.totals.replayed += u32::from(attempt.replayed);
                self.line += 1;
                self.totals.judges.add(&attempt.judges);
                self.attempt(number, &facts.used(), offset);
                return true;
            }
            Event::CaseFinished(outcome) => {
                // JSON has no word for what is no finite number.
                if !outcome.duration_ms.is_finite() {
                    return false;
                }
                self.outcome(&OutcomeLine::from(&**outcome), offset);
            }
            Event::RunFinished(end) => {
                if !end.duration_ms.is_finite() {
                    return false;
                }
                self.ends.finish(end.clone());
            }
        }
        self.line += 1;
        true
    }

    /// Takes what another process of nextest knows of its suite.
    fn beside(&mut self, start: RunStart) {
        for suite in start.thresholds {
            if !self.start.thresholds.iter().any(|known| known.suite == suite.suite) {
                self.start.thresholds.push(suite);
            }
        }
    }

    fn plan(&mut self, cases: impl Iterator<Item = PlannedLine>, offset: u64) {
        cases.for_each(|case| self.cases.plan(case, offset));
    }

    fn go_on(&mut self, continuation: &RunContinuation, offset: u64) {
        let gone = continuation.withdrawn.iter().filter(|key| self.cases.withdraw(**key, offset)).count();
        let gone = u32::try_from(gone).unwrap_or(u32::MAX);
        self.start.cases = self.start.cases.saturating_add(continuation.added).saturating_sub(gone);
        if let Some(asked) = &continuation.asked {
            self.start.asked = Some(asked.clone());
        }
        if let Some(thresholds) = &continuation.thresholds {
            self.start.thresholds.clone_from(thresholds);
        }
        self.parts.push(offset);
        self.ends.go_on(continuation.how);
        self.at_work.go_on(continuation.how);
        let mended = self.damage.iter_mut().filter(|damage| damage.line <= continuation.mended);
        mended.for_each(|damage| damage.loss = RecordLoss::Mended);
    }

    fn attempt(&mut self, number: u32, used: &AttemptUse<'_>, offset: u64) {
        self.entries.push(IndexEntry::new(offset, LineMark::Attempt, number, 0));
        self.totals.attempts += 1;
        self.add(used);
    }

    fn begin(&mut self, start: &AttemptStart) {
        let AttemptStart { key, repeat, attempt, .. } = *start;
        self.at_work.begin(AttemptKey { key, repeat, attempt });
    }

    /// Takes an attempt that was given up: what it was seen to use was paid.
    fn leave(&mut self, left: &LeftAttempt) {
        let LeftAttempt { key, repeat, attempt, how, .. } = *left;
        self.at_work.end(AttemptKey { key, repeat, attempt });
        self.totals.attempts += 1;
        self.totals.left.add(how);
        self.add(&AttemptUse::of(None, &[], Some(&left.seen)));
    }

    fn add(&mut self, used: &AttemptUse<'_>) {
        if let Err(amount) = self.totals.used.add(used) {
            self.damaged(RecordLoss::Unreadable, format!("has a price that is no number: `{amount}`"));
        }
    }

    fn outcome(&mut self, outcome: &OutcomeLine<'_>, offset: u64) {
        let number = self.cases.number(outcome.key, outcome.case);
        let mut saved = SavedRepeats::default();
        if let Some(sequential) = outcome.repeats.as_ref().and_then(|repeats| repeats.sequential.as_ref()) {
            saved.add(sequential);
        }
        // Nothing but a skipped test can be over its budget, whatever a line says.
        let over_budget = outcome.over_budget && outcome.verdict == Verdict::Skipped;
        let (duration_ms, warnings) = (outcome.duration_ms, outcome.warnings);
        let standing = CaseContribution { duration_ms, warnings, over_budget, saved };
        if !self.cases.finish(number, outcome.print, standing) {
            return;
        }
        let suite = match self.by_name.get(outcome.suite.as_ref()) {
            Some(suite) => *suite,
            None => self.add_suite(outcome.suite.clone().into_owned()),
        };
        // Nothing but an inconclusive test can be tolerated, whatever a line says.
        let tolerated = outcome.tolerated && outcome.verdict == Verdict::Inconclusive;
        let mark = if tolerated { LineMark::Tolerated } else { LineMark::Outcome(outcome.verdict) };
        self.entries.push(IndexEntry::new(offset, mark, number, suite));
    }

    fn add_suite(&mut self, name: String) -> u32 {
        let suite = u32::try_from(self.suites.len()).expect("there are not more suites than cases");
        self.suites.push(name.clone());
        self.by_name.insert(name, suite);
        suite
    }

    fn damaged(&mut self, loss: RecordLoss, reason: String) {
        self.damage.push(DamagedLine { line: self.line, reason, loss });
    }

    /// The fold of the journal once its torn end was dropped.
    pub fn without_torn(mut self) -> Self {
        let torn = self.damage.pop_if(|damage| damage.loss == RecordLoss::Torn);
        self.line -= u64::from(torn.is_some());
        self
    }

    /// The record of what was taken.
    pub fn finish(self, path: &Path, file: Arc<File>) -> RunRecord {
        let Self { cases, mut entries, mut totals, .. } = self;
        totals.left.killed = self.at_work.open();
        totals.attempts += totals.left.killed;
        totals.used.add_untold(totals.left.killed);
        entries.retain(|entry| cases.counts(entry.case, entry.offset()));
        let mut index = JournalIndex::new(entries, &self.parts);
        let mut names = self.suites;
        let mut suites: Vec<SuiteTotals> = Vec::with_capacity(names.len());
        for old in index.number_suites(names.len()) {
            let name = std::mem::take(&mut names[old as usize]);
            suites.push(SuiteTotals { name, ..SuiteTotals::default() });
        }
        for case in index.cases() {
            let suite = &mut suites[case.outcome.suite as usize];
            totals.count(case);
            suite.totals.count(case);
            if let Some(CaseContribution { duration_ms, warnings, over_budget, saved }) =
                cases.standing(case.outcome.case)
            {
                suite.duration_ms += duration_ms;
                suite.totals.warnings += warnings;
                totals.warnings += warnings;
                totals.over_budget += u32::from(over_budget);
                totals.saved.join(saved);
            }
        }
        let mut start = self.start;
        if start.nextest {
            start.cases = cases.count();
        }
        let unfinished = start.cases.saturating_sub(totals.cases()).max(cases.unfinished());
        RunRecord {
            start,
            end: self.ends.all(),
            unfinished,
            totals,
            suites,
            watched: self.watched,
            damage: self.damage,
            source: StoredRecord { path: path.to_owned(), file },
            index,
        }
    }
}
