//! A folder with suites: what can be loaded from it, and which records it has.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::app::runs::ReportsFolder;
use crate::app::settings::Settings;
use crate::app::{self, OpenFailure};
use crate::library::record::{RecordError, RecordedRun};
use crate::library::runnable::RunnableSuites;
use crate::record::event::RunOptions;
use crate::yaml::problem::Problem;
use crate::yaml::render::{ProblemStyle, render};

/// A folder with suites and, if there is one, a `flowproof.yaml`.
///
/// # Example
///
/// ```no_run
/// use flowproof::{FinishedTest, Project, RunOptions};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let project = Project::in_folder("shop").with_variables([("TRIAGE_KEY", "app-…")]);
/// let suites = project.load(&RunOptions { tags: vec!["smoke".into()], ..RunOptions::default() })?;
/// let run = suites.run(|test: &FinishedTest| eprintln!("{} {}", test.verdict.word(), test.name))?;
/// assert_eq!(run.exit_code(), 0, "{}", run.conclusion());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Project {
    settings: Settings,
}

/// Something wrong in a suite, a data file or the project file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuiteProblem {
    /// The file, relative to the project if it lies in it, with `/` between folders.
    pub file: String,
    /// The line, from 1; 0 if the whole file is meant.
    pub line: u32,
    /// The column in characters, from 1; 0 if the whole file is meant.
    pub column: u32,
    /// What is wrong: a lower-case fragment without a full stop.
    pub message: String,
    /// How to fix it, if that is known.
    pub help: Option<String>,
}

/// Why suites cannot be run. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// An option or a variable has a value that cannot be used.
    #[error("{0}")]
    Options(String),
    /// Files have problems.
    #[error("{text}")]
    Suites {
        /// Each problem, in the order of files and lines.
        problems: Vec<SuiteProblem>,
        /// All of them as the command line shows them, with source lines.
        text: String,
    },
    /// The target is not known, lacks a key, or is missing something else.
    #[error("{0}")]
    Target(String),
}

impl Project {
    /// The project of a folder: `flowproof.yaml` is searched there and in its parents. Without one, the suites are those below
    /// `suites`, and they run on the built-in mock.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { settings: Settings { working_dir: folder.into(), ..Settings::from_env(BTreeMap::new()) } }
    }

    /// Sets the environment that suites, the project file and options see, in place of an empty one: `env.NAME` in templates,
    /// and variables such as `FLOWPROOF_TARGET`. The environment of the process is never read.
    #[must_use]
    pub fn with_variables<N, V>(self, variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let working_dir = self.settings.working_dir;
        Self { settings: Settings { working_dir, ..Settings::from_env(variables) } }
    }

    /// Loads and plans the suites that the options select. `options.resume` and `options.rerun` continue a recorded run.
    ///
    /// # Errors
    ///
    /// If a file has a problem, an option cannot be used, or the target is not ready. Nothing is sent.
    pub fn load(&self, options: &RunOptions) -> Result<RunnableSuites, LoadError> {
        let opened = app::open(&self.settings, options)?;
        Ok(RunnableSuites::new(opened, options.clone()))
    }

    /// Reads the record of a run: `latest`, `previous`, `latest~2`, the id of a run, its folder, or an exported file.
    ///
    /// # Errors
    ///
    /// If there is no such run, or its journal cannot be read.
    pub fn record(&self, run: &str) -> Result<RecordedRun, RecordError> {
        let found = ReportsFolder::of(&self.settings, None).and_then(|runs| runs.find(run));
        RecordedRun::read(found.map_err(RecordError::NotFound)?)
    }
}

impl From<OpenFailure> for LoadError {
    fn from(failure: OpenFailure) -> Self {
        match failure {
            OpenFailure::Usage(message) => Self::Options(message),
            OpenFailure::Target(message) => Self::Target(message),
            OpenFailure::Problems(problems) => Self::Suites {
                text: render(&problems, ProblemStyle::Plain),
                problems: problems.into_iter().map(SuiteProblem::from).collect(),
            },
        }
    }
}

impl From<Problem> for SuiteProblem {
    fn from(problem: Problem) -> Self {
        Self {
            file: problem.place.file.to_string(),
            line: problem.place.line,
            column: problem.place.column,
            message: problem.message,
            help: problem.help,
        }
    }
}
