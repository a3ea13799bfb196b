//! A run that is taken up again: the tests that had not finished are run in its own record, and with `--rerun` the red ones.
//!
//! The suites are loaded as the run had been asked for, and each test is held against what is recorded of it. A test that
//! has finished and is still the same is never sent. Nothing is written before everything was found to fit.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::asked::{as_begun, fits};
use crate::app::budget::UsageBefore;
use crate::app::open;
use crate::app::resume_notes;
use crate::app::runs::ReportsFolder;
use crate::app::settings::Settings;
use crate::app::{OpenFailure, OpenedRun, RunOptions, planned};
use crate::base::clock;
use crate::base::digest::Digest;
use crate::plan::case::{Case, HeldVersion, Plan};
use crate::plan::choices::TestSelection;
use crate::record::event::{AttemptStart, ContinuationReason, PlannedCase, RunChoices, RunContinuation};
use crate::record::journal::{self, Journal, ReopenError, Roster, RunRecord};

/// A run to take up, and for which of its tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumeRequest {
    /// Why it goes on.
    pub how: ContinuationReason,
    /// The run: `latest`, an id, a folder or a file.
    pub run: String,
}

/// A run that was taken up: nobody else can write its record meanwhile.
pub struct ResumedRun {
    /// Its journal, open to append to.
    pub journal: Journal,
    /// What is told first.
    pub continuation: RunContinuation,
    /// The tests that are new or have changed.
    pub planned: Vec<PlannedCase>,
    /// What its earlier parts used.
    pub before: UsageBefore,
    /// Attempts that were at work when it was killed.
    pub interrupted: Vec<AttemptStart>,
}

/// Takes up a run and plans what is left of it. It is the latest from before its suites are loaded, whatever becomes of this
/// process meanwhile; one that is refused is not.
pub(super) fn open_again(
    settings: &Settings,
    request: &RunOptions,
    again: &ResumeRequest,
) -> Result<OpenedRun, OpenFailure> {
    let runs = ReportsFolder::of(settings, request.reports.as_deref()).map_err(OpenFailure::Usage)?;
    let path =
        runs.find(&again.run).map_err(|why| OpenFailure::Usage(format!("{}: {why}", flag(again.how))))?;
    let before = journal::latest(&runs.reports).map(|id| journal::path_of(&runs.reports, &id));
    let opened = take_up(settings, request, (again, &path));
    if let (Err(_), Some(before)) = (&opened, before.filter(|before| *before != path)) {
        // What cannot be noted is no worse than that nothing was taken up.
        let _ = journal::point_to(&before);
    }
    opened
}

