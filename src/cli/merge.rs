//! `flowproof merge`: shards and re-runs of one plan become one run.

use std::path::PathBuf;

use clap::Args;

use crate::app::merge::{self, MergedRuns};
use crate::app::runs::ReportsFolder;
use crate::app::settings::Settings;
use crate::base::charset::Charset;
use crate::base::plural::plural;
use crate::base::units::format_count;
use crate::cli::exit::{self, Exit};
use crate::cli::say;
use crate::record::event::MergedRun;
use crate::record::journal::RunRecord;
use crate::record::thresholds;
use crate::report::terminal::{self, OutputFailure, SummaryContext, SummaryStyle, Verbosity};

/// `flowproof merge`.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The runs: exported files, ids, folders of runs, or folders that hold any number of these.
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<String>,
    /// Merge what there is even where a shard is missing; such a run is never green.
    #[arg(long)]
    pub partial: bool,
    /// Folder of the reports, where the merged run goes [default: the project's, else `reports`].
    #[arg(long, value_name = "DIR")]
    pub reports: Option<PathBuf>,
}

/// Joins the runs, shows what became of the whole, and says what is missing.
pub fn merge(args: &MergeArgs, settings: &Settings) -> Exit {
    let joined = ReportsFolder::of(settings, args.reports.as_deref())
        .and_then(|runs| merge::join(&runs, &args.runs).map(|joined| (runs, joined)));
    let (runs, joined) = match joined {
        Ok(joined) => joined,
        Err(message) => return say::failure(&message, Exit::Usage),
    };
    joined.left_out.iter().for_each(|left_out| say::note(&format!("left out: {left_out}")));
    let told = told(&joined);
    let (missing, doubts) = (joined.missing.clone(), joined.doubts.clone());
    if !missing.is_empty() && !args.partial {
        missing.iter().for_each(|missing| say::note(&format!("error: {missing}")));
        return say::failure(
            "nothing was merged: add what is missing, or merge what there is with --partial",
            Exit::Findings,
        );
    }
    let shown = joined
        .keep(&runs, settings)
        .and_then(|record| show(&record, &runs, settings.letters).map(|()| record));
    let record = match shown {
        Ok(record) => record,
        Err(message) => return say::failure(&message, Exit::Usage),
    };
    let warnings = missing.iter().chain(&doubts);
    warnings.for_each(|warning| say::note(&format!("warning: {warning}")));
    match exit::of_record(&record, None) {
        Ok(judged) => {
            say::note(&format!(
                "{told} into run {}; `flowproof report latest --gate` ends with {}: {}",
                record.start.run,
                judged.exit.code(),
                judged.reason()
            ));
            Exit::Success
        }
        Err(error) => say::failure(&error.to_string(), Exit::Usage),
    }
}

fn show(record: &RunRecord, runs: &ReportsFolder, letters: Charset) -> Result<(), String> {
    let gates = thresholds::judge(record).map_err(|error| error.to_string())?;
    let ending =
        SummaryContext { code: 0, reason: String::new(), gates, reports: runs.reports.join("latest") };
    terminal::summary(
        record,
        SummaryStyle { detail: Verbosity::Normal, letters },
        &ending,
        &OutputFailure::default(),
    )
    .map_err(|error| error.to_string())
}

/// `merged 4 runs (shards 1 to 4 of 4), started 09:15:30 to 09:15:41`.
fn told(joined: &MergedRuns) -> String {
    let runs: Vec<&MergedRun> = joined.plan.runs().collect();
    let plural = plural(runs.len(), "run", "runs");
    let mut shards: Vec<(u32, u32)> =
        runs.iter().filter_map(|run| run.shard).map(|shard| (shard.index, shard.total)).collect();
    shards.sort_unstable();
    shards.dedup();
    let of = match shards.as_slice() {
        [] => String::new(),
        [(index, total)] => format!(" of shard {index}/{total}"),
        [.., (_, total)] => format!(" of {} of {total} shards", shards.len()),
    };
    let when = match (runs.first(), runs.last()) {
        (Some(first), Some(last)) if first.started != last.started => {
            format!(", started from {} to {},", first.started, last.started)
        }
        (Some(only), _) => format!(", started {},", only.started),
        (None, _) => String::new(),
    };
    format!("merged {} {plural}{of}{when}", format_count(runs.len() as u64))
}
