//! Every test of every suite as a libtest trial: `cargo test`, its filters and `cargo nextest` work as ever.
//!
//! It does not know the command line; both enter the engine at the same place.

mod close;
mod loading;
mod nextest;
mod say;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use crate::app::settings::Settings;
use crate::app::{self, OpenFailure, PartialRun, Session};
use crate::base::visible::harmless;
use crate::engine::Engine;
use crate::engine::signal;
use crate::harness::close::tell;
use crate::harness::loading::loading;
use crate::harness::nextest::{announce, exact_name, refused, refused_retry, share};
use crate::harness::say::{ignored, is_selected, trial_name};
use crate::plan::case::Plan;
use crate::record::event::{PlannedCase, RunOptions, SinkError};
use crate::record::journal::mended;
use crate::record::verdict::Verdict;
use crate::report::terminal::failure_text;
use crate::yaml::render::{ProblemStyle, render};

/// libtest's exit code for a red run.
const RED: u8 = 101;

/// Runs every test of the suites as a libtest trial and tells libtest's exit code.
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
            let why = refusal.1.clone();
            let trial = refused(&settings, &arguments, refusal);
            let conclusion = libtest_mimic::run(&arguments, vec![trial]);
            if !arguments.list && !conclusion.has_failed() {
                // A filter took the trial away that tells why there are no others.
                tell(&format!("error: {why}"));
                return ExitCode::from(RED);
            }
            conclusion.exit_code()
        }
    }
}

/// Asks the machine for what a run takes; a list needs no more than it gets.
fn machine(arguments: &Arguments) -> Result<(), (&'static str, String)> {
    if arguments.list {
        return Ok(());
    }
    app::check_machine().map_err(|error| ("flowproof::machine", error.to_string()))
}

/// The suites as trials, and what they share.
struct SuiteTrials {
    shared: Arc<TrialState>,
    broken: Vec<Trial>,
}

/// What the trials share; the engine starts with the first that runs.
struct TrialState {
    runtime: Runtime,
    session: Session,
    settings: Settings,
    plan: Arc<Plan>,
    selected: Vec<PlannedCase>,
    engine: OnceCell<Result<Arc<Engine>, String>>,
    refusal: Option<String>,
    /// The one test that a process of nextest is to run.
    exact: Option<String>,
    /// Runs one test for nextest, which takes a skip at run time for a pass.
    in_nextest: bool,
    /// Tests that no longer fit their budget.
    over_budget: AtomicU64,
    /// Tests whose repeats did not decide, where the suite takes that as a warning.
    tolerated: AtomicU64,
}

impl SuiteTrials {
    fn open(settings: &Settings, arguments: &Arguments) -> Result<Self, (&'static str, String)> {
        let request = RunOptions { only: exact_name(settings, arguments), ..RunOptions::default() };
        let PartialRun { opening, problems, unsound, files } =
            app::open_partly(settings, &request).map_err(|failure| match failure {
                OpenFailure::Usage(message) | OpenFailure::Target(message) => ("flowproof::target", message),
                OpenFailure::Problems(problems) => {
                    ("flowproof::project", render(&problems, ProblemStyle::Plain))
                }
            })?;
        if files == 0 && problems.is_empty() {
            let message =
                "no suite was found: write one below `suites/`, or name a folder in FLOWPROOF_SUITES";
            return Err(("flowproof::suites", message.to_owned()));
        }
        let (plan, mut session) = (opening.plan, opening.session);
        share(&mut session, settings);
        let runtime = app::runtime().map_err(|error| ("flowproof::runtime", error.to_string()))?;
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

impl TrialState {
    /// Runs one case and turns its verdict into libtest's.
    fn judge(&self, index: usize) -> Result<Completion, Failed> {
        if let Some(refusal) = &self.refusal {
            return Err(Failed::from(refusal));
        }
        let engine = self.runtime.block_on(self.engine.get_or_init(async || self.start())).as_ref()?;
        let ran =
            self.runtime.block_on(engine.run_case(index)).map_err(|error: SinkError| error.to_string())?;
        let Some(ran) = ran else { return Err(Failed::from("not judged: the run was interrupted")) };
        match ran.outcome.verdict {
            Verdict::Passed | Verdict::Flaky => Ok(Completion::Completed),
            Verdict::Skipped if ran.outcome.over_budget => {
                self.over_budget.fetch_add(1, Ordering::Relaxed);
                let reason = ran.outcome.reason.as_deref().unwrap_or("budget");
                if self.in_nextest {
                    return Err(Failed::from(format!("not judged: {reason}")));
                }
                Ok(ignored(reason))
            }
            Verdict::Inconclusive if ran.outcome.tolerated => {
                self.tolerated.fetch_add(1, Ordering::Relaxed);
                let reason = ran.outcome.reason.as_deref().unwrap_or("the repeats did not decide");
                Ok(ignored(&format!("inconclusive: {reason}")))
            }
            Verdict::Skipped => Ok(ignored(ran.outcome.reason.as_deref().unwrap_or("skipped"))),
            Verdict::Failed | Verdict::Errored | Verdict::Inconclusive => {
                let mended = ran.telling.as_deref().and_then(|told| mended(told, &self.session.redactor));
                let text = failure_text(&ran.outcome, mended.as_ref().or(ran.telling.as_deref()));
                Err(Failed::from(harmless(&self.session.redactor.text(&text))))
            }
        }
    }

    /// Notes under nextest that a test was begun which is not in the plan: its suite cannot be loaded, or it is gone.
    fn announce_unplanned(&self) -> Result<(), SinkError> {
        match &self.exact {
            Some(name) if !self.plan.cases.iter().any(|case| *case.name == **name) => {
                announce(&self.session, &self.plan, name)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn start(&self) -> Result<Arc<Engine>, String> {
        let started = self.session.start(self.plan.clone(), self.selected.clone(), None);
        let engine = started.map_err(|error| error.to_string())?;
        signal::watch(engine.clone());
        Ok(engine)
    }
}
