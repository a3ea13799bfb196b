//! The folder `latest`: whether reports may take its place.

use std::path::Path;

use crate::base::files::{self, FolderMark};
use crate::report::error::ReportError;
use crate::report::formats::signature_of;

/// Checks that reports may replace what is at `latest`: a folder of earlier reports, or nothing.
pub(crate) fn check_latest(latest: &Path) -> Result<(), ReportError> {
    match files::marked_as(latest, signature_of) {
        Ok(FolderMark::Free | FolderMark::Ours) => Ok(()),
        Ok(FolderMark::Foreign(name)) => Err(ReportError::Foreign { folder: latest.to_owned(), name }),
        Err(source) => Err(ReportError::Write { path: latest.to_owned(), source }),
    }
}
