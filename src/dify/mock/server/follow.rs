//! `GET /workflow/{run_id}/events`: follows a run that goes on, and tells the end of one that is over.
//!
//! A run that goes on is followed from now; `include_state_snapshot` first repeats its nodes without their data;
//! `continue_on_pause` keeps the stream open past a pause. Only the run's own end user is answered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use hyper::Response;
use hyper::header::HeaderValue;

use super::body::MockBody;
use super::life::{LifeEvent, Phase};
use super::query::QueryParameters;
use super::refusal::MockRefusal;
use super::respond::{Content, refuse, respond};
use super::route::MockCall;
use super::state::{MockState, StoredRun};
use crate::base::clock;
use crate::dify::mock::answer::{PING, replayed_event, snapshot_events};

/// After how much silence a ping is sent.
const PING_AFTER: Duration = Duration::from_secs(10);

/// Which events close a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosingEvents {
    /// A pause and the end, as a run's own stream is closed.
    AtPause,
    /// The end.
    AtEnd,
    /// None: it is left by its reader, or closed after a long silence.
    Never,
}

/// Answers with the events of a run.
pub fn answer_events(state: &MockState, call: &MockCall, id: &str) -> Response<MockBody> {
    let version = state.options.version;
    let query = QueryParameters::decode(&call.query);
    let stored = match find(state, call, &query, id) {
        Ok(stored) => stored,
        Err(refusal) => return refuse(version, &refusal),
    };
    let is_set = |key: &str| query.get(key).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let is_stopped = stored.is_stopped.load(Ordering::Relaxed);
    let answer = if stored.life.phase() == Phase::Ended && !is_stopped {
        MockBody::Whole(Some(Bytes::from(replayed_event(&stored.run))))
    } else {
        let (snapshot, on_pause) = (is_set("include_state_snapshot"), is_set("continue_on_pause"));
        let closing = match (snapshot, on_pause) {
            (_, false) => ClosingEvents::AtPause,
            (true, true) => ClosingEvents::AtEnd,
            (false, true) => ClosingEvents::Never,
        };
        let past = stored.life.past();
        let mut first = VecDeque::from([Bytes::from_static(PING)]);
        if snapshot {
            first = snapshot_events(&stored.run, past.iter().map(|frame| &frame.bytes[..])).into();
            if stored.life.phase() == Phase::Paused && closing == ClosingEvents::AtPause {
                return events(state, MockBody::Paced(Box::pin(stream::iter(first))));
            }
        }
        stored.follow();
        MockBody::Paced(follow(stored, (past.len(), first), closing, state.options.stream_idle))
    };
    events(state, answer)
}

fn events(state: &MockState, answer: MockBody) -> Response<MockBody> {
    let mut response = respond(state.options.version, 200, Content::Events, answer);
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-cache"));
    response
}

fn find(
    state: &MockState,
    call: &MockCall,
    query: &QueryParameters,
    id: &str,
) -> Result<Arc<StoredRun>, MockRefusal> {
    let Some(user) = query.get("user") else {
        return Err(MockRefusal::invalid("Arg user must be provided."));
    };
    if uuid::Uuid::parse_str(id).is_err() {
        return Err(MockRefusal::unknown());
    }
    let stored = state.run(&call.app, id).filter(|stored| stored.run.user == user);
    stored.ok_or_else(|| MockRefusal::new(404, "not_found", "Workflow run not found"))
}

/// The events of a run from an index on, after some of the caller's own.
pub fn follow(
    stored: Arc<StoredRun>,
    (at, first): (usize, VecDeque<Bytes>),
    closing: ClosingEvents,
    idle: Duration,
) -> std::pin::Pin<Box<dyn futures_util::Stream<Item = Bytes> + Send>> {
    let heard = clock::now();
    let follower = Follower { stored, first, at, closing, idle, heard, pinged: heard, is_over: false };
    Box::pin(stream::unfold(follower, next))
}

struct Follower {
    stored: Arc<StoredRun>,
    first: VecDeque<Bytes>,
    at: usize,
    closing: ClosingEvents,
    idle: Duration,
    heard: Instant,
    pinged: Instant,
    is_over: bool,
}

async fn next(mut follower: Follower) -> Option<(Bytes, Follower)> {
    if let Some(event) = follower.first.pop_front() {
        return Some((event, follower));
    }
    let stored = follower.stored.clone();
    loop {
        let changed = stored.life.changed();
        let now = clock::now();
        let frame = stored.life.frame(follower.at);
        let silence_ends = follower.heard + follower.idle;
        let ping_at = follower.pinged + PING_AFTER;
        if follower.is_over || (now >= silence_ends && frame.is_none()) {
            return None;
        }
        match &frame {
            Some(frame) if frame.due <= now => {
                follower.is_over = closes(follower.closing, frame.kind);
                (follower.at, follower.heard, follower.pinged) = (follower.at + 1, now, now);
                return Some((frame.bytes.clone(), follower));
            }
            Some(_) | None if now >= ping_at => {
                follower.pinged = now;
                return Some((Bytes::from_static(PING), follower));
            }
            Some(_) | None => {}
        }
        let until = frame.map_or(silence_ends, |frame| frame.due).min(ping_at);
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => {}
            // Events were added, or withdrawn: a stopped run ends with another.
            () = changed => {}
        }
    }
}

fn closes(closing: ClosingEvents, kind: LifeEvent) -> bool {
    match (closing, kind) {
        (ClosingEvents::Never, _) | (_, LifeEvent::Plain) | (ClosingEvents::AtEnd, LifeEvent::Paused) => {
            false
        }
        (ClosingEvents::AtPause, LifeEvent::Paused | LifeEvent::Finished)
        | (ClosingEvents::AtEnd, LifeEvent::Finished) => true,
    }
}
