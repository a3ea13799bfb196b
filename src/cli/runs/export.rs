//! `flowproof runs export`: a run as one file.

use std::path::PathBuf;

use clap::Args;

use crate::app::reports::fence_of_named;
use crate::app::runs::ReportsFolder;
use crate::app::settings::Settings;
use crate::base::files::{OutputTarget, parent_of};
use crate::base::plural::counted;
use crate::base::whole_file;
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::record::journal;

/// `flowproof runs export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The run: `latest`, the id of one, its folder, or an exported file.
    #[arg(value_name = "RUN")]
    pub run: String,
    /// The file to write [default: `<id>.jsonl` in the working folder].
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Writes the lines of the run's journal; the file is replaced only when all are there.
pub fn export(args: &ExportArgs, runs: &ReportsFolder, settings: &Settings) -> Result<Exit, String> {
    let from = runs.find(&args.run)?;
    let start = journal::read_start(&from).map_err(|error| error.to_string())?;
    let to = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.jsonl", start.run)));
    let failed = |error: &dyn std::fmt::Display| format!("{} cannot be written: {error}", to.display());
    let output = OutputTarget::begin(&to, &fence_of_named(settings, &to)).map_err(|error| failed(&error))?;
    let record = journal::read(&from).map_err(|error| error.to_string())?;
    let size = journal::export(&from, output.file()).map_err(|error| failed(&error))?;
    if let OutputTarget::Whole(_) = output {
        whole_file::remove_leftovers(parent_of(&to));
    }
    if let Some(document) = output.finish().map_err(|error| failed(&error))? {
        return Ok(say::document(document));
    }
    let shard =
        start.shard.map_or_else(String::new, |shard| format!("shard {}/{}, ", shard.index, shard.total));
    say::note(&format!(
        "wrote {}: run {}, {shard}{} of {} with a verdict, {}",
        to.display(),
        start.run,
        record.totals.cases(),
        counted(record.start.cases, "test"),
        crate::base::units::format_size(size)
    ));
    Ok(Exit::Success)
}
