//! The formats of reports, and why one could not be written.

use std::path::PathBuf;

use crate::record::journal::JournalError;

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportFormat {
    /// `junit.xml`, for build servers.
    Junit,
    /// `report.json`, versioned.
    Json,
    /// `report.html`, one page.
    Html,
    /// `summary.md`, for a comment of a pull request.
    Markdown,
    /// `report.tap`, the Test Anything Protocol.
    Tap,
    /// `report.csv`, one row per test.
    Csv,
    /// `diff/`: a `.diff` and a `.md` per test with a difference.
    Diff,
}

impl ReportFormat {
    /// The documents of `reports/latest` unless the project names others.
    pub const USUAL: [Self; 5] = [Self::Junit, Self::Json, Self::Html, Self::Markdown, Self::Diff];

    /// Its name in a folder of reports.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Junit => "junit.xml",
            Self::Json => "report.json",
            Self::Html => "report.html",
            Self::Markdown => "summary.md",
            Self::Tap => "report.tap",
            Self::Csv => "report.csv",
            Self::Diff => "diff",
        }
    }
}

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
    #[error("{path}: reports are written as .xml (JUnit), .json, .html, .md, .tap or .csv; {reason}")]
    Kind {
        /// The name given.
        path: PathBuf,
        /// Why the name has no format.
        reason: String,
    },
}
