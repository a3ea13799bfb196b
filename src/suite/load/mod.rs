//! Finds and reads the project file and the suites; every problem of every file is collected, nothing stops at the first.

pub(super) mod options;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::base::files::{self, Fence, FileRefusal, plain};
use crate::base::origin::Place;
use crate::suite::data::ReadState;
use crate::suite::discover::{SuiteLocation, discover};
use crate::suite::env_file::read_env_file;
use crate::suite::grounds::{SuiteFolder, shown};
use crate::suite::peek::files_of;
use crate::suite::project::{ProjectOptions, ProjectSpec, read_project};
use crate::suite::read_judge::JudgeKindSpec;
use crate::suite::read_suite::{SuiteFile, read_suite};
use crate::suite::spec::{SuiteSpec, TestSpec};
use crate::suite::test_count::TestCount;
use crate::yaml::node::{Excerpts, FilePosition};
use crate::yaml::parse::decode;
use crate::yaml::parse::{LARGEST, parse_yaml, parse_yaml_from};
use crate::yaml::problem::Problem;
use crate::yaml::reader::{Located, Reader};

pub use self::options::{LoadOptions, OutsidePaths};

/// The name of the project file.
pub const PROJECT_FILE: &str = "flowproof.yaml";

/// The files as written, and everything wrong with them.
#[derive(Debug)]
pub struct LoadedSuites {
    /// The project's folder, else the working directory.
    pub root: PathBuf,
    /// The project file, if there is one that could be read.
    pub project: Option<ProjectSpec>,
    /// Whether what the project file says of suites is known: there is none, or it could be read.
    pub project_read: ReadState,
    /// The suites that could be read, in order of their paths.
    pub suites: Vec<SuiteSpec>,
    /// Every suite file that was found, readable or not, as problems name it.
    pub files: Vec<Arc<str>>,
    /// Everything wrong so far.
    pub problems: Vec<Problem>,
}

/// Loads the project file and the suites.
pub fn load(options: &LoadOptions) -> LoadedSuites {
    let mut problems = Vec::new();
    let project_file = find_project(&options.working_dir);
    let root = project_file.as_deref().and_then(Path::parent).unwrap_or(&options.working_dir).to_path_buf();
    let has_file = project_file.is_some();
    let settings = ProjectOptions { folder: root.clone(), formats: &options.formats };
    let project = project_file.and_then(|path| load_file(&path, settings, &mut problems));
    let project_read = match &project {
        Some(project) => project.env_read,
        None if has_file => ReadState::Unread,
        None => ReadState::Read,
    };
    let only = options.only.as_deref().filter(|_| !project.as_ref().is_some_and(has_workflows_as_judges));
    let found = narrow(discover(options, &root, project.as_ref(), &mut problems), only);
    let files = found.iter().map(|found| Arc::from(shown(&found.path, &root))).collect();
    let count = Arc::new(TestCount::default());
    let loaded: Vec<_> =
        found.into_par_iter().map(|found| load_suite(found, &root, options, &count)).collect();
    let mut suites = Vec::with_capacity(loaded.len());
    for mut file in loaded {
        problems.append(&mut file.problems);
        suites.extend(file.suite);
    }
    check_full_names(&suites, &mut problems);
    LoadedSuites { root, project, project_read, suites, files, problems }
}

/// True where another suite may hold the mock's answers of a judge.
fn has_workflows_as_judges(project: &ProjectSpec) -> bool {
    project.judges.iter().any(|judge| matches!(judge.kind, Some(JudgeKindSpec::App(_))))
}

/// The files that may hold the one test that is wanted.
fn narrow(found: Vec<SuiteLocation>, only: Option<&str>) -> Vec<SuiteLocation> {
    let Some(only) = only else { return found };
    let chosen = files_of(only, &found);
    found.into_iter().filter(|found| chosen.contains(&found.path)).collect()
}

/// The nearest project file, from a folder upwards.
pub fn find_project(from: &Path) -> Option<PathBuf> {
    from.ancestors().map(|folder| folder.join(PROJECT_FILE)).find(|path| path.symlink_metadata().is_ok())
}

