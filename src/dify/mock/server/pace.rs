//! Runs in real time: each node takes its `elapsed`, and the run can be stopped meanwhile.
//!
//! Nodes that run beside others are waited for one after the other: the order is theirs, the time is the sum.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use hyper::Response;

use super::body::MockBody;
use super::follow::{ClosingEvents, follow};
use super::respond::{Content, respond};
use super::state::{MockState, StoredRun};
use crate::dify::mock::options::NodePace;

/// A run's own stream, in which events come at their times.
pub fn paced(state: &MockState, stored: Arc<StoredRun>) -> Response<MockBody> {
    state.begin(&stored);
    let events = follow(stored, (0, VecDeque::new()), ClosingEvents::AtPause, state.options.stream_idle);
    respond(state.options.version, 200, Content::Events, MockBody::Paced(events))
}

/// How long an event is waited for: the end of a node comes after its time.
pub fn wait_before(event: &[u8], pace: NodePace) -> Duration {
    let Some(json) = event.strip_prefix(b"data: ") else { return Duration::ZERO };
    if pace == NodePace::AtOnce || !json.starts_with(b"{\"event\":\"node_finished\"") {
        return Duration::ZERO;
    }
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(json) else { return Duration::ZERO };
    Duration::try_from_secs_f64(json["data"]["elapsed_time"].as_f64().unwrap_or(0.0))
        .unwrap_or(Duration::ZERO)
}
