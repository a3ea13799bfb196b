//! `GET /workflow/{id}/events`: a run followed again, by the app and the user that began it (from 1.14 on).

use std::sync::atomic::Ordering;

use bytes::Bytes;
use hyper::Response;
use hyper::header::HeaderValue;

use super::body::Answer;
use super::lost::Phase;
use super::play::play;
use super::query::decode_query;
use super::refusal::Refusal;
use super::respond::{Content, respond};
use super::route::Call;
use super::state::{State, StoredRun};
use crate::mock::answer::{Ended, finished_event, snapshot_event};
use crate::mock::fault::{Dress, Step, play_rest};

/// Replays a run's end, or follows it to its end.
pub fn follow(state: &State, call: &Call, id: &str) -> Result<Response<Answer>, Refusal> {
    let query = decode_query(&call.query);
    let get = |key: &str| query.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let user = get("user").filter(|user| !user.is_empty());
    let user = user.ok_or_else(|| Refusal::invalid("Arg user must be provided."))?;
    let stored = state.run(&call.app, id).filter(|stored| stored.run.user == user);
    let stored = stored.ok_or_else(|| Refusal::new(404, "not_found", "Workflow run not found"))?;
    let with_snapshot = get("include_state_snapshot").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    let told = if with_snapshot { Told::FromTheStart } else { Told::FromNow };
    let pieces = play(steps(&stored, told), &Dress::default(), state.options.stream_idle);
    let answer = Answer::Played { pieces, length: None };
    let mut response = respond(state.options.version, 200, Content::Events, answer);
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// Which events a follower is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Those that are still to come.
    FromNow,
    /// Those that happened, without their data, and then the others.
    FromTheStart,
}

fn steps(stored: &StoredRun, told: Told) -> Vec<Step> {
    let ended = |ended| vec![Step::Send(Bytes::from(finished_event(&stored.run, ended)))];
    if stored.is_stopped.load(Ordering::Relaxed) {
        return ended(Ended::Stopped);
    }
    let Some(lost) = stored.lost.as_ref().filter(|_| stored.phase() == Phase::Running) else {
        return ended(Ended::ByItself);
    };
    let mut steps = match told {
        Told::FromNow => Vec::new(),
        Told::FromTheStart => snapshot(stored, lost.happened),
    };
    if lost.is_endless() {
        steps.push(Step::Pings);
    } else {
        // Who follows a run sees it end: whoever asks next finds it finished.
        lost.finish();
        steps.extend(play_rest(&stored.run, lost.happened));
    }
    steps
}

fn snapshot(stored: &StoredRun, happened: usize) -> Vec<Step> {
    let told = play_rest(&stored.run, 0).into_iter().take(happened).filter_map(|step| match step {
        Step::Send(frame) => snapshot_event(&frame).map(|event| Step::Send(Bytes::from(event))),
        Step::Blanks(_) | Step::Repeat(_) | Step::Silence | Step::Pings | Step::Break(_) => None,
    });
    told.collect()
}
