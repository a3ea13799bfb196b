//! `flowproof report`: any document of a run that was recorded, and its verdict again.

use std::path::PathBuf;

use clap::Args;

use crate::app::runs::ReportsFolder;
use crate::app::settings::Settings;
use crate::cli::exit::{self, Exit, JudgedExit, NoTestsChoice};
use crate::cli::outputs::{self, OutputDestination};
use crate::cli::say;
use crate::record::journal::{self, RunRecord};
use crate::report;
use crate::report::terminal::{self, OutputFailure, SummaryContext, SummaryStyle, Verbosity};

/// `flowproof report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run: `latest`, the id of one, its folder, or an exported file.
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Write the report to this file; the kind comes from its ending (.xml, .json, .html, .md, .tap, .csv); repeatable.
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: Vec<PathBuf>,
    /// End with the exit code that `run` would end with.
    #[arg(long)]
    pub gate: bool,
    /// With `--gate`: what to do when no test was run [default: what `run` was asked].
    #[arg(long, value_name = "WHAT")]
    pub no_tests: Option<NoTestsChoice>,
    /// Folder of the reports, where runs are looked for [default: the project's, else `reports`].
    #[arg(long, value_name = "DIR")]
    pub reports: Option<PathBuf>,
}

/// Writes the documents asked for; without any, shows the run as its end was shown.
pub fn report(args: &ReportArgs, settings: &Settings) -> Exit {
    if let Err(message) = outputs::check(&args.output, settings) {
        return say::failure(&message, Exit::Usage);
    }
    let runs = ReportsFolder::of(settings, args.reports.as_deref());
    let record = match runs.and_then(|runs| read(&args.run, &runs)) {
        Ok(record) => record,
        Err(message) => return say::failure(&message, Exit::Usage),
    };
    for path in &args.output {
        match outputs::write(&record, path, settings) {
            Ok(OutputDestination::File) => say::note(&format!("wrote {}", path.display())),
            Ok(OutputDestination::Standard(Exit::Success)) => {}
            Ok(OutputDestination::Standard(exit)) => return exit,
            Err(error) => return say::failure(&error, Exit::Usage),
        }
    }
    if !args.gate && !args.output.is_empty() {
        record.damage_told().for_each(|damage| say::note(&format!("warning: {damage}")));
        return Exit::Success;
    }
    let shown = exit::of_record(&record, args.no_tests).map_err(|error| error.to_string()).and_then(
        |JudgedExit { exit, gates }| {
            let exit = if args.gate { exit } else { Exit::Success };
            show(&record, JudgedExit { exit, gates }, settings).map(|()| exit)
        },
    );
    shown.unwrap_or_else(|message| say::failure(&message, Exit::Usage))
}

/// The record of a run that is named.
pub fn read(name: &str, runs: &ReportsFolder) -> Result<RunRecord, String> {
    let path = runs.find(name)?;
    journal::read(&path).map_err(|error| error.to_string())
}

fn show(record: &RunRecord, judged: JudgedExit, settings: &Settings) -> Result<(), String> {
    let reports = record.path().parent().unwrap_or(record.path()).to_path_buf();
    let ending =
        SummaryContext { code: judged.exit.code(), reason: judged.reason(), gates: judged.gates, reports };
    let style = SummaryStyle { detail: Verbosity::Normal, letters: settings.letters };
    terminal::summary(record, style, &ending, &OutputFailure::default())
        .map_err(|error| error.to_string())?;
    if settings.in_github {
        say::verbatim(report::github::annotations(record).as_bytes());
    }
    if let Some(path) = &settings.step_summary
        && let Err(error) = report::add_step_summary(record, path)
    {
        say::note(&format!("note: the summary of the job was not written: {error}"));
    }
    Ok(())
}
