//! The runs that were recorded: which there are, which is meant by a name, and which of them may be removed.
//!
//! A run is `latest`, the id of one in the folder of reports, the folder of one, or a file: a journal or an exported run, which
//! is the same. Only first lines are read here.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::app::reports::{WrittenReports, reports_folder};
use crate::app::settings::Settings;
use crate::base::files::Fence;
use crate::base::plural::plural;
use crate::base::whole_file;
use crate::record::event::RunStart;
use crate::record::journal::{self, JournalError};
use crate::report::format_words;
use crate::suite::load::{find_project, load_alone};

/// The name of a journal in the folder of its run.
const JOURNAL: &str = "journal.jsonl";

/// How deep folders are searched for journals.
const DEEPEST: usize = 8;

/// The newest run, as commands call it; `latest~2` is the second before it.
const LATEST: &str = "latest";
/// The run before the newest.
const PREVIOUS: &str = "previous";

/// The folder of all reports, and where names of files start.
#[derive(Debug, Clone)]
pub struct ReportsFolder {
    /// The folder of the reports.
    pub reports: PathBuf,
    working_dir: PathBuf,
    /// The project's folder, else the working folder.
    root: PathBuf,
}

/// What a name stands for.
#[derive(Debug, Default)]
pub struct NamedRuns {
    /// Journals.
    pub journals: Vec<PathBuf>,
    /// Files that might have been journals, and why they are none.
    pub left_out: Vec<String>,
}

/// A run in the folder of reports.
#[derive(Debug)]
pub struct ReportedRun {
    /// Its id: the name of its folder.
    pub id: String,
    /// Its journal.
    pub path: PathBuf,
    /// What was known when it started, or why that cannot be read.
    pub start: Result<RunStart, JournalError>,
}

impl ReportsFolder {
    /// The runs of this project; no suite is loaded.
    pub fn of(settings: &Settings, asked: Option<&Path>) -> Result<Self, String> {
        let (project, _) = load_alone(&settings.working_dir, &format_words());
        let root = project.as_ref().map_or(&settings.working_dir, |project| &project.folder);
        let dir = project.as_ref().and_then(|project| project.reports_dir.as_deref());
        let reports = reports_folder(settings, asked, WrittenReports { root, dir })?;
        Ok(Self::below(settings, &reports))
    }

    /// The runs in this folder of reports.
    pub fn below(settings: &Settings, reports: &Path) -> Self {
        let (reports, working_dir) = (settings.working_dir.join(reports), settings.working_dir.clone());
        let root = find_project(&working_dir).as_deref().and_then(Path::parent).map(Path::to_path_buf);
        Self { reports, root: root.unwrap_or_else(|| working_dir.clone()), working_dir }
    }

    /// The path of a journal, if it may be read: one that lies in the project does not leave it by a link.
    fn held(&self, path: PathBuf) -> Result<PathBuf, String> {
        let below = path.starts_with(&self.reports);
        let fence = if below { Fence::around(&self.reports) } else { Fence::of_named(&path, &self.root) };
        match fence.find(&path) {
            Ok(_) => Ok(path),
            Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
        }
    }

