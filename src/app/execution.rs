//! Carries out what was opened: starts the engine, runs the cases, keeps what was recorded, and records the end.

use std::sync::Arc;

use crate::app::facts::planned;
use crate::app::opened::ResumedRun;
use crate::app::session::{RecordedCassettes, Session, SessionError};
use crate::engine::run::RunLimits;
use crate::engine::signal;
use crate::engine::snapshots::PendingSnapshots;
use crate::plan::case::Plan;
use crate::record::event::Sink;
use crate::record::journal::Journal;

/// Where a run begins.
pub enum RunOrigin {
    /// In a new journal; `None`: it is still to be made.
    New(Option<Box<Journal>>),
    /// In the journal of a run that is continued.
    Resumed(Box<ResumedRun>),
}

/// Whether signals to this process end a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalUse {
    /// They do: the first asks the run to stop, the second ends the process.
    Watched,
    /// They belong to the program around it.
    Ignored,
}

/// When a run ends before its plan does.
#[derive(Debug, Clone, Copy)]
pub struct EarlyEnd {
    /// Red tests after which no new one starts.
    pub limits: RunLimits,
    /// Whether signals end it.
    pub signals: SignalUse,
}

/// What a run leaves besides its record.
pub struct ExecutedRun {
    /// What it recorded into cassettes, or why that could not be written.
    pub cassettes: Result<RecordedCassettes, String>,
    /// Why the ledger of the budgets could not be kept, if so.
    pub ledger_failure: Option<String>,
    /// The snapshots that wait for approval.
    pub pending: PendingSnapshots,
}

impl Session {
    /// Sends and judges everything; the journal then holds it all. Must be called within a runtime.
    pub async fn execute(
        &self,
        plan: Arc<Plan>,
        origin: RunOrigin,
        listener: Box<dyn Sink + Send>,
        ending: EarlyEnd,
    ) -> Result<ExecutedRun, SessionError> {
        let engine = match origin {
            RunOrigin::Resumed(resumed) => self.go_on(plan, *resumed, Some(listener))?,
            RunOrigin::New(journal) => {
                let selected = planned(&plan.cases);
                self.start_in(journal.map(|journal| *journal), plan, selected, Some(listener))?
            }
        };
        let watch = (ending.signals == SignalUse::Watched).then(|| signal::watch(engine.clone()));
        let ended = engine.run_cases(ending.limits).await;
        if let Some(watch) = watch {
            watch.abort();
        }
        engine.close().await;
        let ledger_failure = engine.ledger_failure();
        // What was paid for is kept even if the run cannot be recorded any more.
        let cassettes = self.save_cassettes(&engine);
        engine.end(ended?, cassettes.as_ref().err().cloned())?;
        Ok(ExecutedRun { cassettes, ledger_failure, pending: engine.pending_snapshots() })
    }
}
