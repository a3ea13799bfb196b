//! Reads the cassettes of a plan's suites before a run.

use std::path::Path;
use std::sync::Arc;

use crate::app::cassettes::files::{Unreadable, left_parts, read};
use crate::app::cassettes::suites::{CassetteSuites, suites};
use crate::app::opened::{OpenedRun, PartialRun};
use crate::app::settings::Settings;
use crate::base::files::{self, Fence};
use crate::base::origin::Place;
use crate::base::redact::Redactor;
use crate::base::whole_file;
use crate::dify::cassette::{CassetteShelf, Mode, RecordedExchange, newer};
use crate::plan::case::{Plan, TargetKind};
use crate::record::event::RunOptions;
use crate::suite::grounds::shown;
use crate::yaml::problem::Problem;

/// Reads the cassettes that the plan may replay into it; those that cannot be read are problems of their suites.
fn load(plan: &mut Plan, options: &RunOptions, root: &Path, redactor: &Redactor) -> Vec<Problem> {
    let may_replay = match plan.target.kind {
        TargetKind::Mock(_) | TargetKind::Replay { .. } => true,
        TargetKind::Live { .. } => options.record.is_some(),
    };
    if !may_replay {
        return Vec::new();
    }
    let speed = options.replay.unwrap_or_default();
    let mut shelf = CassetteShelf::new(options.record, speed, redactor.clone());
    let mut problems = Vec::new();
    for (path, CassetteSuites { files, fence }) in suites(plan) {
        let name = shown(&path, root);
        let is_used = options.record.is_some() || files::exists(&path);
        let folder = files::parent_of(&path);
        if fence.find(folder).is_ok() {
            whole_file::remove_leftovers(folder);
        }
        if let ([first, second, ..], true) = (files.as_slice(), is_used) {
            let what = format!("the suites `{first}` and `{second}` would share the cassette `{name}`");
            problems.push(
                Problem::new(Place::file(second.clone()), what)
                    .help("rename one of them")
                    .other(Place::file(first.clone()), "the other suite"),
            );
            continue;
        }
        match read_with_parts(&path, &fence) {
            Ok(None) => {}
            Ok(Some(SuiteRecordings { recorded, is_partial })) => {
                shelf.add(path.clone(), Arc::from(name), recorded);
                if is_partial {
                    shelf.mark_partial(&path);
                }
            }
            Err(error) => problems.extend(files.first().map(|file| {
                error.problem(&name).other(Place::file(file.clone()), "the suite that replays it")
            })),
        }
    }
    if options.record.is_some() || shelf.is_any() {
        plan.cassettes = Some(shelf);
    }
    problems
}

impl PartialRun {
    /// Reads the cassettes; a suite whose cassette has a problem is left out.
    pub(in crate::app) fn add_cassettes(&mut self, options: &RunOptions, root: &Path) {
        let OpenedRun { plan, session, .. } = &mut self.opening;
        let found = load(plan, options, root, &session.redactor);
        self.leave_out(found);
    }
}

/// Why a run cannot record as it was asked to.
pub fn why_not_recorded(plan: &Plan, options: &RunOptions, settings: &Settings) -> Option<String> {
    match (options.record, &plan.target.kind) {
        (Some(Mode::None) | None, _) => None,
        (Some(_), TargetKind::Mock(_)) => Some(
            "exchanges with a live Dify are recorded, and the target is the mock: name another with --target"
                .to_owned(),
        ),
        (Some(_), _) if settings.nextest.is_some() => Some(
            "nothing is recorded under nextest, where each test is a process of its own: use `flowproof record`"
                .to_owned(),
        ),
        (Some(Mode::Once | Mode::NewEpisodes | Mode::All), _) => None,
    }
}

/// What is recorded of a suite, and what processes left of it that ended before they had written it.
struct SuiteRecordings {
    recorded: Vec<RecordedExchange>,
    /// True where there is no cassette yet.
    is_partial: bool,
}

fn read_with_parts(path: &Path, fence: &Fence) -> Result<Option<SuiteRecordings>, Unreadable> {
    let cassette = read(path, fence)?;
    let left = left_parts(path, fence);
    if cassette.is_none() && left.is_empty() {
        return Ok(None);
    }
    let is_partial = cassette.is_none();
    let recorded = left
        .iter()
        .try_fold(cassette.unwrap_or_default(), |recorded, part| Ok(newer(recorded, part.read(fence)?)))?;
    Ok(Some(SuiteRecordings { recorded, is_partial }))
}
