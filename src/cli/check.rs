//! `flowproof check`: loads everything and lists every problem; sends nothing.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::on_mock;
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::session::{self, OpenFailure, Request};
use crate::settings::Settings;
use crate::suite::load::Outside;

/// `flowproof check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Suites: files or folders [default: the project's, else `suites`].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Let suites name files outside the suites folder.
    #[arg(long)]
    pub allow_outside: bool,
}

impl CheckArgs {
    /// All tests of these suites.
    pub fn request(&self) -> Request {
        on_mock(&self.paths, self.allow_outside.then_some(Outside::Allowed))
    }
}

/// Loads and compiles the suites of every target and profile.
pub fn check(args: &CheckArgs, settings: &Settings) -> Exit {
    let request = args.request();
    match session::check(settings, &request) {
        Ok(checked) => {
            let plural = |count: usize| if count == 1 { "" } else { "s" };
            let (suites, tests) = (checked.suites, checked.tests);
            let text =
                format!("{suites} suite{}, {tests} test{}: no problems\n", plural(suites), plural(tests));
            say::bytes(text.as_bytes())
        }
        Err(OpenFailure::Problems(problems)) => {
            say::problems(&problems);
            Exit::Findings
        }
        Err(failure) => say::refusal(&failure, "nothing was checked"),
    }
}
