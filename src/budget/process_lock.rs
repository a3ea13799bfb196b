//! Who is alive: each process that shares a ledger holds the lock of a small file, which the system lets go when it ends.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::base::files::{self, ChangeCondition, Fence};
use crate::budget::ledger_error::LedgerError;

/// The sign of life of this process.
#[derive(Debug)]
pub struct ProcessLock {
    /// Its number: no other process has it.
    pub number: u64,
    path: PathBuf,
    /// Locked as long as the process lives.
    _file: File,
}

impl ProcessLock {
    /// Takes a number that nobody has, in the folder of the ledger's seats.
    pub fn take(folder: &Path) -> Result<Self, LedgerError> {
        let failed = |source| LedgerError::Io { path: folder.to_owned(), source };
        clear_away(folder);
        let mut random = fastrand::Rng::new();
        let mut last = None;
        for _ in 0..100 {
            let number = random.u64(1..);
            let path = path_of(folder, number);
            match files::open_to_add(&path, &Fence::anywhere(), ChangeCondition::Missing) {
                Ok(file) => {
                    file.lock().map_err(failed)?;
                    // Another process may have cleared it away before it was locked.
                    if path.exists() {
                        return Ok(Self { number, path, _file: file });
                    }
                }
                Err(source) => last = Some(source),
            }
        }
        Err(failed(last.unwrap_or_else(|| std::io::ErrorKind::AlreadyExists.into())))
    }

    /// Leaves in order: nothing of this process is open any more.
    pub fn leave(&self) {
        let _ = files::remove(&self.path, &Fence::anywhere());
    }
}

/// True when the process that had a seat has ended; its file is then cleared away.
pub fn is_free(folder: &Path, number: u64) -> bool {
    let path = path_of(folder, number);
    match files::open_to_add(&path, &Fence::anywhere(), ChangeCondition::There) {
        Ok(file) => match file.try_lock() {
            Ok(()) => {
                let _ = files::remove(&path, &Fence::anywhere());
                true
            }
            // What cannot be reported is taken for alive: its money stays set aside.
            Err(_) => false,
        },
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Removes the files of processes that ended without leaving; what they had set aside is settled by the ledger.
fn clear_away(folder: &Path) {
    for path in files::list(folder, &Fence::anywhere()) {
        let number = path.file_name().and_then(|name| name.to_str()).filter(|name| name.len() == 16);
        if let Some(number) = number.and_then(|name| u64::from_str_radix(name, 16).ok()) {
            is_free(folder, number);
        }
    }
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:016x}"))
}
