//! Runs a plan: attempts, retries, pace; tells a sink what happened.
//!
//! Both doors, the command line and the libtest harness, run their cases through one `Engine`.

mod attempt;
mod back_off;
pub(crate) mod backpressure;
mod blocking;
pub(crate) mod budget;
pub(crate) mod case;
mod cassette_miss;
pub(crate) mod cassettes;
pub(crate) mod contract;
pub(crate) mod in_flight;
mod judging;
mod limit;
pub(crate) mod limiter;
mod node_names;
pub(crate) mod pace;
pub(crate) mod paired_run;
#[cfg(test)]
mod panic_tests;
pub(crate) mod part;
pub(crate) mod recorder;
pub(crate) mod request;
pub(crate) mod retry_safety;
pub(crate) mod run;
#[cfg(test)]
mod sample;
mod side_by_side;
pub(crate) mod signal;
pub(crate) mod snapshots;
mod spending;
mod starts;
mod streak;
mod tally;
mod turn;
mod unsent;
mod usage;
pub(crate) mod versions;
mod waiting;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::sync::watch;

use crate::base::lock::lock;
use crate::base::redact::Redactor;
use crate::dify::client::{Certificates, Client, Endpoint, Recover, Timeouts};
use crate::dify::mock::server::{MockOptions, MockServer};
use crate::engine::budget::RunBudgets;
use crate::engine::cassettes::CassetteServer;
use crate::engine::pace::TargetPace;
use crate::engine::recorder::Recorder;
use crate::engine::snapshots::SnapshotQueue;
use crate::engine::versions::Versions;
use crate::plan::case::{App, Plan, Target, TargetKind};
use crate::plan::endpoint::MAX_BODY;
use crate::record::attempt::Cause;
use crate::record::event::{Event, Sink, SinkError};

/// Why the engine could not start; nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The client's settings cannot be used.
    #[error("target `{target}`: {source}")]
    Client {
        /// The target's name.
        target: String,
        /// What is wrong.
        #[source]
        source: crate::dify::client::ClientError,
    },
    /// A judge's settings cannot be used.
    #[error("judge `{judge}`: {source}")]
    Judge {
        /// The judge's name.
        judge: String,
        /// What is wrong.
        #[source]
        source: crate::dify::client::ClientError,
    },
    /// The mock could not listen.
    #[error("the built-in mock cannot listen on 127.0.0.1: {0}")]
    Mock(#[source] std::io::Error),
}

/// What every attempt of a run shares.
pub struct Engine {
    /// What is run.
    pub plan: Arc<Plan>,
    /// The run's id.
    pub run_id: Arc<str>,
    /// When the run started.
    pub started: Instant,
    client: Client,
    timeouts: Timeouts,
    mock: Mutex<Option<MockServer>>,
    pace: TargetPace,
    sink: Mutex<Box<dyn Sink + Send>>,
    sent: AtomicU64,
    /// Answers what is replayed beside a live target.
    player: Option<CassetteServer>,
    recorder: Mutex<Recorder>,
    waiting: SnapshotQueue,
    blocked: Mutex<HashMap<Arc<str>, Cause>>,
    versions: Versions,
    node_names: node_names::NodeNames,
    watch: contract::Watch,
    judges: judging::JudgeClients,
    /// Masks what judges are sent.
    redactor: Redactor,
    /// Attempts that a kill interrupted, to be looked for before they are sent again.
    interrupted: Mutex<in_flight::InterruptedAttempts>,
    /// What may be used; none where no budget is set.
    purse: Option<Arc<RunBudgets>>,
    stop: watch::Sender<Option<Arc<str>>>,
}

impl Engine {
    /// Connects to the plan's target; starts the mock when that is the target.
    pub fn start(plan: Arc<Plan>, run_id: Arc<str>, sink: Box<dyn Sink + Send>) -> Result<Self, EngineError> {
        let (endpoint, mock) = open_target(&plan, &run_id)?;
        let client = Client::new(&endpoint)
            .map_err(|source| EngineError::Client { target: plan.target.name.to_string(), source })?;
        let watch = contract::Watch::default();
        let client = match &plan.target.kind {
            TargetKind::Live { .. } => client.watching(watch.contracts.clone()),
            TargetKind::Mock(_) | TargetKind::Replay { .. } => client,
        };
        let started = crate::base::clock::now();
        Ok(Self {
            started,
            client,
            timeouts: endpoint.timeouts,
            mock: Mutex::new(mock),
            pace: TargetPace::new(plan.target.concurrency, plan.target.rate, plan.seed),
            sink: Mutex::new(sink),
            sent: AtomicU64::new(0),
            player: CassetteServer::beside(&plan, &run_id)?,
            recorder: Mutex::default(),
            waiting: SnapshotQueue::default(),
            blocked: Mutex::new(HashMap::new()),
            versions: Versions::holding(&plan.held, started),
            node_names: node_names::NodeNames::default(),
            watch,
            judges: judging::JudgeClients::of(&plan)?,
            redactor: Redactor::new(plan.secrets.iter().cloned()),
            interrupted: Mutex::default(),
            purse: None,
            stop: watch::Sender::new(None),
            run_id,
            plan,
        })
    }