fn take_up(
    settings: &Settings,
    request: &RunOptions,
    (again, path): (&ResumeRequest, &Path),
) -> Result<OpenedRun, OpenFailure> {
    let (journal, record) = Journal::reopen(path).map_err(|error| match error {
        ReopenError::InUse { .. } | ReopenError::NotBegun { .. } | ReopenError::Read(_) => {
            OpenFailure::Usage(error.to_string())
        }
        ReopenError::Write(_) => OpenFailure::Target(format!("the run cannot be continued: {error}")),
    })?;
    journal::point_to(path)
        .map_err(|error| OpenFailure::Target(format!("the run cannot be continued: {error}")))?;
    let start = &record.start;
    let asked = start.asked.as_deref().ok_or_else(|| {
        OpenFailure::Usage(format!(
            "the run {} was recorded by an older flowproof, which did not note what it had been asked for: \
             it can be read, but not continued; start a new run",
            start.run
        ))
    })?;
    let mut opening = open(settings, &as_begun(settings, request, (start, asked))?)?;
    fits(&opening.plan, &opening.session.run_start(&opening.plan, 0), start)?;
    let roster = record.roster().map_err(|error| OpenFailure::Usage(error.to_string()))?;
    let before =
        UsageBefore::of(&opening.plan, &record).map_err(|error| OpenFailure::Usage(error.to_string()))?;
    let left = RemainingTests::of(&mut opening.plan, (&record, &roster), (again.how, &request.selection))?;
    opening.plan.goes_on = true;
    hold_versions(&mut opening.plan, &left.finished, &record);
    opening.notes.extend(resume_notes::taken_up(&record, &left, (again.how, &opening.plan.thresholds)));
    opening.session.run = Arc::from(start.run.as_str());
    let now = RunChoices { sample: asked.sample, ..opening.session.asked.clone() };
    let continuation = RunContinuation {
        how: again.how,
        flowproof: env!("CARGO_PKG_VERSION").to_owned(),
        started: clock::timestamp_text(now_in(&opening.session.reports)),
        cases: u32::try_from(opening.plan.cases.len()).unwrap_or(u32::MAX),
        // What a record counts and cannot name, a shard that was missing or a line that is lost, is not new when it comes.
        added: u32::try_from(left.new.len()).unwrap_or(u32::MAX).saturating_sub(roster.nameless(start.cases)),
        plan: opening.plan.print,
        withdrawn: left.gone.iter().map(|(key, _)| *key).collect(),
        // A line that is lost may have told of a newer result than the one that stands: of that a merged record knows nothing.
        mended: if left.postponed > 0 || !start.merged.is_empty() { 0 } else { record.last_damage() },
        run: None,
        asked: (now != *asked).then(|| Box::new(now)),
        thresholds: (opening.plan.thresholds != start.thresholds).then(|| opening.plan.thresholds.clone()),
    };
    let journal = journal.masked_by(opening.session.redactor.clone());
    let interrupted = record.interrupted().map_err(|error| OpenFailure::Usage(error.to_string()))?;
    opening.again = Some(ResumedRun { journal, continuation, planned: left.planned, before, interrupted });
    Ok(opening)
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

/// What is left of a run.
#[derive(Debug, Default)]
pub(super) struct RemainingTests {
    /// Tests that are to be planned: new ones and changed ones.
    pub planned: Vec<PlannedCase>,
    /// Those that finished and have changed since.
    pub changed: Vec<Arc<str>>,
    /// Those that the run did not know.
    pub new: Vec<Arc<str>>,
    /// Those that it knew and that are in no suite any more.
    pub gone: Vec<(Digest, Arc<str>)>,
    /// Those that were red and are run again.
    pub red: usize,
    /// Those that had not finished.
    pub open: usize,
    /// Those that have no whole result, and are not run now either.
    pub postponed: usize,
    /// New ones that are left out, because the run was a sample or a shard.
    pub not_drawn: usize,
    /// How many are run now.
    pub runs: usize,
    /// Those that keep their result, with the app they tested.
    pub finished: HashMap<Digest, Arc<str>>,
}

/// What becomes of a test of the plan.
enum ResumedTest {
    /// It keeps its result.
    Keeps,
    /// The run did not know it.
    New,
    /// It is run.
    Runs,
    /// It is run once it was planned anew; the reason is noted.
    Planned,
}

impl RemainingTests {
    /// Leaves in the plan what is to be run.
    fn of(
        plan: &mut Plan,
        (record, roster): (&RunRecord, &Roster),
        (how, narrowed): (ContinuationReason, &TestSelection),
    ) -> Result<Self, OpenFailure> {
        let mut left = Self { gone: gone(plan, roster), ..Self::default() };
        if !roster.planned.is_empty() && left.gone.len() == roster.planned.len() {
            return Err(OpenFailure::Usage(format!(
                "none of the {} tests of the run {} is in these suites: it belongs to another project; \
                 run this in its folder, or start a new run",
                roster.planned.len(),
                record.start.run
            )));
        }
        let drawn = record.start.shard.is_some()
            || record.start.asked.as_ref().is_some_and(|asked| asked.sample.is_some());
        let mut cases = std::mem::take(&mut plan.cases);
        cases.retain(|case| {
            let wanted = narrowed.takes(&case.name, case.test.tags.iter().map(|tag| &**tag));
            let turn = left.turn(case, roster, how);
            match turn {
                ResumedTest::Keeps => {
                    left.finished.insert(case.key, case.test.app.clone());
                    return false;
                }
                ResumedTest::New if drawn => {
                    left.not_drawn += 1;
                    return false;
                }
                ResumedTest::New if !wanted => return false,
                ResumedTest::New => left.new.push(case.name.clone()),
                ResumedTest::Runs | ResumedTest::Planned => {}
            }
            if let ResumedTest::New | ResumedTest::Planned = turn {
                left.planned.extend(planned([case]));
            }
            left.postponed += usize::from(!wanted);
            wanted
        });
        (0..).zip(&mut cases).for_each(|(ordinal, case)| case.ordinal = ordinal);
        left.runs = cases.len();
        plan.cases = cases;
        Ok(left)
    }

    fn turn(&mut self, case: &Case, roster: &Roster, how: ContinuationReason) -> ResumedTest {
        let is_other = |print: Digest| print != case.print;
        match (roster.results.get(&case.key), roster.planned.get(&case.key)) {
            (Some(result), _) if is_other(result.print) => {
                self.changed.push(case.name.clone());
                ResumedTest::Planned
            }
            (Some(result), _) if how == ContinuationReason::Rerun && result.verdict.is_red() => {
                self.red += 1;
                ResumedTest::Runs
            }
            (Some(_), _) => ResumedTest::Keeps,
            (None, Some(listed)) => {
                self.open += 1;
                if is_other(listed.print) { ResumedTest::Planned } else { ResumedTest::Runs }
            }
            (None, None) => ResumedTest::New,
        }
    }
}

/// Tests of the record that no suite has any more; those that were only not selected are not gone.
fn gone(plan: &Plan, roster: &Roster) -> Vec<(Digest, Arc<str>)> {
    let there: HashSet<Digest> =
        plan.cases.iter().map(|case| case.key).chain(plan.left_out.iter().copied()).collect();
    let mut gone: Vec<(Digest, Arc<str>)> = roster
        .planned
        .iter()
        .filter(|(key, _)| !there.contains(key))
        .map(|(key, listed)| (*key, listed.name.clone()))
        .collect();
    gone.sort_by(|one, other| one.1.cmp(&other.1));
    gone
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
        // A record that cannot be read is told of when it is reported.
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
