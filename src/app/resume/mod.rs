//! A run that is taken up again: the tests that had not finished are run in its own record, and with `--rerun` the red ones.
//!
//! The suites are loaded as the run had been asked for, and each test is compared with what is recorded of it. A test that
//! has finished and is still the same is never sent. Nothing is written before everything was found to fit.

mod notes;
mod remaining;
mod same_target;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::budget::UsageBefore;
use crate::app::opened::{OpenFailure, OpenedRun, ResumedRun};
use crate::app::options::precedence::with_beginning;
use crate::app::prepare::open_new;
use crate::app::resume::notes::taken_up;
use crate::app::resume::remaining::RemainingTests;
use crate::app::resume::same_target::fits;
use crate::app::runs::ReportsFolder;
use crate::app::settings::Settings;
use crate::base::clock;
use crate::base::digest::Digest;
use crate::plan::case::{HeldVersion, Plan};
use crate::record::event::{ContinuationReason, RunContinuation, RunOptions};
use crate::record::journal::{self, Journal, ReopenError, ReopenedJournal, RunRecord};

/// Takes up a run and plans what is left of it. It is the latest from before its suites are loaded, whatever becomes of this
/// process meanwhile; one that is refused is not.
pub(super) fn open_again(
    settings: &Settings,
    flags: &RunOptions,
    how: ContinuationReason,
    run: &str,
) -> Result<OpenedRun, OpenFailure> {
    let runs = ReportsFolder::of(settings, flags.reports.as_deref()).map_err(OpenFailure::Usage)?;
    let path = runs.find(run).map_err(|why| OpenFailure::Usage(format!("{}: {why}", flag(how))))?;
    let before = journal::latest(&runs.reports).map(|id| journal::path_of(&runs.reports, &id));
    let opened = take_up(settings, flags, how, &path);
    if let (Err(_), Some(before)) = (&opened, before.filter(|before| *before != path)) {
        // What cannot be noted is no worse than that nothing was taken up.
        let _ = journal::point_to(&before);
    }
    opened
}

fn take_up(
    settings: &Settings,
    flags: &RunOptions,
    how: ContinuationReason,
    path: &Path,
) -> Result<OpenedRun, OpenFailure> {
    let ReopenedJournal { journal, record } = Journal::reopen(path).map_err(|error| not_reopened(&error))?;
    journal::point_to(path)
        .map_err(|error| OpenFailure::Target(format!("the run cannot be continued: {error}")))?;
    let start = &record.start;
    let asked = asked_at_first(&record)?;
    if !flags.paths.is_empty() {
        return Err(OpenFailure::Usage(String::from(
            "a run is continued with its own suites: choose among their tests with --filter or --tag",
        )));
    }
    let mut opening = open_new(settings, &with_beginning(settings, flags, start, asked))?;
    fits(&opening.plan, &opening.session.run_start(&opening.plan, 0), start)?;
    let unreadable = |error: journal::JournalError| OpenFailure::Usage(error.to_string());
    let roster = record.roster().map_err(unreadable)?;
    let before = UsageBefore::of(&opening.plan, &record).map_err(unreadable)?;
    let mut left = RemainingTests::check(&opening.plan, &record, &roster)?;
    left.take_from(&mut opening.plan, &roster, how, flags);
    opening.plan.goes_on = true;
    hold_versions(&mut opening.plan, &left.finished, &record);
    opening.notes.extend(taken_up(&record, &left, how, &opening.plan.thresholds));
    opening.session.run = Arc::from(start.run.as_str());
    let now = RunOptions { sample: asked.sample, ..opening.session.asked.clone() };
    let continuation = RunContinuation {
        how,
        flowproof: env!("CARGO_PKG_VERSION").to_owned(),
        started: clock::timestamp_text(now_in(&opening.session.reports)),
        cases: u32::try_from(opening.plan.cases.len()).unwrap_or(u32::MAX),
        // What a record counts and cannot name, a shard that was missing or a line that is lost, is not new when it comes.
        added: u32::try_from(left.new.len()).unwrap_or(u32::MAX).saturating_sub(roster.nameless(start.cases)),
        plan: opening.plan.print,
        withdrawn: left.gone.iter().map(|gone| gone.key).collect(),
        // A lost line may have held a newer result than the one that counts: a merged record does not know.
        mended: if left.postponed > 0 || !start.merged.is_empty() { 0 } else { record.last_damage() },
        run: None,
        asked: (!now.is_stored_like(asked)).then(|| Box::new(now)),
        thresholds: (opening.plan.thresholds != start.thresholds).then(|| opening.plan.thresholds.clone()),
    };
    let journal = journal.masked_by(opening.session.redactor.clone());
    let interrupted = record.interrupted().map_err(unreadable)?;
    opening.again = Some(ResumedRun { journal, continuation, planned: left.planned, before, interrupted });
    Ok(opening)
}

fn not_reopened(error: &ReopenError) -> OpenFailure {
    match error {
        ReopenError::InUse { .. } | ReopenError::NotBegun { .. } | ReopenError::Read(_) => {
            OpenFailure::Usage(error.to_string())
        }
        ReopenError::Write(_) => OpenFailure::Target(format!("the run cannot be continued: {error}")),
    }
}

/// What the run was asked for when it began, or when it last went on.
fn asked_at_first(record: &RunRecord) -> Result<&RunOptions, OpenFailure> {
    let start = &record.start;
    start.asked.as_deref().ok_or_else(|| {
        OpenFailure::Usage(format!(
            "the run {} was recorded by an older flowproof, which did not note what it had been asked for: \
             it can be read, but not continued; start a new run",
            start.run
        ))
    })
}

/// The time, never before the newest run of the folder began: a clock that was set back does not make this part older.
fn now_in(reports: &Path) -> Timestamp {
    let now = clock::wall();
    journal::newest_second(reports).map_or(now, |newest| newest.max(now))
}

/// The flag that asks for it.
fn flag(how: ContinuationReason) -> &'static str {
    match how {
        ContinuationReason::Resumed => "--resume",
        ContinuationReason::Rerun => "--rerun",
        ContinuationReason::Merged => "merge",
    }
}

/// Holds each app at the version that the results which are kept were made with.
fn hold_versions(plan: &mut Plan, finished: &HashMap<Digest, Arc<str>>, record: &RunRecord) {
    if plan.cases.is_empty() || record.start.mock || record.start.cassettes.is_some() {
        return;
    }
    let mut missing: HashSet<Arc<str>> = plan.cases.iter().map(|case| case.test.app.clone()).collect();
    for number in record.order_by_suite() {
        if missing.is_empty() {
            return;
        }
        let (held, missing) = (&mut plan.held, &mut missing);
        // A record that cannot be read is named when it is reported.
        let _ = record.read_cases(&[number], |case, _| {
            let Some(app) = finished.get(&case.outcome.key).filter(|app| missing.contains(*app)) else {
                return;
            };
            let version = case.attempts.iter().rev().find_map(|attempt| attempt.facts.workflow_id.clone());
            if let Some(workflow_id) = version {
                let test = Arc::from(case.outcome.name.as_str());
                missing.remove(app);
                held.insert(app.clone(), HeldVersion { workflow_id, test });
            }
        });
    }
}
