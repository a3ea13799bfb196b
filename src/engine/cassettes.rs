//! Whether a request is sent or answered from a cassette, and the way to the server that replays.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value};

use crate::base::files::{self, Fence};
use crate::base::lock::lock;
use crate::dify::cassette::{
    AnswerPrint, CassetteQuery, FilePrint, Mode, Pin, RecordedExchange, RecordedRequest, RecordedResponse,
    Speed,
};
use crate::dify::client::{Client, RecordedTimes, StopSignal, Timeouts, retell, retime};
use crate::dify::mock::book::recorded_name;
use crate::dify::mock::server::{MockOptions, MockServer};
use crate::dify::transcript::{Ending, FileInput, FileVariable, Transcript, WorkflowRequest};
use crate::dify::wire::request::{remote_file, uploaded_file};
use crate::engine::cassette_miss::{hidden, missing, no_cassette};
use crate::engine::request::AttemptId;
use crate::engine::run;
use crate::engine::{Engine, EngineError, mock_endpoint, mock_key};
use crate::plan::case::{Case, Plan, TargetKind};
use crate::record::attempt::Cause;

/// What stands for the run's id in recorded inputs.
const RUN_ID: &str = "{{ run.id }}";

/// Where the answer to a request comes from.
pub enum AnswerRoute {
    /// From the target; what came is kept under this, if anything is recorded.
    Send(Option<RecordedRequest>),
    /// From a cassette.
    Replay(Arc<RecordedExchange>),
}

impl AnswerRoute {
    /// True when the target is asked.
    pub fn is_live(&self) -> bool {
        match self {
            Self::Send(_) => true,
            Self::Replay(_) => false,
        }
    }
}

/// A server that answers from cassettes beside a live target, and the way to it.
pub struct CassetteServer {
    client: Client,
    server: Mutex<Option<MockServer>>,
}

impl CassetteServer {
    /// Starts one where a live run has something to replay.
    pub fn beside(plan: &Arc<Plan>, run_id: &str) -> Result<Option<Self>, EngineError> {
        let has_tapes = plan.cassettes.as_ref().is_some_and(|shelf| !shelf.exchanges().is_empty());
        match plan.target.kind {
            TargetKind::Live { .. } if has_tapes => {}
            TargetKind::Live { .. } | TargetKind::Mock(_) | TargetKind::Replay { .. } => return Ok(None),
        }
        let options = MockOptions { replay: speed(plan), ..MockOptions::default() };
        let server = MockServer::start(run::book_of(plan), options, plan.templates.clone(), run_id)
            .map_err(EngineError::Mock)?;
        let client = Client::new(&mock_endpoint(&server, &plan.target))
            .map_err(|source| EngineError::Client { target: plan.target.name.to_string(), source })?;
        Ok(Some(Self { client, server: Mutex::new(Some(server)) }))
    }

    /// Ends the server.
    pub async fn close(&self) {
        let server = lock(&self.server).take();
        if let Some(server) = server {
            server.shutdown().await;
        }
    }
}

/// How fast a plan's recorded answers come.
pub fn speed(plan: &Plan) -> Speed {
    plan.cassettes.as_ref().map_or(Speed::AtOnce, |shelf| shelf.speed)
}

impl Engine {
    /// Decides where the answer comes from; an error says why there is none.
    pub(super) async fn route(
        &self,
        case: &Case,
        id: AttemptId,
        request: &WorkflowRequest,
    ) -> Result<AnswerRoute, Cause> {
        let Some(shelf) = &self.plan.cassettes else { return Ok(AnswerRoute::Send(None)) };
        let is_scripted = match self.plan.target.kind {
            TargetKind::Mock(_) => case.test.mock.is_some(),
            TargetKind::Live { .. } => shelf.mode.is_none(),
            TargetKind::Replay { .. } => false,
        };
        if is_scripted {
            return Ok(AnswerRoute::Send(None));
        }
        let asked = shelf.mask.request(self.asked(case, request).await);
        let cassette = shelf.cassette(&case.test.suite.cassette);
        let ask = CassetteQuery { test: &case.name, repeat: id.repeat, asked: &asked, pin: self.pin() };
        let sends = match (&self.plan.target.kind, shelf.mode) {
            (TargetKind::Live { .. }, Some(Mode::All)) => return Ok(AnswerRoute::Send(Some(asked))),
            (TargetKind::Live { .. }, Some(Mode::Once)) => {
                cassette.is_none_or(|cassette| cassette.is_partial)
            }
            (TargetKind::Live { .. }, Some(Mode::NewEpisodes)) => true,
            (TargetKind::Mock(_), _) => cassette.is_none() || !self.plan.mock_rules.is_empty(),
            (TargetKind::Live { .. } | TargetKind::Replay { .. }, _) => false,
        };
        match cassette.map(|cassette| (cassette, cassette.find(ask))) {
            Some((cassette, Ok(recorded))) if recorded.masked => Err(hidden(&cassette.shown)),
            Some((_, Ok(recorded))) => Ok(AnswerRoute::Replay(recorded)),
            Some((_, Err(_))) | None if sends => Ok(AnswerRoute::Send(Some(asked))),
            Some((cassette, Err(miss))) => Err(missing(&miss, &cassette.shown, &case.name, id.repeat)),
            None => Err(no_cassette(case)),
        }
    }

