//! The files of snapshots: read, locked, and replaced only when the new one is whole.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::base::files::{self, ChangeCondition, Fence, FolderHandle, plain};

use super::document::{DocumentError, SnapshotDocument, parse, render};
use super::spot::{FileNameUniqueness, SnapshotPlace};
use crate::base::whole_file;

/// Where a folder itself cannot be locked, this file in it is.
const LOCK: &str = ".lock";
/// The largest file that is read.
const LARGEST: u64 = 256 << 20;

/// Why a file of snapshots cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be read or written.
    #[error("{}: {}", path.display(), plain(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds something else.
    #[error("{}: its {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: DocumentError,
    },
    /// It says that it is of another test.
    #[error("{}: holds the snapshots of `{test}`, not of `{wanted}`", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The test it names.
        test: String,
        /// The test whose file it should be.
        wanted: String,
    },
}

/// A test's own file.
#[derive(Debug)]
pub struct SnapshotFile {
    /// The file, there or not.
    pub path: PathBuf,
    /// What it holds; `None` where there is no file.
    pub document: Option<SnapshotDocument>,
}

/// Finds the file of a test, and reads it.
///
/// If upper and lower case are one, the plain name may open another test's file: the name in it shows that.
pub fn home_of(spot: &SnapshotPlace) -> Result<SnapshotFile, StoreError> {
    let [plain, hashed] = spot.paths();
    let first = match spot.alone {
        FileNameUniqueness::Yes => [&plain, &hashed],
        FileNameUniqueness::No => [&hashed, &plain],
    };
    let mut is_taken = false;
    for path in first {
        let Some(document) = read(path, &spot.fence)? else { continue };
        if *document.test == *spot.name {
            return Ok(SnapshotFile { path: path.clone(), document: Some(document) });
        }
        if document.test.to_lowercase() != spot.name.to_lowercase() {
            let (test, wanted) = (document.test, spot.name.to_string());
            return Err(StoreError::Foreign { path: path.clone(), test, wanted });
        }
        is_taken |= *path == plain;
    }
    Ok(SnapshotFile { path: if is_taken { hashed } else { spot.first_path() }, document: None })
}

/// What a file holds; `None` where there is no file.
pub fn read(path: &Path, fence: &Fence) -> Result<Option<SnapshotDocument>, StoreError> {
    match files::read(path, fence, LARGEST) {
        Ok(bytes) => match parse(&bytes) {
            Ok(document) => Ok(Some(document)),
            Err(source) => Err(StoreError::Content { path: path.to_owned(), source }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::Io { path: path.to_owned(), source }),
    }
}

/// Holds a folder's files against every other process, until it is dropped.
#[derive(Debug)]
pub struct SnapshotLock {
    /// The lock lives as long as its file is open.
    _lock: File,
    fence: Fence,
}

/// Waits until nobody else changes the files of a folder; makes the folder.
pub fn hold(folder: &Path, fence: &Fence) -> Result<SnapshotLock, StoreError> {
    let failed = |source| StoreError::Io { path: folder.to_owned(), source };
    let opened = FolderHandle::make(folder, fence).map_err(failed)?;
    let locked = |file: File| file.lock().map(|()| SnapshotLock { _lock: file, fence: fence.clone() });
    // Some systems lock no folders.
    let of_file = |_| files::open_to_add(&folder.join(LOCK), fence, ChangeCondition::Any).and_then(locked);
    opened.into_file().and_then(locked).or_else(of_file).map_err(failed)
}

/// Writes a file of snapshots; without entries there is no file.
///
/// The folder is to be held meanwhile.
pub fn write(path: &Path, document: &SnapshotDocument, held: &SnapshotLock) -> Result<(), StoreError> {
    let failed = |source| StoreError::Io { path: path.to_owned(), source };
    if document.entries.is_empty() {
        return files::remove(path, &held.fence).map_err(failed);
    }
    whole_file::replace(path, &held.fence, &render(document)).map(|_| ()).map_err(failed)
}

/// Changes what waits for approval in a file: each key gets a value, or with none waits no more.
///
/// What cannot be read there was never approved, and makes room.
pub fn update_pending(
    path: &Path,
    fence: &Fence,
    test: &str,
    changes: &[(&str, Option<&Value>)],
) -> Result<(), StoreError> {
    let is_nothing_new = changes.iter().all(|(_, value)| value.is_none());
    if is_nothing_new && !files::exists(path) {
        return Ok(());
    }
    let held = hold(path.parent().unwrap_or(Path::new(".")), fence)?;
    let before = read(path, fence).ok().flatten().filter(|document| document.test == test);
    let mut document = before.unwrap_or_default();
    document.test = test.to_owned();
    for (key, value) in changes {
        match value {
            Some(value) => drop(document.entries.insert((*key).to_owned(), (*value).clone())),
            None => drop(document.entries.remove(*key)),
        }
    }
    write(path, &document, &held)
}
