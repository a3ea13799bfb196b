//! `flowproof check`: loads everything and lists every problem; sends nothing, or with `--against` only questions.

use clap::Args;

use crate::app::against;
use crate::app::settings::Settings;
use crate::app::{self, OpenFailure};
use crate::base::plural::plural;
use crate::cli::exit::Exit;
use crate::cli::option_flags::{OptionFlags, SuiteOptions};
use crate::cli::say;
use crate::record::event::RunOptions;

/// `flowproof check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Which suites.
    #[command(flatten)]
    pub suites: OptionFlags<SuiteOptions>,
    /// Also compare inputs with those that the target's apps declare, and names of nodes against its last recorded run; runs nothing.
    #[arg(long, value_name = "TARGET")]
    pub against: Option<String>,
}

impl CheckArgs {
    /// All tests of these suites.
    pub fn options(&self) -> RunOptions {
        RunOptions { target: Some("mock".to_owned()), ..self.suites.options.clone() }
    }
}

/// Loads and compiles the suites of every target and profile.
pub fn check(args: &CheckArgs, settings: &Settings) -> Exit {
    let options = args.options();
    if let Some(target) = &args.against {
        let options = RunOptions { target: Some(target.clone()), ..options };
        return against(target, &options, settings);
    }
    match app::check(settings, &options) {
        Ok(checked) => {
            let text = format!("{}: no problems\n", counted(checked.suites, checked.tests));
            say::bytes(text.as_bytes())
        }
        Err(OpenFailure::Problems(problems)) => {
            say::problems(&problems);
            Exit::Findings
        }
        Err(failure) => say::refusal(&failure, "nothing was checked"),
    }
}

fn counted(suites: usize, tests: usize) -> String {
    format!("{suites} {}, {tests} {}", plural(suites, "suite", "suites"), plural(tests, "test", "tests"))
}

/// Holds the suites against what a target's apps say of themselves.
fn against(target: &str, options: &RunOptions, settings: &Settings) -> Exit {
    let comparison = match against::prepare(settings, options) {
        Ok(comparison) => comparison,
        Err(OpenFailure::Problems(problems)) => {
            say::problems(&problems);
            say::note(&format!("`{target}` was not asked: fix the suites first"));
            return Exit::Findings;
        }
        Err(failure) => return say::refusal(&failure, "nothing was compared"),
    };
    let runtime = match app::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return say::failure(&format!("no threads could be started: {error}"), Exit::Usage),
    };
    let compared = match runtime.block_on(comparison.compare()) {
        Ok(compared) => compared,
        Err(failure) => return say::refusal(&failure, "nothing was compared"),
    };
    if !compared.findings.is_empty() {
        say::problems(&compared.findings);
    }
    for note in &compared.notes {
        say::note(&format!("note: {note}"));
    }
    if !compared.findings.is_empty() {
        return Exit::Findings;
    }
    let counted = counted(compared.suites, compared.tests);
    say::bytes(format!("{counted}: what they send fits `{target}`\n").as_bytes())
}
