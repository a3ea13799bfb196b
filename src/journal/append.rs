//! Writes the journal: the one place where facts are masked, and where they reach the disk.
//!
//! Attempts wait in memory for the line of their case, so that a finished case costs one write; nothing is synced
//! (a power cut may lose what the system still holds, a killed process loses nothing that had finished).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::base::redact::Redactor;
use crate::event::{Event, Sink, SinkError};
use crate::journal::depth::bounded;
use crate::journal::live::{Appended, Ended, Live};
use crate::journal::mask::mask_line;
use crate::journal::path_of;
use crate::journal::split::mend_differences;

/// Attempts that wait for their case are written anyway beyond this many bytes.
const PENDING_MAX: usize = 256 * 1024;

/// The journal of the run that goes on.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
    redactor: Redactor,
    pending: Vec<u8>,
    /// Bytes that are in the file.
    written: u64,
    live: Live,
}

impl Journal {
    /// Makes `<reports>/runs/<run>/journal.jsonl`; a journal that is already there is left alone and refused.
    pub(crate) fn create(reports: &Path, run: &str, redactor: Redactor) -> Result<Self, SinkError> {
        let path = path_of(reports, run);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        let made = made.and_then(|()| OpenOptions::new().write(true).create_new(true).open(&path));
        match made {
            Ok(file) => Ok(Self {
                file,
                path,
                redactor,
                pending: Vec::with_capacity(8 * 1024),
                written: 0,
                live: Live::default(),
            }),
            Err(source) => Err(SinkError { what: format!("create {}", path.display()), source }),
        }
    }

    /// Leaves the record of the run there once it has ended.
    pub(crate) fn leaving(mut self, ended: Ended) -> Self {
        self.live.ended = ended;
        self
    }

    fn append(&mut self, event: &Event) -> io::Result<()> {
        let start = self.pending.len();
        let event = mend_differences(bounded(event), &self.redactor);
        serde_json::to_writer(&mut self.pending, event.as_ref())?;
        let masking = mask_line(&mut self.pending, start, &self.redactor);
        self.pending.push(b'\n');
        let (text, offset) = (&self.pending[start..], self.written + start as u64);
        self.live.take(&Appended { event: event.as_ref(), text, offset, masking }, &self.path);
        let written = match event.as_ref() {
            Event::AttemptFinished(_) => self.pending.len() > PENDING_MAX,
            Event::RunStarted(_)
            | Event::CasesPlanned(_)
            | Event::RunContinued(_)
            | Event::CaseFinished(_)
            | Event::RunFinished(_) => true,
        };
        if written {
            self.flush().inspect_err(|_| self.live.give_up())?;
        }
        if let Event::RunFinished(_) = event.as_ref() {
            self.live.finish(&self.path, self.written);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = self.file.write_all(&self.pending);
        self.written += self.pending.len() as u64;
        self.pending.clear();
        self.pending.shrink_to(PENDING_MAX);
        written
    }
}

impl Sink for Journal {
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        self.append(event)
            .map_err(|source| SinkError { what: format!("write {}", self.path.display()), source })
    }
}

impl Drop for Journal {
    /// Attempts whose case never finished are facts too; there is nobody left to tell of an error.
    fn drop(&mut self) {
        if !self.pending.is_empty() {
            let _ = self.flush();
        }
    }
}
