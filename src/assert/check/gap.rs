//! What is not known about a recovered run: what the answer would have contained after it broke off.

use crate::dify::transcript::{AnswerField, Flaw, NodeRun, RecoveredBy, Recovery};

use super::doubt::Doubt;
use super::exchange_end::ExchangeEnd;
use super::judged::{ConditionGrade, JudgedCondition};
use super::model::{CheckSubject, Execution, PathRoot, TimeFact};
use super::view::View;

impl View<'_> {
    /// Why times and unseen events of a run are not known, if its answer broke off and it was looked for.
    pub(super) fn gap(&self) -> Option<String> {
        let recovery = self.transcript.recovery.as_ref()?;
        Some(match (recovery, &self.state) {
            (Recovery::Recovered { lost, .. }, _) => {
                format!("the run was found again after its answer broke off ({lost})")
            }
            (Recovery::Lost { .. }, ExchangeEnd::Unjudged(cause)) => cause.message.clone(),
            (Recovery::Lost { why, .. }, ExchangeEnd::Ran(_) | ExchangeEnd::Rejected { .. }) => why.clone(),
        })
    }

    /// Why a root was lost with the answer: its detail has not all that a final `data` has.
    pub(super) fn root_gap(&self, root: PathRoot) -> Option<String> {
        let (by, _) = self.transcript.recovered()?;
        match (root, by) {
            (PathRoot::Outputs | PathRoot::Inputs | PathRoot::ProcessData, _) => None,
            (PathRoot::Run, RecoveredBy::Events) => None,
            (PathRoot::Run, RecoveredBy::Detail | RecoveredBy::Logs)
            | (PathRoot::Response | PathRoot::Text | PathRoot::Events, _) => {
                Some(format!("the {} is not known: {}", root.word(), self.gap()?))
            }
        }
    }
}

/// Why a fact of a node cannot be known although the node was seen: a replay contains little more than its status.
pub(super) fn hidden(subject: &CheckSubject, node: &NodeRun, view: &View<'_>) -> Option<String> {
    if let Some(why) = contradicted(subject, node) {
        return Some(why);
    }
    match subject {
        CheckSubject::Status(_) | CheckSubject::Nodes(_) => None,
        CheckSubject::Time(TimeFact::Ttft, _) => view.gap(),
        // What is in a container, or was retried, may have run unseen.
        CheckSubject::Count(..) | CheckSubject::Cost(_) if node.is_container() => view.gap(),
        CheckSubject::Text(..) | CheckSubject::Count(..) | CheckSubject::Time(..) | CheckSubject::Cost(_) => {
            node.replayed.then(|| replayed(node))
        }
    }
}

/// Why a fact of a node is not known, though its end has something in its place.
fn contradicted(subject: &CheckSubject, node: &NodeRun) -> Option<String> {
    let concerns = |flaw: &&Flaw| match subject {
        CheckSubject::Status(_) => flaw.is_of(AnswerField::Status),
        CheckSubject::Text(..) => flaw.is_of(AnswerField::Error),
        CheckSubject::Time(..) => flaw.is_of(AnswerField::Elapsed),
        CheckSubject::Count(..) | CheckSubject::Cost(_) => true,
        CheckSubject::Nodes(_) => false,
    };
    let flaw = node.flaws.iter().find(concerns)?;
    Some(format!("of `{}`, {}", node.title, Doubt::of(flaw).message()))
}

/// Why the data of a node is not known.
pub(super) fn replayed(node: &NodeRun) -> String {
    format!("`{}` is known from a replay after the answer broke off, which has no data of it", node.title)
}

/// What can be said of a node whose other executions may have been missed.
pub(super) fn doubted(
    judged: JudgedCondition,
    execution: Execution,
    runs: &[&NodeRun],
    why: &str,
) -> JudgedCondition {
    let seen = runs.iter().filter(|node| !node.replayed).count();
    let is_certain = match (execution, judged.grade) {
        (_, ConditionGrade::Undecided) => true,
        (Execution::Any, ConditionGrade::Held) => true,
        // One execution that breaks it is enough, and two are not one.
        (Execution::All, ConditionGrade::Broken | ConditionGrade::Misfit) => true,
        (Execution::Only, ConditionGrade::Broken | ConditionGrade::Misfit) => runs.len() == 1 || seen > 1,
        (Execution::Any, ConditionGrade::Broken | ConditionGrade::Misfit)
        | (Execution::Only | Execution::All, ConditionGrade::Held)
        | (Execution::First | Execution::Last | Execution::Index(_), _) => false,
    };
    if is_certain { judged } else { JudgedCondition::undecided(why) }
}
