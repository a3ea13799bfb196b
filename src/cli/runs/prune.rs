//! `flowproof runs prune`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use clap::Args;

use crate::app::runs::{ReportedRun, ReportsFolder, remove_leftovers, remove_never_begun};
use crate::base::clock;
use crate::base::files::{self, Fence};
use crate::base::plural::plural;
use crate::base::units::parse_duration;
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::record::journal;

/// After this many seconds without a line a run of nextest is taken to be over.
const AT_REST: i64 = 3_600;

/// `flowproof runs prune`.
#[derive(Debug, Args)]
#[group(required = true, multiple = true, args = ["keep", "older_than"])]
pub struct RunsPruneArgs {
    /// Keep the newest this many.
    #[arg(long, value_name = "N")]
    pub keep: Option<usize>,
    /// Remove only runs that started longer ago, such as `30d` or `12h`.
    #[arg(long, value_name = "D", value_parser = parse_age)]
    pub older_than: Option<Duration>,
    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Reads a duration, in days too.
fn parse_age(text: &str) -> Result<Duration, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
    match days {
        Some(days) => Ok(Duration::from_secs(u64::from(days) * 86_400)),
        None => parse_duration(text).map_err(|error| format!("{error}, or `30d`")),
    }
}

/// Removes the runs that neither rule keeps; the newest one and those that are being written stay in any case.
pub fn prune(args: &RunsPruneArgs, runs: &ReportsFolder) -> Result<Exit, String> {
    let stored = runs.all()?;
    // What is no journal is somebody else's: it is neither counted nor removed.
    let known: Vec<&ReportedRun> = stored.iter().filter(|run| run.start.is_ok()).collect();
    let newest = args.keep.unwrap_or(0).max(1);
    let old = &known[..known.len().saturating_sub(newest)];
    let mut removed = 0;
    for run in old.iter().filter(|run| args.older_than.is_none_or(|age| is_older(run, age))) {
        removed += u32::from(remove(run, args)?);
    }
    if !args.dry_run {
        remove_never_begun(&runs.reports);
        remove_leftovers(&runs.reports);
    }
    let kept = stored.len() - removed as usize;
    let would = if args.dry_run { "would be " } else { "" };
    let plural = plural(removed, "run", "runs");
    say::note(&format!("{removed} {plural} {would}removed, {kept} kept"));
    Ok(Exit::Success)
}

/// True when a run started longer ago; one whose time cannot be read did not.
fn is_older(run: &ReportedRun, age: Duration) -> bool {
    let started = run.start.as_ref().ok().and_then(|start| start.started.parse::<jiff::Timestamp>().ok());
    started.is_some_and(|started| {
        Duration::try_from(clock::wall().duration_since(started)).is_ok_and(|past| past > age)
    })
}

/// True of a run of nextest that was written to a short while ago: its next process may be about to begin, and holds nothing yet.
fn is_between_tests(run: &ReportedRun) -> bool {
    let is_nextest = run.start.as_ref().is_ok_and(|start| start.nextest);
    let written = fs::metadata(&run.path).and_then(|file| file.modified()).ok();
    let written = written.and_then(|time| jiff::Timestamp::try_from(time).ok());
    is_nextest && written.is_none_or(|written| clock::wall().duration_since(written).as_secs() < AT_REST)
}

/// Something in the folder of a run that is not of the run.
fn foreign(folder: &Path) -> Option<String> {
    let names = files::list(folder, &Fence::around(folder)).into_iter();
    let mut names = names.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    names.find(|name| {
        name != "journal.jsonl" && !name.starts_with("ledger") && !name.starts_with(files::PREFIX)
    })
}

/// Removes the folder of a run; false where somebody still writes it.
fn remove(run: &ReportedRun, args: &RunsPruneArgs) -> Result<bool, String> {
    let failed = |error: std::io::Error| format!("{} cannot be removed: {error}", run.path.display());
    let held = if is_between_tests(run) { None } else { journal::hold(&run.path).map_err(failed)? };
    let Some(_held) = held else {
        say::note(&format!("{} is being written: kept", run.id));
        return Ok(false);
    };
    let folder = run.path.parent().expect("a journal lies in the folder of its run");
    if let Some(name) = foreign(folder) {
        say::note(&format!("{} holds `{name}`, which flowproof did not write: kept", run.id));
        return Ok(false);
    }
    say::note(&run.id);
    if !args.dry_run {
        fs::remove_dir_all(folder).map_err(failed)?;
    }
    Ok(true)
}
