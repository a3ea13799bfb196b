//! `flowproof runs`: the runs that were recorded, one of them, fewer of them, or one as a file to carry elsewhere.

mod export;
mod list;
mod prune;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::app::runs::ReportsFolder;
use crate::app::settings::Settings;
use crate::base::charset::Charset;
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::cli::runs::export::ExportArgs;
use crate::cli::runs::list::RunsListArgs;
use crate::cli::runs::prune::RunsPruneArgs;
use crate::cli::say;
use crate::record::thresholds;
use crate::report::terminal::{self, OutputFailure, SummaryContext, SummaryStyle, Verbosity};

/// `flowproof runs`.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: RunsCommand,
    /// Folder of the reports [default: the project's, else `reports`].
    #[arg(long, global = true, value_name = "DIR")]
    pub reports: Option<PathBuf>,
}

/// What to do with runs.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List the runs: id, time, target, totals, verdict; the newest last.
    #[command(after_help = "Example:\n  flowproof runs list --format json")]
    List(RunsListArgs),
    /// Show one run as its end was shown.
    #[command(after_help = "Example:\n  flowproof runs show latest")]
    Show(ShowArgs),
    /// Remove old runs; a run that is being written stays.
    #[command(
        after_help = "Examples:\n  flowproof runs prune --keep 20\n  flowproof runs prune --older-than 30d --dry-run"
    )]
    Prune(RunsPruneArgs),
    /// Write a run as one file that `merge` and `report` read on any machine.
    #[command(after_help = "Example:\n  flowproof runs export latest -o shard-1.jsonl")]
    Export(ExportArgs),
}

/// `flowproof runs show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The run: `latest`, the id of one, its folder, or an exported file.
    #[arg(value_name = "RUN")]
    pub run: String,
}

/// Does what is asked for with the runs of the project.
pub fn runs(args: &RunsArgs, settings: &Settings) -> Exit {
    let runs = match ReportsFolder::of(settings, args.reports.as_deref()) {
        Ok(runs) => runs,
        Err(message) => return say::failure(&message, Exit::Usage),
    };
    let done = match &args.action {
        RunsCommand::List(args) => list::list(args, &runs),
        RunsCommand::Show(args) => show(args, &runs, settings.letters),
        RunsCommand::Prune(args) => prune::prune(args, &runs),
        RunsCommand::Export(args) => export::export(args, &runs, settings),
    };
    done.unwrap_or_else(|message| say::failure(&message, Exit::Usage))
}

fn show(args: &ShowArgs, runs: &ReportsFolder, letters: Charset) -> Result<Exit, String> {
    let record = report::read(&args.run, runs)?;
    let start = &record.start;
    let shard = start.shard.map(|shard| format!(" · shard {}/{}", shard.index, shard.total));
    say::note(&format!(
        "run {} · started {} · target {} · profile {} · seed {}{}\n{}",
        start.run,
        start.started,
        start.target,
        start.profile,
        start.seed,
        shard.unwrap_or_default(),
        record.path().display()
    ));
    let reports = record.path().parent().unwrap_or(record.path()).to_path_buf();
    let gates = thresholds::judge(&record).map_err(|error| error.to_string())?;
    let ending = SummaryContext { code: 0, reason: String::new(), gates, reports };
    terminal::summary(
        &record,
        SummaryStyle { detail: Verbosity::Normal, letters },
        &ending,
        &OutputFailure::default(),
    )
    .map_err(|error| error.to_string())?;
    Ok(Exit::Success)
}