    /// All of them, the oldest first; those without a readable beginning come before.
    pub fn all(&self) -> Result<Vec<ReportedRun>, String> {
        let folder = self.reports.join("runs");
        let entries = match Fence::around(&self.reports).find(&folder).and_then(fs::read_dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(format!("{} cannot be read: {error}", folder.display())),
        };
        let mut stored: Vec<ReportedRun> = entries
            .filter_map(|entry| {
                let entry = entry.ok().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))?;
                let path = entry.path().join(JOURNAL);
                let id = entry.file_name().to_string_lossy().into_owned();
                (path.is_file() && !id.starts_with('.')).then(|| ReportedRun {
                    id,
                    start: journal::read_start(&path),
                    path,
                })
            })
            .collect();
        // A clock that was set back does not make the newest run the oldest.
        stored.sort_by_cached_key(|run| {
            let start = run.start.as_ref().ok();
            (start.map(|start| journal::merge::order(&run.id, &start.started)), run.id.clone())
        });
        Ok(stored)
    }

    /// All journals that a name stands for: a run, or a folder with any number of runs and exported files.
    pub fn gather(&self, name: &str) -> Result<NamedRuns, String> {
        let path = self.working_dir.join(name);
        let is_id = single(name).is_some_and(|id| journal::path_of(&self.reports, id).is_file());
        if steps_back(name).is_some() || is_id || !path.is_dir() || path.join(JOURNAL).is_file() {
            return Ok(NamedRuns { journals: vec![self.find(name)?], left_out: Vec::new() });
        }
        let mut gathered = NamedRuns::default();
        let walk = WalkDir::new(&path).max_depth(DEEPEST).sort_by_file_name();
        for entry in walk.into_iter().filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
            let entry = entry.map_err(|error| format!("{name} cannot be searched: {error}"))?;
            let is_journal = entry.path().extension().is_some_and(|ending| ending == "jsonl");
            if !is_journal || !entry.file_type().is_file() {
                continue;
            }
            match journal::read_start(entry.path()) {
                Ok(_) => gathered.journals.push(entry.into_path()),
                Err(
                    error @ (JournalError::NotAJournal { .. }
                    | JournalError::Empty { .. }
                    | JournalError::Unreadable { .. }),
                ) => {
                    gathered.left_out.push(error.to_string());
                }
                Err(
                    error @ (JournalError::Io { .. }
                    | JournalError::Write { .. }
                    | JournalError::Newer { .. }
                    | JournalError::Beginning { .. }),
                ) => {
                    return Err(error.to_string());
                }
            }
        }
        if gathered.journals.is_empty() {
            let left_out: String = gathered.left_out.iter().map(|why| format!("\n  {why}")).collect();
            return Err(format!(
                "there is no run in {name}: neither a {JOURNAL} nor an exported file (`flowproof runs export` writes them){left_out}"
            ));
        }
        Ok(gathered)
    }

    /// The journal of the run that is meant.
    pub fn find(&self, name: &str) -> Result<PathBuf, String> {
        self.find_any(name).and_then(|path| self.held(path))
    }

    fn find_any(&self, name: &str) -> Result<PathBuf, String> {
        if let Some(steps) = steps_back(name) {
            return if steps == 0 { self.newest() } else { self.before_newest(steps) };
        }
        if let Some(id) = single(name) {
            let path = journal::path_of(&self.reports, id);
            if path.is_file() {
                return Ok(path);
            }
        }
        let path = self.working_dir.join(name);
        let inside = path.join(JOURNAL);
        if inside.is_file() {
            Ok(inside)
        } else if path.is_dir() {
            Err(format!("{name} is a folder without a {JOURNAL}: name a run, or the folder of one"))
        } else if path.is_file() {
            Ok(path)
        } else if path.exists() {
            Err(format!(
                "{name} is no file but a pipe or a device: a journal is read more than once, so save it first"
            ))
        } else {
            let runs = self.reports.join("runs");
            Err(format!(
                "there is no run `{name}` in {}, and no file of that name; `flowproof runs list` shows what there is",
                runs.display()
            ))
        }
    }

    /// The run that was begun or continued last, as was noted; where nothing was, the one that started last.
    fn newest(&self) -> Result<PathBuf, String> {
        if let Some(id) = journal::latest(&self.reports) {
            return Ok(journal::path_of(&self.reports, &id));
        }
        let stored = self.all()?;
        let newest = stored.into_iter().rev().find(|run| run.start.is_ok());
        newest.map(|run| run.path).ok_or_else(|| {
            let runs = self.reports.join("runs");
            format!(
                "no run was recorded in {}: `flowproof run` records one, --reports looks elsewhere",
                runs.display()
            )
        })
    }
}

/// How far before the newest run one lies: `latest` is 0, `previous` and `latest~1` are 1.
fn steps_back(name: &str) -> Option<usize> {
    match name {
        LATEST => Some(0),
        PREVIOUS => Some(1),
        _ => name.strip_prefix(LATEST)?.strip_prefix('~')?.parse().ok(),
    }
}

