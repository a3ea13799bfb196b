//! Runs a plan: attempts, retries, pace and budgets; reports to a sink what happens.
//!
//! Both doors, the command line and the libtest harness, run their cases through one `Engine`. It composes the parts of a run:
//! each part is a struct of its own file, and only the files that run cases know the whole.

mod attempt;
mod back_off;
pub(crate) mod backpressure;
mod blocked_apps;
mod blocking;
pub(crate) mod budget;
pub(crate) mod case;
mod case_end;
mod cassette_miss;
mod checker;
mod contract;
mod current_run;
mod events;
mod interrupted;
mod judged_attempt;
mod judging;
mod judging_limit;
mod limiter;
mod made_request;
mod node_names;
mod pace;
pub(crate) mod paired_run;
#[cfg(test)]
mod panic_tests;
pub(crate) mod part;
pub(crate) mod recorder;
mod repeat;
mod request;
mod retry_after;
mod retry_safety;
mod route;
pub(crate) mod run;
#[cfg(test)]
mod sample;
mod sender;
mod side_by_side;
pub(crate) mod signal;
pub(crate) mod snapshots;
mod spending;
mod starts;
mod streak;
mod tally;
pub(crate) mod target;
mod usage;
mod versions;
mod wait_limit;
mod waiting;

use std::sync::Arc;

use crate::base::redact::Redactor;
use crate::dify::wire::contract::Contracts;
use crate::engine::budget::RunBudgets;
use crate::engine::checker::AttemptChecker;
use crate::engine::current_run::CurrentRun;
use crate::engine::events::EventLog;
use crate::engine::interrupted::InterruptedAttempts;
use crate::engine::judging::JudgePanel;
use crate::engine::pace::TargetPace;
use crate::engine::recorder::{ExchangeRecorder, RunRecording};
use crate::engine::sender::RequestSender;
use crate::engine::snapshots::PendingSnapshots;
use crate::engine::target::EngineError;
use crate::plan::case::Plan;
use crate::record::event::{AttemptStart, Event, Sink, SinkError};

/// The parts of a run.
pub struct Engine {
    /// The cases and their target.
    pub plan: Arc<Plan>,
    /// What every part sees of the run.
    run: Arc<CurrentRun>,
    /// Reports events.
    events: EventLog,
    /// Allows attempts to spend; `None` without a budget.
    budgets: Option<Arc<RunBudgets>>,
    /// Decides when to send.
    pace: Arc<TargetPace>,
    /// Sends requests, and replays recorded exchanges.
    sender: Arc<RequestSender>,
    /// Judges answers.
    checker: AttemptChecker,
    /// Records exchanges for cassettes.
    exchanges: ExchangeRecorder,
    /// Looks up attempts that a kill interrupted.
    interrupted: InterruptedAttempts,
}

impl Engine {
    /// Connects to the plan's target; starts the mock when that is the target.
    pub fn start(plan: Arc<Plan>, run_id: Arc<str>, sink: Box<dyn Sink + Send>) -> Result<Self, EngineError> {
        let run = Arc::new(CurrentRun::new(plan.clone(), run_id));
        let contracts = Arc::new(Contracts::new());
        let redactor = Redactor::new(plan.secrets.iter().cloned());
        let sender = Arc::new(RequestSender::open(&run, &contracts)?);
        let pace = Arc::new(TargetPace::new(&run));
        let judges = JudgePanel::open(&run, &sender, &pace, redactor.clone())?;
        Ok(Self {
            events: EventLog::new(&run, sink),
            budgets: None,
            checker: AttemptChecker::new(&run, judges, contracts, redactor),
            exchanges: ExchangeRecorder::new(&run),
            interrupted: InterruptedAttempts::new(&run, &sender),
            pace,
            sender,
            run,
            plan,
        })
    }

    /// Limits what the attempts of the run may spend.
    #[must_use]
    pub fn with_budgets(self, budgets: Option<RunBudgets>) -> Self {
        Self { budgets: budgets.map(Arc::new), ..self }
    }

    /// Looks up these attempts before their tests are sent again.
    #[must_use]
    pub fn with_interrupted(self, interrupted: Vec<AttemptStart>) -> Self {
        self.interrupted.add(interrupted);
        self
    }

    /// Reports an event; the events of one case arrive in order.
    pub fn record(&self, event: &Event) -> Result<(), SinkError> {
        self.events.record(event)
    }

    /// Asks every running attempt to stop, and prevents new ones.
    pub fn stop(&self, reason: &str) {
        self.run.stop(reason);
    }

    /// Why the run is stopping; `None` if it is not.
    pub fn stopping(&self) -> Option<Arc<str>> {
        self.run.stop_reason()
    }

    /// The snapshots of the run that wait for approval.
    pub fn pending_snapshots(&self) -> PendingSnapshots {
        self.checker.snapshots.pending()
    }

    /// Returns what was recorded; to be called once, when the run has ended.
    pub fn take_recording(&self) -> RunRecording {
        self.exchanges.take()
    }

    /// Why the ledger of the budgets could not be written, if so: it then contains less than what was spent.
    pub fn ledger_failure(&self) -> Option<String> {
        self.budgets.as_ref()?.failure()
    }

    /// Stops the mock servers, if there are any.
    pub async fn close(&self) {
        self.sender.close().await;
    }
}
