//! Answers with the faults that a script or the options ask for.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Response;
use hyper::header::HeaderValue;
use serde_json::{Map, Value};

use super::body::MockBody;
use super::call::MockCall;
use super::ongoing_run::keep_alive;
use super::player::{PlayedStream, play};
use super::refusal::MockRefusal;
use super::request::RunRequest;
use super::respond::{ContentKind, refuse, respond};
use super::state::MockState;
use super::stored_run::{LookupCount, StoredRun};
use super::timeline::RunTimeline;
use crate::dify::mock::answer::graph::Graph;
use crate::dify::mock::answer::{MockRun, PING, id_of, stopped_event, write_handover, write_stream};
use crate::dify::mock::fault::{
    ActiveFaults, AfterError, BlockingFault, BrokenConnection, ChunkCutting, CutStream, Encoding,
    LostRunRecord, ProxyPage, RefusedRequest, Replacement, ResponseInstead, UnusualForms, WireAnswer,
    WireStep, event_in_form, play_document, play_stream, response_instead,
};
use crate::dify::mock::options::NodePace;
use crate::dify::mock::version::DifyVersion;
use crate::dify::transcript::ResponseMode;

/// The faults that act on a request: those of the mock, then those of the reply, if there is one.
pub fn active_faults(
    state: &MockState,
    call: &MockCall,
    inputs: &Map<String, Value>,
    graph: Option<&Graph>,
) -> ActiveFaults {
    let scripted = graph.map_or(&[][..], |graph| &graph.reply.faults);
    let all = || state.options.faults.iter().chain(scripted);
    if all().next().is_none() {
        return ActiveFaults::default();
    }
    let number =
        call.attempt.map_or_else(|| state.tries.next_try(&call.app, inputs), |attempt| attempt.number);
    ActiveFaults::of(all(), number)
}

/// The version that a fault puts in place of the published one, if any.
pub fn changed_version(state: &MockState, call: &MockCall, active: &ActiveFaults) -> Option<String> {
    let after = active.version_change()?;
    (state.tries.runs_before(&call.app) >= after).then(|| state.next_workflow_of(&call.app))
}

/// Answers with what replaces a run.
pub fn answer_instead(
    state: &MockState,
    call: &MockCall,
    request: &RunRequest,
    replacement: Replacement,
) -> Response<MockBody> {
    let version = state.options.version;
    let declared = state.form(&call.app).and_then(|form| form.required());
    let variable = declared.or_else(|| request.inputs.keys().next().map(String::as_str)).unwrap_or("query");
    let app = id_of("app", &call.app);
    let refused = RefusedRequest { mode: request.mode, version, app: &app, variable };
    let first_ping = match version {
        DifyVersion::V1_12 => WireStep::Send(Bytes::new()),
        DifyVersion::V1_14 => WireStep::Send(Bytes::from_static(PING)),
    };
    let steps = match response_instead(replacement, refused) {
        ResponseInstead::Refusal { status, code, message, retry_after } => {
            let mut response = refuse(version, &MockRefusal::new(status, code, message));
            if let Some(seconds) = retry_after {
                response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
            }
            return response;
        }
        ResponseInstead::OnePing => vec![first_ping, WireStep::Silence],
        ResponseInstead::ErrorEvent { frame, then } => {
            let then = match then {
                AfterError::End => None,
                AfterError::Silence => Some(WireStep::Silence),
                AfterError::Pings => Some(WireStep::Pings),
            };
            [first_ping, WireStep::Send(Bytes::from(frame))].into_iter().chain(then).collect()
        }
    };
    let pieces = play(steps, &UnusualForms::default(), &state.options, None);
    respond(version, 200, ContentKind::Events, MockBody::Played { pieces, length: None })
}

/// A run whose answer has faults.
pub struct FaultyRun<'a> {
    /// The run.
    pub run: MockRun,
    /// Streaming or blocking.
    pub mode: ResponseMode,
    /// The faults.
    pub active: &'a ActiveFaults,
}

/// Answers with a faulty answer, and remembers the run as Dify does.
pub async fn answer_faulty(
    state: &Arc<MockState>,
    call: &MockCall,
    faulty: FaultyRun<'_>,
) -> Response<MockBody> {
    let FaultyRun { run, mode, active } = faulty;
    let is_streamed = mode == ResponseMode::Streaming || active.forms.blocking == BlockingFault::Stream;
    let played = if is_streamed { play_stream(&run, active) } else { play_document(&run, active) };
    let happened = if let WireAnswer::Stream { happened, .. } = &played { *happened } else { 0 };
    let is_silent = played == WireAnswer::Silent;
    let pace = if is_streamed { state.options.pace } else { NodePace::AtOnce };
    let run = match active.cut {
        Some(cut) if cut.record == LostRunRecord::Yes => {
            RunStorage::Stored(lose(state, call, run, LossPoint { cut, happened, pace }))
        }
        Some(_) => RunStorage::Forgotten(run),
        None => RunStorage::Stored(keep_alive(state, call, run, pace)),
    };
    if let (RunStorage::Stored(stored), NodePace::Real) = (&run, pace) {
        state.make_stoppable(stored);
    }
    let response = put(played, &run, state, active);
    if is_silent {
        tokio::time::sleep(state.options.stream_idle).await;
    }
    response
}

