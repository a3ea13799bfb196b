//! The target of a run: its address, its keys, and the mock server that takes its place.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;

use crate::base::lock::lock;
use crate::dify::cassette::Speed;
use crate::dify::client::{Certificates, Client, ClientError, Endpoint, Recover, Timeouts};
use crate::dify::mock::book::{BookEntry, ScriptBook};
use crate::dify::mock::server::{MockOptions, MockServer};
use crate::dify::wire::contract::Contracts;
use crate::engine::current_run::CurrentRun;
use crate::plan::case::{App, Case, Plan, Target, TargetKind};
use crate::plan::endpoint::MAX_BODY;

/// How long a lost run is looked up on the mock: its runs are short, so one that is not found soon does not exist.
const MOCK_RECOVERY: Duration = Duration::from_secs(10);
const MOCK_POLL: Duration = Duration::from_millis(100);

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
        source: ClientError,
    },
    /// A judge's settings cannot be used.
    #[error("judge `{judge}`: {source}")]
    Judge {
        /// The judge's name.
        judge: String,
        /// What is wrong.
        #[source]
        source: ClientError,
    },
    /// The mock could not listen.
    #[error("the built-in mock cannot listen on 127.0.0.1: {0}")]
    Mock(#[source] std::io::Error),
}

/// A client, and the mock server that it sends to unless it sends to a live Dify.
pub struct ServerConnection {
    /// Sends requests.
    pub client: Client,
    /// The waits of the endpoint.
    pub timeouts: Timeouts,
    mock: Mutex<Option<MockServer>>,
}

impl ServerConnection {
    /// Connects to the target of a run; starts the mock if that is the target. Live answers are compared with `contracts`.
    pub fn to_target(run: &CurrentRun, contracts: &Arc<Contracts>) -> Result<Self, EngineError> {
        let target = &run.plan.target;
        match &target.kind {
            TargetKind::Live { endpoint, .. } => {
                let connection = Self::new(target, endpoint, None)?;
                Ok(Self { client: connection.client.watching(contracts.clone()), ..connection })
            }
            TargetKind::Mock(options) | TargetKind::Replay { options, .. } => {
                let options = MockOptions { replay: replay_speed(&run.plan), ..options.clone() };
                Self::to_mock(run, options)
            }
        }
    }

    /// Connects to a server of its own that replays cassettes, if a live run has something to replay.
    pub fn to_cassettes(run: &CurrentRun) -> Result<Option<Self>, EngineError> {
        let has_exchanges = run.plan.cassettes.as_ref().is_some_and(|shelf| !shelf.exchanges().is_empty());
        if !run.is_live() || !has_exchanges {
            return Ok(None);
        }
        let options = MockOptions { replay: replay_speed(&run.plan), ..MockOptions::default() };
        Self::to_mock(run, options).map(Some)
    }

    fn to_mock(run: &CurrentRun, options: MockOptions) -> Result<Self, EngineError> {
        let plan = &run.plan;
        let mock = MockServer::start(script_book(plan), options, plan.templates.clone(), &run.id)
            .map_err(EngineError::Mock)?;
        let endpoint = mock_endpoint(&mock, &plan.target);
        Self::new(&plan.target, &endpoint, Some(mock))
    }

    fn new(target: &Target, endpoint: &Endpoint, mock: Option<MockServer>) -> Result<Self, EngineError> {
        let client = Client::new(endpoint)
            .map_err(|source| EngineError::Client { target: target.name.to_string(), source })?;
        Ok(Self { client, timeouts: endpoint.timeouts, mock: Mutex::new(mock) })
    }

    /// Stops the mock server, if there is one.
    pub async fn close(&self) {
        let mock = lock(&self.mock).take();
        if let Some(mock) = mock {
            mock.shutdown().await;
        }
    }
}

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

/// How fast the recorded answers of a plan are replayed.
pub fn replay_speed(plan: &Plan) -> Speed {
    plan.cassettes.as_ref().map_or(Speed::AtOnce, |shelf| shelf.speed)
}

/// The answers of the mock to the cases of a plan.
pub fn script_book(plan: &Plan) -> ScriptBook {
    let recorded = plan.cassettes.as_ref().map_or(&[][..], |shelf| shelf.exchanges());
    ScriptBook::new(plan.cases.iter().map(book_entry).collect(), plan.mock_rules.clone())
        .with_recorded(recorded)
}

fn book_entry(case: &Case) -> BookEntry {
    BookEntry {
        app: case.test.app.clone(),
        test: case.test.name.clone(),
        script: case.test.mock.clone(),
        inputs: case.test.inputs.clone(),
        bindings: case.test.bindings.clone(),
        row: case.row.clone(),
    }
}

/// The key by which the mock knows an app.
pub fn mock_key(app: &str) -> SecretString {
    SecretString::from(format!("app-{app}"))
}

/// What a request to an app needs.
pub struct AppAccess<'a> {
    /// Its key; on the mock one that is made of its name.
    pub key: SecretString,
    /// The version that the request asks for; `None` for the published one.
    pub workflow_id: Option<&'a str>,
}

impl<'a> AppAccess<'a> {
    /// The access to the app with this name.
    pub fn of(target: &'a Target, name: &str) -> Self {
        match &target.kind {
            TargetKind::Mock(_) => Self { key: mock_key(name), workflow_id: None },
            TargetKind::Replay { apps, .. } => {
                Self { key: mock_key(name), workflow_id: apps.get(name).and_then(Option::as_deref) }
            }
            TargetKind::Live { apps, .. } => match apps.get(name) {
                Some(App { api_key, workflow_id }) => {
                    Self { key: api_key.clone(), workflow_id: workflow_id.as_deref() }
                }
                None => Self { key: SecretString::from(String::new()), workflow_id: None },
            },
        }
    }
}
