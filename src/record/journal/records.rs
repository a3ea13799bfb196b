//! Reads the records of cases from their lines, one case at a time; none is kept.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::record::attempt::{Attempt, CaseOutcome};
use crate::record::event::Event;
use crate::record::journal::JournalError;
use crate::record::journal::held::HeldLine;
use crate::record::journal::index::{CaseLines, LineMark};
use crate::record::journal::lines::JournalLines;
use crate::record::verdict::Verdict;

/// How the line of an attempt begins and ends around the attempt itself.
const AROUND_ATTEMPT: (&[u8], &[u8]) = (b"{\"attempt_finished\":", b"}");

/// Everything recorded of one case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CaseRecord {
    /// What became of it.
    pub outcome: CaseOutcome,
    /// Its attempts by repeat and try.
    pub attempts: Vec<Attempt>,
}

impl CaseRecord {
    /// The attempt that explains the verdict: the last one of the same verdict, or the last; `None` when skipped.
    pub fn deciding(&self) -> Option<&Attempt> {
        let judged = || self.attempts.iter().rev().filter(|attempt| !attempt.retried);
        let wanted = match self.outcome.verdict {
            // No attempt has that verdict: the broken ones show why the repeats did not decide.
            Verdict::Inconclusive => Verdict::Failed,
            Verdict::Passed | Verdict::Failed | Verdict::Errored | Verdict::Flaky | Verdict::Skipped => {
                self.outcome.verdict
            }
        };
        judged().find(|attempt| attempt.verdict == wanted).or_else(|| self.attempts.last())
    }
}

/// Where a record is stored.
#[derive(Debug)]
pub(super) struct StoredRecord {
    /// Where its journal is, or was.
    pub path: PathBuf,
    /// The journal, open: it can be read also when it was removed meanwhile.
    pub file: Arc<File>,
}

impl PartialEq for StoredRecord {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

/// The number of a case, as the writer of a line gave it and as the record counts.
#[derive(Clone, Copy)]
struct CaseNumbers {
    written: u32,
    counted: u32,
}

/// Reads records by their lines.
pub(super) struct RecordReader<'a> {
    path: &'a Path,
    lines: JournalLines<'a>,
}

impl<'a> RecordReader<'a> {
    /// A reader that has read nothing yet.
    pub fn new(stored: &'a StoredRecord) -> Self {
        Self { path: &stored.path, lines: JournalLines::of(&stored.file) }
    }

    /// The whole record of a case.
    pub fn read(&mut self, case: CaseLines<'_>) -> Result<CaseRecord, JournalError> {
        let outcome = self.outcome(case)?;
        let number = outcome.case;
        let numbered = |attempt| Attempt { case: number, ..attempt };
        let attempts = attempts_of(case).map(|offset| self.attempt(offset).map(numbered));
        let mut attempts = attempts.collect::<Result<Vec<_>, _>>()?;
        attempts.sort_by_key(order);
        Ok(CaseRecord { attempts, outcome })
    }

    /// Reads a case and adds its attempts to `text` as the members of a JSON list; what held is copied, and not read.
    pub fn read_with_text(
        &mut self,
        case: CaseLines<'_>,
        text: &mut Vec<u8>,
    ) -> Result<CaseRecord, JournalError> {
        let outcome = self.outcome(case)?;
        let explained = outcome.verdict != Verdict::Passed || outcome.warnings > 0;
        let mut attempts = Vec::with_capacity(case.lines.len() - 1);
        for offset in attempts_of(case) {
            let attempt = if explained { self.attempt(offset)? } else { self.held(offset)? };
            attempts.push((offset, attempt));
        }
        attempts.sort_by_key(|(_, attempt)| order(attempt));
        for (place, (offset, attempt)) in attempts.iter().enumerate() {
            if place > 0 {
                text.push(b',');
            }
            let case = CaseNumbers { written: attempt.case, counted: outcome.case };
            self.copy_attempt(*offset, case, text)?;
        }
        let numbered = |(_, attempt)| Attempt { case: outcome.case, ..attempt };
        let attempts = attempts.into_iter().map(numbered).collect();
        Ok(CaseRecord { outcome, attempts })
    }

