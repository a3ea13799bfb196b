//! Every test of every suite as a libtest trial: `cargo test`, its filters and `cargo nextest` work as ever.
//!
//! It does not know the command line; both enter the engine at the same place.

mod loading;
mod nextest;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use crate::engine::Engine;
use crate::engine::signal;
use crate::event::{PlannedCase, SinkError};
use crate::gate::{self, Gates};
use crate::harness::loading::loading;
use crate::harness::nextest::{announce, exact_name, refused, refused_retry, share};
use crate::journal::mended;
use crate::plan::case::{Case, Plan};
use crate::report::gates::told;
use crate::report::terminal::failure_text;
use crate::session::snapshots::left_text;
use crate::session::{self, Keeping, OpenFailure, Partial, Request, Session};
use crate::settings::Settings;
use crate::suite::render::{Style, render};
use crate::verdict::{Truth, Verdict};

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
    let settings = Settings::read();
    match Door::open(&settings, &arguments) {
        Ok(door) => door.run(&arguments),
        Err(refusal) => {
            let trial = refused(&settings, &arguments, refusal);
            libtest_mimic::run(&arguments, vec![trial]).exit_code()
        }
    }
}

/// The suites as trials, and what they share.
struct Door {
    shared: Arc<Shared>,
    broken: Vec<Trial>,
}

