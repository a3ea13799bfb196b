//! A run of this process: where it is recorded, and what becomes of its record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::cassettes::{CassetteSuites, SavedCassette, lost_text, save, suites};
use crate::base::clock;
use crate::base::redact::Redactor;
use crate::engine::Engine;
use crate::plan::case::Plan;
use crate::record::event::{RunOptions, SinkError};
use crate::record::journal::{self, EndedRun, RunRecord};
use crate::report::{self, ReportFormat};

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
    pub asked: RunOptions,
    /// The ledger of its budgets, where other processes draw on them too.
    pub shared_ledger: Option<PathBuf>,
    /// What was recorded, once the run has ended.
    pub(super) ended: EndedRun,
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
    Engine(#[from] crate::engine::target::EngineError),
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
            asked: RunOptions::default(),
            shared_ledger: None,
            ended: EndedRun::default(),
            cassettes: suites(plan),
        }
    }

    /// Writes what the run recorded into the cassettes; to be called once, before its end is reported.
    pub fn save_cassettes(&self, engine: &Engine) -> Result<RecordedCassettes, String> {
        let recording = engine.take_recording();
        let lost = lost_text(&recording);
        let saved = save(recording, &engine.plan, &self.cassettes, &self.redactor)?;
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

    /// Adds the run to the summary of GitHub's job, if this is one; that it cannot be is reported and changes no verdict.
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
pub(super) fn run_id(reports: &Path) -> Arc<str> {
    Arc::from(journal::next_id(reports, clock::wall(), &salt(6)))
}

/// Random letters.
pub(super) fn salt(letters: usize) -> String {
    let mut random = fastrand::Rng::new();
    (0..letters).map(|_| random.lowercase()).collect()
}
