//! `POST /workflows/run`: the request is checked, matched with a script, and answered.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::header::HeaderValue;
use serde_json::{Map, Value};

use super::body::MockBody;
use super::call::MockCall;
use super::faulty_answer::{self, FaultyRun};
use super::files::{UploadScope, resolve_all, without_files};
use super::ongoing_run::{keep_alive, stream_run};
use super::refusal::MockRefusal;
use super::reject::reject;
use super::replay::replay;
use super::request::{RunRequest, read_object, read_run};
use super::respond::{ContentKind, refuse, respond};
use super::state::MockState;
use super::stored_run::StoredRun;
use super::timeline::RunTimeline;
use crate::base::clock;
use crate::dify::cassette::RecordedExchange;
use crate::dify::mock::answer::graph::Graph;
use crate::dify::mock::answer::{MockRun, id_of, write_blocking, write_paused, write_stream};
use crate::dify::mock::book::ScriptQuery;
use crate::dify::mock::fault::{ActiveFaults, BlockingFault, with_false_facts};
use crate::dify::mock::form::FormError;
use crate::dify::mock::options::NodePace;
use crate::dify::mock::reply::ScriptedRejection;
use crate::dify::mock::version::DifyVersion;
use crate::dify::transcript::ResponseMode;

/// Answers `POST /workflows/run` and `POST /workflows/{id}/run`.
pub async fn answer_run(state: &Arc<MockState>, call: &MockCall, pinned: Option<&str>) -> Response<MockBody> {
    let version = state.options.version;
    let request =
        read_object(call.content_type.as_deref(), &call.body).and_then(|body| read_run(body, version));
    let request = match request.and_then(|request| check_pin(state, call, pinned).map(|()| request)) {
        Ok(request) => request,
        Err(refusal) => return refuse_body(version, &refusal),
    };
    if let Some(number) = call.recorded {
        return match state.book.recorded.get(number) {
            Some(recorded) => replay(state, recorded).await,
            None => refuse(version, &no_answer(format!("no mock answer: exchange {number} is not recorded"))),
        };
    }
    let inputs = match accept_inputs(state, call, &request) {
        Ok(inputs) => inputs,
        Err(refusal) => return reject(state, request.mode, &refusal),
    };
    let found = find(state, call, &request.inputs);
    let active = faulty_answer::active_faults(state, call, &request.inputs, found.as_deref().ok());
    let latency = found.as_ref().ok().and_then(|graph| graph.reply.latency).unwrap_or_default();
    let wait = latency.saturating_add(active.forms.wait);
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    if let Some(replacement) = active.replacement {
        return faulty_answer::answer_instead(state, call, &request, replacement);
    }
    let graph = match found {
        Ok(graph) => graph,
        Err(refusal) => match recorded_for(state, call, &request) {
            Some(recorded) => return replay(state, recorded).await,
            None => return refuse(version, &refusal),
        },
    };
    if let Some(ScriptedRejection { http, code, message }) = &graph.reply.reject {
        return reject(state, request.mode, &MockRefusal::new(*http, code, message.as_str()));
    }
    let is_document =
        request.mode == ResponseMode::Blocking && active.forms.blocking == BlockingFault::Document;
    if state.options.pace == NodePace::Real && is_document {
        let elapsed = Duration::try_from_secs_f64(graph.elapsed).unwrap_or(Duration::ZERO);
        tokio::time::sleep(elapsed).await;
    }
    if !graph.pauses.is_empty() && version == DifyVersion::V1_12 {
        return refuse(
            version,
            &no_answer("no mock answer: `pause` needs Dify 1.14, and this mock plays 1.12".to_owned()),
        );
    }
    let accepted = AcceptedRun { request, inputs, graph: with_false_facts(graph, &active), pinned };
    if active == ActiveFaults::default() {
        return answer_accepted(state, call, accepted);
    }
    let mode = accepted.request.mode;
    let changed = pinned.is_none().then(|| faulty_answer::changed_version(state, call, &active)).flatten();
    let mut run = run_of(state, call, accepted);
    run.workflow = changed.unwrap_or(run.workflow);
    faulty_answer::answer_faulty(state, call, FaultyRun { run, mode, active: &active }).await
}

/// Refuses a body; an uncaught exception varies by cookie in both versions.
fn refuse_body(version: DifyVersion, refusal: &MockRefusal) -> Response<MockBody> {
    let mut response = refuse(version, refusal);
    if refusal.code == "unknown" {
        response.headers_mut().insert("vary", HeaderValue::from_static("Cookie"));
    }
    response
}

/// A request that is answered by a run.
struct AcceptedRun<'a> {
    request: RunRequest,
    inputs: Option<Map<String, Value>>,
    graph: Arc<Graph>,
    pinned: Option<&'a str>,
}