/// What the trials share; the engine starts with the first that runs.
struct Shared {
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

impl Door {
    fn open(settings: &Settings, arguments: &Arguments) -> Result<Self, (&'static str, String)> {
        let request = Request { only: exact_name(settings, arguments), ..Request::default() };
        let Partial { opening, problems, unsound, files } = session::open_partly(settings, &request)
            .map_err(|failure| match failure {
                OpenFailure::Usage(message) | OpenFailure::Target(message) => ("flowproof::target", message),
                OpenFailure::Problems(problems) => ("flowproof::project", render(&problems, Style::Plain)),
            })?;
        if files == 0 && problems.is_empty() {
            let message =
                "no suite was found: write one below `suites/`, or name a folder in FLOWPROOF_SUITES";
            return Err(("flowproof::suites", message.to_owned()));
        }
        let (plan, mut session) = (opening.plan, opening.session);
        share(&mut session, settings);
        let runtime = session::runtime().map_err(|error| ("flowproof::runtime", error.to_string()))?;
        let plan = Arc::new(plan);
        let shared = Shared {
            selected: match arguments.list {
                true => Vec::new(),
                false => session::planned(plan.cases.iter().filter(|case| is_selected(arguments, case))),
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
        let mut trials = self.broken;
        if let Err(error) = self.shared.announce_unplanned() {
            eprintln!("error: the run cannot be recorded: {error}");
            return ExitCode::from(RED);
        }
        trials.extend((0..self.shared.plan.cases.len()).map(|index| trial(&self.shared, index)));
        let (count, exact) = (trials.len(), self.shared.exact.clone());
        let conclusion = libtest_mimic::run(&arguments, trials);
        if arguments.list {
            return ExitCode::SUCCESS;
        }
        let closed = self.shared.close(&arguments);
        let tolerated = self.shared.tolerated.load(Ordering::Relaxed);
        let ran = conclusion.num_passed + conclusion.num_failed + tolerated;
        let narrowed = arguments.filter.is_some() || !arguments.skip.is_empty() || arguments.ignored;
        let Closed { unfinished, gates } = match closed {
            Ok(closed) => closed,
            Err(message) => {
                eprintln!("error: {message}");
                return ExitCode::from(RED);
            }
        };
        let over_budget = self.shared.over_budget.load(Ordering::Relaxed);
        if over_budget > 0 && !conclusion.has_failed() {
            let tests = if over_budget == 1 { "1 test".to_owned() } else { format!("{over_budget} tests") };
            eprintln!("error: {tests} no longer fit the budget and were not judged: that is not green");
            return ExitCode::from(RED);
        }
        if unfinished > 0 && !conclusion.has_failed() {
            let tests =
                if unfinished == 1 { "1 test has".to_owned() } else { format!("{unfinished} tests have") };
            eprintln!("error: {tests} no verdict in the record: that is not green");
            return ExitCode::from(RED);
        }
        if let (Some(name), 0, 0) = (&exact, ran, conclusion.num_ignored) {
            eprintln!(
                "error: there is no test `{name}` here any more: a test that was not judged is not green"
            );
            return ExitCode::from(RED);
        }
        if tell_gates(&gates) && !conclusion.has_failed() {
            return ExitCode::from(RED);
        }
        if ran == 0 && !narrowed {
            eprintln!("error: none of {count} tests was judged: a run that judged nothing is not green");
            return ExitCode::from(RED);
        }
        conclusion.exit_code()
    }
}

/// What a run came to besides its trials.
#[derive(Default)]
struct Closed {
    /// Tests without a verdict in the record.
    unfinished: u32,
    /// The thresholds of the suites.
    gates: Gates,
}

/// Says which thresholds do not hold; true where one turns the build red.
fn tell_gates(gates: &Gates) -> bool {
    let unmet = gates.judged.iter().filter(|gate| gate.truth != Truth::Held);
    for gate in unmet {
        let word = if gate.is_red() { "error" } else { "note" };
        eprintln!("{word}: {}\n  {}", told(gate), gate.threshold.place);
    }
    gates.broken().is_some() || gates.undecided().is_some()
}

/// Whether libtest runs or ignores the case, and does not pass it over.
fn is_selected(arguments: &Arguments, case: &Case) -> bool {
    let trial = Trial::test(case.name.to_string(), || Ok(())).with_ignored_flag(case.skip.is_some());
    !arguments.is_filtered_out(&trial)
}

fn trial(shared: &Arc<Shared>, index: usize) -> Trial {
    let case = &shared.plan.cases[index];
    let (name, skipped) = (case.name.to_string(), case.skip.is_some());
    let shared = shared.clone();
    Trial::ignorable_test(name, move || shared.judge(index)).with_ignored_flag(skipped)
}

impl Shared {
    /// Runs one case and turns its verdict into libtest's.
    fn judge(&self, index: usize) -> Result<Completion, Failed> {
        if let Some(refusal) = &self.refusal {
            return Err(Failed::from(refusal));
        }
        let case = &self.plan.cases[index];
        let engine = self.runtime.block_on(self.engine.get_or_init(async || self.start())).as_ref()?;
        let ran =
            self.runtime.block_on(engine.run_case(case)).map_err(|error: SinkError| error.to_string())?;
        let Some(ran) = ran else { return Err(Failed::from("not judged: the run was interrupted")) };
        match ran.outcome.verdict {
            Verdict::Passed | Verdict::Flaky => Ok(Completion::Completed),
            Verdict::Skipped if ran.outcome.over_budget => {
                self.over_budget.fetch_add(1, Ordering::Relaxed);
                let reason = ran.outcome.reason.as_deref().unwrap_or("budget");
                if self.in_nextest {
                    return Err(Failed::from(format!("not judged: {reason}")));
                }
                Ok(Completion::ignored_with(reason))
            }
            Verdict::Inconclusive if ran.outcome.tolerated => {
                self.tolerated.fetch_add(1, Ordering::Relaxed);
                let reason = ran.outcome.reason.as_deref().unwrap_or("the repeats did not decide");
                Ok(Completion::ignored_with(format!("inconclusive: {reason}")))
            }
            Verdict::Skipped => {
                Ok(Completion::ignored_with(ran.outcome.reason.as_deref().unwrap_or("skipped")))
            }
            Verdict::Failed | Verdict::Errored | Verdict::Inconclusive => {
                let mended = ran.telling.as_deref().and_then(|told| mended(told, &self.session.redactor));
                let text = failure_text(&ran.outcome, mended.as_ref().or(ran.telling.as_deref()));
                Err(Failed::from(self.session.redactor.text(&text)))
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

    /// Ends the run and writes its reports; says what is red besides trials. Nothing to do when no trial ran.
    fn close(&self, arguments: &Arguments) -> Result<Closed, String> {
        let Some(Ok(engine)) = self.engine.get() else { return Ok(Closed::default()) };
        if !arguments.ignored && !arguments.include_ignored {
            self.record_skipped(engine, arguments)?;
        }
        engine.end(None).map_err(|error| error.to_string())?;
        self.runtime.block_on(engine.close());
        if let Some(left) = left_text(&engine.left(), &self.settings, &self.session.reports) {
            eprintln!("{left}");
        }
        let kept = self.session.save_cassettes(engine);
        let closed = match self.session.keeping {
            Keeping::Shared => Closed::default(),
            Keeping::Journal => {
                let record = self.session.record()?;
                self.session.write_reports(&record)?;
                self.session.add_step_summary(&record).unwrap_or_else(|note| eprintln!("{note}"));
                let gates = gate::judge(&record).map_err(|error| error.to_string())?;
                Closed { unfinished: record.unfinished(), gates }
            }
        };
        kept?.lost.iter().for_each(|lost| eprintln!("{lost}"));
        Ok(closed)
    }

    /// Records the tests that libtest passed over as ignored, with the reasons that `run` would give.
    fn record_skipped(&self, engine: &Engine, arguments: &Arguments) -> Result<(), String> {
        let skipped =
            self.plan.cases.iter().filter(|case| case.skip.is_some() && is_selected(arguments, case));
        for case in skipped {
            self.runtime.block_on(engine.run_case(case)).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}
