//! Which files are suites: folders walked in order, `_` and `.` left out, explicit paths taken as they are.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::base::files::{Fence, FileRefusal, plain};
use crate::base::origin::Place;
use crate::suite::grounds::shown;
use crate::suite::load::options::{LoadOptions, OutsidePaths};
use crate::suite::project::ProjectSpec;
use crate::yaml::problem::Problem;

/// A suite file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuiteLocation {
    /// Where it lies.
    pub path: PathBuf,
    /// The suites folder around it: default names start there and paths may not leave it.
    pub folder: PathBuf,
    /// Holds the file itself and what is found by its place beside it: the project where it lies in it, else that folder.
    pub place: Fence,
}

/// Finds the suites; each file once, in order of the places named and then of paths.
pub fn discover(
    options: &LoadOptions,
    root: &Path,
    project: Option<&ProjectSpec>,
    problems: &mut Vec<Problem>,
) -> Vec<SuiteLocation> {
    let folders = suite_folders(root, project);
    let mut search =
        SuiteSearch { root, folders: &folders, outside: options.outside, found: Vec::new(), problems };
    if options.paths.is_empty() {
        search.walk_project(project);
    }
    for path in &options.paths {
        let full = options.working_dir.join(path);
        if full.is_dir() {
            search.walk(&full);
        } else if full.symlink_metadata().is_ok() {
            search.add(full);
        } else {
            search.missing(path);
        }
    }
    let mut seen = HashSet::new();
    let mut found = search.found;
    found.retain(|found| seen.insert(found.path.canonicalize().unwrap_or_else(|_| found.path.clone())));
    found
}

/// The suites folders of the project, else `suites`.
fn suite_folders(root: &Path, project: Option<&ProjectSpec>) -> Vec<PathBuf> {
    match project {
        Some(project) if !project.suites.is_empty() => {
            project.suites.iter().map(|path| root.join(&path.value)).collect()
        }
        Some(_) | None => vec![root.join("suites")],
    }
}

struct SuiteSearch<'a> {
    root: &'a Path,
    folders: &'a [PathBuf],
    outside: OutsidePaths,
    found: Vec<SuiteLocation>,
    problems: &'a mut Vec<Problem>,
}

impl SuiteSearch<'_> {
    fn walk_project(&mut self, project: Option<&ProjectSpec>) {
        for (index, path) in self.folders.iter().enumerate() {
            let written = project.and_then(|project| Some((project, project.suites.get(index)?)));
            if let (Some((project, written)), OutsidePaths::Refused) = (written, self.outside)
                && let Err(error) = Fence::around(self.root).find_or_new(path)
                && FileRefusal::of(&error).is_some()
            {
                let message = format!("`{}` cannot be used: {error}", written.value);
                let problem = Problem::new(project.source.place(written.mark), message);
                self.problems.push(problem.help("name it on the command line, or pass --allow-outside"));
                continue;
            }
            if path.is_dir() {
                self.walk(path);
                continue;
            }
            if path.symlink_metadata().is_ok() {
                self.add(path.clone());
                continue;
            }
            let message = format!("there is no folder `{}`", shown(path, self.root));
            self.problems.push(match written {
                Some((project, written)) => Problem::new(project.source.place(written.mark), message),
                None => Problem::new(Place::file(shown(path, self.root)), message)
                    .help("name suites on the command line, or create it"),
            });
        }
    }

    fn missing(&mut self, path: &Path) {
        let name = path.to_string_lossy().into_owned();
        self.problems
            .push(Problem::new(Place::file(name.clone()), format!("there is no file or folder `{name}`")));
    }

    /// The suites folder around a path: the project's where it lies in one, else the folder itself.
    fn folder_of(&self, path: &Path, otherwise: &Path) -> PathBuf {
        let around = self.folders.iter().filter(|folder| path.starts_with(folder) && folder.is_dir());
        around
            .max_by_key(|folder| folder.components().count())
            .cloned()
            .unwrap_or_else(|| otherwise.to_path_buf())
    }

    fn add(&mut self, path: PathBuf) {
        let parent = path.parent().unwrap_or(self.root).to_path_buf();
        let folder = self.folder_of(&path, &parent);
        let place = self.place_of(&path, &folder);
        self.found.push(SuiteLocation { path, folder, place });
    }

    /// The fence of the files in a folder of suites.
    fn place_of(&self, path: &Path, folder: &Path) -> Fence {
        match Fence::of_named(path, self.root) {
            fence if fence.folder().is_some() => fence,
            _ => Fence::around(folder),
        }
    }

    /// Says of a folder that a link leads outside; true where it is not to be entered.
    fn is_refused(&mut self, path: &Path, place: &Fence) -> bool {
        let Err(error) = place.find(path) else { return false };
        let is_outside = matches!(FileRefusal::of(&error), Some(FileRefusal::Outside(_)));
        if is_outside && self.outside == OutsidePaths::Refused {
            let problem = Problem::new(
                Place::file(shown(path, self.root)),
                format!("the folder cannot be read: {error}"),
            );
            self.problems.push(problem.help("put the folder itself there, or pass --allow-outside"));
            return true;
        }
        false
    }

    fn walk(&mut self, start: &Path) {
        let folder = self.folder_of(start, start);
        let place = self.place_of(start, &folder);
        let mut walk = WalkDir::new(start).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            match entry {
                Ok(entry) if entry.depth() > 0 && is_hidden(&entry) => {
                    if entry.file_type().is_dir() {
                        walk.skip_current_dir();
                    }
                }
                Ok(entry) if entry.file_type().is_dir() => {
                    let is_link = entry.depth() == 0 || entry.path_is_symlink();
                    if is_link && self.is_refused(entry.path(), &place) {
                        walk.skip_current_dir();
                    } else if entry.depth() > 0 && is_suite(entry.path()) {
                        // That it is a folder is said when it is read.
                        let (path, folder, place) = (entry.into_path(), folder.clone(), place.clone());
                        self.found.push(SuiteLocation { path, folder, place });
                    }
                }
                Ok(entry) if entry.depth() > 0 && is_suite(entry.path()) => {
                    let (path, folder, place) = (entry.into_path(), folder.clone(), place.clone());
                    self.found.push(SuiteLocation { path, folder, place });
                }
                Ok(_) => {}
                Err(error) if error.path().is_some_and(|path| is_hidden_below(start, path)) => {}
                Err(error) => self.unwalkable(start, &error),
            }
        }
    }

    fn unwalkable(&mut self, start: &Path, error: &walkdir::Error) {
        let name = shown(error.path().unwrap_or(start), self.root);
        let message = match (error.loop_ancestor(), error.io_error()) {
            (Some(ancestor), _) => format!("a symbolic link leads back to `{}`", shown(ancestor, self.root)),
            (None, Some(error)) => format!("cannot be read: {}", plain(error)),
            (None, None) => "cannot be read".to_owned(),
        };
        self.problems.push(Problem::new(Place::file(name), message));
    }
}

fn is_hidden(entry: &DirEntry) -> bool {
    is_hidden_name(entry.file_name())
}

fn is_hidden_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('_') || name.starts_with('.')
}

/// True for what lies in or is something hidden, such as an editor's lock, which is a link to nowhere.
fn is_hidden_below(start: &Path, path: &Path) -> bool {
    let below = path.strip_prefix(start).unwrap_or(path);
    path != start && below.components().any(|part| is_hidden_name(part.as_os_str()))
}

fn is_suite(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
}
