//! Which nodes of a run are known: whether the events and Dify's count of steps prove that none ran unseen.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::base::borrowed_json::BorrowedValue;
use crate::dify::transcript::{AnswerField, Ending, NodeRun, ResponseMode, RunResult, Transcript};

use super::exchange_end::ExchangeEnd;
use super::fact::{Fact, NodeFacts, SilentSteps};
use super::view::View;

/// Why nothing proves what did not happen in a run whose first events are missing.
pub(super) const BEGINNING_LOST: &str = "the stream lost its first events";

impl<'t> View<'t> {
    /// The nodes that ran, if known.
    pub(super) fn nodes(&self) -> NodeFacts<'t> {
        self.nodes.get_or_init(|| self.seen_nodes()).clone()
    }

    /// The nodes that ran, if known; looks at all of them.
    fn seen_nodes(&self) -> NodeFacts<'t> {
        let run = match &self.state {
            ExchangeEnd::Rejected { .. } => return NodeFacts::Complete(&[]),
            ExchangeEnd::Unjudged(cause) => return NodeFacts::Unknown(Cow::Owned(cause.message.clone())),
            ExchangeEnd::Ran(run) => *run,
        };
        if let Some(why) = self.gap() {
            return NodeFacts::Gap(&self.transcript.answer.nodes, why);
        }
        if self.transcript.mode == ResponseMode::Blocking {
            return NodeFacts::Unknown(
                "node facts are not part of a blocking answer; use `response_mode: streaming`".into(),
            );
        }
        if self.transcript.pauses.is_torn {
            return NodeFacts::Partial(
                &self.transcript.answer.nodes,
                "events of the run were missed after an answer to a form".to_owned(),
            );
        }
        if !self.transcript.nodes_complete() {
            return NodeFacts::Unknown("the answer held no node events".into());
        }
        self.counted(run)
    }

    /// The nodes of a stream that came to its end, by Dify's count of steps.
    fn counted(&self, run: &RunResult) -> NodeFacts<'t> {
        let nodes = self.transcript.answer.nodes.as_slice();
        let told = match self.run_field(AnswerField::Steps) {
            Fact::Known(told) => told.as_u64(),
            Fact::Absent | Fact::Unknown(_) => None,
        };
        let seen = seen_steps(self.transcript);
        let lost_round = self.lost_round();
        if self.has_lost_its_beginning() {
            let why = match told {
                Some(told) if told != seen => count(told, seen),
                // What ran in a container that began unseen is in no count of steps.
                Some(_) if !has_unseen_container(nodes) => match lost_round {
                    None => return NodeFacts::Complete(nodes),
                    Some(why) => why,
                },
                Some(_) | None => BEGINNING_LOST.to_owned(),
            };
            return NodeFacts::Partial(nodes, why);
        }
        let unseen = told.map_or(0, |told| told.saturating_sub(seen));
        match (unseen, told, lost_round) {
            (0, _, None) => NodeFacts::Complete(nodes),
            (0, _, Some(why)) => NodeFacts::Partial(nodes, why),
            (unseen, Some(told), None) if self.may_be_empty_iterations(run) => {
                NodeFacts::Silent(nodes, SilentSteps { steps: unseen, why: count(told, seen) })
            }
            (_, told, _) => NodeFacts::Partial(nodes, count(told.unwrap_or(0), seen)),
        }
    }

    /// True where steps without events are what Dify leaves of an iteration over an empty list.
    ///
    /// Dify sends no event of such an iteration (recorded from 1.12.1 and 1.14.2). The stream has its first and its last
    /// event, the run went well, and some list was empty.
    fn may_be_empty_iterations(&self, run: &RunResult) -> bool {
        let went_well = run.status().is_some_and(|status| status.went_well());
        let is_whole = self.transcript.ending == Ending::Finished && went_well;
        let told = |node: &NodeRun| node.finished.as_ref()?.look_at_outputs(has_empty_list);
        let mut nodes = self.transcript.answer.nodes.iter();
        is_whole
            && (nodes.any(|node| told(node).unwrap_or(false))
                || has_empty_list(&BorrowedValue::of(&self.transcript.inputs)))
    }

    /// Why nodes inside of containers may have run unseen: a round of which Dify reports the duration has no events.
    pub(super) fn lost_round(&self) -> Option<String> {
        let nodes = self.transcript.answer.nodes.as_slice();
        let mut seen: Option<HashMap<&str, HashSet<u64>>> = None;
        nodes.iter().filter(|node| node.is_container()).find_map(|container| {
            let mut rounds = container.finished.as_ref()?.timed_rounds()?;
            let seen = seen.get_or_insert_with(|| seen_rounds(nodes));
            let is_seen = |round: &u64| {
                let ids = [container.node_id.as_str(), container.id.as_str()];
                ids.iter().any(|id| seen.get(id).is_some_and(|rounds| rounds.contains(round)))
            };
            let lost = rounds.find(|round| !is_seen(round))?;
            Some(format!("no event came of round {lost} of `{}`, counting from 0", container.title))
        })
    }

    /// Whether events are missing before the first: neither the run's start nor that of its start node is there.
    ///
    /// Dify 1.13 to 1.16 may lose `workflow_started` under load; where the start node's event follows, it lost nothing else.
    pub(super) fn has_lost_its_beginning(&self) -> bool {
        *self
            .lost_beginning
            .get_or_init(|| self.transcript.events.first().is_some_and(|first| !first.is_beginning()))
    }
}

/// The rounds of each container in which nodes were seen.
fn seen_rounds(nodes: &[NodeRun]) -> HashMap<&str, HashSet<u64>> {
    let mut seen: HashMap<&str, HashSet<u64>> = HashMap::new();
    for round in nodes.iter().filter_map(|node| node.parent.as_ref()) {
        seen.entry(round.container.as_str()).or_default().extend(round.index);
    }
    seen
}

/// Dify's `total_steps` counts attempts, and a container as one, without what runs in it.
fn seen_steps(transcript: &Transcript) -> u64 {
    let outer = transcript.answer.nodes.iter().filter(|node| node.parent.is_none());
    let seen = outer.map(|node| 1 + u64::from(node.retries)).fold(0, u64::saturating_add);
    seen.saturating_add(transcript.pauses.restarts)
}

fn count(told: u64, seen: u64) -> String {
    format!("Dify counts {told} steps, and events came of {seen} of them")
}

fn has_unseen_container(nodes: &[NodeRun]) -> bool {
    let began = nodes.iter().filter(|node| node.span().began.is_some());
    let began: HashSet<&str> = began.map(|node| node.node_id.as_str()).collect();
    nodes.iter().any(|node| {
        let is_unseen = node.is_container() && node.span().began.is_none();
        is_unseen || node.parent.as_ref().is_some_and(|round| !began.contains(round.container.as_str()))
    })
}

/// True where a list in it has no items; those that Dify adds itself say nothing.
fn has_empty_list(value: &BorrowedValue<'_>) -> bool {
    match value {
        BorrowedValue::Array(items) => items.is_empty() || items.iter().any(has_empty_list),
        BorrowedValue::Object(members) => {
            members.iter().any(|(key, member)| !key.starts_with("sys.") && has_empty_list(member))
        }
        BorrowedValue::Null | BorrowedValue::Bool(_) | BorrowedValue::Number(_) | BorrowedValue::Text(_) => {
            false
        }
    }
}
