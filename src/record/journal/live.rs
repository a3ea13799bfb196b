//! The fold of the run that goes on: each line is folded as it is appended, so that a run that has ended is not read again.
//!
//! The file stays the truth. What is folded from an event must be what its line says; where that is not plain, the line
//! itself is folded, and where the file is not as it was written, it is read.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use crate::base::lock::lock;
use crate::record::event::Event;
use crate::record::journal::JournalError;
use crate::record::journal::file::{read_open, start_of};
use crate::record::journal::fold::JournalFold;
use crate::record::journal::mask::MaskResult;
use crate::record::journal::read::RunRecord;

/// Where the writer of a journal leaves the record of a run that has ended, for those who report it.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndedRun {
    left: Arc<Mutex<Option<SavedRecord>>>,
    /// The journal, open, from the moment it is written.
    file: Arc<OnceLock<(PathBuf, Arc<File>)>>,
}

/// A record, and how long its journal was.
#[derive(Debug)]
struct SavedRecord {
    record: RunRecord,
    length: u64,
}

impl EndedRun {
    /// Takes the record; `None` when the run has not ended, was recorded in part, or its file has another length.
    pub fn take(&self) -> Option<RunRecord> {
        let left = lock(&self.left).take()?;
        let length = fs::metadata(left.record.path()).ok()?.len();
        (length == left.length).then_some(left.record)
    }

    /// What the journal holds, read from the file that was written, wherever that is now; `None` when none was opened.
    pub fn read(&self) -> Option<Result<RunRecord, JournalError>> {
        self.file.get().map(|(path, file)| read_open(file.clone(), path))
    }

    /// Knows the journal that is written.
    pub(super) fn watch(&self, path: &Path, file: &Arc<File>) {
        self.file.get_or_init(|| (path.to_owned(), file.clone()));
    }

    fn leave(&self, left: Option<SavedRecord>) {
        *lock(&self.left) = left;
    }
}

/// A line as it was appended.
pub(super) struct AppendedLine<'a> {
    /// The event, as it was recorded.
    pub event: &'a Event,
    /// The line, its end included.
    pub text: &'a [u8],
    /// Where it begins in the file.
    pub offset: u64,
    /// Whether something in it was masked.
    pub masking: MaskResult,
}

/// The fold, as long as it can be kept up.
#[derive(Debug, Default)]
pub(super) struct LiveFold {
    fold: Option<JournalFold>,
    /// Where its record is left.
    pub ended: EndedRun,
}

impl LiveFold {
    /// The fold of a journal that is continued.
    pub fn going_on(fold: JournalFold) -> Self {
        Self { fold: Some(fold), ended: EndedRun::default() }
    }

    /// Takes a line that was appended.
    pub fn take(&mut self, line: &AppendedLine<'_>, path: &Path) {
        match &mut self.fold {
            Some(fold) => {
                let is_plain = line.masking == MaskResult::Nothing && fold.event(line.event, line.offset);
                if !is_plain {
                    fold.line(line.text, line.offset);
                }
            }
            None if line.offset == 0 => self.fold = start_of(path, line.text).ok().map(JournalFold::new),
            None => self.ended.leave(None),
        }
    }

    /// Forgets the fold: what was appended is not surely in the file.
    pub fn give_up(&mut self) {
        self.fold = None;
        self.ended.leave(None);
    }

    /// Leaves the record of a run that has ended.
    pub fn finish(&mut self, path: &Path, file: Arc<File>, length: u64) {
        if let Some(fold) = self.fold.take() {
            self.ended.leave(Some(SavedRecord { record: fold.finish(path, file), length }));
        }
    }
}