    /// Draws on the budgets of a run.
    #[must_use]
    pub fn paid_from(mut self, purse: Option<RunBudgets>) -> Self {
        self.purse = purse.map(Arc::new);
        self
    }

    /// Tells the sink of a fact; facts of one case arrive in order.
    pub fn tell(&self, event: &Event) -> Result<(), SinkError> {
        lock(&self.sink).take(event)
    }

    /// Records events that nothing may come between.
    fn tell_together(&self, events: impl Iterator<Item = Event>) -> Result<(), SinkError> {
        let mut sink = lock(&self.sink);
        for event in events {
            sink.take(&event)?;
        }
        Ok(())
    }

    /// Asks every running attempt to stop, and no new one to start.
    pub fn stop(&self, reason: &str) {
        self.stop.send_replace(Some(Arc::from(reason)));
    }

    /// Why the run is stopping, if it is.
    pub fn stopping(&self) -> Option<Arc<str>> {
        self.stop.borrow().clone()
    }

    /// Ends the mock, if there is one.
    pub async fn close(&self) {
        let mock = lock(&self.mock).take();
        if let Some(mock) = mock {
            mock.shutdown().await;
        }
        if let Some(player) = &self.player {
            player.close().await;
        }
    }

    /// A configuration error of this app that an earlier test met.
    fn blocked(&self, app: &Arc<str>) -> Option<Cause> {
        lock(&self.blocked).get(app).cloned()
    }

    /// Remembers a configuration error, so that the app's other tests do not repeat it.
    fn block(&self, app: &Arc<str>, cause: &Cause) {
        let mut blocked = lock(&self.blocked);
        blocked.entry(app.clone()).or_insert_with(|| cause.clone());
    }

    fn next_number(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::Relaxed)
    }
}

/// The endpoint of the plan's target, and the mock behind it if it is one.
fn open_target(plan: &Arc<Plan>, run_id: &str) -> Result<(Endpoint, Option<MockServer>), EngineError> {
    match &plan.target.kind {
        TargetKind::Live { endpoint, .. } => Ok((Endpoint::clone(endpoint), None)),
        TargetKind::Mock(options) | TargetKind::Replay { options, .. } => {
            let options = MockOptions { replay: cassettes::speed(plan), ..options.clone() };
            let mock = MockServer::start(run::book_of(plan), options, plan.templates.clone(), run_id)
                .map_err(EngineError::Mock)?;
            Ok((mock_endpoint(&mock, &plan.target), Some(mock)))
        }
    }
}

/// A run of the mock is never long: what is not found soon is not there.
const MOCK_RECOVERY: Duration = Duration::from_secs(10);
const MOCK_POLL: Duration = Duration::from_millis(100);

fn mock_endpoint(mock: &MockServer, target: &Target) -> Endpoint {
    Endpoint {
        base_url: mock.base_url(),
        headers: Vec::new(),
        ca_file: None,
        proxy: None,
        certificates: Certificates::Checked,
        kept_connections: target.concurrency.max(1),
        timeouts: Timeouts::default(),
        recovery: Recover { deadline: MOCK_RECOVERY, poll: MOCK_POLL },
        max_body: MAX_BODY,
    }
}

/// The mock knows an app by this key.
fn mock_key(app: &str) -> SecretString {
    SecretString::from(format!("app-{app}"))
}

/// The key and pinned version of an app; the mock knows every app by a key made of its name.
fn app_of<'a>(target: &'a Target, name: &str) -> (SecretString, Option<&'a str>) {
    match &target.kind {
        TargetKind::Mock(_) => (mock_key(name), None),
        TargetKind::Replay { apps, .. } => (mock_key(name), apps.get(name).and_then(Option::as_deref)),
        TargetKind::Live { apps, .. } => match apps.get(name) {
            Some(App { api_key, workflow_id }) => (api_key.clone(), workflow_id.as_deref()),
            None => (SecretString::from(String::new()), None),
        },
    }
}