/// The project file without its suites: none where there is none, or where it has problems that leave nothing of it.
pub fn load_alone(working_dir: &Path, formats: &[&'static str]) -> (Option<ProjectSpec>, Vec<Problem>) {
    let mut problems = Vec::new();
    let path = find_project(working_dir);
    let root = path.as_deref().and_then(Path::parent).unwrap_or(working_dir).to_path_buf();
    let options = ProjectOptions { folder: root, formats };
    let project = path.and_then(|path| load_file(&path, options, &mut problems));
    (project, problems)
}

/// A project file that is not written yet.
pub fn read_project_text(text: &str, options: ProjectOptions<'_>) -> (Option<ProjectSpec>, Vec<Problem>) {
    let mut problems = Vec::new();
    let document = parse_yaml(PROJECT_FILE, text.as_bytes().to_vec(), &mut problems);
    let mut reader = Reader { source: document.source, problems: &mut problems };
    let project = document.root.map(|root| read_project(&mut reader, root, options));
    (project, problems)
}

/// What is wrong with a suite that is not written yet.
pub fn read_suite_text(text: &str, path: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    let name = shown(path, Path::new(""));
    let document = parse_yaml(&name, text.as_bytes().to_vec(), &mut problems);
    let folder = path.parent().unwrap_or(path).to_path_buf();
    let place = Fence::around(&folder);
    let found = SuiteLocation { path: path.to_path_buf(), folder, place };
    let file = suite_file(found, OutsidePaths::Refused, Arc::default());
    let mut reader = Reader { source: document.source, problems: &mut problems };
    if let Some(root) = document.root {
        read_suite(&mut reader, root, file);
    }
    problems
}

fn load_file(path: &Path, options: ProjectOptions<'_>, problems: &mut Vec<Problem>) -> Option<ProjectSpec> {
    let name = shown(path, &options.folder);
    let bytes = match files::read(path, &Fence::around(&options.folder), LARGEST) {
        Ok(bytes) => bytes,
        Err(error) => {
            problems.push(unreadable(&name, &error));
            return None;
        }
    };
    let document = parse_yaml(&name, bytes, problems);
    let (before, source) = (problems.len(), document.source.clone());
    let mut reader = Reader { source: document.source, problems };
    let mut project = document.root.map(|tree| read_project(&mut reader, tree, options));
    if let Some(project) = &mut project {
        load_env_file(project, problems);
    }
    for problem in &mut problems[before..] {
        problem.message = source.masked(&problem.message);
        problem.help = problem.help.as_deref().map(|help| source.masked(help));
    }
    project
}

/// Reads the file that `env_file` names; it lies inside the project.
fn load_env_file(project: &mut ProjectSpec, problems: &mut Vec<Problem>) {
    let Some(Located { value: path, mark }) = &project.env_file else { return };
    let fence = Fence::around(&project.folder);
    let grounds =
        SuiteFolder { folder: Arc::new(project.folder.clone()), fence: fence.clone(), place: fence };
    let mut read = Vec::new();
    let bytes = match grounds.read(path, LARGEST) {
        Ok(bytes) => Some(bytes),
        Err(message) => {
            // The folder that may not be left is the project's here.
            let message = message.replace("the suites folder", "the project");
            read.push(Problem::new(project.source.place(*mark), message));
            None
        }
    };
    match bytes.map(|bytes| decode(path, bytes)) {
        Some(Ok(source)) => project.env_of_file = read_env_file(&source, &mut read),
        Some(Err(problem)) => read.push(Problem::new(Place::file(path.as_str()), problem.message)),
        None => {}
    }
    problems.append(&mut read);
}

/// A suite file as it was read, and what is wrong with it.
struct LoadedSuiteFile {
    suite: Option<SuiteSpec>,
    problems: Vec<Problem>,
}

fn load_suite(
    found: SuiteLocation,
    root: &Path,
    options: &LoadOptions,
    count: &Arc<TestCount>,
) -> LoadedSuiteFile {
    let mut problems = Vec::new();
    let name = shown(&found.path, root);
    let document = match read_suite_file(&found, options.outside) {
        Ok(SuiteBytes { bytes, excerpts }) => parse_yaml_from(&name, bytes, excerpts, &mut problems),
        Err(error) => {
            let problem = unreadable(&name, &error);
            let problem = match FileRefusal::of(&error) {
                Some(FileRefusal::Outside(_)) => {
                    problem.help("put the file itself there, or pass --allow-outside")
                }
                _ => problem,
            };
            return LoadedSuiteFile { suite: None, problems: vec![problem] };
        }
    };
    let Some(tree) = document.root else { return LoadedSuiteFile { suite: None, problems } };
    let mut reader = Reader { source: document.source, problems: &mut problems };
    let file = suite_file(found, options.outside, count.clone());
    let mut suite = read_suite(&mut reader, tree, file);
    if options.in_ci {
        for mark in suite.tests.iter().filter_map(|test| test.only) {
            reader.problem_with_help(
                mark,
                "`only` is refused where `CI` is set",
                "the other tests would silently not run",
            );
        }
    }
    suite.problems = problems.len();
    LoadedSuiteFile { suite: Some(suite), problems }
}

fn suite_file(found: SuiteLocation, outside: OutsidePaths, count: Arc<TestCount>) -> SuiteFile {
    let folder = found.path.parent().unwrap_or(&found.folder).to_path_buf();
    let fence = match outside {
        OutsidePaths::Refused => Fence::around(&found.folder),
        OutsidePaths::Allowed => Fence::anywhere(),
    };
    let default_name = shown(&found.path.with_extension(""), &found.folder);
    let grounds = SuiteFolder { folder: Arc::new(folder), fence, place: found.place };
    SuiteFile { grounds, default_name, count }
}

/// The bytes of a suite file, and whether problems may show its lines.
#[derive(Debug)]
struct SuiteBytes {
    bytes: Vec<u8>,
    excerpts: Excerpts,
}

/// A suite's bytes, and whether its lines may be shown: those of a file outside the project are not.
fn read_suite_file(found: &SuiteLocation, outside: OutsidePaths) -> io::Result<SuiteBytes> {
    match files::read(&found.path, &found.place, LARGEST) {
        Ok(bytes) => Ok(SuiteBytes { bytes, excerpts: Excerpts::Shown }),
        Err(error) => match (FileRefusal::of(&error), outside) {
            (Some(FileRefusal::Outside(_)), OutsidePaths::Allowed) => {
                let bytes = files::read(&found.path, &Fence::anywhere(), LARGEST)?;
                Ok(SuiteBytes { bytes, excerpts: Excerpts::Hidden })
            }
            _ => Err(error),
        },
    }
}

/// What hinders the reading of a file is a problem of it, and nothing of it is shown.
fn unreadable(name: &str, error: &io::Error) -> Problem {
    Problem::new(Place::file(name), format!("the file cannot be read: {}", plain(error)))
}

/// Full names are unique in the project; two tests of one name in one suite were distinguished already.
fn check_full_names(suites: &[SuiteSpec], problems: &mut Vec<Problem>) {
    let mut seen: HashMap<String, (usize, FilePosition)> = HashMap::new();
    for (index, suite) in suites.iter().enumerate() {
        let mut own: HashSet<&str> = HashSet::new();
        for test in suite.tests.iter().filter(|test| own.insert(&test.name.value)) {
            for name in full_names(suite, test) {
                let here = (index, test.name.mark);
                let Some((first, mark)) = seen.get(&name) else {
                    seen.insert(name, here);
                    continue;
                };
                if (*first, *mark) == here {
                    continue;
                }
                let problem = Problem::new(
                    suite.source.place(test.name.mark),
                    format!("two tests have the full name `{name}`"),
                );
                problems.push(problem.other(suites[*first].source.place(*mark), "first used here"));
            }
        }
    }
}

fn full_names<'s>(suite: &'s SuiteSpec, test: &'s TestSpec) -> impl Iterator<Item = String> + 's {
    let base = format!("{}::{}", suite.name.value, test.name.value);
    let single = if test.rows.is_none() { Some(base.clone()) } else { None };
    let rows = test.rows.iter().flat_map(|rows| rows.rows.iter());
    single.into_iter().chain(rows.map(move |row| format!("{base}[{}]", row.name)))
}

#[cfg(test)]
mod tests;
