//! Writes the journal: the one place where facts are masked, and where they reach the disk.
//!
//! Attempts wait in memory for the line of their case, so that a finished case costs one write; nothing is synced
//! (a power cut may lose what the system still holds, a killed process loses nothing that had finished). A journal is
//! locked while it is open here: no other process can write it. After the first failed write nothing more is written,
//! for a line may have been cut, and what came after it would be read as its end.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::files::{self, ChangeCondition};
use crate::base::redact::Redactor;
use crate::record::event::{Event, Sink, SinkError};
use crate::record::journal::depth::bounded;
use crate::record::journal::file::{FoldedFile, fold_file};
use crate::record::journal::latest::point_to;
use crate::record::journal::lines::read_some;
use crate::record::journal::live::{AppendedLine, EndedRun, LiveFold};
use crate::record::journal::mask::mask_line;
use crate::record::journal::read::RunRecord;
use crate::record::journal::split::mend_differences;
use crate::record::journal::{fence_of, path_of};

/// Attempts that wait for their case are written anyway beyond this many bytes.
const PENDING_MAX: usize = 256 * 1024;

/// The journal of the run that goes on.
#[derive(Debug)]
pub(crate) struct Journal {
    file: Arc<File>,
    path: PathBuf,
    redactor: Redactor,
    pending: Vec<u8>,
    /// Bytes that are in the file.
    written: u64,
    /// Why a write failed, if one did.
    broken: Option<AppendFailure>,
    live: LiveFold,
}

/// Why nothing can be written any more.
#[derive(Debug, Clone)]
struct AppendFailure {
    kind: io::ErrorKind,
    reason: String,
}

/// A journal that is open to be appended to, and what it holds.
pub(crate) struct ReopenedJournal {
    /// The journal.
    pub journal: Journal,
    /// What was recorded so far.
    pub record: RunRecord,
}

impl Journal {
    /// Makes `<reports>/runs/<run>/journal.jsonl`; a journal that is already there is left alone and refused.
    pub(crate) fn create(reports: &Path, run: &str, redactor: Redactor) -> Result<Self, SinkError> {
        let path = path_of(reports, run);
        let failed = |source| SinkError { what: format!("create {}", path.display()), source };
        let file = files::open_to_add(&path, &fence_of(&path), ChangeCondition::Missing).map_err(failed)?;
        lock(&file).map_err(failed)?;
        if !path.exists() {
            // Another process took it for one that a killed run left, before it was locked.
            return Err(failed(io::ErrorKind::WouldBlock.into()));
        }
        point_to(&path)?;
        Ok(Self::over(file, path, redactor))
    }

