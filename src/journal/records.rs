//! Reads the records of cases from their lines, one case at a time; none is kept.

use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::event::Event;
use crate::journal::JournalError;
use crate::journal::held::HeldLine;
use crate::journal::index::{CaseLines, Mark};
use crate::journal::lines::Lines;
use crate::journal::read::CaseRecord;
use crate::outcome::{Attempt, CaseOutcome};
use crate::verdict::Verdict;

/// How the line of an attempt begins and ends around the attempt itself.
const AROUND_ATTEMPT: (&[u8], &[u8]) = (b"{\"attempt_finished\":", b"}");

/// Reads records by their lines, opening the file at the first.
pub(super) struct RecordReader<'a> {
    path: &'a Path,
    lines: Option<Lines>,
}

impl<'a> RecordReader<'a> {
    /// A reader that has opened nothing yet.
    pub fn new(path: &'a Path) -> Self {
        Self { path, lines: None }
    }

    /// The whole record of a case.
    pub fn read(&mut self, case: CaseLines<'_>) -> Result<CaseRecord, JournalError> {
        let outcome = self.outcome(case)?;
        let attempts = attempts_of(case).map(|offset| self.attempt(offset)).collect::<Result<_, _>>()?;
        Ok(CaseRecord { outcome, attempts })
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
            if !attempts.is_empty() {
                text.push(b',');
            }
            attempts.push(if explained { self.attempt(offset)? } else { self.held(offset)? });
            self.copy_attempt(offset, text)?;
        }
        Ok(CaseRecord { outcome, attempts })
    }

    fn outcome(&mut self, case: CaseLines<'_>) -> Result<CaseOutcome, JournalError> {
        let offset = case.outcome.offset();
        match self.parse(offset)? {
            Event::CaseFinished(outcome) => Ok(Arc::unwrap_or_clone(outcome)),
            Event::RunStarted(_) | Event::AttemptFinished(_) | Event::RunFinished(_) => {
                Err(self.unreadable(offset, CHANGED))
            }
        }
    }

    fn attempt(&mut self, offset: u64) -> Result<Attempt, JournalError> {
        match self.parse(offset)? {
            Event::AttemptFinished(attempt) => Ok(Arc::unwrap_or_clone(attempt)),
            Event::RunStarted(_) | Event::CaseFinished(_) | Event::RunFinished(_) => {
                Err(self.unreadable(offset, CHANGED))
            }
        }
    }

    fn held(&mut self, offset: u64) -> Result<Attempt, JournalError> {
        let HeldLine::AttemptFinished(attempt) = self.parse(offset)?;
        Ok(attempt.into())
    }

    /// Adds the attempt as its line has it.
    fn copy_attempt(&mut self, offset: u64, text: &mut Vec<u8>) -> Result<(), JournalError> {
        let line = self.line(offset)?;
        let (before, after) = AROUND_ATTEMPT;
        match line.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) {
            // What was skipped when it was parsed may be no text.
            Some(attempt) if std::str::from_utf8(attempt).is_ok() => text.extend_from_slice(attempt),
            Some(_) | None => {
                let attempt = self.attempt(offset)?;
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
        let lines = match &mut self.lines {
            Some(lines) => lines,
            none => none.insert(Lines::open(self.path).map_err(io)?),
        };
        lines.at(offset).map_err(io)
    }

    fn unreadable(&self, offset: u64, reason: &str) -> JournalError {
        JournalError::Unreadable { path: self.path.to_owned(), offset, reason: reason.to_owned() }
    }
}

const CHANGED: &str = "the file changed while it was read";

/// Where the attempts of a case stand, in the order they finished.
fn attempts_of(case: CaseLines<'_>) -> impl Iterator<Item = u64> {
    let is_attempt = |mark| match mark {
        Mark::Attempt => true,
        Mark::Outcome(_) | Mark::Tolerated => false,
    };
    case.lines.iter().filter(move |entry| is_attempt(entry.mark())).map(|entry| entry.offset())
}
