//! What of a run's outputs varies by itself: its ids, its user, its time.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use super::{RunResult, SideCall, Transcript};
use crate::dify::wire::vary::Varying;

/// Gathers it from what was asked and what came back.
pub fn varying_of(transcript: &Transcript) -> Varying {
    #[derive(Deserialize)]
    struct VaryingQuestion<'a> {
        #[serde(borrow)]
        user: Option<Cow<'a, str>>,
    }
    let asked: Option<VaryingQuestion> = serde_json::from_slice(&transcript.posted.body).ok();
    let user = asked.and_then(|asked| asked.user);
    let run = transcript.answer.run.as_ref();
    let end_user = run.and_then(RunResult::end_user_id);
    let names = [
        (transcript.answer.ids.run.as_deref(), "[run id]"),
        (transcript.answer.ids.task.as_deref(), "[task id]"),
        (user.as_deref(), "[user]"),
        (end_user, "[end user id]"),
    ];
    let uploads = transcript.asides.iter().filter(|aside| aside.call == SideCall::Upload);
    let of_uploads = uploads.flat_map(|upload| {
        [(upload.json["id"].as_str(), "[file id]"), (upload.json["created_by"].as_str(), "[end user id]")]
    });
    let names = names.into_iter().chain(of_uploads);
    let varying = Varying::named(names.filter_map(|(name, mark)| Some((name?, mark))));
    let executions = transcript.answer.nodes.iter().filter(|node| node.id != node.node_id);
    let varying = varying.executed(executions.map(|node| node.id.as_str()));
    let moment = |seconds: Option<i64>| Timestamp::from_second(seconds?).ok();
    match (moment(run.and_then(RunResult::created_at)), moment(run.and_then(RunResult::finished_at))) {
        (Some(began), Some(ended)) => varying.during(began, ended),
        (Some(_) | None, Some(_) | None) => varying,
    }
}
