//! Answers with a recorded exchange: its status, headers and body, at once or at the recorded times.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use hyper::Response;
use hyper::header::{HeaderName, HeaderValue};

use super::body::MockBody;
use super::respond::{ContentKind, respond};
use super::state::MockState;
use crate::base::clock;
use crate::dify::cassette::{RecordedAnswer, RecordedExchange, Speed};
use crate::dify::mock::answer::PING;

/// The silence after which Dify pings a stream.
const PING_AFTER: Duration = Duration::from_secs(10);

/// Answers a run as it was recorded.
pub async fn replay(state: &MockState, recorded: &Arc<RecordedExchange>) -> Response<MockBody> {
    let sent = clock::now();
    let recorded_response = &recorded.heard;
    let body = match (&recorded_response.answer, state.options.replay) {
        (RecordedAnswer::Events(_), Speed::AtOnce) => at_once(recorded),
        (RecordedAnswer::Events(_), Speed::RealTime) => in_real_time(recorded.clone(), sent),
        (RecordedAnswer::Json(_) | RecordedAnswer::Text(_), speed) => {
            if speed == Speed::RealTime {
                tokio::time::sleep(recorded_response.first_elapsed()).await;
            }
            MockBody::Whole(Some(document(&recorded_response.answer)))
        }
    };
    let mut response = respond(state.options.version, recorded_response.status, ContentKind::Html, body);
    let headers = response.headers_mut();
    headers.clear();
    for (name, value) in &recorded_response.headers {
        let pair =
            HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_bytes(value.as_bytes()).ok());
        if let Some((name, value)) = pair {
            headers.append(name, value);
        }
    }
    response
}

fn document(answer: &RecordedAnswer) -> Bytes {
    match answer {
        RecordedAnswer::Json(body) => Bytes::from(body.to_string()),
        RecordedAnswer::Text(words) => Bytes::from(words.clone()),
        RecordedAnswer::Events(_) => Bytes::new(),
    }
}

fn frame(text: &str) -> Vec<u8> {
    let lines = text.split('\n').map(|line| format!("data: {line}\n"));
    let mut frame = lines.collect::<String>().into_bytes();
    frame.push(b'\n');
    frame
}

/// All events at once, pings first: their number is recorded, their times are not.
fn at_once(recorded: &RecordedExchange) -> MockBody {
    let RecordedAnswer::Events(events) = &recorded.heard.answer else {
        return MockBody::Whole(None);
    };
    let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(events.len()));
    for _ in 0..recorded.heard.pings {
        bytes.extend_from_slice(PING);
        ends.push(bytes.len());
    }
    for event in events {
        bytes.extend_from_slice(&frame(&event.text()));
        ends.push(bytes.len());
    }
    MockBody::Events { bytes: Bytes::from(bytes), ends: ends.into_iter(), at: 0 }
}

/// A stream whose events wait for their times.
struct TimedStream {
    recorded: Arc<RecordedExchange>,
    sent: Instant,
    next: usize,
    pings: u32,
    last: Duration,
}

fn in_real_time(recorded: Arc<RecordedExchange>, sent: Instant) -> MockBody {
    let pings = recorded.heard.pings;
    let timed = TimedStream { recorded, sent, next: 0, pings, last: Duration::ZERO };
    MockBody::Paced(Box::pin(stream::unfold(timed, step)))
}

/// The next chunk: one ping at the start, as Dify 1.13 and later send it, and the others in long silences, as Dify sends them.
async fn step(mut timed: TimedStream) -> Option<(Bytes, TimedStream)> {
    let recorded = timed.recorded.clone();
    let RecordedAnswer::Events(events) = &recorded.heard.answer else { return None };
    let event = events.get(timed.next)?;
    let is_first = timed.pings == recorded.heard.pings && timed.next == 0;
    let ping_at = if is_first { Duration::ZERO } else { timed.last + PING_AFTER };
    if timed.pings > 0 && ping_at <= event.at {
        wait_until(timed.sent, ping_at).await;
        timed.pings -= 1;
        timed.last = ping_at;
        return Some((Bytes::from_static(PING), timed));
    }
    wait_until(timed.sent, event.at).await;
    timed.last = event.at;
    timed.next += 1;
    Some((Bytes::from(frame(&event.text())), timed))
}

async fn wait_until(sent: Instant, at: Duration) {
    let passed = clock::now().saturating_duration_since(sent);
    tokio::time::sleep(at.saturating_sub(passed)).await;
}
