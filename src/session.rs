//! What both doors do before and after a run: load and plan, open the journal, start, write the reports.
//!
//! Neither prints here; what failed is told as text and by kind.

pub(crate) mod against;
pub(crate) mod budget;
pub(crate) mod cassettes;
pub(crate) mod init;
mod open;
pub(crate) mod probe;
mod request;
pub(crate) mod snapshots;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::clock;
use crate::base::redact::Redactor;
use crate::cassette::Mode;
use crate::engine::Engine;
use crate::event::{Event, RunStart, Sink, SinkError};
use crate::journal::{self, Ended, Journal, RunRecord, SCHEMA};
use crate::plan::case::{Plan, TargetKind};
use crate::report::{self, Format};

pub use cassettes::{Change, Saved};
pub use open::{check, list, open, open_partly};
pub use request::{OpenFailure, Opening, Partial, Request};

/// A run about to start: its id, where it is recorded, and what must be masked.
#[derive(Debug, Clone)]
pub struct Session {
    /// The run's id: sorts by time.
    pub run: Arc<str>,
    /// The folder of all reports.
    pub reports: PathBuf,
    /// The documents to write besides the journal.
    pub formats: Vec<Format>,
    /// Masks keys and secrets.
    pub redactor: Redactor,
    /// The file that GitHub shows as the summary of the job, if this is one.
    pub step_summary: Option<PathBuf>,
    /// What is kept of the run.
    pub keeping: Keeping,
    /// The ledger of its budgets, where other processes draw on them too.
    pub shared_ledger: Option<PathBuf>,
    /// What was recorded, once the run has ended.
    ended: Ended,
}

/// What is kept of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// The journal, and the documents made of it.
    Journal,
    /// Nothing: a process of nextest runs one test, and nextest keeps the record.
    Nothing,
}

/// What a run recorded into cassettes.
#[derive(Debug)]
pub struct Kept {
    /// The cassettes it recorded into.
    pub saved: Vec<Saved>,
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
    Ledger(#[from] crate::ledger::LedgerError),
    /// The system gives no threads.
    #[error("no threads could be started: {0}")]
    Threads(#[from] std::io::Error),
}

impl Session {
    /// A session with a fresh run id.
    pub fn new(plan: &Plan, reports: PathBuf, formats: Vec<Format>) -> Self {
        Self {
            run: run_id(),
            reports,
            formats,
            step_summary: None,
            redactor: Redactor::new(plan.secrets.iter().cloned()),
            keeping: Keeping::Journal,
            shared_ledger: None,
            ended: Ended::default(),
        }
    }

    /// Opens the journal, starts the engine and tells both that the run started.
    /// Must be called within a runtime: the mock is a task of it.
    pub fn start(
        &self,
        plan: Arc<Plan>,
        selected: u32,
        listener: Option<Box<dyn Sink + Send>>,
    ) -> Result<Arc<Engine>, SessionError> {
        let journal = self.journal()?;
        let started = Event::RunStarted(self.run_start(&plan, selected));
        let sink = Box::new(Both { journal, listener });
        let purse = self.purse(&plan)?;
        let engine = Engine::start(plan, self.run.clone(), sink)?.paid_from(purse);
        engine.tell(&started)?;
        Ok(Arc::new(engine))
    }

    /// The journal of the run; a process of nextest keeps none, since it sees one test only.
    fn journal(&self) -> Result<Option<Journal>, SinkError> {
        match self.keeping {
            Keeping::Journal => {
                let journal = Journal::create(&self.reports, &self.run, self.redactor.clone())?;
                Ok(Some(journal.leaving(self.ended.clone())))
            }
            Keeping::Nothing => Ok(None),
        }
    }

    fn run_start(&self, plan: &Plan, selected: u32) -> RunStart {
        RunStart {
            schema: SCHEMA,
            run: self.run.to_string(),
            flowproof: env!("CARGO_PKG_VERSION").to_owned(),
            target: plan.target.name.to_string(),
            mock: matches!(plan.target.kind, TargetKind::Mock(_)),
            cassettes: plan.cassettes.as_ref().and_then(|shelf| shelf.mode),
            profile: plan.target.profile.to_string(),
            started: clock::timestamp_text(clock::wall()),
            cases: selected,
            deselected: plan.deselected,
            seed: plan.seed,
            shuffled: plan.shuffled,
            thresholds: plan.thresholds.clone(),
        }
    }

    /// Writes what the run recorded into the cassettes; to be called once, when it has ended.
    pub fn save_cassettes(&self, engine: &Engine) -> Result<Kept, String> {
        let mode = engine.plan.cassettes.as_ref().and_then(|shelf| shelf.mode).unwrap_or(Mode::None);
        let recording = engine.take_recording();
        let lost = cassettes::lost_text(&recording.lost);
        let saved = cassettes::save(recording, mode, &self.redactor)?;
        Ok(Kept { saved, lost })
    }

    /// What was recorded; the journal is read only where its writer did not see the run end.
    pub fn record(&self) -> Result<RunRecord, String> {
        match self.ended.take() {
            Some(record) => Ok(record),
            None => {
                journal::read(&journal::path_of(&self.reports, &self.run)).map_err(|error| error.to_string())
            }
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

/// The threads that run attempts: one a processor.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// A run id: the time to the second in UTC, then six random letters.
fn run_id() -> Arc<str> {
    let mut random = fastrand::Rng::new();
    let salt: String = (0..6).map(|_| random.lowercase()).collect();
    Arc::from(format!("{}-{salt}", clock::wall().strftime("%Y%m%dT%H%M%SZ")))
}

/// The journal first, then whoever watches.
struct Both {
    journal: Option<Journal>,
    listener: Option<Box<dyn Sink + Send>>,
}

impl Sink for Both {
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        if let Some(journal) = &mut self.journal {
            journal.take(event)?;
        }
        match &mut self.listener {
            Some(listener) => listener.take(event),
            None => Ok(()),
        }
    }
}
