//! What the doors ask for by name: a run, a check of everything, a list.

use crate::app::opened::{LoadedCounts, OpenFailure, OpenedRun};
use crate::app::prepare::{choices, load_options, open_for, open_new};
use crate::app::resume::open_again;
use crate::app::settings::Settings;
use crate::plan::choices::Judges;
use crate::plan::list::{self, ListedTest};
use crate::record::event::{ContinuationReason, RunOptions};
use crate::suite::load::load;

/// Loads and plans a run, or takes one up; any problem in any file is a failure.
pub fn open(settings: &Settings, flags: &RunOptions) -> Result<OpenedRun, OpenFailure> {
    match (&flags.rerun, &flags.resume) {
        (Some(run), _) => open_again(settings, flags, ContinuationReason::Rerun, run),
        (None, Some(run)) => open_again(settings, flags, ContinuationReason::Resumed, run),
        (None, None) => open_new(settings, flags),
    }
}

/// Loads and compiles everything on the mock, where no key is needed, and lists every problem.
pub fn check(settings: &Settings, flags: &RunOptions) -> Result<LoadedCounts, OpenFailure> {
    let target = flags.target.clone().or_else(|| Some("mock".to_owned()));
    let flags = RunOptions { target, ..flags.clone() };
    let partial = open_for(settings, &flags, Judges::NotAsked)?;
    if partial.problems.is_empty() {
        Ok(LoadedCounts { suites: partial.files, tests: partial.opening.plan.cases.len() })
    } else {
        Err(OpenFailure::Problems(partial.problems))
    }
}

/// The selected tests, without compiling anything; a file that cannot be read as it should fails with all that `check` finds.
pub fn list(settings: &Settings, flags: &RunOptions) -> Result<Vec<ListedTest>, OpenFailure> {
    let choices = choices(settings, flags)?;
    let loaded = load(&load_options(settings, &choices.options));
    if let Some(short) = loaded.problems.iter().find(|problem| problem.is_of_machine()) {
        return Err(OpenFailure::Target(format!("{}: {}", short.place, short.message)));
    }
    if loaded.problems.is_empty() {
        return Ok(list::list(&loaded, &choices));
    }
    let all = RunOptions { paths: flags.paths.clone(), outside: flags.outside, ..RunOptions::default() };
    match check(settings, &all) {
        Ok(_) => Err(OpenFailure::Problems(loaded.problems)),
        Err(failure) => Err(failure),
    }
}