    /// What became of a case, without its attempts.
    pub fn outcome(&mut self, case: CaseLines<'_>) -> Result<CaseOutcome, JournalError> {
        let offset = case.outcome.offset();
        match self.parse(offset)? {
            // The number in the line is that of the process that wrote it.
            Event::CaseFinished(outcome) => {
                Ok(CaseOutcome { case: case.outcome.case, ..Arc::unwrap_or_clone(outcome) })
            }
            Event::RunStarted(_)
            | Event::CasesPlanned(_)
            | Event::RunContinued(_)
            | Event::AttemptStarted(_)
            | Event::AttemptLeft(_)
            | Event::AttemptFinished(_)
            | Event::RunFinished(_) => Err(self.unreadable(offset, CHANGED)),
        }
    }

    fn attempt(&mut self, offset: u64) -> Result<Attempt, JournalError> {
        match self.parse(offset)? {
            Event::AttemptFinished(attempt) => Ok(Arc::unwrap_or_clone(attempt)),
            Event::RunStarted(_)
            | Event::CasesPlanned(_)
            | Event::RunContinued(_)
            | Event::AttemptStarted(_)
            | Event::AttemptLeft(_)
            | Event::CaseFinished(_)
            | Event::RunFinished(_) => Err(self.unreadable(offset, CHANGED)),
        }
    }

    fn held(&mut self, offset: u64) -> Result<Attempt, JournalError> {
        let HeldLine::AttemptFinished(attempt) = self.parse(offset)?;
        Ok(attempt.into())
    }

    /// Adds the attempt as its line has it, but for its number where the writer gave its case another.
    fn copy_attempt(
        &mut self,
        offset: u64,
        case: CaseNumbers,
        text: &mut Vec<u8>,
    ) -> Result<(), JournalError> {
        let is_numbered = case.written == case.counted;
        let line = self.line(offset)?;
        let (before, after) = AROUND_ATTEMPT;
        match line.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) {
            // What was skipped when it was parsed may be no text.
            Some(attempt) if is_numbered && std::str::from_utf8(attempt).is_ok() => {
                text.extend_from_slice(attempt);
            }
            Some(_) | None => {
                let attempt = Attempt { case: case.counted, ..self.attempt(offset)? };
                serde_json::to_writer(text, &attempt).expect("an attempt that was read is JSON");
            }
        }
        Ok(())
    }

    fn parse<T: DeserializeOwned>(&mut self, offset: u64) -> Result<T, JournalError> {
        let parsed = serde_json::from_slice(self.line(offset)?);
        parsed.map_err(|error| self.unreadable(offset, &error.to_string()))
    }

    fn line(&mut self, offset: u64) -> Result<&[u8], JournalError> {
        let io = |source| JournalError::Io { path: self.path.to_owned(), source };
        self.lines.at(offset).map_err(io)
    }

    fn unreadable(&self, offset: u64, reason: &str) -> JournalError {
        JournalError::Unreadable { path: self.path.to_owned(), offset, reason: reason.to_owned() }
    }
}

const CHANGED: &str = "the file changed while it was read";

/// Attempts are listed by repeat and try, whichever of them ended first.
fn order(attempt: &Attempt) -> (u32, u32) {
    (attempt.repeat, attempt.attempt)
}

/// Where the attempts of a case are, in the order they finished.
fn attempts_of(case: CaseLines<'_>) -> impl Iterator<Item = u64> {
    let is_attempt = |mark| match mark {
        LineMark::Attempt => true,
        LineMark::Outcome(_) | LineMark::Tolerated => false,
    };
    case.lines.iter().filter(move |entry| is_attempt(entry.mark())).map(|entry| entry.offset())
}
