//! `flowproof check`: loads everything and lists every problem; sends nothing.

use crate::cli::args::CheckArgs;
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::session::{self, OpenFailure};
use crate::settings::Settings;

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
