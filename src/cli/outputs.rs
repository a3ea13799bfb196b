//! The files that `-o` names: looked at before anything is done, written when everything is.

use std::path::{Path, PathBuf};

use crate::app::reports::fence_of_named;
use crate::app::settings::Settings;
use crate::base::files::{OutputTarget, is_standard_output};
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::record::journal::RunRecord;
use crate::report::{self, ReportError};

/// Where a document went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputDestination {
    /// Into the file, pipe or device that was named.
    File,
    /// To the standard output, and whether that could be written.
    Standard(Exit),
}

/// Says why documents cannot be written under these names.
pub fn check(paths: &[PathBuf], settings: &Settings) -> Result<(), String> {
    for path in paths {
        report::kind_of(path).map_err(|error| error.to_string())?;
        check_place(path, settings)?;
    }
    match paths.iter().filter(|path| is_standard_output(path)).count() {
        0 | 1 => Ok(()),
        _ => Err("-o names the standard output twice".to_owned()),
    }
}

/// True where a document goes to the standard output, which nothing else may then be written to.
pub fn takes_standard_output(paths: &[PathBuf]) -> bool {
    paths.iter().any(|path| is_standard_output(path))
}

/// Says why nothing can be written under this name.
pub fn check_place(path: &Path, settings: &Settings) -> Result<(), String> {
    OutputTarget::check(path, &fence_of_named(settings, path))
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// Writes one document of a run.
pub fn write(record: &RunRecord, path: &Path, settings: &Settings) -> Result<OutputDestination, String> {
    let written = report::write_file(record, path, &fence_of_named(settings, path));
    match written.map_err(|error: ReportError| error.to_string())? {
        Some(document) => Ok(OutputDestination::Standard(say::document(document))),
        None => Ok(OutputDestination::File),
    }
}
