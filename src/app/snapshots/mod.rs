//! Reads the approved snapshots of a plan before its run.

mod stock;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use crate::app::opened::{OpenedRun, PartialRun};
use crate::app::settings::Settings;
use crate::assert::snapshot::store::{StoreError, home_of};
use crate::assert::snapshot::{Approved, ApprovedSnapshots, Cleaner, Pending, SnapshotPlace, SnapshotShelf};
use crate::base::files::plain;
use crate::base::origin::Place;
use crate::base::plural::plural;
use crate::base::whole_file;
use crate::engine::snapshots::PendingSnapshots;
use crate::plan::case::Plan;
use crate::suite::grounds::shown;
use crate::yaml::problem::Problem;
use crate::yaml::secret_lines::masked_text;

pub use self::stock::{PendingSnapshot, SnapshotList};

impl PartialRun {
    /// Reads the snapshots of the selected tests; a suite with one that cannot be read is left out.
    pub(super) fn add_snapshots(&mut self, settings: &Settings, root: &Path) {
        let OpenedRun { plan, session, .. } = &mut self.opening;
        let pending = match settings.in_ci {
            true => Pending::Below { root: root.to_owned(), folder: session.reports.join("snapshots") },
            false => Pending::Beside,
        };
        let shelf = SnapshotShelf::new(Cleaner::new(session.redactor.clone()), pending);
        let found = load(plan, shelf, root);
        self.leave_out(found);
    }
}

fn load(plan: &mut Plan, mut shelf: SnapshotShelf, root: &Path) -> Vec<Problem> {
    let mut problems = shared_folders(&plan.spots, root);
    remove_leftovers(&plan.spots);
    let spots: HashMap<&str, &SnapshotPlace> = plan.spots.iter().map(|spot| (&*spot.case, spot)).collect();
    let mut is_any = false;
    for spot in plan.cases.iter().filter_map(|case| spots.get(&*case.name)) {
        match home_of(spot) {
            Ok(home) => {
                is_any = true;
                let entries = home.document.map(|document| document.entries).unwrap_or_default();
                let approved = Approved { shown: shown(&home.path, root), entries };
                let fence = spot.fence.clone();
                let shelved = ApprovedSnapshots { name: spot.name.clone(), path: home.path, fence, approved };
                shelf.add(spot.case.clone(), shelved);
            }
            Err(error) => {
                let suite = Place::file(spot.place.file.clone());
                problems.push(problem_of(&error, root).other(suite, "the suite it belongs to"));
            }
        }
    }
    plan.snapshots = is_any.then_some(shelf);
    problems
}

/// Removes what processes that were killed left while they wrote snapshots.
pub(super) fn remove_leftovers(spots: &[SnapshotPlace]) {
    let folders: HashSet<&Path> = spots.iter().map(|spot| spot.folder.as_path()).collect();
    for folder in folders {
        whole_file::remove_leftovers(folder);
    }
}

/// Two suites whose files differ only in their ending would share their snapshots.
pub(super) fn shared_folders(spots: &[SnapshotPlace], root: &Path) -> Vec<Problem> {
    let mut files: HashMap<String, &Arc<str>> = HashMap::new();
    let mut problems = Vec::new();
    for spot in spots {
        let (folder, file) = (spot.folder.to_string_lossy().to_lowercase(), &spot.place.file);
        match files.get(&folder) {
            None => drop(files.insert(folder, file)),
            Some(first) if *first == file => {}
            Some(first) => {
                let name = shown(&spot.folder, root);
                let what = format!("the suites `{first}` and `{file}` would share the snapshots in `{name}`");
                let other = Place::file(Arc::clone(first));
                let problem = Problem::new(Place::file(file.clone()), what).help("rename one of them");
                let problem = problem.other(other, "the other suite");
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
    }
    problems
}

/// What is wrong with a file of snapshots, at its place.
pub(super) fn problem_of(error: &StoreError, root: &Path) -> Problem {
    match error {
        StoreError::Io { path, source } => Problem::new(
            Place::file(shown(path, root)),
            format!("the snapshots cannot be read: {}", plain(source)),
        ),
        StoreError::Content { path, source } => {
            let place = Place {
                file: Arc::from(shown(path, root)),
                line: source.line,
                column: source.column,
                width: 1,
                excerpt: Arc::from(masked_text(&source.excerpt, &[])),
            };
            Problem::new(place, format!("this line of the snapshots {}", source.message)).help(source.help)
        }
        StoreError::Foreign { path, test, wanted } => Problem::new(
            Place::file(shown(path, root)),
            format!("the file holds the snapshots of `{test}`, not of `{wanted}`"),
        )
        .help("give it the name of its test again, or change `test` in it"),
    }
}

/// What a run left to be approved, in a line or two; `None` where there is nothing to say.
pub fn left_text(left: &PendingSnapshots, settings: &Settings, reports: &Path) -> Option<String> {
    let mut lines: Vec<String> = left
        .failed
        .iter()
        .map(|failed| format!("a snapshot that waits for approval could not be written: {failed}"))
        .collect();
    let count = match left.waiting {
        0 => return (!lines.is_empty()).then(|| lines.join("\n")),
        count => format!("{count} {}", plural(count, "snapshot waits", "snapshots wait")),
    };
    let reports = reports.strip_prefix(&settings.working_dir).unwrap_or(reports);
    lines.push(match settings.in_ci {
        true => format!(
            "{count} for approval below {}: copy what is in there over the project, or run the tests on your machine, then: flowproof snapshot review",
            reports.join("snapshots").display()
        ),
        false => format!("{count} for approval: flowproof snapshot review"),
    });
    Some(lines.join("\n"))
}
