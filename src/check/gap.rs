//! What is not known of a run that was found again: what the answer would have told after it broke off.

use serde_json::Value;

use crate::base::lean::Lean;
use crate::exchange::{Arrival, NodeRun, RecoveredBy, Recovery, Transcript};

use super::judged::{Grade, Judged};
use super::model::{Execution, Root, Subject, TimeFact};
use super::view::{State, View};

/// Why nothing proves what did not happen in a run whose first events are missing.
pub(super) const BEGINNING_LOST: &str = "the stream lost its first events";

impl View<'_> {
    /// Whether events are missing before the first: neither the run's start nor that of its start node is there.
    ///
    /// Dify 1.13 to 1.16 may lose `workflow_started` under load; where the start node's event follows, it lost nothing else.
    pub(super) fn has_lost_its_beginning(&self) -> bool {
        *self
            .lost_beginning
            .get_or_init(|| self.transcript.events.first().is_some_and(|first| !is_beginning(first)))
    }

    /// Why times and unseen events of a run are not known, if its answer broke off and it was looked for.
    pub(super) fn gap(&self) -> Option<String> {
        let recovery = self.transcript.recovery.as_ref()?;
        Some(match (recovery, &self.state) {
            (Recovery::Recovered { lost, .. }, _) => {
                format!("the run was found again after its answer broke off ({lost})")
            }
            (Recovery::Lost { .. }, State::Unjudged(cause)) => cause.message.clone(),
            (Recovery::Lost { why, .. }, State::Ran(_) | State::Rejected { .. }) => why.clone(),
        })
    }

    /// Why a root was lost with the answer: its detail has not all that a final `data` has.
    pub(super) fn root_gap(&self, root: Root) -> Option<String> {
        let (by, _) = self.transcript.recovered()?;
        match (root, by) {
            (Root::Outputs | Root::Inputs | Root::ProcessData, _) => None,
            (Root::Run, RecoveredBy::Events) => None,
            (Root::Run, RecoveredBy::Detail | RecoveredBy::Logs)
            | (Root::Response | Root::Text | Root::Events, _) => {
                Some(format!("the {} is not known: {}", root.word(), self.gap()?))
            }
        }
    }
}

fn is_beginning(first: &Arrival) -> bool {
    let text = first.text();
    let first = Lean::read(&text).expect("it was read as JSON when it came");
    let is_start = first["event"] == "node_started" && first["data"]["node_type"] == "start";
    is_start || first["event"] == "workflow_started"
}

/// Why a fact of a node cannot be known although the node was seen: a replay tells little more than its status.
pub(super) fn hidden(subject: &Subject, node: &NodeRun, view: &View<'_>) -> Option<String> {
    match subject {
        Subject::Status(_) | Subject::Nodes(_) => None,
        Subject::Time(TimeFact::Ttft, _) => view.gap(),
        // What is in a container, or was retried, may have run unseen.
        Subject::Count(..) | Subject::Cost(_) if node.is_container() => view.gap(),
        Subject::Text(..) | Subject::Count(..) | Subject::Time(..) | Subject::Cost(_) => {
            node.replayed.then(|| replayed(node))
        }
    }
}

/// Why the data of a node is not known.
pub(super) fn replayed(node: &NodeRun) -> String {
    format!("`{}` is known from a replay after the answer broke off, which has no data of it", node.title)
}

/// What can be said of a node whose other executions may have been missed.
pub(super) fn doubted(judged: Judged, execution: Execution, runs: &[&NodeRun], why: &str) -> Judged {
    let seen = runs.iter().filter(|node| !node.replayed).count();
    let is_certain = match (execution, judged.grade) {
        (_, Grade::Undecided) => true,
        (Execution::Any, Grade::Held) => true,
        // One execution that breaks it is enough, and two are not one.
        (Execution::All, Grade::Broken | Grade::Misfit) => true,
        (Execution::Only, Grade::Broken | Grade::Misfit) => runs.len() == 1 || seen > 1,
        (Execution::Any, Grade::Broken | Grade::Misfit)
        | (Execution::Only | Execution::All, Grade::Held)
        | (Execution::First | Execution::Last | Execution::Index(_), _) => false,
    };
    if is_certain { judged } else { Judged::undecided(why) }
}

/// Dify's `total_steps` counts attempts, and a container as one, without what runs in it.
pub(super) fn lost_steps(transcript: &Transcript, run: &Value) -> Option<String> {
    let outer = transcript.nodes.iter().filter(|node| node.parent.is_none());
    let seen = outer.map(|node| 1 + u64::from(node.retries)).fold(0, u64::saturating_add);
    let seen = seen.saturating_add(transcript.pauses.restarts);
    let steps = run["total_steps"].as_u64().filter(|steps| *steps > seen)?;
    Some(format!("Dify counts {steps} steps, but events came for {seen} of them"))
}