/// Removes the runs that ended before they had begun: they hold nothing, and nobody writes them.
pub fn remove_never_begun(reports: &Path) {
    for entry in fs::read_dir(reports.join("runs")).into_iter().flatten().flatten() {
        let path = entry.path().join(JOURNAL);
        let is_empty = fs::symlink_metadata(&path).is_ok_and(|file| file.is_file() && file.len() == 0);
        if !is_empty || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let held = journal::hold(&path);
        if let Ok(Some(_held)) = held
            && fs::metadata(&path).is_ok_and(|file| file.len() == 0)
        {
            let _ = fs::remove_file(&path);
            // A folder in which somebody put something else stays.
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Removes what processes that were killed left in a folder of reports while they wrote there; gives what was removed.
pub fn remove_leftovers(reports: &Path) -> Vec<PathBuf> {
    let snapshots = WalkDir::new(reports.join("snapshots")).max_depth(DEEPEST).into_iter().flatten();
    let snapshots = snapshots.filter(|entry| entry.file_type().is_dir()).map(DirEntry::into_path);
    let folders = [reports.to_owned(), reports.join("runs"), reports.join("compare")];
    folders.into_iter().chain(snapshots).flat_map(|folder| whole_file::remove_leftovers(&folder)).collect()
}

impl ReportsFolder {
    /// A run that began before the newest one; one that never began is none of them.
    fn before_newest(&self, steps: usize) -> Result<PathBuf, String> {
        let newest = self.newest()?;
        let stored = self.all()?;
        let earlier = stored.into_iter().rev().filter(|run| run.start.is_ok() && run.path != newest);
        let earlier: Vec<PathBuf> = earlier.map(|run| run.path).collect();
        let there = earlier.len();
        earlier.into_iter().nth(steps - 1).ok_or_else(|| {
            let (are, plural) = (plural(there, "is", "are"), plural(there, "run", "runs"));
            let runs = self.reports.join("runs");
            format!(
                "there {are} {there} {plural} before the latest in {}; `flowproof runs list` shows them",
                runs.display()
            )
        })
    }
}

/// True of what is being written, and of folders of other programs.
fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with('.')
}

/// A name that is a single part of a path: an id.
fn single(name: &str) -> Option<&str> {
    let mut parts = Path::new(name).components();
    let one = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    one.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(reports: &Path, id: &str, started: &str) {
        let path = journal::path_of(reports, id);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let start = RunStart { started: started.to_owned(), run: id.to_owned(), ..journal::sample::start(0) };
        let line = serde_json::to_string(&crate::record::event::Event::RunStarted(start)).unwrap();
        fs::write(path, line + "\n").unwrap();
    }

    fn runs(folder: &Path) -> ReportsFolder {
        let settings = Settings { working_dir: folder.to_owned(), ..Settings::default() };
        ReportsFolder::of(&settings, None).unwrap()
    }

    #[test]
    fn the_latest_run_is_the_one_that_started_last() {
        let folder = tempfile::tempdir().unwrap();
        let runs = runs(folder.path());
        assert!(runs.find("latest").unwrap_err().contains("no run was recorded"));
        assert!(runs.all().unwrap().is_empty());
        store(&runs.reports, "nextest-0a", "2026-11-23T08:15:31.000Z");
        store(&runs.reports, "20261123T081532Z-abcdef", "2026-11-23T08:15:32.000Z");
        store(&runs.reports, "20261123T081530Z-abcdef", "2026-11-23T08:15:30.000Z");
        fs::create_dir_all(runs.reports.join("runs/zz-empty")).unwrap();
        fs::create_dir_all(runs.reports.join("runs/zz-broken")).unwrap();
        fs::write(runs.reports.join("runs/zz-broken/journal.jsonl"), "{\n").unwrap();
        let ids: Vec<String> = runs.all().unwrap().into_iter().map(|run| run.id).collect();
        assert_eq!(ids, ["zz-broken", "20261123T081530Z-abcdef", "nextest-0a", "20261123T081532Z-abcdef"]);
        assert!(runs.find("latest").unwrap().to_string_lossy().contains("20261123T081532Z"));
        store(&runs.reports, "20261123T081533Z-abcdef", "2026-11-21T08:15:32.000Z");
        let newest = runs.all().unwrap().pop().unwrap().id;
        assert_eq!(newest, "20261123T081533Z-abcdef", "the clock was set back");
    }

    #[test]
    fn a_run_is_an_id_a_folder_or_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let runs = runs(folder.path());
        store(&runs.reports, "a", "2026-11-23T08:15:31.000Z");
        let journal = journal::path_of(&runs.reports, "a");
        for name in ["a", "reports/runs/a", "reports/runs/a/journal.jsonl"] {
            assert_eq!(runs.find(name).unwrap(), journal, "{name}");
        }
        assert_eq!(runs.find(&journal.to_string_lossy()).unwrap(), journal);
        for (name, says) in [
            ("b", "there is no run `b`"),
            ("..", "is a folder"),
            ("reports", "is a folder"),
            ("a/../b", "no run"),
        ] {
            let error = runs.find(name).unwrap_err();
            assert!(error.contains(says), "{name}: {error}");
        }
    }
}
