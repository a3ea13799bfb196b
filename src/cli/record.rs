//! `flowproof record`: a run that records.

use std::ffi::OsString;

use clap::Args;

use crate::app::options::row::OptionRow;
use crate::app::options::table::row;
use crate::cli::option_flags::reader;
use crate::cli::run::RunArgs;

/// `flowproof record`.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// What is sent and recorded.
    #[arg(value_name = "MODE", conflicts_with = "record", value_parser = reader(mode()))]
    pub mode: OsString,
    /// Which tests run, and where.
    #[command(flatten)]
    pub run: RunArgs,
}

impl RecordArgs {
    /// The same as a run.
    pub fn into_run(self) -> Result<RunArgs, String> {
        let mut run = self.run;
        mode().field.fill(&mut run.flags.options, &self.mode)?;
        Ok(run)
    }
}

/// The option that the mode fills.
fn mode() -> &'static OptionRow {
    row("record").expect("the table has a row for --record")
}
