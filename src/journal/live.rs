//! The fold of the run that goes on: each line is folded as it is appended, so that a run that has ended is not read again.
//!
//! The file stays the truth. What is folded from an event must be what its line says; where that is not plain, the line
//! itself is folded, and where the file is not as it was written, it is read.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::Event;
use crate::journal::fold::{Fold, start_of};
use crate::journal::mask::Masking;
use crate::journal::read::RunRecord;

/// Where the writer of a journal leaves the record of a run that has ended, for those who report it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ended(Arc<Mutex<Option<Left>>>);

/// A record, and how long its journal was.
#[derive(Debug)]
struct Left {
    record: RunRecord,
    length: u64,
}

impl Ended {
    /// Takes the record; none when the run has not ended, was recorded in part, or its file has another length.
    pub fn take(&self) -> Option<RunRecord> {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let length = fs::metadata(left.record.path()).ok()?.len();
        (length == left.length).then_some(left.record)
    }

    fn leave(&self, left: Option<Left>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }
}

/// A line as it was appended.
pub(super) struct Appended<'a> {
    /// The event, as it was recorded.
    pub event: &'a Event,
    /// The line, its end included.
    pub text: &'a [u8],
    /// Where it begins in the file.
    pub offset: u64,
    /// Whether something in it was masked.
    pub masking: Masking,
}

/// The fold, as long as it can be kept up.
#[derive(Debug, Default)]
pub(super) struct Live {
    fold: Option<Fold>,
    /// Where its record is left.
    pub ended: Ended,
}

impl Live {
    /// Takes a line that was appended.
    pub fn take(&mut self, line: &Appended<'_>, path: &Path) {
        match &mut self.fold {
            Some(fold) => {
                let is_plain = line.masking == Masking::Nothing && fold.event(line.event, line.offset);
                if !is_plain {
                    fold.line(line.text, line.offset);
                }
            }
            None if line.offset == 0 => self.fold = start_of(path, line.text).ok().map(Fold::new),
            None => self.ended.leave(None),
        }
    }

    /// Forgets the fold: what was appended is not surely in the file.
    pub fn give_up(&mut self) {
        self.fold = None;
        self.ended.leave(None);
    }

    /// Leaves the record of a run that has ended.
    pub fn finish(&mut self, path: &Path, length: u64) {
        if let Some(fold) = self.fold.take() {
            self.ended.leave(Some(Left { record: fold.finish(path), length }));
        }
    }
}
