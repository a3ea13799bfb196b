//! Every test of every suite as a libtest trial: `cargo test`, its filters and `cargo nextest` work as ever.
//!
//! It does not know the command line; both enter the engine at the same place.

mod loading;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use crate::engine::Engine;
use crate::engine::signal;
use crate::event::SinkError;
use crate::gate::{self, Gates};
use crate::harness::loading::{failing, loading};
use crate::journal::mended;
use crate::plan::case::{Case, Plan, TargetKind};
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
        Err(trial) => refuse(&arguments, trial),
    }
}

/// Lists or fails the one trial that says why there are no others.
fn refuse(arguments: &Arguments, trial: Trial) -> ExitCode {
    libtest_mimic::run(arguments, vec![trial]).exit_code()
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
    selected: u32,
    engine: OnceCell<Result<Arc<Engine>, String>>,
    refusal: Option<String>,
    /// Runs one test for nextest, which takes a skip at run time for a pass.
    in_nextest: bool,
    /// Tests that no longer fit their budget.
    over_budget: AtomicU64,
    /// Tests whose repeats did not decide, where the suite takes that as a warning.
    tolerated: AtomicU64,
}

impl Door {
    fn open(settings: &Settings, arguments: &Arguments) -> Result<Self, Trial> {
        let request = Request { only: exact_name(settings, arguments), ..Request::default() };
        let Partial { opening, problems, unsound, files } = session::open_partly(settings, &request)
            .map_err(|failure| match failure {
                OpenFailure::Usage(message) | OpenFailure::Target(message) => {
                    failing("flowproof::target", message)
                }
                OpenFailure::Problems(problems) => {
                    failing("flowproof::project", render(&problems, Style::Plain))
                }
            })?;
        if files == 0 && problems.is_empty() {
            let message =
                "no suite was found: write one below `suites/`, or name a folder in FLOWPROOF_SUITES";
            return Err(failing("flowproof::suites", message.to_owned()));
        }
        let (plan, mut session) = (opening.plan, opening.session);
        if settings.nextest.is_some() {
            session.keeping = Keeping::Nothing;
        }
        let runtime = session::runtime().map_err(|error| failing("flowproof::runtime", error.to_string()))?;
        let plan = Arc::new(plan);
        let shared = Shared {
            selected: u32::try_from(plan.cases.iter().filter(|case| is_selected(arguments, case)).count())
                .unwrap_or(u32::MAX),
            refusal: refused_retry(settings, &plan),
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
        trials.extend((0..self.shared.plan.cases.len()).map(|index| trial(&self.shared, index)));
        let count = trials.len();
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

/// The one test a nextest process is to run, so that only its suite is loaded.
fn exact_name(settings: &Settings, arguments: &Arguments) -> Option<String> {
    let one = settings.nextest.is_some() && arguments.exact && !arguments.list && arguments.skip.is_empty();
    arguments.filter.clone().filter(|_| one)
}

/// nextest's own retries would pay twice and hide a failure.
fn refused_retry(settings: &Settings, plan: &Plan) -> Option<String> {
    let attempt = settings.nextest.as_ref()?.attempt;
    let live = match plan.target.kind {
        TargetKind::Live { .. } => true,
        TargetKind::Mock(_) | TargetKind::Replay { .. } => false,
    };
    (live && attempt > 1).then(|| {
        "nextest's retries are refused on a live target: each would be paid for again and could hide a failure; \
         set `retries = 0` in .config/nextest.toml and use `retries` in the suite for infrastructure failures"
            .to_owned()
    })
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

    fn start(&self) -> Result<Arc<Engine>, String> {
        let started = self.session.start(self.plan.clone(), self.selected, None);
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
            Keeping::Nothing => Closed::default(),
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
