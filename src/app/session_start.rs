//! How a run starts: its journal, its budgets and its engine, in a new record or in that of a run that goes on.

use std::sync::Arc;

use crate::app::facts::{PLANNED, tell_plan};
use crate::app::opened::ResumedRun;
use crate::app::runs;
use crate::app::session::{RecordKeeping, Session, SessionError, salt};
use crate::app::sinks::{JournalAndWatcher, RunSink};
use crate::engine::Engine;
use crate::plan::case::Plan;
use crate::record::event::{Event, PlannedCase, Sink, SinkError};
use crate::record::journal::{Journal, SharedJournal};
use crate::report::{self, ReportError};

impl Session {
    /// Opens the journal, starts the engine and reports to both that the run started.
    /// Must be called within a runtime: the mock is a task of it.
    pub fn start(
        &self,
        plan: Arc<Plan>,
        selected: Vec<PlannedCase>,
        listener: Option<Box<dyn Sink + Send>>,
    ) -> Result<Arc<Engine>, SessionError> {
        self.start_in(None, plan, selected, listener)
    }

    /// The same, in the journal that was made when the run was announced.
    pub fn start_in(
        &self,
        announced: Option<Journal>,
        plan: Arc<Plan>,
        selected: Vec<PlannedCase>,
        listener: Option<Box<dyn Sink + Send>>,
    ) -> Result<Arc<Engine>, SessionError> {
        self.make_room()?;
        let count = u32::try_from(selected.len()).unwrap_or(u32::MAX);
        let started = Event::RunStarted(self.run_start(&plan, count));
        match self.keeping {
            RecordKeeping::Journal => {
                let journal = match announced {
                    Some(journal) => journal,
                    None => Journal::create(&self.reports, &self.run, self.redactor.clone())?,
                };
                let journal = RunSink::Own(Box::new(journal.leaving(self.ended.clone())));
                let purse = self.purse(&plan)?;
                let sink = Box::new(JournalAndWatcher { journal, listener });
                let engine = Engine::start(plan, self.run.clone(), sink)?.with_budgets(purse);
                engine.record(&started)?;
                tell_plan(&engine, &selected)?;
                Ok(Arc::new(engine))
            }
            RecordKeeping::Shared => {
                let journal = RunSink::Shared(self.announced(&started, &selected)?);
                // As with a part of a run that goes on: names are those of this process.
                let part = Arc::from(format!("{}-{}", self.run, salt(6)));
                let purse = self.purse(&plan)?;
                let sink = Box::new(JournalAndWatcher { journal, listener });
                Ok(Arc::new(Engine::start(plan, part, sink)?.with_budgets(purse)))
            }
        }
    }

    /// Notes in a record that several processes share that tests were begun which can only fail.
    pub fn announce(&self, plan: &Plan, cases: &[PlannedCase]) -> Result<(), SinkError> {
        self.announced(&Event::RunStarted(self.run_start(plan, 0)), cases).map(drop)
    }

    /// The shared record, in which the tests are before anything of them can fail.
    fn announced(&self, started: &Event, cases: &[PlannedCase]) -> Result<SharedJournal, SinkError> {
        let mut journal = SharedJournal::open(&self.reports, &self.run, self.redactor.clone())?;
        journal.take(started)?;
        cases.chunks(PLANNED).try_for_each(|cases| journal.take(&Event::CasesPlanned(Arc::from(cases))))?;
        Ok(journal)
    }

    /// Starts the engine on what is left of a run, and reports to its journal and the listener that it continues.
    pub fn go_on(
        &self,
        plan: Arc<Plan>,
        again: ResumedRun,
        listener: Option<Box<dyn Sink + Send>>,
    ) -> Result<Arc<Engine>, SessionError> {
        let ResumedRun { journal, continuation, planned, before, interrupted } = again;
        self.make_room()?;
        journal.go_on()?;
        let journal = RunSink::Own(Box::new(journal.leaving(self.ended.clone())));
        // Names made of it, those of Dify's end users above all, must not be those of an earlier part.
        let part = Arc::from(format!("{}-{}", self.run, salt(4)));
        // The ledger of the run goes on: what its earlier parts used is used.
        let purse = self.purse_again(&plan, &before)?;
        let engine =
            Engine::start(plan, part, Box::new(JournalAndWatcher { journal, listener }))?.with_budgets(purse);
        let engine = engine.with_interrupted(interrupted);
        engine.record(&Event::RunContinued(continuation))?;
        tell_plan(&engine, &planned)?;
        Ok(Arc::new(engine))
    }

    /// Refuses to begin where the reports cannot go, and removes what dead processes left there.
    fn make_room(&self) -> Result<(), ReportError> {
        if self.keeping == RecordKeeping::Journal {
            report::check_latest(&self.latest())?;
        }
        runs::remove_leftovers(&self.reports);
        Ok(())
    }
}
