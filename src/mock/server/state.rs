//! What the mock remembers: runs, uploads, running streams; all of it bounded.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use super::lost::{Lost, Phase};
use crate::base::clock;
use crate::base::template::Templates;
use crate::mock::answer::{Run, id_of, new_id};
use crate::mock::book::{AttemptId, Book, Names};
use crate::mock::fault::Turns;
use crate::mock::form::Form;
use crate::mock::options::MockOptions;

/// Runs and uploads that are remembered.
const MOST_RUNS: usize = 10_000;
/// Bytes of inputs that are remembered with them.
const MOST_BYTES: usize = 64 << 20;
/// Streams that can be stopped at once.
const MOST_RUNNING: usize = 10_000;

/// Everything requests share.
pub struct State {
    /// The answers.
    pub book: Book,
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
    runs: Mutex<Runs>,
    uploads: Mutex<Uploads>,
    running: Mutex<HashMap<String, watch::Sender<bool>>>,
}

#[derive(Default)]
struct Runs {
    order: VecDeque<Arc<StoredRun>>,
    by_id: HashMap<String, Arc<StoredRun>>,
    bytes: usize,
}

/// A run that was answered.
pub struct StoredRun {
    /// The run.
    pub run: Run,
    /// The app it belongs to.
    pub app: Arc<str>,
    /// Whether it was stopped while it ran: its detail then says `running`, for ever.
    pub is_stopped: std::sync::atomic::AtomicBool,
    /// How far it has come, if its client lost sight of it.
    pub lost: Option<Lost>,
    bytes: usize,
}

impl StoredRun {
    /// Whether it goes on.
    pub fn phase(&self) -> Phase {
        self.lost.as_ref().map_or(Phase::Ended, Lost::phase)
    }

    /// Tells whether it goes on, which brings a lost run nearer to its end.
    pub fn ask(&self) -> Phase {
        self.lost.as_ref().map_or(Phase::Ended, Lost::ask)
    }
}

#[derive(Default)]
struct Uploads {
    order: VecDeque<String>,
    by_id: HashMap<String, Arc<Upload>>,
}

/// An uploaded file; its content is not kept.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// The app whose key uploaded it.
    pub app: Arc<str>,
    /// The end user who did.
    pub user: String,
    /// As named.
    pub name: String,
    /// Without the dot.
    pub extension: String,
    /// As sent, or by ending.
    pub mime_type: String,
    /// In bytes.
    pub size: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// The state of a mock that was just started.
    pub fn new(book: Book, options: MockOptions, names: (Arc<Templates>, &str), address: SocketAddr) -> Self {
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
        }
    }

    /// What templates are rendered with.
    pub fn names(&self) -> Names<'_> {
        Names { templates: &self.templates, run: &self.run_id }
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
    pub fn app_of(&self, key: &str, attempt: Option<AttemptId>) -> Option<Arc<str>> {
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
    pub fn form(&self, app: &str) -> Option<&Arc<Form>> {
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

    /// Remembers a run, and forgets the oldest.
    pub fn remember(&self, run: Run, app: Arc<str>, bytes: usize) -> Arc<StoredRun> {
        self.store(StoredRun { run, app, is_stopped: false.into(), lost: None, bytes })
    }

    /// Remembers a run of which its client lost sight.
    pub fn lose(&self, run: Run, app: Arc<str>, bytes: usize, lost: Lost) {
        drop(self.store(StoredRun { run, app, is_stopped: false.into(), lost: Some(lost), bytes }));
    }

    fn store(&self, run: StoredRun) -> Arc<StoredRun> {
        let stored = Arc::new(run);
        let bytes = stored.bytes;
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
        let mut uploads = lock(&self.uploads);
        uploads.order.push_back(upload.id.clone());
        uploads.by_id.insert(upload.id.clone(), Arc::new(upload));
        while uploads.order.len() > MOST_RUNS {
            if let Some(oldest) = uploads.order.pop_front() {
                uploads.by_id.remove(&oldest);
            }
        }
    }

    /// An upload by its id.
    pub fn upload(&self, id: &str) -> Option<Arc<Upload>> {
        lock(&self.uploads).by_id.get(id).cloned()
    }

    /// Lets a stream be stopped by its task id.
    pub fn begin(&self, task: &str) -> watch::Receiver<bool> {
        let (stop, stopped) = watch::channel(false);
        let mut running = lock(&self.running);
        if running.len() >= MOST_RUNNING {
            running.retain(|_, stop| !stop.is_closed());
        }
        running.insert(task.to_owned(), stop);
        stopped
    }

    /// Stops a stream, if it runs, and a run that was lost and goes on.
    pub fn stop(&self, task: &str) {
        let goes_on = |stored: &&Arc<StoredRun>| stored.phase() == Phase::Running && stored.run.task == task;
        if let Some(stored) = lock(&self.runs).order.iter().rev().find(goes_on) {
            stored.is_stopped.store(true, Ordering::Relaxed);
        }
        if let Some(stop) = lock(&self.running).remove(task) {
            stop.send_replace(true);
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
