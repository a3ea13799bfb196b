//! Answers that go wrong on purpose.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Response;
use hyper::header::HeaderValue;
use serde_json::{Map, Value};

use super::body::Answer;
use super::life::Life;
use super::lost::Lost;
use super::play::{Playing, play};
use super::refusal::Refusal;
use super::respond::{Content, refuse, respond};
use super::route::Call;
use super::run::keep_alive;
use super::state::{State, StoredRun};
use crate::exchange::ResponseMode;
use crate::mock::answer::graph::Graph;
use crate::mock::answer::{DifyVersion, PING, Run, id_of, stopped_event, write_handover, write_stream};
use crate::mock::fault::{
    Active, Answers, Asked, Booked, Broken, Chunks, Cut, Dress, Encoding, Instead, Page, Played, Replacement,
    Step, Then, dressed_event, instead, play_document, play_stream,
};
use crate::mock::options::Pace;

/// The faults that act on a request: those of the mock, then those of the reply, if there is one.
pub fn active(state: &State, call: &Call, inputs: &Map<String, Value>, graph: Option<&Graph>) -> Active {
    let scripted = graph.map_or(&[][..], |graph| &graph.reply.faults);
    let all = || state.options.faults.iter().chain(scripted);
    if all().next().is_none() {
        return Active::default();
    }
    let turn = call.attempt.map_or_else(|| state.turns.turn(&call.app, inputs), |attempt| attempt.number);
    Active::of(all(), turn)
}

/// The version that a fault lets run, where one does.
pub fn changed_version(state: &State, call: &Call, active: &Active) -> Option<String> {
    let after = active.version_change()?;
    (state.turns.runs(&call.app) >= after).then(|| state.next_workflow_of(&call.app))
}

/// What comes in place of a run.
pub fn answer_instead(
    state: &State,
    call: &Call,
    (mode, inputs): (ResponseMode, &Map<String, Value>),
    replacement: Replacement,
) -> Response<Answer> {
    let version = state.options.version;
    let declared = state.form(&call.app).and_then(|form| form.required());
    let variable = declared.or_else(|| inputs.keys().next().map(String::as_str)).unwrap_or("query");
    let app = id_of("app", &call.app);
    let asked = Asked { mode, version, app: &app, variable };
    let first_ping = match version {
        DifyVersion::V1_12 => Step::Send(Bytes::new()),
        DifyVersion::V1_14 => Step::Send(Bytes::from_static(PING)),
    };
    let steps = match instead(replacement, asked) {
        Instead::Refusal { status, code, message, retry_after } => {
            let mut response = refuse(version, &Refusal::new(status, code, message));
            if let Some(seconds) = retry_after {
                response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
            }
            return response;
        }
        Instead::OnePing => vec![first_ping, Step::Silence],
        Instead::ErrorEvent { frame, then } => {
            let then = match then {
                Then::End => None,
                Then::Silence => Some(Step::Silence),
                Then::Pings => Some(Step::Pings),
            };
            [first_ping, Step::Send(Bytes::from(frame))].into_iter().chain(then).collect()
        }
    };
    let pieces = play(steps, &Dress::default(), &state.options, None);
    respond(version, 200, Content::Events, Answer::Played { pieces, length: None })
}

/// A run whose answer goes wrong; it is booked as Dify books it.
pub async fn answer_faulty(
    state: &Arc<State>,
    call: &Call,
    (run, mode): (Run, ResponseMode),
    active: &Active,
) -> Response<Answer> {
    let is_streamed = mode == ResponseMode::Streaming || active.dress.blocking == Answers::Stream;
    let played = if is_streamed { play_stream(&run, active) } else { play_document(&run, active) };
    let happened = if let Played::Stream { happened, .. } = &played { *happened } else { 0 };
    let is_silent = played == Played::Silent;
    let pace = if is_streamed { state.options.pace } else { Pace::AtOnce };
    let run = match active.cut {
        Some(cut) if cut.booked == Booked::Yes => Kept::Stored(lose(state, call, run, (cut, happened, pace))),
        Some(_) => Kept::Forgotten(run),
        None => Kept::Stored(keep_alive(state, call, run, pace)),
    };
    if let (Kept::Stored(stored), Pace::Real) = (&run, pace) {
        state.begin(stored);
    }
    let response = put(played, &run, state, active);
    if is_silent {
        tokio::time::sleep(state.options.stream_idle).await;
    }
    response
}

/// A run, in the mock's books or not.
enum Kept {
    Stored(Arc<StoredRun>),
    Forgotten(Run),
}

impl Kept {
    fn run(&self) -> &Run {
        match self {
            Self::Stored(stored) => &stored.run,
            Self::Forgotten(run) => run,
        }
    }

    /// What a stop can end.
    fn playing(&self, active: &Active) -> Option<Playing> {
        let Self::Stored(stored) = self else { return None };
        let last = active.cut.is_none().then(|| dressed_event(stopped_event(&stored.run), &active.dress));
        Some(Playing { stored: stored.clone(), last })
    }
}

/// Remembers a run of which its client saw so many events; in real time it goes on in its own time.
fn lose(state: &State, call: &Call, run: Run, (cut, happened, pace): (Cut, usize, Pace)) -> Arc<StoredRun> {
    let lost = Lost::new(cut.running);
    if pace == Pace::Real && !lost.is_endless() {
        return keep_alive(state, call, run, Pace::Real);
    }
    let events = write_stream(&run);
    let bytes = call.body.len() + events.bytes.len();
    let life = Life::hold(events, happened);
    if lost.is_over() {
        life.release();
    }
    state.lose((run, call.app.clone()), bytes, (life, lost))
}

/// Puts an answer on the wire.
fn put(played: Played, kept: &Kept, state: &State, active: &Active) -> Response<Answer> {
    let (run, dress) = (kept.run(), &active.dress);
    let (content, steps, length) = match played {
        Played::Stream { steps, .. } => (Content::Events, steps, None),
        Played::Document { steps, length } => (Content::RunJson, steps, length),
        Played::HandedOver => return handed_over(run),
        Played::Proxy(page) => return proxy(page),
        Played::Silent => return broken(Broken::Closed),
        Played::Broken(how) => return broken(how),
    };
    let is_plain = dress.encoding == Encoding::Identity && dress.chunks == Chunks::Events;
    let length = length.filter(|_| is_plain);
    let pieces = play(steps, dress, &state.options, kept.playing(active));
    let mut response = respond(run.version, 200, content, Answer::Played { pieces, length });
    if dress.encoding == Encoding::Gzip {
        response.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
    }
    response
}

/// 202 as newer Difys hand a run over: read in their sources, never recorded.
fn handed_over(run: &Run) -> Response<Answer> {
    let body = Answer::Whole(Some(Bytes::from(write_handover(run))));
    let mut response = respond(run.version, 202, Content::RunJson, body);
    response.headers_mut().insert("retry-after", HeaderValue::from_static("1"));
    if let Ok(id) = HeaderValue::from_str(&run.id) {
        response.headers_mut().insert("x-workflow-run-id", id);
    }
    response
}

/// A proxy knows nothing of Dify's headers.
fn proxy(page: Page) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(Some(Bytes::from(page.html()))));
    *response.status_mut() =
        hyper::StatusCode::from_u16(page.status()).unwrap_or(hyper::StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    headers.insert("server", HeaderValue::from_static("nginx"));
    headers.insert("content-type", HeaderValue::from_static("text/html"));
    response
}

/// No answer: the connection ends, as `serve` reads in the extension.
fn broken(how: Broken) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(None));
    response.extensions_mut().insert(how);
    response
}
