//! Suites that are loaded and planned, and how they run.

use std::sync::Arc;

use crate::app::{self, EarlyEnd, OpenedRun, RunOrigin, SignalUse};
use crate::engine::run::RunLimits;
use crate::library::listener::{ListenerSink, RunListener};
use crate::library::record::RecordedRun;
use crate::record::event::RunOptions;

/// Suites that are loaded, planned and ready to run.
pub struct RunnableSuites {
    opened: OpenedRun,
    options: RunOptions,
}

/// Why a run was not carried out, or left no record.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The machine or the target does not give what a run takes. Nothing was sent.
    #[error("the run did not start: {0}")]
    NotStarted(String),
    /// What happened cannot be recorded or read back; the run was stopped.
    #[error("the run was not recorded: {0}")]
    NotRecorded(String),
    /// The run is recorded, and its reports cannot be written.
    #[error("the reports were not written: {0}")]
    NoReports(String),
}

impl RunnableSuites {
    pub(super) fn new(opened: OpenedRun, options: RunOptions) -> Self {
        Self { opened, options }
    }

    /// The full names of the tests that will run, in their order.
    pub fn tests(&self) -> impl Iterator<Item = &str> {
        self.opened.plan.cases.iter().map(|case| &*case.name)
    }

    /// What somebody who starts the run should know, such as a limit that the machine forces.
    pub fn notes(&self) -> &[String] {
        &self.opened.notes
    }

    /// Runs all tests, records them below the folder of the reports, and writes the reports that the project names.
    ///
    /// It blocks until all have their verdicts, on threads of its own; call it outside of an asynchronous runtime. Signals are
    /// left to the program. A run that the program's end interrupts loses nothing that had finished: continue it with
    /// `options.resume`.
    ///
    /// # Errors
    ///
    /// If nothing could be sent, or nothing recorded. Red tests are no error: see [`RecordedRun::exit_code`].
    pub fn run(self, listener: impl RunListener + 'static) -> Result<RecordedRun, RunError> {
        let OpenedRun { plan, session, notes: _, again } = self.opened;
        app::check_machine().map_err(|error| RunError::NotStarted(error.to_string()))?;
        let origin = match again {
            Some(resumed) => RunOrigin::Resumed(Box::new(resumed)),
            None => RunOrigin::New(None),
        };
        let max_fail = if self.options.fail_fast { Some(1) } else { self.options.max_fail };
        let ending = EarlyEnd { limits: RunLimits { max_fail }, signals: SignalUse::Ignored };
        let runtime = app::runtime().map_err(|error| RunError::NotStarted(error.to_string()))?;
        let listener = Box::new(ListenerSink(listener));
        let executed = runtime.block_on(session.execute(Arc::new(plan), origin, listener, ending));
        executed.map_err(|error| RunError::NotStarted(error.to_string()))?;
        let record = session.record().map_err(RunError::NotRecorded)?;
        session.write_reports(&record).map_err(RunError::NoReports)?;
        // The writer's record keeps the journal locked; what the program gets must not, so that it can continue the run.
        let journal = record.path().to_owned();
        drop((record, session));
        RecordedRun::read(journal).map_err(|error| RunError::NotRecorded(error.to_string()))
    }
}
