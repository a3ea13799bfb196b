//! A run as folded from its journal: totals and a small index in memory.
//!
//! Memory grows by 32 bytes for a case of one attempt and 16 for each further attempt; no record is kept.

use std::fs::File;
use std::path::Path;

use crate::record::attempt::CaseOutcome;
use crate::record::event::{RunEnd, RunStart};
use crate::record::journal::JournalError;
use crate::record::journal::index::JournalIndex;
use crate::record::journal::records::{CaseRecord, RecordReader, StoredRecord};
use crate::record::journal::totals::{SuiteTotals, Totals};
use crate::record::journal::watched::AttemptNotes;
use crate::record::verdict::Verdict;

/// Reads whole records of cases, the file opened once.
pub(crate) struct CaseReader<'a> {
    record: &'a RunRecord,
    reader: RecordReader<'a>,
}

impl CaseReader<'_> {
    /// The record of one case; `None` where it has no outcome.
    pub fn read(&mut self, case: u32) -> Result<Option<CaseRecord>, JournalError> {
        self.record.index.case(case).map(|lines| self.reader.read(lines)).transpose()
    }
}

/// What became of a case, and how many of its attempts were read.
pub(crate) struct CountedOutcome {
    /// What became of it.
    pub outcome: CaseOutcome,
    /// Its attempts that could be read.
    pub attempts: usize,
}

/// A line of the journal that could not be read and was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DamagedLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
    /// What it means for the record.
    pub loss: RecordLoss,
}

/// What a line that cannot be read means for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordLoss {
    /// The last line was being written when the run was killed: nothing that had finished is lost.
    Torn,
    /// A fact is lost, and nobody knows which: the record is not complete.
    Unreadable,
    /// The run was continued since, and what may have been lost was run anew.
    Mended,
}

/// A finished, interrupted or still growing run.
#[derive(Debug, PartialEq)]
pub(crate) struct RunRecord {
    /// What was known when it started; `cases` counts those of all parts that are still in the suites.
    pub start: RunStart,
    /// What was known when it ended, over all its parts; `None` when the last process was killed or still runs.
    pub end: Option<RunEnd>,
    /// Cases selected that have no outcome: the run was interrupted or killed, or their line is damaged.
    pub(super) unfinished: u32,
    /// Counts over all cases.
    pub totals: Totals,
    /// Counts by suite, in order of each suite's first case.
    pub suites: Vec<SuiteTotals>,
    /// What attempts noted besides.
    pub watched: AttemptNotes,
    /// Lines left out, a torn last one included.
    pub damage: Vec<DamagedLine>,
    pub(super) source: StoredRecord,
    pub(super) index: JournalIndex,
}

impl RunRecord {
    /// Where the journal is.
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// Cases selected that have no outcome: the run was interrupted or killed, or their line is damaged.
    pub fn unfinished(&self) -> u32 {
        self.unfinished
    }

    /// True when the run ended, each of its tests has a result, and no fact is lost.
    pub fn is_complete(&self) -> bool {
        self.end.is_some() && self.unfinished == 0 && !self.has_losses()
    }

    /// True when facts are lost: a line in the middle of the journal cannot be read, and nothing has repaired that.
    pub fn has_losses(&self) -> bool {
        self.damage.iter().any(|damage| damage.loss == RecordLoss::Unreadable)
    }

    /// The records of the red cases in plan order, read one by one; those that the suite tolerates are not red.
    pub fn failures(&self) -> impl Iterator<Item = Result<CaseRecord, JournalError>> + '_ {
        let mut reader = RecordReader::new(&self.source);
        self.index
            .cases()
            .filter(|lines| lines.verdict.is_red() && !lines.tolerated)
            .map(move |lines| reader.read(lines))
    }

    /// What became of each case, in plan order, read one by one.
    pub fn outcomes(&self) -> impl Iterator<Item = Result<CaseOutcome, JournalError>> + '_ {
        let mut reader = RecordReader::new(&self.source);
        self.index.cases().map(move |lines| reader.outcome(lines))
    }

    /// The records of the cases of these verdicts, one verdict after the other, each in plan order, read one by one.
    pub fn cases_with<'a>(
        &'a self,
        verdicts: &'a [Verdict],
    ) -> impl Iterator<Item = Result<CaseRecord, JournalError>> + 'a {
        let mut reader = RecordReader::new(&self.source);
        let of = |verdict: &'a Verdict| self.index.cases().filter(move |lines| lines.verdict == *verdict);
        verdicts.iter().flat_map(of).map(move |lines| reader.read(lines))
    }

    /// What became of each case, and how many of its attempts were read.
    pub fn outcomes_with_attempts(&self) -> impl Iterator<Item = Result<CountedOutcome, JournalError>> + '_ {
        let mut reader = RecordReader::new(&self.source);
        self.index.cases().map(move |lines| {
            Ok(CountedOutcome { outcome: reader.outcome(lines)?, attempts: lines.lines.len() - 1 })
        })
    }

    /// The journal, open.
    pub(super) fn file(&self) -> &File {
        &self.source.file
    }

    /// The numbers of all cases, suite by suite as in `suites`, in plan order within each.
    pub fn order_by_suite(&self) -> Vec<u32> {
        let mut order: Vec<(u32, u32)> =
            self.index.cases().map(|lines| (lines.outcome.suite, lines.outcome.case)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, case)| case).collect()
    }

    /// The numbers of the cases of a suite, in plan order; `None` where nothing of it was recorded.
    pub fn cases_in(&self, suite: &str) -> Vec<u32> {
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
        let mut reader = RecordReader::new(&self.source);
        let mut attempts = Vec::new();
        for lines in cases.iter().filter_map(|case| self.index.case(*case)) {
            attempts.clear();
            let record = reader.read_with_text(lines, &mut attempts)?;
            take(record, &attempts);
        }
        Ok(())
    }

    /// Reads whole records of cases by their numbers, in any order.
    pub fn reader(&self) -> CaseReader<'_> {
        CaseReader { record: self, reader: RecordReader::new(&self.source) }
    }

    /// The records of all cases, suite by suite as in `suites`, in plan order within each.
    #[cfg(test)]
    pub fn cases_by_suite(&self) -> impl Iterator<Item = Result<CaseRecord, JournalError>> + '_ {
        let mut reader = RecordReader::new(&self.source);
        let order = self.order_by_suite().into_iter();
        order.filter_map(|case| self.index.case(case)).map(move |lines| reader.read(lines))
    }

    /// Bytes the index holds.
    #[cfg(test)]
    pub fn index_bytes(&self) -> usize {
        self.index.bytes()
    }
}
