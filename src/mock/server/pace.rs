//! Runs in real time: each node takes its `elapsed`, and the run can be stopped meanwhile.
//!
//! Nodes that run beside others are waited for one after the other: the order is theirs, the time is the sum.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use hyper::Response;
use tokio::sync::watch;

use super::body::Answer;
use super::respond::{Content, respond};
use super::state::{State, StoredRun};
use crate::mock::answer::{stopped_event, write_stream};

struct Paced {
    stored: Arc<StoredRun>,
    bytes: Bytes,
    ends: std::vec::IntoIter<usize>,
    at: usize,
    stopped: watch::Receiver<bool>,
    is_over: bool,
}

/// A stream in which nodes take their time.
pub fn paced(state: &Arc<State>, stored: Arc<StoredRun>) -> Response<Answer> {
    let events = write_stream(&stored.run);
    let stopped = state.begin(&stored.run.task);
    let paced = Paced {
        stored,
        bytes: Bytes::from(events.bytes),
        ends: events.ends.into_iter(),
        at: 0,
        stopped,
        is_over: false,
    };
    let chunks = stream::unfold(paced, next);
    respond(state.options.version, 200, Content::Events, Answer::Paced(Box::pin(chunks)))
}

async fn next(mut paced: Paced) -> Option<(Bytes, Paced)> {
    if paced.is_over {
        return None;
    }
    let end = paced.ends.next()?;
    let event = paced.bytes.slice(paced.at..end);
    let wait = wait_before(&event);
    let is_stopped = match wait.is_zero() {
        true => *paced.stopped.borrow(),
        false => tokio::select! {
            () = tokio::time::sleep(wait) => false,
            changed = paced.stopped.changed() => changed.is_ok(),
        },
    };
    if is_stopped {
        paced.is_over = true;
        paced.stored.is_stopped.store(true, Ordering::Relaxed);
        return Some((Bytes::from(stopped_event(&paced.stored.run)), paced));
    }
    paced.at = end;
    Some((event, paced))
}

/// The end of a node comes after its time.
fn wait_before(event: &[u8]) -> Duration {
    let Some(json) = event.strip_prefix(b"data: ") else { return Duration::ZERO };
    if !json.starts_with(b"{\"event\":\"node_finished\"") {
        return Duration::ZERO;
    }
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(json) else { return Duration::ZERO };
    Duration::try_from_secs_f64(json["data"]["elapsed_time"].as_f64().unwrap_or(0.0))
        .unwrap_or(Duration::ZERO)
}