    /// The version that a recorded exchange must be of; the mock has none.
    fn pin(&self) -> Pin {
        match &self.plan.target.kind {
            TargetKind::Replay { apps, .. } if !apps.is_empty() => Pin::AsAsked,
            TargetKind::Live { .. } => Pin::AsAsked,
            TargetKind::Mock(_) | TargetKind::Replay { .. } => Pin::Any,
        }
    }

    /// What makes a request the same in another run.
    async fn asked(&self, case: &Case, request: &WorkflowRequest) -> RecordedRequest {
        let mut answers = Vec::with_capacity(request.answers.len());
        for answer in &request.answers {
            answers.push(AnswerPrint {
                node: answer.node.clone(),
                action: answer.action.clone(),
                inputs: self.for_any_run(&answer.inputs),
                files: prints(&answer.files).await,
            });
        }
        RecordedRequest {
            app: case.test.app.to_string(),
            mode: request.mode,
            workflow_id: request.workflow_id.clone(),
            inputs: self.for_any_run(&request.inputs),
            files: prints(&request.files).await,
            answers,
        }
    }

    /// Inputs as they are in any run.
    fn for_any_run(&self, inputs: &Map<String, Value>) -> Map<String, Value> {
        let mut inputs = inputs.clone();
        inputs.values_mut().for_each(|value| replace_text(value, &self.run_id));
        inputs
    }

    /// Replays an exchange to the same client; at once, its times are then those recorded.
    pub(super) async fn replay(
        &self,
        recorded: &RecordedExchange,
        request: &WorkflowRequest,
        timeouts: &Timeouts,
        stop: &mut StopSignal,
    ) -> Transcript {
        let client = self.player.as_ref().map_or(&self.client, |player| &player.client);
        let answers = request.answers.as_slice();
        let mut request = WorkflowRequest {
            cap: Default::default(),
            answers: Vec::new(),
            mock_attempt: Some(recorded_name(recorded.number)),
            workflow_id: None,
            ..request.clone()
        };
        for (name, variable) in std::mem::take(&mut request.files) {
            let prints = recorded.asked.files.iter().find(|(known, _)| *known == name);
            let mut values = prints.iter().flat_map(|(_, prints)| prints).map(named_file);
            let value = match variable {
                FileVariable::One(_) => values.next().unwrap_or_default(),
                FileVariable::Many(_) => Value::Array(values.collect()),
            };
            request.inputs.insert(name, value);
        }
        let key = mock_key(&recorded.asked.app);
        let transcript = client.run(&key, &request, timeouts, stop).await;
        let RecordedResponse { after, elapsed, .. } = &recorded.heard;
        let paused_at = recorded.heard.first_elapsed();
        let transcript = match speed(&self.plan) {
            Speed::RealTime => transcript,
            Speed::AtOnce => {
                let events = recorded.heard.times();
                retime(
                    transcript,
                    &RecordedTimes { events: &events, elapsed: paused_at, total: timeouts.total },
                )
            }
        };
        if transcript.ending != Ending::Paused {
            let elapsed = transcript.elapsed;
            return retell(transcript, &[], answers, (elapsed, timeouts.total));
        }
        if speed(&self.plan) == Speed::RealTime {
            let rest = elapsed.min(&timeouts.total).saturating_sub(paused_at);
            tokio::select! {
                biased;
                _ = stop.wait_for(Option::is_some) => {
                    let reason = "the run was stopped".to_owned();
                    return Transcript { ending: Ending::Stopped { reason }, ..transcript };
                }
                () = tokio::time::sleep(rest) => {}
            }
        }
        retell(transcript, after, answers, (*elapsed, timeouts.total))
    }
}

/// What makes files the same, by variable.
async fn prints(files: &[(String, FileVariable)]) -> Vec<(String, Vec<FilePrint>)> {
    let mut found = Vec::with_capacity(files.len());
    for (name, variable) in files {
        let of = match variable {
            FileVariable::One(file) => std::slice::from_ref(file),
            FileVariable::Many(files) => files.as_slice(),
        };
        let mut prints = Vec::with_capacity(of.len());
        for file in of {
            prints.push(print_of(file).await);
        }
        found.push((name.clone(), prints));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Puts a name in the place of the run's id, in every text.
fn replace_text(value: &mut Value, run_id: &str) {
    match value {
        Value::String(text) if text.contains(run_id) => *text = text.replace(run_id, RUN_ID),
        Value::Array(items) => items.iter_mut().for_each(|item| replace_text(item, run_id)),
        Value::Object(members) => members.values_mut().for_each(|member| replace_text(member, run_id)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

async fn print_of(file: &FileInput) -> FilePrint {
    match file {
        FileInput::Remote { url, kind } => FilePrint { kind: kind.clone(), name: url.clone(), blake3: None },
        FileInput::Upload { path, fence, kind } => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let (path, fence) = (path.clone(), fence.clone());
            let hash = tokio::task::spawn_blocking(move || hash_of(&path, &fence)).await;
            let hash = hash.ok().flatten().unwrap_or_else(|| blake3::hash(b""));
            FilePrint { kind: kind.clone(), name, blake3: Some(hash.to_hex().to_string()) }
        }
    }
}

/// The hash of a file, read in pieces; none where it cannot be read.
fn hash_of(path: &Path, fence: &Fence) -> Option<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(files::open(path, fence).ok()?).ok()?;
    Some(hasher.finalize())
}

/// A file as it is named in the inputs; an upload's id is made of its content.
fn named_file(print: &FilePrint) -> Value {
    match &print.blake3 {
        None => remote_file(&print.kind, &print.name),
        Some(hash) => uploaded_file(&print.kind, &format!("recorded-{hash}")),
    }
}
