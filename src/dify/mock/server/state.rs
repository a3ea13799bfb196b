//! What the mock remembers: runs, uploads, running streams; all of it bounded.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use bytes::Bytes;
use serde_json::Value;

use super::forms::{PauseStanding, StoredForms};
use super::life::{Phase, RunTimeline};
use super::lost::LookupCount;
use super::uploads::{StoredUploads, Upload};
use crate::base::clock;
use crate::base::lock::lock;
use crate::base::template::Templates;
use crate::dify::mock::answer::{MockRun, id_of, new_id, stopped_event};
use crate::dify::mock::book::{MockAttemptId, ScriptBook, TemplateValues};
use crate::dify::mock::fault::Turns;
use crate::dify::mock::form::InputForm;
use crate::dify::mock::options::MockOptions;

/// Runs that are remembered.
const MOST_RUNS: usize = 10_000;
/// Bytes of inputs that are remembered with them.
const MOST_BYTES: usize = 64 << 20;
/// Runs that can be stopped at once.
const MOST_RUNNING: usize = 10_000;

/// Everything requests share.
pub struct MockState {
    /// The answers.
    pub book: ScriptBook,
    /// How the mock behaves.
    pub options: MockOptions,
    /// Where it listens.
    pub address: SocketAddr,
    /// Tries and runs so far.
    pub turns: Turns,
    templates: Arc<Templates>,
    run_id: String,
    apps: Vec<Arc<str>>,
    seeds: AtomicU64,
    runs: Mutex<StoredRuns>,
    uploads: Mutex<StoredUploads>,
    running: Mutex<HashMap<String, Weak<StoredRun>>>,
    forms: Mutex<StoredForms>,
}

#[derive(Default)]
struct StoredRuns {
    order: VecDeque<Arc<StoredRun>>,
    by_id: HashMap<String, Arc<StoredRun>>,
    bytes: usize,
}

/// A run that was answered.
pub struct StoredRun {
    /// The run.
    pub run: MockRun,
    /// The app it belongs to.
    pub app: Arc<str>,
    /// Whether it was stopped while it ran: its detail then says `running`, for ever.
    pub is_stopped: AtomicBool,
    /// Its events, past and to come.
    pub life: RunTimeline,
    /// When it goes on, if its client lost sight of it.
    pub lost: Option<LookupCount>,
    /// Which forms it waits for.
    pub standing: Mutex<PauseStanding>,
    bytes: usize,
}

impl MockState {
    /// The state of a mock that was just started.
    pub fn new(
        book: ScriptBook,
        options: MockOptions,
        names: (Arc<Templates>, &str),
        address: SocketAddr,
    ) -> Self {
        let (templates, run_id) = names;
        let mut apps = book.apps();
        apps.extend(options.apps.keys().map(|name| Arc::from(name.as_str())));
        apps.sort();
        apps.dedup();
        let start = clock::wall().as_nanosecond() as u64 ^ u64::from(address.port());
        Self {
            book,
            options,
            address,
            turns: Turns::default(),
            templates,
            run_id: run_id.to_owned(),
            apps,
            seeds: AtomicU64::new(start),
            runs: Mutex::default(),
            uploads: Mutex::default(),
            running: Mutex::default(),
            forms: Mutex::default(),
        }
    }

