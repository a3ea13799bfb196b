//! What the events endpoint reports about a run, joined with what its own stream sent; pure.
//!
//! Dify replays nodes without their data, and no event may show what happened in between: whatever comes this way
//! is marked as replayed.

use std::collections::HashMap;

use crate::dify::client::recover::same::SentRunFacts;
use crate::dify::transcript::{Ending, NodeEnd, NodeRound, NodeRun, RunResult, Transcript};

/// What following the events came to.
#[derive(Debug, Clone, PartialEq)]
pub enum FollowResult {
    /// Our run, ended: its facts.
    Ended(RunResult),
    /// Our run, waiting for a person: its facts.
    Paused(RunResult),
    /// The events ended, or paused, before the run.
    Open,
    /// They are those of a run that is not ours, and why.
    Foreign(String),
}

/// Judges a stream of the events endpoint.
pub fn judge(stream: &mut Transcript, ours: &SentRunFacts<'_>) -> FollowResult {
    if stream.answer.ids.run.as_deref().is_some_and(|id| id != ours.run_id) {
        return FollowResult::Foreign("the events are those of another run".to_owned());
    }
    let Some(run) = stream.answer.run.take() else { return FollowResult::Open };
    if let Some(why) = foreign(&run, ours) {
        return FollowResult::Foreign(why);
    }
    match &stream.ending {
        Ending::Finished => FollowResult::Ended(run),
        Ending::Paused => FollowResult::Paused(run),
        Ending::Rejected(_)
        | Ending::ErrorEvent(_)
        | Ending::Stalled { .. }
        | Ending::Cut { .. }
        | Ending::Unreadable { .. }
        | Ending::TimedOut { .. }
        | Ending::Stopped { .. }
        | Ending::Unanswered { .. }
        | Ending::Exceeded { .. }
        | Ending::NotSent { .. } => FollowResult::Open,
    }
}

fn foreign(run: &RunResult, ours: &SentRunFacts<'_>) -> Option<String> {
    if run.id().is_some_and(|id| id != ours.run_id) {
        return Some("the events are those of another run".to_owned());
    }
    if let (Some(theirs), Some(wanted)) = (run.workflow_id(), ours.workflow_id)
        && theirs != wanted
    {
        return Some(format!("it ran the version {theirs}, not {wanted}"));
    }
    run.user().is_some_and(|user| user != ours.user).then(|| "it ran for another user".to_owned())
}

/// Adds the nodes that were repeated to those seen before.
///
/// A node whose end had come stays as it was. One that only started gets its end from the replay, without its data.
pub fn join(seen: &mut Vec<NodeRun>, told: Vec<NodeRun>) {
    let ids = |node: &NodeRun| (node.id.clone(), node.node_id.clone());
    let mut places = HashMap::new();
    for (place, node) in seen.iter().enumerate() {
        places.entry(ids(node)).or_insert(place);
    }
    for node in told {
        let place = *places.entry(ids(&node)).or_insert(seen.len());
        match seen.get_mut(place) {
            Some(known) if known.finished.is_none() && node.finished.is_some() => {
                known.finished = node.finished.map(NodeEnd::retold);
                known.replayed = true;
            }
            Some(_) => {}
            None => {
                // A replay has an order and rounds of its own, which say nothing beside what was seen before.
                let parent = node.parent.map(|round| NodeRound { container_run: None, ..round });
                seen.push(NodeRun { replayed: true, began: None, ended: None, parent, ..node });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::dify::client::assemble::begin;
    use crate::dify::transcript::{ReportedStatus, ResponseMode};

    fn node(id: &str, finished: Option<Value>) -> NodeRun {
        let finished = finished.map(Into::into);
        NodeRun { id: id.into(), node_id: id.to_uppercase(), finished, ..NodeRun::default() }
    }

    #[test]
    fn many_nodes_are_joined_in_work_that_grows_with_them() {
        let many = |count: usize, name: &str| -> Vec<NodeRun> {
            (0..count).map(|number| node(&format!("{name}{number}"), None)).collect()
        };
        let least = |count: usize| {
            let times = (0..3).map(|_| {
                let (mut seen, told) = (many(count, "a"), [many(count, "a"), many(count, "b")].concat());
                let began = std::time::Instant::now();
                join(&mut seen, told);
                assert_eq!(seen.len(), 2 * count);
                began.elapsed()
            });
            times.min().unwrap()
        };
        let growth = least(32_000).as_secs_f64() / least(2_000).as_secs_f64();
        assert!(growth < 100.0, "16 times the nodes take {growth:.0} times the work, their square 256 times");
    }

    #[test]
    fn what_was_seen_stays_and_what_is_told_is_marked() {
        let mut seen = vec![node("a", Some(json!({ "outputs": { "x": 1 } }))), node("b", None)];
        let bare = || Some(json!({ "status": "succeeded", "outputs": {} }));
        join(&mut seen, vec![node("a", bare()), node("b", bare()), node("c", None)]);
        let flags: Vec<_> =
            seen.iter().map(|node| (&*node.id, node.replayed, node.finished.is_some())).collect();
        assert_eq!(flags, [("a", false, true), ("b", true, true), ("c", true, false)]);
        assert_eq!(seen[0].finished, Some(json!({ "outputs": { "x": 1 } }).into()));
        join(&mut seen, vec![node("c", bare())]);
        assert_eq!((seen.len(), seen[2].status()), (3, Some(&ReportedStatus::Succeeded)));
    }

    #[test]
    fn events_of_another_run_are_not_ours() {
        let inputs = json!({});
        let ours = SentRunFacts { run_id: "r", user: "u", workflow_id: Some("w"), inputs: &inputs };
        let stream = |id: &str, run: Value| {
            let mut begun =
                begin(ResponseMode::Streaming, json!({}), crate::dify::transcript::PostedRequest::default());
            begun.ending = Ending::Finished;
            (begun.answer.ids.run, begun.answer.run) = (Some(id.into()), Some(run.into()));
            begun
        };
        let good =
            json!({ "id": "r", "workflow_id": "w", "status": "succeeded", "created_by": { "user": "u" } });
        assert_eq!(judge(&mut stream("r", good.clone()), &ours), FollowResult::Ended(good.clone().into()));
        for (id, key, value) in [
            ("s", "status", json!("succeeded")),
            ("r", "id", json!("s")),
            ("r", "workflow_id", json!("v")),
            ("r", "created_by", json!({ "user": "v" })),
        ] {
            let mut run = good.clone();
            run[key] = value;
            assert!(matches!(judge(&mut stream(id, run), &ours), FollowResult::Foreign(_)), "{id} {key}");
        }
        let mut cut = stream("r", good);
        (cut.answer.run, cut.ending) = (None, Ending::Cut { detail: String::new() });
        assert_eq!(judge(&mut cut, &ours), FollowResult::Open);
    }
}
