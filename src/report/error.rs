//! Why reports could not be written.

use std::path::PathBuf;

use crate::base::panics::CaughtPanic;
use crate::record::journal::JournalError;

/// Why reports were not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// The folder holds a file that flowproof did not write.
    #[error(
        "{} holds `{name}`, which is no report of flowproof, and the folder is replaced as a whole: move it away, or choose another folder with --reports",
        folder.display()
    )]
    Foreign {
        /// `latest`.
        folder: PathBuf,
        /// The foreign file.
        name: String,
    },
    /// A file cannot be written.
    #[error("write {path}: {source}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// Only `junit.xml`, which build servers read, could be written.
    #[error(
        "{why}; of the reports {folder} holds junit.xml alone: `flowproof report` writes the others once there is room"
    )]
    OnlyJunit {
        /// Why the others could not be written.
        why: Box<ReportError>,
        /// The folder of the newest run.
        folder: PathBuf,
    },
    /// The run cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The ending of the name belongs to no report format.
    #[error("{path}: reports are written as {endings}; {reason}")]
    Kind {
        /// The name given.
        path: PathBuf,
        /// The endings that there are.
        endings: String,
        /// Why the name has no format.
        reason: String,
    },
    /// A document cannot be made of this run; the others were written.
    #[error("write {path}: {panic}; the other reports of this run are written")]
    Panicked {
        /// The document.
        path: PathBuf,
        /// What its code said.
        panic: CaughtPanic,
    },
}