/// A run that the mock remembers, or does not.
enum RunStorage {
    Stored(Arc<StoredRun>),
    Forgotten(MockRun),
}

impl RunStorage {
    fn run(&self) -> &MockRun {
        match self {
            Self::Stored(stored) => &stored.run,
            Self::Forgotten(run) => run,
        }
    }

    /// The stream that a stop can end.
    fn playing(&self, active: &ActiveFaults) -> Option<PlayedStream> {
        let Self::Stored(stored) = self else { return None };
        let last = active.cut.is_none().then(|| event_in_form(stopped_event(&stored.run), &active.forms));
        Some(PlayedStream { stored: stored.clone(), last })
    }
}

/// Where a client loses sight of a run.
struct LossPoint {
    cut: CutStream,
    /// How many events of the run have happened.
    happened: usize,
    pace: NodePace,
}

/// Remembers a run of which its client loses sight; in real time it goes on at its own pace.
fn lose(state: &MockState, call: &MockCall, run: MockRun, point: LossPoint) -> Arc<StoredRun> {
    let LossPoint { cut, happened, pace } = point;
    let lookups = LookupCount::new(cut.running);
    if pace == NodePace::Real && !lookups.is_endless() {
        return keep_alive(state, call, run, NodePace::Real);
    }
    let events = write_stream(&run);
    let bytes = call.body.len() + events.bytes.len();
    let timeline = RunTimeline::hold(events, happened);
    if lookups.is_over() {
        timeline.release();
    }
    let run = StoredRun::new(run, call.app.clone(), bytes, timeline).with_lookups(lookups);
    let stored = state.remember(run);
    state.make_stoppable(&stored);
    stored
}

/// Puts an answer on the wire.
fn put(
    played: WireAnswer,
    stored: &RunStorage,
    state: &MockState,
    active: &ActiveFaults,
) -> Response<MockBody> {
    let (run, forms) = (stored.run(), &active.forms);
    let (content, steps, length) = match played {
        WireAnswer::Stream { steps, .. } => (ContentKind::Events, steps, None),
        WireAnswer::Document { steps, length } => (ContentKind::RunJson, steps, length),
        WireAnswer::HandedOver => return handed_over(run),
        WireAnswer::Proxy(page) => return proxy(page),
        WireAnswer::Silent => return broken(BrokenConnection::Closed),
        WireAnswer::Broken(how) => return broken(how),
    };
    let is_plain = forms.encoding == Encoding::Identity && forms.chunks == ChunkCutting::Events;
    let length = length.filter(|_| is_plain);
    let pieces = play(steps, forms, &state.options, stored.playing(active));
    let mut response = respond(run.version, 200, content, MockBody::Played { pieces, length });
    if forms.encoding == Encoding::Gzip {
        response.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
    }
    response
}

/// The 202 with which newer versions of Dify hand a run over: read in their sources, never recorded.
fn handed_over(run: &MockRun) -> Response<MockBody> {
    let body = MockBody::Whole(Some(Bytes::from(write_handover(run))));
    let mut response = respond(run.version, 202, ContentKind::RunJson, body);
    response.headers_mut().insert("retry-after", HeaderValue::from_static("1"));
    if let Ok(id) = HeaderValue::from_str(&run.id) {
        response.headers_mut().insert("x-workflow-run-id", id);
    }
    response
}

/// The page of a proxy, without Dify's headers.
fn proxy(page: ProxyPage) -> Response<MockBody> {
    let mut response = Response::new(MockBody::Whole(Some(Bytes::from(page.html()))));
    *response.status_mut() =
        hyper::StatusCode::from_u16(page.status()).unwrap_or(hyper::StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    headers.insert("server", HeaderValue::from_static("nginx"));
    headers.insert("content-type", HeaderValue::from_static("text/html"));
    response
}

/// No answer: the connection ends, as `serve` reads in the extension.
fn broken(how: BrokenConnection) -> Response<MockBody> {
    let mut response = Response::new(MockBody::Whole(None));
    response.extensions_mut().insert(how);
    response
}
