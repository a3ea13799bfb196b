//! What both doors do before and after a run: load and plan, open the journal, start, write the reports.
//!
//! Neither prints here; what failed is told as text and by kind.

pub(crate) mod against;
mod announce;
mod asked;
pub(crate) mod budget;
pub(crate) mod cassettes;
mod facts;
pub(crate) mod forecast;
pub(crate) mod init;
pub(crate) mod live_app;
mod machine;
pub(crate) mod merge;
pub(crate) mod nextest;
mod open;
mod parts;
pub(crate) mod probe;
pub(crate) mod reports;
mod request;
mod resume;
mod resume_notes;
pub(crate) mod runs;
pub(crate) mod settings;
mod shard;
mod sinks;
pub(crate) mod snapshots;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::cassettes::CassetteSuites;
use crate::app::facts::{PLANNED, tell_plan};
use crate::app::sinks::{JournalAndWatcher, RunSink};
use crate::base::clock;
use crate::base::redact::Redactor;
use crate::engine::Engine;
use crate::plan::case::Plan;
use crate::record::event::{Event, PlannedCase, RunChoices, Sink, SinkError};
use crate::record::journal::{self, EndedRun, Journal, RunRecord, SharedJournal};
use crate::report::{self, ReportFormat};

pub use announce::announce;
pub use cassettes::SavedCassette;
pub use facts::planned;
pub use machine::check_machine;
pub use open::{check, list, open, open_partly};
pub use request::{OpenFailure, OpenedRun, PartialRun, RunOptions};
pub use resume::{ResumeRequest, ResumedRun};
pub use shard::ShardChoice;

/// A run about to start: its id, where it is recorded, and what must be masked.
#[derive(Debug, Clone)]
pub struct Session {
    /// The run's id: sorts by time.
    pub run: Arc<str>,
    /// The folder of all reports.
    pub reports: PathBuf,
    /// The documents to write besides the journal.
    pub formats: Vec<ReportFormat>,
    /// Masks keys and secrets.
    pub redactor: Redactor,
    /// The file that GitHub shows as the summary of the job, if this is one.
    pub step_summary: Option<PathBuf>,
    /// The run of the build server that this one is part of.
    pub build: Option<String>,
    /// What is kept of the run.
    pub keeping: RecordKeeping,
    /// What was asked for.
    pub asked: RunChoices,
    /// The ledger of its budgets, where other processes draw on them too.
    pub shared_ledger: Option<PathBuf>,
    /// What was recorded, once the run has ended.
    ended: EndedRun,
    /// The suites of the whole run by the path of their cassettes.
    cassettes: BTreeMap<PathBuf, CassetteSuites>,
}

/// What is kept of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKeeping {
    /// The journal, and the documents made of it.
    Journal,
    /// A part of a journal that all processes of a run of nextest write; no process knows when the last has ended.
    Shared,
}

/// What a run recorded into cassettes.
#[derive(Debug)]
pub struct RecordedCassettes {
    /// The cassettes it recorded into.
    pub saved: Vec<SavedCassette>,
    /// The tests whose exchanges could not be recorded, and why.
    pub lost: Option<String>,
}

