//! Answers that go wrong on purpose.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Response;
use hyper::header::HeaderValue;
use serde_json::{Map, Value};

use super::body::MockBody;
use super::life::RunTimeline;
use super::lost::LookupCount;
use super::play::{PlayedStream, play};
use super::refusal::MockRefusal;
use super::respond::{Content, refuse, respond};
use super::route::MockCall;
use super::run::keep_alive;
use super::state::{MockState, StoredRun};
use crate::dify::mock::answer::graph::Graph;
use crate::dify::mock::answer::{
    DifyVersion, MockRun, PING, id_of, stopped_event, write_handover, write_stream,
};
use crate::dify::mock::fault::{
    ActiveFaults, AfterError, BlockingFault, BrokenConnection, ChunkCutting, CutStream, Encoding,
    LostRunRecord, ProxyPage, RefusedRequest, Replacement, ResponseInstead, UnusualForms, WireAnswer,
    WireStep, dressed_event, instead, play_document, play_stream,
};
use crate::dify::mock::options::NodePace;
use crate::dify::transcript::ResponseMode;

/// The faults that act on a request: those of the mock, then those of the reply, if there is one.
pub fn active(
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
    let turn = call.attempt.map_or_else(|| state.turns.turn(&call.app, inputs), |attempt| attempt.number);
    ActiveFaults::of(all(), turn)
}

/// The version that a fault lets run, where one does.
pub fn changed_version(state: &MockState, call: &MockCall, active: &ActiveFaults) -> Option<String> {
    let after = active.version_change()?;
    (state.turns.runs(&call.app) >= after).then(|| state.next_workflow_of(&call.app))
}

/// What comes in place of a run.
pub fn answer_instead(
    state: &MockState,
    call: &MockCall,
    (mode, inputs): (ResponseMode, &Map<String, Value>),
    replacement: Replacement,
) -> Response<MockBody> {
    let version = state.options.version;
    let declared = state.form(&call.app).and_then(|form| form.required());
    let variable = declared.or_else(|| inputs.keys().next().map(String::as_str)).unwrap_or("query");
    let app = id_of("app", &call.app);
    let asked = RefusedRequest { mode, version, app: &app, variable };
    let first_ping = match version {
        DifyVersion::V1_12 => WireStep::Send(Bytes::new()),
        DifyVersion::V1_14 => WireStep::Send(Bytes::from_static(PING)),
    };
    let steps = match instead(replacement, asked) {
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
    respond(version, 200, Content::Events, MockBody::Played { pieces, length: None })
}

/// A run whose answer goes wrong; it is booked as Dify books it.
pub async fn answer_faulty(
    state: &Arc<MockState>,
    call: &MockCall,
    (run, mode): (MockRun, ResponseMode),
    active: &ActiveFaults,
) -> Response<MockBody> {
    let is_streamed = mode == ResponseMode::Streaming || active.dress.blocking == BlockingFault::Stream;
    let played = if is_streamed { play_stream(&run, active) } else { play_document(&run, active) };
    let happened = if let WireAnswer::Stream { happened, .. } = &played { *happened } else { 0 };
    let is_silent = played == WireAnswer::Silent;
    let pace = if is_streamed { state.options.pace } else { NodePace::AtOnce };
    let run = match active.cut {
        Some(cut) if cut.booked == LostRunRecord::Yes => {
            RunStorage::Stored(lose(state, call, run, (cut, happened, pace)))
        }
        Some(_) => RunStorage::Forgotten(run),
        None => RunStorage::Stored(keep_alive(state, call, run, pace)),
    };
    if let (RunStorage::Stored(stored), NodePace::Real) = (&run, pace) {
        state.begin(stored);
    }
    let response = put(played, &run, state, active);
    if is_silent {
        tokio::time::sleep(state.options.stream_idle).await;
    }
    response
}

/// A run, in the mock's books or not.
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

    /// What a stop can end.
    fn playing(&self, active: &ActiveFaults) -> Option<PlayedStream> {
        let Self::Stored(stored) = self else { return None };
        let last = active.cut.is_none().then(|| dressed_event(stopped_event(&stored.run), &active.dress));
        Some(PlayedStream { stored: stored.clone(), last })
    }
}

/// Remembers a run of which its client saw so many events; in real time it goes on in its own time.
fn lose(
    state: &MockState,
    call: &MockCall,
    run: MockRun,
    (cut, happened, pace): (CutStream, usize, NodePace),
) -> Arc<StoredRun> {
    let lost = LookupCount::new(cut.running);
    if pace == NodePace::Real && !lost.is_endless() {
        return keep_alive(state, call, run, NodePace::Real);
    }
    let events = write_stream(&run);
    let bytes = call.body.len() + events.bytes.len();
    let life = RunTimeline::hold(events, happened);
    if lost.is_over() {
        life.release();
    }
    state.lose((run, call.app.clone()), bytes, (life, lost))
}

/// Puts an answer on the wire.
fn put(
    played: WireAnswer,
    kept: &RunStorage,
    state: &MockState,
    active: &ActiveFaults,
) -> Response<MockBody> {
    let (run, dress) = (kept.run(), &active.dress);
    let (content, steps, length) = match played {
        WireAnswer::Stream { steps, .. } => (Content::Events, steps, None),
        WireAnswer::Document { steps, length } => (Content::RunJson, steps, length),
        WireAnswer::HandedOver => return handed_over(run),
        WireAnswer::Proxy(page) => return proxy(page),
        WireAnswer::Silent => return broken(BrokenConnection::Closed),
        WireAnswer::Broken(how) => return broken(how),
    };
    let is_plain = dress.encoding == Encoding::Identity && dress.chunks == ChunkCutting::Events;
    let length = length.filter(|_| is_plain);
    let pieces = play(steps, dress, &state.options, kept.playing(active));
    let mut response = respond(run.version, 200, content, MockBody::Played { pieces, length });
    if dress.encoding == Encoding::Gzip {
        response.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
    }
    response
}

/// 202 as newer Difys hand a run over: read in their sources, never recorded.
fn handed_over(run: &MockRun) -> Response<MockBody> {
    let body = MockBody::Whole(Some(Bytes::from(write_handover(run))));
    let mut response = respond(run.version, 202, Content::RunJson, body);
    response.headers_mut().insert("retry-after", HeaderValue::from_static("1"));
    if let Ok(id) = HeaderValue::from_str(&run.id) {
        response.headers_mut().insert("x-workflow-run-id", id);
    }
    response
}

/// A proxy knows nothing of Dify's headers.
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
