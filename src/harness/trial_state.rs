//! What the trials share: one run, whose engine starts with the first trial.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use libtest_mimic::{Completion, Failed};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use crate::app::Session;
use crate::app::settings::Settings;
use crate::base::visible::harmless;
use crate::engine::{Engine, signal};
use crate::harness::nextest::announce;
use crate::harness::say::ignored;
use crate::plan::case::Plan;
use crate::record::event::{PlannedCase, SinkError};
use crate::record::journal::mended;
use crate::record::verdict::Verdict;
use crate::report::terminal::failure_text;

/// What the trials share; the engine starts with the first that runs.
pub(super) struct TrialState {
    /// Where attempts run.
    pub runtime: Runtime,
    /// Where the run is recorded.
    pub session: Session,
    /// The environment.
    pub settings: Settings,
    /// What may run.
    pub plan: Arc<Plan>,
    /// The tests that libtest selects.
    pub selected: Vec<PlannedCase>,
    /// Runs the tests; started once.
    pub engine: OnceCell<Result<Arc<Engine>, String>>,
    /// Why no test is run, if so.
    pub refusal: Option<String>,
    /// The one test that a process of nextest is to run.
    pub exact: Option<String>,
    /// Runs one test for nextest, which takes a skip at run time for a pass.
    pub in_nextest: bool,
    /// Tests that no longer fit their budget.
    pub over_budget: AtomicU64,
    /// Tests whose repeats did not decide, where the suite takes that as a warning.
    pub tolerated: AtomicU64,
}

impl TrialState {
    /// Runs one case and turns its verdict into libtest's.
    pub fn judge(&self, index: usize) -> Result<Completion, Failed> {
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
    pub fn announce_unplanned(&self) -> Result<(), SinkError> {
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
