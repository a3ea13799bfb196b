//! What to load, and from where.

use std::path::PathBuf;

/// What to load.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Where the project file is looked for, upwards; relative paths start here. Absolute.
    pub working_dir: PathBuf,
    /// Suites as given on the command line: files or folders; empty: the project's, else `suites`.
    pub paths: Vec<PathBuf>,
    /// Whether suites may name files outside the suites folder.
    pub outside: OutsidePaths,
    /// `CI` is set: `only` is refused.
    pub in_ci: bool,
    /// The full name of the one test that is wanted: only the files that may hold it are loaded, unless a judge is an app.
    pub only: Option<String>,
    /// The words that a project may write under `reports.formats`.
    pub formats: Vec<&'static str>,
}

/// Whether suites may name files outside the suites folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutsidePaths {
    /// They may not.
    Refused,
    /// `--allow-outside`.
    Allowed,
}