    /// What templates are rendered with.
    pub fn names(&self) -> TemplateValues<'_> {
        TemplateValues { templates: &self.templates, run: &self.run_id }
    }

    /// A seed nobody else has.
    pub fn seed(&self) -> u64 {
        // The odd constant of splitmix64 walks through all values.
        self.seeds.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }

    /// A new uuid.
    pub fn new_id(&self) -> String {
        new_id(&mut fastrand::Rng::with_seed(self.seed()))
    }

    /// The app a key names, or that of the attempt; none: the key is wrong.
    pub fn app_of(&self, key: &str, attempt: Option<MockAttemptId>) -> Option<Arc<str>> {
        let name = key.strip_prefix("app-")?;
        if let Some(app) = attempt.and_then(|attempt| self.book.app_of(attempt)) {
            return Some(app.clone());
        }
        if let Some(app) = self.apps.iter().find(|app| ***app == *name) {
            return Some(app.clone());
        }
        match self.apps.as_slice() {
            [] => Some(Arc::from("")),
            [only] => Some(only.clone()),
            _ => None,
        }
    }

    /// The declared inputs of an app.
    pub fn form(&self, app: &str) -> Option<&Arc<InputForm>> {
        self.options.apps.get(app)
    }

    /// The version of an app that is published.
    pub fn workflow_of(&self, app: &str) -> String {
        id_of("workflow", app)
    }

    /// The version of an app that is published after that one.
    pub fn next_workflow_of(&self, app: &str) -> String {
        id_of("workflow", &format!("{app}\nchanged"))
    }

    /// Whether a version of an app is known: the published one, or one that a script names.
    pub fn knows_workflow(&self, app: &str, id: &str) -> bool {
        let entries = self
            .book
            .entries
            .iter()
            .filter(|entry| *entry.app == *app)
            .filter_map(|entry| entry.script.as_ref());
        let scripts = entries.chain(self.book.rules.iter().map(|rule| &rule.script));
        self.workflow_of(app) == id
            || self.next_workflow_of(app) == id
            || scripts.flat_map(|script| script.workflow_ids()).any(|known| known == id)
    }

    /// Remembers a run that is over, and forgets the oldest.
    pub fn remember(&self, run: MockRun, app: Arc<str>, bytes: usize) -> Arc<StoredRun> {
        self.remember_alive(run, app, bytes, RunTimeline::ended())
    }

    /// Remembers a run that goes on, and forgets the oldest.
    pub fn remember_alive(
        &self,
        run: MockRun,
        app: Arc<str>,
        bytes: usize,
        life: RunTimeline,
    ) -> Arc<StoredRun> {
        self.store((run, app), bytes, (life, None))
    }

    /// Remembers a run of which its client lost sight.
    pub fn lose(
        &self,
        (run, app): (MockRun, Arc<str>),
        bytes: usize,
        life: (RunTimeline, LookupCount),
    ) -> Arc<StoredRun> {
        let (life, lost) = life;
        let stored = self.store((run, app), bytes, (life, Some(lost)));
        self.begin(&stored);
        stored
    }

    fn store(
        &self,
        (run, app): (MockRun, Arc<str>),
        bytes: usize,
        (life, lost): (RunTimeline, Option<LookupCount>),
    ) -> Arc<StoredRun> {
        let standing = Mutex::new(PauseStanding::of(&run));
        let stored = Arc::new(StoredRun { run, app, is_stopped: false.into(), life, lost, standing, bytes });
        self.ask(&stored, 0);
        let mut runs = lock(&self.runs);
        runs.bytes += bytes;
        runs.by_id.insert(stored.run.id.clone(), stored.clone());
        runs.order.push_back(stored.clone());
        while runs.order.len() > MOST_RUNS || (runs.bytes > MOST_BYTES && runs.order.len() > 1) {
            if let Some(oldest) = runs.order.pop_front() {
                runs.by_id.remove(&oldest.run.id);
                runs.bytes -= oldest.bytes;
            }
        }
        stored
    }

    /// A run of an app.
    pub fn run(&self, app: &str, id: &str) -> Option<Arc<StoredRun>> {
        lock(&self.runs).by_id.get(id).filter(|stored| *stored.app == *app).cloned()
    }

    /// The runs of an app that `wanted` picks, newest first.
    pub fn runs(&self, app: &str, wanted: impl Fn(&StoredRun) -> bool) -> Vec<Arc<StoredRun>> {
        let runs = lock(&self.runs);
        runs.order.iter().rev().filter(|stored| *stored.app == *app && wanted(stored)).cloned().collect()
    }

    /// Remembers an upload, and forgets the oldest.
    pub fn keep_upload(&self, upload: Upload) {
        lock(&self.uploads).keep(upload);
    }

    /// An upload by its id.
    pub fn upload(&self, id: &str) -> Option<Arc<Upload>> {
        lock(&self.uploads).find(id)
    }

    /// Lets the forms of a run's pause be answered, if it has such a pause.
    pub fn ask(&self, stored: &Arc<StoredRun>, pause: usize) {
        if stored.run.graph.pauses.len() > pause {
            self.forms().remember(stored, pause);
        }
    }

    /// The forms that can be answered, or were.
    pub fn forms(&self) -> MutexGuard<'_, StoredForms> {
        lock(&self.forms)
    }

    /// Lets a run be stopped by its task id.
    pub fn begin(&self, stored: &Arc<StoredRun>) {
        let mut running = lock(&self.running);
        if running.len() >= MOST_RUNNING {
            running.retain(|_, stored| stored.upgrade().is_some_and(|run| run.life.phase() != Phase::Ended));
        }
        if running.len() < MOST_RUNNING {
            running.insert(stored.run.task.clone(), Arc::downgrade(stored));
        }
    }

    /// Stops a run, if it runs.
    pub fn stop(&self, task: &str) {
        let Some(stored) = lock(&self.running).remove(task).and_then(|stored| stored.upgrade()) else {
            return;
        };
        if stored.life.stop(Bytes::from(stopped_event(&stored.run))) {
            stored.is_stopped.store(true, Ordering::Relaxed);
        }
    }

    /// The address at which a file could be seen, signed as Dify signs it.
    pub fn preview_url(&self, id: &str) -> String {
        let nonce = self.seed();
        let time = clock::wall().as_second();
        format!(
            "http://{}/files/{id}/file-preview?timestamp={time}&nonce={nonce:032x}&sign=mock%3D",
            self.address
        )
    }

    /// The workspace all apps share.
    pub fn tenant(&self) -> String {
        id_of("tenant", "mock")
    }

    /// The declared form of an app as `/parameters` shows it.
    pub fn declared(&self, app: &str) -> Value {
        self.form(app).map_or(Value::Array(Vec::new()), |form| form.declared.clone())
    }
}
