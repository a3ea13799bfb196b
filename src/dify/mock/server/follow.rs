//! `GET /workflow/{run_id}/events`: follows a run that goes on, and repeats the end of one that is over.
//!
//! A run that goes on is followed from now on; `include_state_snapshot` first repeats its nodes without their data;
//! `continue_on_pause` keeps the stream open past a pause. Only the run's own end user gets an answer.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{Stream, stream};
use hyper::Response;
use hyper::header::HeaderValue;

use super::body::MockBody;
use super::call::MockCall;
use super::query::QueryParameters;
use super::refusal::MockRefusal;
use super::respond::{ContentKind, refuse, respond};
use super::state::MockState;
use super::stored_run::StoredRun;
use super::timeline::{EventMeaning, RunPhase};
use crate::base::clock;
use crate::dify::mock::answer::{PING, replayed_event, snapshot_events};

/// The silence after which a ping is sent.
const PING_AFTER: Duration = Duration::from_secs(10);

/// Which events close a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosingEvents {
    /// A pause and the end, as in a run's own stream.
    AtPause,
    /// The end.
    AtEnd,
    /// Not any: the reader leaves, or the stream is closed after a long silence.
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
    let answer = if stored.timeline.phase() == RunPhase::Ended && !is_stopped {
        MockBody::Whole(Some(Bytes::from(replayed_event(&stored.run))))
    } else {
        let (snapshot, on_pause) = (is_set("include_state_snapshot"), is_set("continue_on_pause"));
        let closing = match (snapshot, on_pause) {
            (_, false) => ClosingEvents::AtPause,
            (true, true) => ClosingEvents::AtEnd,
            (false, true) => ClosingEvents::Never,
        };
        let past = stored.timeline.past();
        let mut first = VecDeque::from([Bytes::from_static(PING)]);
        if snapshot {
            first = snapshot_events(&stored.run, past.iter().map(|event| &event.bytes[..])).into();
            if stored.timeline.phase() == RunPhase::Paused && closing == ClosingEvents::AtPause {
                return events(state, MockBody::Paced(Box::pin(stream::iter(first))));
            }
        }
        stored.follow();
        let follower = Follower::new(stored, closing, state.options.stream_idle);
        MockBody::Paced(Follower { at: past.len(), first, ..follower }.into_stream())
    };
    events(state, answer)
}

fn events(state: &MockState, answer: MockBody) -> Response<MockBody> {
    let mut response = respond(state.options.version, 200, ContentKind::Events, answer);
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

/// Follows the events of a run.
pub struct Follower {
    stored: Arc<StoredRun>,
    /// Events that are sent before those of the run.
    first: VecDeque<Bytes>,
    /// The index of the run's next event.
    at: usize,
    closing: ClosingEvents,
    /// The silence after which the stream is closed.
    idle: Duration,
    last_event: Instant,
    last_ping: Instant,
    is_over: bool,
}

impl Follower {
    /// Follows a run from its first event on.
    pub fn new(stored: Arc<StoredRun>, closing: ClosingEvents, idle: Duration) -> Self {
        let now = clock::now();
        let first = VecDeque::new();
        Self { stored, first, at: 0, closing, idle, last_event: now, last_ping: now, is_over: false }
    }

    /// The events, each at its time, with pings in long silences.
    pub fn into_stream(self) -> Pin<Box<dyn Stream<Item = Bytes> + Send>> {
        Box::pin(stream::unfold(self, next))
    }
}

async fn next(mut follower: Follower) -> Option<(Bytes, Follower)> {
    if let Some(event) = follower.first.pop_front() {
        return Some((event, follower));
    }
    let stored = follower.stored.clone();
    loop {
        let changed = stored.timeline.changed();
        let now = clock::now();
        let event = stored.timeline.event(follower.at);
        let silence_ends = follower.last_event + follower.idle;
        let ping_at = follower.last_ping + PING_AFTER;
        if follower.is_over || (now >= silence_ends && event.is_none()) {
            return None;
        }
        match &event {
            Some(event) if event.due <= now => {
                follower.is_over = closes(follower.closing, event.meaning);
                follower.at += 1;
                (follower.last_event, follower.last_ping) = (now, now);
                return Some((event.bytes.clone(), follower));
            }
            Some(_) | None if now >= ping_at => {
                follower.last_ping = now;
                return Some((Bytes::from_static(PING), follower));
            }
            Some(_) | None => {}
        }
        let until = event.map_or(silence_ends, |event| event.due).min(ping_at);
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => {}
            // Events were added or withdrawn: a stopped run ends with a new one.
            () = changed => {}
        }
    }
}

fn closes(closing: ClosingEvents, meaning: EventMeaning) -> bool {
    match (closing, meaning) {
        (ClosingEvents::Never, _)
        | (_, EventMeaning::GoesOn)
        | (ClosingEvents::AtEnd, EventMeaning::Paused) => false,
        (ClosingEvents::AtPause, EventMeaning::Paused | EventMeaning::Finished)
        | (ClosingEvents::AtEnd, EventMeaning::Finished) => true,
    }
}
