//! Where the answer to a request comes from: the target or a cassette.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::base::files::{self, Fence};
use crate::dify::cassette::{
    AnswerPrint, CassetteQuery, FilePrint, Mode, Pin, RecordedExchange, RecordedRequest,
};
use crate::dify::transcript::{FileInput, FileVariable, WorkflowRequest};
use crate::engine::cassette_miss::{masked_answer, no_cassette, no_exchange};
use crate::engine::current_run::CurrentRun;
use crate::engine::request::AttemptId;
use crate::plan::case::{Case, TargetKind};
use crate::record::attempt::Cause;

/// Replaces the id of the run in recorded inputs.
const RUN_ID: &str = "{{ run.id }}";

/// Where the answer to a request comes from.
pub enum AnswerRoute {
    /// From the target; if the answer is to be recorded, it is recorded for this request.
    Send(Option<RecordedRequest>),
    /// From a cassette.
    Replay(Arc<RecordedExchange>),
}

impl AnswerRoute {
    /// True if the request goes to the target.
    pub fn is_live(&self) -> bool {
        match self {
            Self::Send(_) => true,
            Self::Replay(_) => false,
        }
    }
}

/// Chooses the route of a request; an error explains why no answer is available.
pub async fn choose_route(
    run: &CurrentRun,
    case: &Case,
    id: AttemptId,
    request: &WorkflowRequest,
) -> Result<AnswerRoute, Cause> {
    let plan = &run.plan;
    let Some(shelf) = &plan.cassettes else { return Ok(AnswerRoute::Send(None)) };
    let is_scripted = match plan.target.kind {
        TargetKind::Mock(_) => case.test.mock.is_some(),
        TargetKind::Live { .. } => shelf.mode.is_none(),
        TargetKind::Replay { .. } => false,
    };
    if is_scripted {
        return Ok(AnswerRoute::Send(None));
    }
    let asked = shelf.mask.request(recordable(run, case, request).await);
    let cassette = shelf.cassette(&case.test.suite.cassette);
    let query = CassetteQuery {
        test: &case.name,
        repeat: id.repeat,
        asked: &asked,
        pin: version_rule(&plan.target.kind),
    };
    let sends = match (&plan.target.kind, shelf.mode) {
        (TargetKind::Live { .. }, Some(Mode::All)) => return Ok(AnswerRoute::Send(Some(asked))),
        (TargetKind::Live { .. }, Some(Mode::Once)) => cassette.is_none_or(|cassette| cassette.is_partial),
        (TargetKind::Live { .. }, Some(Mode::NewEpisodes)) => true,
        (TargetKind::Mock(_), _) => cassette.is_none() || !plan.mock_rules.is_empty(),
        (TargetKind::Live { .. } | TargetKind::Replay { .. }, _) => false,
    };
    match cassette.map(|cassette| (cassette, cassette.find(query))) {
        Some((cassette, Ok(recorded))) if recorded.masked => Err(masked_answer(&cassette.shown)),
        Some((_, Ok(recorded))) => Ok(AnswerRoute::Replay(recorded)),
        Some((_, Err(_))) | None if sends => Ok(AnswerRoute::Send(Some(asked))),
        Some((cassette, Err(miss))) => Err(no_exchange(&miss, &cassette.shown, &case.name, id.repeat)),
        None => Err(no_cassette(case)),
    }
}

/// The version that a recorded exchange must be of; the mock has no versions.
fn version_rule(target: &TargetKind) -> Pin {
    match target {
        TargetKind::Replay { apps, .. } if !apps.is_empty() => Pin::AsAsked,
        TargetKind::Live { .. } => Pin::AsAsked,
        TargetKind::Mock(_) | TargetKind::Replay { .. } => Pin::Any,
    }
}

/// The parts of a request by which another run finds its recording.
async fn recordable(run: &CurrentRun, case: &Case, request: &WorkflowRequest) -> RecordedRequest {
    let mut answers = Vec::with_capacity(request.answers.len());
    for answer in &request.answers {
        answers.push(AnswerPrint {
            node: answer.node.clone(),
            action: answer.action.clone(),
            inputs: without_run_id(run, &answer.inputs),
            files: file_prints(&answer.files).await,
        });
    }
    RecordedRequest {
        app: case.test.app.to_string(),
        mode: request.mode,
        workflow_id: request.workflow_id.clone(),
        inputs: without_run_id(run, &request.inputs),
        files: file_prints(&request.files).await,
        answers,
    }
}

/// Inputs as they are in every run.
fn without_run_id(run: &CurrentRun, inputs: &Map<String, Value>) -> Map<String, Value> {
    let mut inputs = inputs.clone();
    inputs.values_mut().for_each(|value| replace_run_id(value, &run.id));
    inputs
}

/// Replaces the id of the run in every text of a value.
fn replace_run_id(value: &mut Value, run_id: &str) {
    match value {
        Value::String(text) if text.contains(run_id) => *text = text.replace(run_id, RUN_ID),
        Value::Array(items) => items.iter_mut().for_each(|item| replace_run_id(item, run_id)),
        Value::Object(members) => members.values_mut().for_each(|member| replace_run_id(member, run_id)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What identifies the content of files, by variable.
async fn file_prints(files: &[(String, FileVariable)]) -> Vec<(String, Vec<FilePrint>)> {
    let mut found = Vec::with_capacity(files.len());
    for (name, variable) in files {
        let inputs = match variable {
            FileVariable::One(file) => std::slice::from_ref(file),
            FileVariable::Many(files) => files.as_slice(),
        };
        let mut prints = Vec::with_capacity(inputs.len());
        for input in inputs {
            prints.push(file_print(input).await);
        }
        found.push((name.clone(), prints));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

async fn file_print(file: &FileInput) -> FilePrint {
    match file {
        FileInput::Remote { url, kind } => FilePrint { kind: kind.clone(), name: url.clone(), blake3: None },
        FileInput::Upload { path, fence, kind } => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let (path, fence) = (path.clone(), fence.clone());
            let hash = tokio::task::spawn_blocking(move || content_hash(&path, &fence)).await;
            let hash = hash.ok().flatten().unwrap_or_else(|| blake3::hash(b""));
            FilePrint { kind: kind.clone(), name, blake3: Some(hash.to_hex().to_string()) }
        }
    }
}

/// The hash of a file, which is read in pieces; `None` if it cannot be read.
fn content_hash(path: &Path, fence: &Fence) -> Option<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(files::open(path, fence).ok()?).ok()?;
    Some(hasher.finalize())
}