    /// Opens a journal to append to it, and gives what it holds.
    pub(crate) fn reopen(path: &Path) -> Result<ReopenedJournal, ReopenError> {
        let failed = |source| SinkError { what: format!("open {}", path.display()), source };
        let file = files::open_to_add(path, &fence_of(path), ChangeCondition::There).map_err(failed)?;
        lock(&file).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => ReopenError::InUse { path: path.to_owned() },
            _ => ReopenError::Write(failed(error)),
        })?;
        if !has_line(&file).map_err(failed)? {
            return Err(ReopenError::NotBegun { path: path.to_owned() });
        }
        let mut journal = Self::over(file, path.to_owned(), Redactor::new([]));
        let FoldedFile { fold, whole } = fold_file(&journal.file, path)?;
        let record = fold.clone().finish(path, journal.file.clone());
        journal.written = whole;
        journal.live = LiveFold::going_on(fold.without_torn());
        Ok(ReopenedJournal { journal, record })
    }

    /// Drops a torn last line, and makes this run the latest; nothing of a journal that was opened again changes before.
    pub(crate) fn go_on(&self) -> Result<(), SinkError> {
        let failed = |source| SinkError { what: format!("write {}", self.path.display()), source };
        self.file.set_len(self.written).map_err(failed)?;
        point_to(&self.path)
    }

    fn over(file: File, path: PathBuf, redactor: Redactor) -> Self {
        Self {
            file: Arc::new(file),
            path,
            redactor,
            pending: Vec::with_capacity(8 * 1024),
            written: 0,
            broken: None,
            live: LiveFold::default(),
        }
    }

    /// Masks these secrets from now on.
    pub(crate) fn masked_by(mut self, redactor: Redactor) -> Self {
        self.redactor = redactor;
        self
    }

    /// Leaves the record of the run there once it has ended, and before that the file that holds it.
    pub(crate) fn leaving(mut self, ended: EndedRun) -> Self {
        ended.watch(&self.path, &self.file);
        self.live.ended = ended;
        self
    }

    fn append(&mut self, event: &Event) -> io::Result<()> {
        if let Some(AppendFailure { kind, reason }) = &self.broken {
            return Err(io::Error::new(*kind, reason.clone()));
        }
        // The end of an attempt waits for that of its case, so that no kill comes between; what waits has a bound.
        if matches!(event, Event::AttemptFinished(_)) && self.pending.len() > PENDING_MAX {
            self.flush()?;
        }
        let start = self.pending.len();
        let event = mend_differences(bounded(event), &self.redactor);
        serde_json::to_writer(&mut self.pending, event.as_ref())?;
        let masking = mask_line(&mut self.pending, start, &self.redactor);
        self.pending.push(b'\n');
        let (text, offset) = (&self.pending[start..], self.written + start as u64);
        let line = AppendedLine { event: event.as_ref(), text, offset, masking };
        self.live.take(&line, &self.path);
        let written = match event.as_ref() {
            Event::AttemptFinished(_) => false,
            Event::RunStarted(_)
            | Event::CasesPlanned(_)
            | Event::RunContinued(_)
            | Event::AttemptStarted(_)
            | Event::AttemptLeft(_)
            | Event::CaseFinished(_)
            | Event::RunFinished(_) => true,
        };
        if written {
            self.flush()?;
        }
        if let Event::RunFinished(_) = event.as_ref() {
            self.live.finish(&self.path, self.file.clone(), self.written);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = (&*self.file).write_all(&self.pending).and_then(|()| still_there(&self.file));
        self.written += self.pending.len() as u64;
        self.pending.clear();
        self.pending.shrink_to(PENDING_MAX);
        written.inspect_err(|error| {
            self.broken = Some(AppendFailure { kind: error.kind(), reason: error.to_string() });
            self.live.give_up();
        })
    }
}

/// Why a journal cannot be continued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReopenError {
    /// Another process writes it.
    #[error("{path} is being written by another flowproof: wait until that run has ended")]
    InUse {
        /// The journal.
        path: PathBuf,
    },
    /// It has no whole line.
    #[error(
        "{path} holds nothing: that run was killed before it had begun, and nothing was sent; start a new run"
    )]
    NotBegun {
        /// The journal.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("{0}")]
    Write(#[from] SinkError),
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] crate::record::journal::JournalError),
}

/// Whether a first line was written whole; it is never longer than what is read here without being one.
fn has_line(file: &File) -> io::Result<bool> {
    let mut first = vec![0; 64 * 1024];
    let read = read_some(file, &mut first, 0)?;
    Ok(read == first.len() || first[..read].contains(&b'\n'))
}

/// Keeps other processes from writing; a file system without locks keeps nobody from it.
fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// A file that was removed takes every write, and keeps none.
#[cfg(unix)]
fn still_there(file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    match file.metadata()?.nlink() {
        0 => Err(io::Error::new(io::ErrorKind::NotFound, "the file was removed while the run went on")),
        _ => Ok(()),
    }
}

/// Here a file that is open cannot be removed.
#[cfg(not(unix))]
fn still_there(_file: &File) -> io::Result<()> {
    Ok(())
}

impl Sink for Journal {
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        self.append(event)
            .map_err(|source| SinkError { what: format!("write {}", self.path.display()), source })
    }
}

impl Drop for Journal {
    /// Attempts whose case never finished are facts too; nobody is left to report an error to.
    fn drop(&mut self) {
        if !self.pending.is_empty() && self.broken.is_none() {
            let _ = self.flush();
        }
    }
}
