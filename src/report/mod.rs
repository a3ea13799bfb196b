//! Documents made from a folded run, and the live terminal; every document is a pure function of the record.

mod budget;
pub(crate) mod compare;
mod csv;
mod diff;
mod explain;
mod facts;
pub(crate) mod gates;
pub(crate) mod github;
mod headline;
mod html;
pub(crate) mod json;
mod json_counts;
mod judges;
mod junit;
mod junit_gates;
mod latest;
mod markdown;
mod named;
mod pieces;
mod provenance;
mod repeats;
mod run_facts;
mod short_path;
pub(crate) mod snapshot;
mod source_line;
mod spent;
mod standing;
mod step_summary;
mod tap;
pub(crate) mod terminal;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod write;
mod xml;

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
    /// `report.csv`, a row a test.
    Csv,
    /// `diff/`: a `.diff` and a `.md` per test with a difference.
    Diff,
}

impl ReportFormat {
    /// What `reports/latest` holds where the project does not say otherwise.
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
    /// The folder holds what somebody else put there.
    #[error(
        "{} holds `{name}`, which is no report of flowproof, and the folder is replaced as a whole: move it away, or choose another folder with --reports",
        folder.display()
    )]
    Foreign {
        /// `latest`.
        folder: PathBuf,
        /// What is in it.
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
    /// Not all documents can be written, and the one that build servers read was.
    #[error(
        "{why}; of the reports {folder} holds junit.xml alone: `flowproof report` writes the others once there is room"
    )]
    OnlyJunit {
        /// Why the others cannot.
        why: Box<ReportError>,
        /// The folder of the newest run.
        folder: PathBuf,
    },
    /// The run cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The name's ending is no kind of report that there is.
    #[error("{path}: reports are written as .xml (JUnit), .json, .html, .md, .tap or .csv; {reason}")]
    Kind {
        /// The name given.
        path: PathBuf,
        /// Why this one is not.
        reason: String,
    },
}

pub(crate) use judges::prices;
pub(crate) use latest::check_latest;
pub(crate) use spent::told_use;
pub(crate) use step_summary::{add_step_summary, append_summary};
pub(crate) use write::{kind_of, write_all, write_file};
