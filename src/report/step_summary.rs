//! The summary of a job on GitHub.

use std::io::{self, Write};
use std::path::Path;

use crate::base::files::{self, ChangeCondition, Fence};
use crate::record::journal::RunRecord;
use crate::report::error::ReportError;
use crate::report::markdown::render_markdown;

/// The most bytes that GitHub takes as the summary of a step.
const STEP_SUMMARY: u64 = 1 << 20;

/// Adds the summary to the file that GitHub shows as the summary of a job, after what earlier steps and runs wrote there.
///
/// GitHub takes 1 MiB a step and drops all of it when there is more; a run that finds no room is left out.
pub(crate) fn add_step_summary(record: &RunRecord, path: &Path) -> Result<(), ReportError> {
    append_summary(&render_markdown(record)?, path)
}

/// Adds a text to the summary of a job, as [`add_step_summary`] adds that of a run.
pub(crate) fn append_summary(summary: &str, path: &Path) -> Result<(), ReportError> {
    let failed = |source: io::Error| ReportError::Write { path: path.to_owned(), source };
    let mut file = files::open_to_add(path, &Fence::anywhere(), ChangeCondition::Any).map_err(failed)?;
    let taken = file.metadata().map_err(failed)?.len();
    if taken + summary.len() as u64 + 1 > STEP_SUMMARY {
        let full = io::Error::other("there is no room left in GitHub's 1 MiB for the summary of a step");
        return Err(failed(full));
    }
    file.write_all(format!("{summary}\n").as_bytes()).map_err(failed)
}
