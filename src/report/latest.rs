//! The folder `latest`: whether reports may take its place.

use std::path::Path;

use crate::base::files::{self, FolderMark};
use crate::report::format::{ReportError, ReportFormat};

/// Checks that reports may replace what is at `latest`: a folder of earlier reports, or nothing.
pub(crate) fn check_latest(latest: &Path) -> Result<(), ReportError> {
    match files::marked_as(latest, begins_with) {
        Ok(FolderMark::Free | FolderMark::Ours) => Ok(()),
        Ok(FolderMark::Foreign(name)) => Err(ReportError::Foreign { folder: latest.to_owned(), name }),
        Err(source) => Err(ReportError::Write { path: latest.to_owned(), source }),
    }
}

/// How the documents of earlier versions begin, by name.
pub(super) fn begins_with(name: &str) -> Option<&'static str> {
    let formats = [
        ReportFormat::Junit,
        ReportFormat::Json,
        ReportFormat::Html,
        ReportFormat::Markdown,
        ReportFormat::Tap,
    ];
    match name {
        "report.csv" => Some("name,suite,file,line,tags,verdict"),
        "diff" => Some(""),
        name => formats.iter().any(|format| format.file_name() == name).then_some("flowproof"),
    }
}
