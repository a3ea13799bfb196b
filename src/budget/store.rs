//! The ledger's file: entries are appended under the file's lock, and read on from where they were read last.
//!
//! Nothing is ever rewritten. A process that is killed leaves at most half an entry, of something it had not begun yet: the
//! next writer cuts it off.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::files::{self, ChangeCondition, Fence};
use crate::budget::ledger_error::LedgerError;
use crate::budget::record::{LENGTH, LedgerRecord};

/// The file, as far as it was read.
#[derive(Debug)]
pub struct Store {
    file: File,
    path: PathBuf,
    read: u64,
}

impl Store {
    /// Opens the file, and makes it where there is none.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let file = files::open_to_add(path, &Fence::anywhere(), ChangeCondition::Any)
            .map_err(|source| LedgerError::Io { path: path.to_owned(), source })?;
        Ok(Self { file, path: path.to_owned(), read: 0 })
    }

    /// Waits for the lock; it is free again when the process unlocks it, or ends in whatever way.
    pub fn lock(&self) -> Result<(), LedgerError> {
        self.file.lock().map_err(|source| self.failed(source))
    }

    /// Takes the lock for as long as the file is open; a process that was killed takes a moment to let it go.
    pub fn take_alone(&self) -> Result<(), LedgerError> {
        for _ in 0..50 {
            match self.file.try_lock() {
                Ok(()) => return Ok(()),
                Err(fs::TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
                Err(fs::TryLockError::Error(source)) => return Err(self.failed(source)),
            }
        }
        Err(LedgerError::InUse { path: self.path.clone() })
    }

    /// Lets others in.
    pub fn unlock(&self) -> Result<(), LedgerError> {
        self.file.unlock().map_err(|source| self.failed(source))
    }

    /// Reads the entries that were added since the last time; to be called under the lock.
    pub fn read_on(&mut self, mut take: impl FnMut(&LedgerRecord)) -> Result<(), LedgerError> {
        let length = self.file.metadata().map_err(|source| self.failed(source))?.len();
        if length < self.read {
            return Err(LedgerError::Damaged { path: self.path.clone(), entry: length / LENGTH as u64 });
        }
        if length == self.read {
            return Ok(());
        }
        let mut bytes = Vec::new();
        let read = self
            .file
            .seek(SeekFrom::Start(self.read))
            .and_then(|_| (&self.file).take(length - self.read).read_to_end(&mut bytes));
        read.map_err(|source| self.failed(source))?;
        let mut entries = bytes.chunks_exact(LENGTH);
        for entry in &mut entries {
            let whole: &[u8; LENGTH] = entry.try_into().expect("chunks are as long as an entry");
            let record = LedgerRecord::decode(whole).ok_or_else(|| LedgerError::Damaged {
                path: self.path.clone(),
                entry: self.read / LENGTH as u64,
            })?;
            take(&record);
            self.read += LENGTH as u64;
        }
        if !entries.remainder().is_empty() {
            self.file.set_len(self.read).map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    /// Adds entries; to be called under the lock, when all before them were read.
    pub fn append(&mut self, records: &[LedgerRecord]) -> Result<(), LedgerError> {
        let bytes: Vec<u8> = records.iter().flat_map(LedgerRecord::encode).collect();
        let written = self.file.seek(SeekFrom::Start(self.read)).and_then(|_| self.file.write_all(&bytes));
        if let Err(source) = written {
            // What was written in part counts for nothing; where it cannot be cut off now, the next writer does it.
            let _ = self.file.set_len(self.read);
            return Err(self.failed(source));
        }
        self.read += bytes.len() as u64;
        Ok(())
    }

    fn failed(&self, source: io::Error) -> LedgerError {
        LedgerError::Io { path: self.path.clone(), source }
    }
}
