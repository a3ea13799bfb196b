//! Runs that go on after they were answered, and their own streams.
//!
//! In real time each node takes its `elapsed`, and the run can be stopped while it runs. The times of parallel nodes add up; only their
//! order is that of a real Dify.

use std::sync::Arc;

use hyper::Response;

use super::body::MockBody;
use super::call::MockCall;
use super::follow::{ClosingEvents, Follower};
use super::respond::{ContentKind, respond};
use super::state::MockState;
use super::stored_run::StoredRun;
use super::timeline::{RunTimeline, wait_before};
use crate::dify::mock::answer::{MockRun, write_stream};
use crate::dify::mock::options::NodePace;

/// Remembers a run that goes on, with its future events.
pub fn keep_alive(state: &MockState, call: &MockCall, run: MockRun, pace: NodePace) -> Arc<StoredRun> {
    let events = write_stream(&run);
    let bytes = call.body.len() + events.bytes.len();
    let timeline = RunTimeline::begin(events, |event| wait_before(event, pace));
    state.remember(StoredRun::new(run, call.app.clone(), bytes, timeline))
}

/// Answers with the run's own stream, in which events come at their times.
pub fn stream_run(state: &MockState, stored: Arc<StoredRun>) -> Response<MockBody> {
    state.make_stoppable(&stored);
    let follower = Follower::new(stored, ClosingEvents::AtPause, state.options.stream_idle);
    let body = MockBody::Paced(follower.into_stream());
    respond(state.options.version, 200, ContentKind::Events, body)
}
