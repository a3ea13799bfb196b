//! Refusals of inputs: at once, by an event, or by silence, depending on the version.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use hyper::Response;

use super::body::MockBody;
use super::refusal::MockRefusal;
use super::respond::{ContentKind, refuse, respond};
use super::state::MockState;
use crate::dify::mock::answer::PING;
use crate::dify::mock::version::DifyVersion;
use crate::dify::transcript::ResponseMode;
use crate::dify::wire::error::is_unreachable_file;
use crate::dify::wire::input_refusal::is_input_refusal;

/// Refuses inputs as the version does: 1.14 answers a stream with one ping, and then with silence.
pub(super) fn reject(state: &MockState, mode: ResponseMode, refusal: &MockRefusal) -> Response<MockBody> {
    let version = state.options.version;
    let chunks = match (mode, late(refusal, version)) {
        (ResponseMode::Blocking, _) | (ResponseMode::Streaming, None) => return refuse(version, refusal),
        (ResponseMode::Streaming, Some(LateRefusal::Silence)) => vec![Bytes::from_static(PING)],
        (ResponseMode::Streaming, Some(LateRefusal::Event)) => match version {
            DifyVersion::V1_12 => vec![Bytes::from(refusal.event())],
            DifyVersion::V1_14 => vec![Bytes::from_static(PING), Bytes::from(refusal.event())],
        },
    };
    let chunks = futures_util::stream::iter(chunks);
    let answer: Pin<Box<dyn Stream<Item = Bytes> + Send>> = match version {
        DifyVersion::V1_12 => Box::pin(chunks),
        DifyVersion::V1_14 => Box::pin(chunks.chain(silence(state.options.stream_idle))),
    };
    respond(version, 200, ContentKind::Events, MockBody::Paced(answer))
}

/// What a stream shows of a refusal that comes after its head.
#[derive(Clone, Copy)]
enum LateRefusal {
    /// Nothing.
    Silence,
    /// An `error` event.
    Event,
}

/// Refusals that come after the head: of inputs and models in 1.14, whose worker checks them; of the graph in both versions.
fn late(refusal: &MockRefusal, version: DifyVersion) -> Option<LateRefusal> {
    match version {
        _ if is_about_graph(refusal) => Some(LateRefusal::Event),
        DifyVersion::V1_12 => None,
        DifyVersion::V1_14 if is_about_models(refusal) => Some(LateRefusal::Event),
        DifyVersion::V1_14 => is_about_inputs(refusal).then_some(LateRefusal::Silence),
    }
}

/// Whether the graph could not be built.
fn is_about_graph(refusal: &MockRefusal) -> bool {
    let message = &refusal.message;
    refusal.code == "invalid_param"
        && message.contains(" validation error")
        && message.lines().next().is_some_and(|line| line.ends_with("NodeData"))
}

/// Whether a model or its provider is unknown.
fn is_about_models(refusal: &MockRefusal) -> bool {
    let message = &refusal.message;
    let names = |start: &str, end: &str| message.starts_with(start) && message.ends_with(end);
    refusal.code == "invalid_param"
        && (names("Provider ", " does not exist.") || names("Model ", " not exist."))
}

/// Nothing until the stream is closed.
fn silence(idle: Duration) -> impl Stream<Item = Bytes> + Send {
    futures_util::stream::unfold((), move |()| async move {
        tokio::time::sleep(idle).await;
        None
    })
}

/// Whether a refusal is about inputs, which 1.14 checks only in its worker.
fn is_about_inputs(refusal: &MockRefusal) -> bool {
    match (refusal.status, refusal.code.as_str()) {
        (400, "invalid_param") => is_input_refusal(&refusal.message) || is_unreachable_file(&refusal.message),
        (500, "internal_server_error") => true,
        _ => false,
    }
}
