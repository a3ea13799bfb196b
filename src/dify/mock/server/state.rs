//! What the mock remembers: runs, uploads, forms and running streams, each within a bound.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use bytes::Bytes;
use serde_json::Value;

use super::stored_forms::StoredForms;
use super::stored_run::StoredRun;
use super::stored_uploads::{StoredUploads, Upload};
use super::timeline::RunPhase;
use crate::base::clock;
use crate::base::lock::lock;
use crate::base::template::Templates;
use crate::dify::mock::answer::{id_of, new_id, stopped_event};
use crate::dify::mock::book::{MockAttemptId, ScriptBook, TemplateValues};
use crate::dify::mock::fault::TryCounts;
use crate::dify::mock::form::InputForm;
use crate::dify::mock::options::MockOptions;

/// Runs that are remembered.
const MOST_RUNS: usize = 10_000;
/// Bytes of requests and events that are remembered with them.
const MOST_BYTES: usize = 64 << 20;
/// Running runs that can be stopped.
const MOST_RUNNING: usize = 10_000;

/// Everything that requests share.
pub struct MockState {
    /// The answers.
    pub book: ScriptBook,
    /// How the mock behaves.
    pub options: MockOptions,
    /// Where it listens.
    pub address: SocketAddr,
    /// Counts of tries and runs.
    pub tries: TryCounts,
    templates: Arc<Templates>,
    run_id: String,
    apps: Vec<Arc<str>>,
    seeds: AtomicU64,
    runs: Mutex<StoredRuns>,
    uploads: Mutex<StoredUploads>,
    running: Mutex<HashMap<String, Weak<StoredRun>>>,
    forms: Mutex<StoredForms>,
}

/// What a mock answers with.
pub struct MockContent {
    /// The scripted and recorded answers.
    pub book: ScriptBook,
    /// The templates of the scripts.
    pub templates: Arc<Templates>,
    /// `run.id` in templates.
    pub run_id: String,
}

#[derive(Default)]
struct StoredRuns {
    order: VecDeque<Arc<StoredRun>>,
    by_id: HashMap<String, Arc<StoredRun>>,
    bytes: usize,
}

impl MockState {
    /// The state of a mock that was just started.
    pub fn new(content: MockContent, options: MockOptions, address: SocketAddr) -> Self {
        let MockContent { book, templates, run_id } = content;
        let mut apps = book.apps();
        apps.extend(options.apps.keys().map(|name| Arc::from(name.as_str())));
        apps.sort();
        apps.dedup();
        let start = clock::wall().as_nanosecond() as u64 ^ u64::from(address.port());
        Self {
            book,
            options,
            address,
            tries: TryCounts::default(),
            templates,
            run_id,
            apps,
            seeds: AtomicU64::new(start),
            runs: Mutex::default(),
            uploads: Mutex::default(),
            running: Mutex::default(),
            forms: Mutex::default(),
        }
    }

    /// What templates are rendered with.
    pub fn template_values(&self) -> TemplateValues<'_> {
        TemplateValues { templates: &self.templates, run: &self.run_id }
    }

    /// A new seed.
    pub fn seed(&self) -> u64 {
        // The odd constant of splitmix64 walks through all values.
        self.seeds.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }

    /// A new uuid.
    pub fn new_id(&self) -> String {
        new_id(&mut fastrand::Rng::with_seed(self.seed()))
    }

    /// The app that a key names, or the app of the attempt; `None`: the key is wrong.
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

    /// The published version of an app.
    pub fn workflow_of(&self, app: &str) -> String {
        id_of("workflow", app)
    }

    /// The version of an app that is published next.
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

    /// Remembers a run, and forgets the oldest.
    pub fn remember(&self, run: StoredRun) -> Arc<StoredRun> {
        let stored = Arc::new(run);
        self.open_forms(&stored, 0);
        let mut runs = lock(&self.runs);
        runs.bytes += stored.bytes;
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

    /// The runs of an app that `wanted` selects, newest first.
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

    /// Makes the forms of a run's pause answerable, if it has such a pause.
    pub fn open_forms(&self, stored: &Arc<StoredRun>, pause: usize) {
        if stored.run.graph.pauses.len() > pause {
            self.forms().remember(stored, pause);
        }
    }

    /// The forms of all remembered pauses.
    pub fn forms(&self) -> MutexGuard<'_, StoredForms> {
        lock(&self.forms)
    }

    /// Makes a run stoppable by its task id.
    pub fn make_stoppable(&self, stored: &Arc<StoredRun>) {
        let mut running = lock(&self.running);
        if running.len() >= MOST_RUNNING {
            running.retain(|_, stored| {
                stored.upgrade().is_some_and(|run| run.timeline.phase() != RunPhase::Ended)
            });
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
        if stored.timeline.stop(Bytes::from(stopped_event(&stored.run))) {
            stored.is_stopped.store(true, Ordering::Relaxed);
        }
    }

    /// The address of a file's preview, signed as Dify signs it.
    pub fn preview_url(&self, id: &str) -> String {
        let nonce = self.seed();
        let time = clock::wall().as_second();
        format!(
            "http://{}/files/{id}/file-preview?timestamp={time}&nonce={nonce:032x}&sign=mock%3D",
            self.address
        )
    }

    /// The workspace of all apps.
    pub fn tenant(&self) -> String {
        id_of("tenant", "mock")
    }

    /// The declared form of an app as `/parameters` shows it.
    pub fn declared(&self, app: &str) -> Value {
        self.form(app).map_or(Value::Array(Vec::new()), |form| form.declared.clone())
    }
}
