//! All snapshots of a project: which wait for approval, and which no assertion asks for any more.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::app::opened::OpenFailure;
use crate::app::prepare::{choices, join, load_options};
use crate::app::settings::Settings;
use crate::app::snapshots::{problem_of, remove_leftovers, shared_folders};
use crate::assert::snapshot::store::{StoreError, home_of, read};
use crate::assert::snapshot::{self, Pending, SnapshotDocument, SnapshotPlace};
use crate::base::files::{self, Fence};
use crate::base::origin::Place;
use crate::plan::compile::compile;
use crate::record::event::RunOptions;
use crate::suite::grounds::shown;
use crate::suite::load::{LoadOptions, LoadedSuites, OutsidePaths, load};
use crate::yaml::problem::Problem;

/// The snapshots of a project that a person may decide on.
#[derive(Debug)]
pub struct SnapshotList {
    /// Those that wait for approval, in the order of suites and tests.
    pub waiting: Vec<PendingSnapshot>,
    /// Those that no assertion asks for.
    pub unused: Vec<UnusedSnapshot>,
    /// Files that cannot be read.
    pub problems: Vec<Problem>,
    root: PathBuf,
    spots: Vec<SnapshotPlace>,
}

/// One snapshot that waits for approval.
#[derive(Debug)]
pub struct PendingSnapshot {
    /// The test's full name.
    pub case: Arc<str>,
    /// Where the test is written.
    pub place: Arc<Place>,
    /// The key of the snapshot.
    pub key: String,
    /// What was approved; `None` for a new one.
    pub approved: Option<Value>,
    /// What was found.
    pub found: Value,
    /// The file it waits in.
    pub path: PathBuf,
    /// The same, as messages name it.
    pub shown: String,
    spot: usize,
}

/// One snapshot that no assertion asks for.
#[derive(Debug)]
pub struct UnusedSnapshot {
    /// The file it lies in.
    pub path: PathBuf,
    /// The same, as messages name it.
    pub shown: String,
    /// The name of its test, without the suite's.
    pub test: String,
    /// Its key.
    pub key: String,
}

impl SnapshotList {
    /// Loads the suites and looks through their snapshots; suites with problems are a failure, for of theirs nothing can be said.
    pub fn of(settings: &Settings, outside: Option<OutsidePaths>) -> Result<Self, OpenFailure> {
        let outside = outside == Some(OutsidePaths::Allowed);
        let flags = RunOptions { target: Some("mock".to_owned()), outside, ..RunOptions::default() };
        let choices = choices(settings, &flags)?;
        let options = load_options(settings, &choices.options);
        let loaded = load(&options);
        let (root, folders) = (loaded.root.clone(), folders(&loaded, &options));
        let compiled = compile(loaded, &choices);
        if !compiled.problems.is_empty() {
            return Err(OpenFailure::Problems(compiled.problems));
        }
        let Some(plan) = compiled.plan else {
            return Err(OpenFailure::Target(join(&compiled.target_errors)));
        };
        let problems = shared_folders(&plan.spots, &root);
        remove_leftovers(&plan.spots);
        let mut stock = Self { waiting: Vec::new(), unused: Vec::new(), problems, root, spots: plan.spots };
        stock.add_waiting();
        for file in files(&folders, &stock.spots) {
            stock.add_unused(file);
        }
        Ok(stock)
    }

    fn add_waiting(&mut self) {
        for (index, spot) in self.spots.iter().enumerate() {
            let home = match home_of(spot) {
                Ok(home) => home,
                Err(error) => {
                    self.problems.push(problem_of(&error, &self.root));
                    continue;
                }
            };
            let path = Pending::Beside.path(&home.path);
            let document = match read(&path, &spot.fence) {
                Ok(Some(document)) => document,
                Ok(None) => continue,
                Err(error) => {
                    self.problems.push(unreadable(&error, &self.root));
                    continue;
                }
            };
            if *document.test != *spot.name {
                continue;
            }
            let approved = home.document.unwrap_or_default();
            let asked = document.entries.into_iter().filter(|(key, _)| spot.keys.may_have(key));
            self.waiting.extend(asked.map(|(key, found)| PendingSnapshot {
                case: spot.case.clone(),
                place: spot.place.clone(),
                approved: approved.entries.get(&key).cloned(),
                key,
                found,
                shown: shown(&path, &self.root),
                path: path.clone(),
                spot: index,
            }));
        }
    }

