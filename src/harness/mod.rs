//! Every test of every suite as a libtest trial: `cargo test`, its filters and `cargo nextest` work as ever.
//!
//! It does not know the command line; both enter the engine at the same place.

mod close;
mod loading;
mod nextest;
mod say;
mod trial_state;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use libtest_mimic::{Arguments, Trial};
use tokio::sync::OnceCell;

use crate::app::settings::Settings;
use crate::app::{self, OpenFailure, PartialRun};
use crate::harness::loading::loading;
use crate::harness::nextest::{HarnessRefusal, exact_name, refused, refused_retry, share};
use crate::harness::say::{is_selected, tell, trial_name};
use crate::harness::trial_state::TrialState;
use crate::record::event::RunOptions;
use crate::yaml::render::{ProblemStyle, render};

/// libtest's exit code for a red run.
const RED: u8 = 101;

/// Runs every test of the suites as a libtest trial and returns libtest's exit code.
///
/// Call it as the whole of a test binary with `harness = false`:
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     flowproof::harness::main()
/// }
/// ```
///
/// `FLOWPROOF_TARGET`, `FLOWPROOF_PROFILE` and `FLOWPROOF_SUITES` choose what runs where; without them the
/// project file does, and without that the folder `suites/` runs on the built-in mock.
pub fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    crate::base::panics::keep_quiet();
    let settings = Settings::read();
    match machine(&arguments).and_then(|()| SuiteTrials::open(&settings, &arguments)) {
        Ok(door) => door.run(&arguments),
        Err(refusal) => {
            let why = refusal.message.clone();
            let trial = refused(&settings, &arguments, refusal);
            let conclusion = libtest_mimic::run(&arguments, vec![trial]);
            if !arguments.list && !conclusion.has_failed() {
                // A filter removed the trial that says why there are no others.
                tell(&format!("error: {why}"));
                return ExitCode::from(RED);
            }
            conclusion.exit_code()
        }
    }
}

/// Asks the machine for what a run takes; a list needs no more than it gets.
fn machine(arguments: &Arguments) -> Result<(), HarnessRefusal> {
    if arguments.list {
        return Ok(());
    }
    app::check_machine().map_err(|error| HarnessRefusal::new("flowproof::machine", error.to_string()))
}

/// The suites as trials, and what they share.
struct SuiteTrials {
    shared: Arc<TrialState>,
    broken: Vec<Trial>,
}

impl SuiteTrials {
    fn open(settings: &Settings, arguments: &Arguments) -> Result<Self, HarnessRefusal> {
        let request = RunOptions { only: exact_name(settings, arguments), ..RunOptions::default() };
        let PartialRun { opening, problems, unsound, files } =
            app::open_partly(settings, &request).map_err(|failure| match failure {
                OpenFailure::Usage(message) | OpenFailure::Target(message) => {
                    HarnessRefusal::new("flowproof::target", message)
                }
                OpenFailure::Problems(problems) => {
                    HarnessRefusal::new("flowproof::project", render(&problems, ProblemStyle::Plain))
                }
            })?;
        if files == 0 && problems.is_empty() {
            let message =
                "no suite was found: write one below `suites/`, or name a folder in FLOWPROOF_SUITES";
            return Err(HarnessRefusal::new("flowproof::suites", message));
        }
        let (plan, mut session) = (opening.plan, opening.session);
        share(&mut session, settings);
        let runtime =
            app::runtime().map_err(|error| HarnessRefusal::new("flowproof::runtime", error.to_string()))?;
        let plan = Arc::new(plan);
        let shared = TrialState {
            selected: match arguments.list {
                true => Vec::new(),
                false => {
                    app::planned(plan.cases.iter().filter(|case| is_selected(arguments, case, settings)))
                }
            },
            refusal: refused_retry(settings, &plan),
            exact: exact_name(settings, arguments),
            in_nextest: settings.nextest.is_some(),
            over_budget: AtomicU64::new(0),
            engine: OnceCell::new(),
            settings: settings.clone(),
            tolerated: AtomicU64::new(0),
            runtime,
            session,
            plan,
        };
        Ok(Self { shared: Arc::new(shared), broken: loading(&problems, &unsound) })
    }

    fn run(self, arguments: &Arguments) -> ExitCode {
        let mut arguments = arguments.clone();
        arguments.test_threads.get_or_insert(self.shared.plan.target.concurrency.max(1));
        let Self { shared, broken: mut trials } = self;
        if let Err(error) = shared.announce_unplanned() {
            tell(&format!("error: the run cannot be recorded: {error}"));
            return ExitCode::from(RED);
        }
        let broken = trials.len();
        trials.extend((0..shared.plan.cases.len()).map(|index| trial(&shared, index)));
        // It panics where standard output cannot be written; what was paid for is reported all the same.
        let run = std::panic::AssertUnwindSafe(|| libtest_mimic::run(&arguments, trials));
        let Ok(conclusion) = std::panic::catch_unwind(run) else {
            let closed = shared.close(&arguments).err();
            tell(&format!(
                "error: the results could not be printed{}",
                closed.map_or(String::new(), |why| format!("; {why}"))
            ));
            return ExitCode::from(RED);
        };
        if arguments.list {
            return ExitCode::SUCCESS;
        }
        match shared.why_red(&arguments, &conclusion, broken) {
            Ok(None) => conclusion.exit_code(),
            Ok(Some(message)) | Err(message) => {
                tell(&format!("error: {message}"));
                ExitCode::from(RED)
            }
        }
    }
}

fn trial(shared: &Arc<TrialState>, index: usize) -> Trial {
    let case = &shared.plan.cases[index];
    let (name, skipped) = (trial_name(case, &shared.settings), case.skip.is_some());
    let shared = shared.clone();
    Trial::ignorable_test(name, move || shared.judge(index)).with_ignored_flag(skipped)
}
