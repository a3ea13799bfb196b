//! What is not known of a run that was found again: what the answer would have told after it broke off.

use crate::base::json_path::Step;
use crate::exchange::{Flaw, NodeRun, RecoveredBy, Recovery};

use super::doubt::Doubt;
use super::judged::{Grade, Judged};
use super::model::{Execution, Root, Subject, TimeFact};
use super::view::{State, View};

impl View<'_> {
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

/// Why a fact of a node cannot be known although the node was seen: a replay tells little more than its status.
pub(super) fn hidden(subject: &Subject, node: &NodeRun, view: &View<'_>) -> Option<String> {
    if let Some(why) = contradicted(subject, node) {
        return Some(why);
    }
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

/// Why a fact of a node is not known, though its end has something in its place.
fn contradicted(subject: &Subject, node: &NodeRun) -> Option<String> {
    let concerns = |flaw: &&Flaw| match (subject, flaw.place.as_slice()) {
        (Subject::Status(_), [Step::Name(key)]) => key == "status",
        (Subject::Text(..), [Step::Name(key)]) => key == "error",
        (Subject::Time(..), [Step::Name(key)]) => key == "elapsed_time",
        (Subject::Count(..) | Subject::Cost(_), _) => true,
        (Subject::Status(_) | Subject::Text(..) | Subject::Time(..) | Subject::Nodes(_), _) => false,
    };
    let flaw = node.flaws.iter().find(concerns)?;
    Some(format!("of `{}`, {}", node.title, Doubt::of(flaw).message()))
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