    fn add_unused(&mut self, path: PathBuf) {
        let document = match read(&path, &self.fence_of(&path)) {
            Ok(Some(document)) => document,
            Ok(None) => return,
            Err(error) => {
                let problem = unreadable(&error, &self.root);
                if !self.problems.iter().any(|known| known.place == problem.place) {
                    self.problems.push(problem);
                }
                return;
            }
        };
        let shown = shown(&path, &self.root);
        let spot = self.spots.iter().find(|spot| is_home(&path, &document, spot));
        let unused =
            document.entries.into_keys().filter(|key| spot.is_none_or(|spot| !spot.keys.may_have(key))).map(
                |key| UnusedSnapshot {
                    path: path.clone(),
                    shown: shown.clone(),
                    test: document.test.clone(),
                    key,
                },
            );
        self.unused.extend(unused);
    }

    /// What holds a file of snapshots, whether a test has it or not.
    fn fence_of(&self, path: &Path) -> Fence {
        let spot = self.spots.iter().find(|spot| path.parent() == Some(spot.folder.as_path()));
        spot.map_or_else(|| Fence::of_named(path, &self.root), |spot| spot.fence.clone())
    }

    /// Approves snapshots that wait, all of one test; returns how many were still waiting.
    pub fn accept(&self, waits: &[&PendingSnapshot]) -> Result<usize, Problem> {
        let Some(first) = waits.first() else { return Ok(0) };
        let accepted = snapshot::accept(&self.spots[first.spot], &first.path, &seen(waits));
        accepted.map(|keys| keys.len()).map_err(|error| problem_of(&error, &self.root))
    }

    /// Throws away snapshots that wait, all of one test; returns how many still waited.
    pub fn reject(&self, waits: &[&PendingSnapshot]) -> Result<usize, Problem> {
        let Some(first) = waits.first() else { return Ok(0) };
        let rejected = snapshot::reject(&self.spots[first.spot], &first.path, &seen(waits));
        rejected.map(|keys| keys.len()).map_err(|error| problem_of(&error, &self.root))
    }

    /// Removes what no assertion asks for.
    pub fn prune(&self) -> Result<(), Problem> {
        let paths: BTreeSet<&Path> = self.unused.iter().map(|unused| unused.path.as_path()).collect();
        for path in paths {
            let of_file = self.unused.iter().filter(|unused| unused.path == path);
            let keys: Vec<&str> = of_file.map(|unused| unused.key.as_str()).collect();
            snapshot::prune(path, &self.fence_of(path), &keys)
                .map_err(|error| problem_of(&error, &self.root))?;
        }
        Ok(())
    }
}

fn seen<'w>(waits: &[&'w PendingSnapshot]) -> Vec<(&'w str, &'w Value)> {
    waits.iter().map(|waits| (waits.key.as_str(), &waits.found)).collect()
}

/// What is wrong with any file found; one that waits can be made again.
fn unreadable(error: &StoreError, root: &Path) -> Problem {
    let problem = problem_of(error, root);
    match problem.place.file.ends_with(".new") {
        true => problem.help("delete the file: the next run writes it again"),
        false => problem,
    }
}

/// True where the file is the test's, approved or waiting, under one of its two names.
fn is_home(path: &Path, document: &SnapshotDocument, spot: &SnapshotPlace) -> bool {
    let same = |home: &PathBuf| {
        let text = |path: &Path| path.to_string_lossy().to_lowercase();
        let path = text(path);
        text(home) == path || text(&Pending::Beside.path(home)) == path
    };
    *document.test == *spot.name && spot.paths().iter().any(same)
}

/// The folders in which suites are looked for, and those of the suites that were found.
fn folders(loaded: &LoadedSuites, options: &LoadOptions) -> BTreeSet<PathBuf> {
    let named = match (&loaded.project, options.paths.as_slice()) {
        (Some(project), []) if !project.suites.is_empty() => {
            project.suites.iter().map(|path| loaded.root.join(&path.value)).collect()
        }
        (_, []) => vec![loaded.root.join("suites")],
        (_, paths) => paths.iter().map(|path| options.working_dir.join(path)).collect(),
    };
    named.into_iter().filter(|folder| folder.is_dir()).collect()
}

/// Every file of snapshots below the folders, and those beside the suites.
fn files(folders: &BTreeSet<PathBuf>, spots: &[SnapshotPlace]) -> BTreeSet<PathBuf> {
    let is_shelf =
        |path: &Path| path.parent().and_then(Path::parent).is_some_and(|above| above.ends_with("snapshots"));
    let is_snapshot = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".json") || name.ends_with(".json.new")
    };
    let below = folders.iter().flat_map(|folder| walkdir::WalkDir::new(folder).max_depth(64));
    let below = below.filter_map(Result::ok).map(walkdir::DirEntry::into_path);
    let beside = spots.iter().flat_map(|spot| files::list(&spot.folder, &spot.fence));
    below.chain(beside).filter(|path| is_shelf(path) && is_snapshot(path)).collect()
}
