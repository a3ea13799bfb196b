//! `flowproof runs export`: a run as one file.

use std::path::PathBuf;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::say;
use crate::journal;
use crate::session::runs::Runs;

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
pub fn export(args: &ExportArgs, runs: &Runs) -> Result<Exit, String> {
    let from = runs.find(&args.run)?;
    let start = journal::read_start(&from).map_err(|error| error.to_string())?;
    let to = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.jsonl", start.run)));
    let size = journal::export(&from, &to).map_err(|error| error.to_string())?;
    let record = journal::read(&to).map_err(|error| error.to_string())?;
    let shard =
        start.shard.map_or_else(String::new, |shard| format!("shard {}/{}, ", shard.index, shard.total));
    say::note(&format!(
        "wrote {}: run {}, {shard}{} of {} tests with a verdict, {}",
        to.display(),
        start.run,
        record.totals.cases(),
        record.start.cases,
        crate::base::units::format_size(size)
    ));
    Ok(Exit::Success)
}