fn run_of(state: &MockState, call: &MockCall, accepted: AcceptedRun<'_>) -> MockRun {
    let AcceptedRun { request, inputs, graph, pinned } = accepted;
    let scripted = graph.reply.workflow_id.as_deref().or(pinned);
    MockRun {
        id: state.new_id(),
        task: state.new_id(),
        workflow: scripted.map_or_else(|| state.workflow_of(&call.app), str::to_owned),
        app: id_of("app", &call.app),
        user_id: id_of("user", &format!("{}\n{}", call.app, request.user)),
        user: request.user,
        inputs: Arc::new(inputs.unwrap_or(request.inputs)),
        created_at: clock::wall().as_second(),
        version: state.options.version,
        graph,
        seed: state.seed(),
        restarts: 0.into(),
    }
}

/// Answers with a run that has no faults.
fn answer_accepted(state: &MockState, call: &MockCall, accepted: AcceptedRun<'_>) -> Response<MockBody> {
    let version = state.options.version;
    let mode = accepted.request.mode;
    let run = run_of(state, call, accepted);
    let has_pauses = !run.graph.pauses.is_empty();
    let answer = match mode {
        ResponseMode::Blocking if has_pauses => {
            let answer = respond(
                version,
                200,
                ContentKind::RunJson,
                MockBody::Whole(Some(Bytes::from(write_paused(&run)))),
            );
            keep_alive(state, call, run, NodePace::AtOnce);
            return answer;
        }
        ResponseMode::Blocking => respond(
            version,
            200,
            ContentKind::RunJson,
            MockBody::Whole(Some(Bytes::from(write_blocking(&run)))),
        ),
        ResponseMode::Streaming if has_pauses || state.options.pace == NodePace::Real => {
            return stream_run(state, keep_alive(state, call, run, state.options.pace));
        }
        ResponseMode::Streaming => {
            let events = write_stream(&run);
            let answer =
                MockBody::Events { bytes: Bytes::from(events.bytes), ends: events.ends.into_iter(), at: 0 };
            respond(version, 200, ContentKind::Events, answer)
        }
    };
    state.remember(StoredRun::new(run, call.app.clone(), call.body.len(), RunTimeline::ended()));
    answer
}

/// Checks a pinned version: it must be a uuid, published, and the app's own.
fn check_pin(state: &MockState, call: &MockCall, pinned: Option<&str>) -> Result<(), MockRefusal> {
    let Some(id) = pinned else { return Ok(()) };
    if uuid::Uuid::parse_str(id).is_err() {
        return Err(MockRefusal::new(400, "bad_request", format!("Invalid workflow_id format: '{id}'. ")));
    }
    if id == id_of("draft", &call.app) {
        let message = format!(
            "Cannot use draft workflow version. Workflow ID: {id}. Please use a published workflow version or leave workflow_id empty."
        );
        return Err(MockRefusal::new(400, "bad_request", message));
    }
    match state.knows_workflow(&call.app, id) {
        true => Ok(()),
        false => Err(MockRefusal::new(404, "not_found", format!("Workflow not found with id: {id}"))),
    }
}

/// The inputs as Dify accepts them; `None`: as they were sent.
fn accept_inputs(
    state: &MockState,
    call: &MockCall,
    request: &RunRequest,
) -> Result<Option<Map<String, Value>>, MockRefusal> {
    let scope = UploadScope { state, app: &call.app, user: &request.user };
    let Some(form) = state.form(&call.app) else {
        return resolve_all(scope, &request.inputs).map_err(MockRefusal::invalid);
    };
    let accepted = form.accept(&request.inputs, &|mapping| scope.resolve(mapping)).map(Some);
    accepted.map_err(|error| match error {
        FormError::Invalid(message) => MockRefusal::invalid(message),
        FormError::Internal => MockRefusal::internal(),
    })
}

fn find(state: &MockState, call: &MockCall, inputs: &Map<String, Value>) -> Result<Arc<Graph>, MockRefusal> {
    let plain = without_files(inputs);
    let query = ScriptQuery { app: Some(&call.app), attempt: call.attempt, inputs: &plain };
    match state.book.find(query, state.template_values()) {
        Some(Ok(graph)) => Ok(graph),
        Some(Err(error)) => Err(no_answer(format!("no mock answer: its template fails: {error}"))),
        None => {
            let mut shown = Value::Object(plain.into_owned()).to_string();
            if let Some((at, _)) = shown.char_indices().nth(300) {
                shown.truncate(at);
                shown.push('…');
            }
            Err(no_answer(format!("no mock answer for the inputs {shown}")))
        }
    }
}

/// A recorded answer for a client that is no runner; a runner's attempt names its own.
fn recorded_for<'s>(
    state: &'s MockState,
    call: &MockCall,
    request: &RunRequest,
) -> Option<&'s Arc<RecordedExchange>> {
    if call.attempt.is_some() {
        return None;
    }
    state.book.recorded_answer(&call.app, &without_files(&request.inputs), request.mode)
}

fn no_answer(message: String) -> MockRefusal {
    MockRefusal::new(404, "not_found", message)
}