/// Why a run could not be carried through.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The target cannot be used.
    #[error(transparent)]
    Engine(#[from] crate::engine::EngineError),
    /// The journal cannot be written.
    #[error("the run cannot be recorded: {0}; free some space or choose another --reports folder")]
    Journal(#[from] SinkError),
    /// The ledger of the budgets cannot be used.
    #[error("nothing was sent: {0}")]
    Ledger(#[from] crate::budget::LedgerError),
    /// The reports have no place to go.
    #[error("nothing was sent: {0}")]
    Reports(#[from] crate::report::ReportError),
    /// The system gives no threads.
    #[error("no threads could be started: {0}")]
    Threads(#[from] std::io::Error),
}

impl Session {
    /// A session with a fresh run id.
    pub fn new(plan: &Plan, reports: PathBuf, formats: Vec<ReportFormat>) -> Self {
        Self {
            run: run_id(&reports),
            reports,
            formats,
            step_summary: None,
            build: None,
            redactor: Redactor::new(plan.secrets.iter().cloned()),
            keeping: RecordKeeping::Journal,
            asked: RunChoices::default(),
            shared_ledger: None,
            ended: EndedRun::default(),
            cassettes: cassettes::suites(plan),
        }
    }

    /// Opens the journal, starts the engine and tells both that the run started.
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
                let engine = Engine::start(plan, self.run.clone(), sink)?.paid_from(purse);
                engine.tell(&started)?;
                tell_plan(&engine, &selected)?;
                Ok(Arc::new(engine))
            }
            RecordKeeping::Shared => {
                let journal = RunSink::Shared(self.announced(&started, &selected)?);
                // As with a part of a run that goes on: names are those of this process.
                let part = Arc::from(format!("{}-{}", self.run, salt(6)));
                let purse = self.purse(&plan)?;
                let sink = Box::new(JournalAndWatcher { journal, listener });
                Ok(Arc::new(Engine::start(plan, part, sink)?.paid_from(purse)))
            }
        }
    }

    /// Notes in a record that several processes share that tests were begun which can only fail.
    pub fn announce(&self, plan: &Plan, cases: &[PlannedCase]) -> Result<(), SinkError> {
        self.announced(&Event::RunStarted(self.run_start(plan, 0)), cases).map(drop)
    }

    /// The shared record, in which the tests stand before anything of them can fail.
    fn announced(&self, started: &Event, cases: &[PlannedCase]) -> Result<SharedJournal, SinkError> {
        let mut journal = SharedJournal::open(&self.reports, &self.run, self.redactor.clone())?;
        journal.take(started)?;
        cases.chunks(PLANNED).try_for_each(|cases| journal.take(&Event::CasesPlanned(Arc::from(cases))))?;
        Ok(journal)
    }

    /// Starts the engine on what is left of a run, and tells its journal and the listener that it goes on.
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
            Engine::start(plan, part, Box::new(JournalAndWatcher { journal, listener }))?.paid_from(purse);
        let engine = engine.taking_up(interrupted);
        engine.tell(&Event::RunContinued(continuation))?;
        tell_plan(&engine, &planned)?;
        Ok(Arc::new(engine))
    }

    /// Writes what the run recorded into the cassettes; to be called once, before its end is told.
    pub fn save_cassettes(&self, engine: &Engine) -> Result<RecordedCassettes, String> {
        let recording = engine.take_recording();
        let lost = cassettes::lost_text(&recording.lost);
        let saved = cassettes::save(recording, &engine.plan, &self.cassettes, &self.redactor)?;
        Ok(RecordedCassettes { saved, lost })
    }

    /// What was recorded; the journal is read only where its writer did not see the run end.
    pub fn record(&self) -> Result<RunRecord, String> {
        match self.ended.take() {
            Some(record) => Ok(record),
            None => match self.ended.read() {
                Some(record) => record.map_err(|error| error.to_string()),
                None => Err(String::from("nothing was recorded")),
            },
        }
    }

    /// Writes `<reports>/latest`; says which files there are.
    pub fn write_reports(&self, record: &RunRecord) -> Result<Vec<PathBuf>, String> {
        report::write_all(record, &self.latest(), &self.formats).map_err(|error| error.to_string())
    }

    /// Adds the run to the summary of GitHub's job, if this is one; that it cannot be is told and changes no verdict.
    pub fn add_step_summary(&self, record: &RunRecord) -> Result<(), String> {
        let Some(path) = &self.step_summary else { return Ok(()) };
        report::add_step_summary(record, path)
            .map_err(|error| format!("note: the summary of the job was not written: {error}"))
    }

    /// The folder of the newest run's documents.
    pub fn latest(&self) -> PathBuf {
        self.reports.join(Path::new("latest"))
    }
}

/// Tasks that are run before the sockets are looked at again: judging an answer must not delay the reading of others for long.
const LOOKS: u32 = 13;

/// The threads that run attempts: one a processor.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().event_interval(LOOKS).enable_all().build()
}

/// A run id: the time to the second in UTC, then six random letters; later than that of the run before.
fn run_id(reports: &Path) -> Arc<str> {
    Arc::from(journal::next_id(reports, clock::wall(), &salt(6)))
}

/// Random letters.
fn salt(letters: usize) -> String {
    let mut random = fastrand::Rng::new();
    (0..letters).map(|_| random.lowercase()).collect()
}
