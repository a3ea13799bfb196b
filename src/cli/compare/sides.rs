//! The two sides of a comparison: finished runs, read.

use crate::cli::compare::CompareArgs;
use crate::cli::exit::Exit;
use crate::cli::{report, say};
use crate::journal::RunRecord;
use crate::session::runs::Runs;
use crate::settings::Settings;
use crate::suite::project::ProjectSpec;

/// The records of both sides.
pub(super) fn read(
    args: &CompareArgs,
    _settings: &Settings,
    _project: Option<&ProjectSpec>,
    runs: &Runs,
) -> Result<(RunRecord, RunRecord), Exit> {
    let read = |name: &str| report::read(name, runs).map_err(|message| say::failure(&message, Exit::Usage));
    Ok((read(&args.a)?, read(&args.b)?))
}
