//! Dify's total of tokens, compared with what the nodes of the run report.
//!
//! Only leaves are summed: an iteration or a loop repeats its children's tokens (section 8 of the wire page).

use crate::dify::transcript::{NodeRun, ReportedStatus};
use crate::dify::wire::usage::{may_use_model, surely_uses_model};
use crate::record::attempt::{UsageDoubt, UsageKind};

use super::UsageAudit;
use super::exchange_end::ExchangeEnd;
use super::fact::NodeFacts;
use super::view::View;

/// What reports report about a run whose usage is in doubt; `None` where it is not, or where events are missing anyway.
pub(super) fn usage_doubt(view: &View<'_>) -> Option<UsageDoubt> {
    let ExchangeEnd::Ran(run) = &view.state else { return None };
    let (NodeFacts::Complete(nodes) | NodeFacts::Silent(nodes, _)) = view.nodes() else { return None };
    let doubt = audit(nodes, run.tokens()).err()?;
    // A tool seldom hides a workflow: its 0 is no news, though no assertion can rest on it.
    let is_tool = |node: &NodeRun| !surely_uses_model(&node.node_type);
    match doubt.kind {
        UsageKind::Zero | UsageKind::Missing if nodes.iter().all(is_tool) => None,
        _ if view.usage == UsageAudit::Trust => Some(UsageDoubt { trusted: true, ..doubt }),
        UsageKind::Zero | UsageKind::Missing | UsageKind::Unfinished | UsageKind::Difference => Some(doubt),
    }
}

/// The total, if the nodes confirm it; else why not.
pub(super) fn audit(nodes: &[NodeRun], total: Option<u64>) -> Result<u64, UsageDoubt> {
    let sum = sum(nodes);
    let doubt = |kind, message| UsageDoubt { kind, total, nodes: sum, message, trusted: false };
    if let Some(node) = nodes.iter().find(|node| node.finished.is_none() && may_use_model(&node.node_type)) {
        let message = format!("`{}` uses a model and never finished: its tokens are not known", node.title);
        return Err(doubt(UsageKind::Unfinished, message));
    }
    let model = nodes.iter().find(|node| may_use_model(&node.node_type));
    if let (None | Some(0), Some(model)) = (total, model) {
        let kind = if total.is_none() { UsageKind::Missing } else { UsageKind::Zero };
        let message =
            format!("{}, though `{}` ran, which is of type {}", said(total), model.title, model.node_type);
        return Err(doubt(kind, message));
    }
    let total = total.unwrap_or(0);
    if sum != total {
        let message = format!(
            "Dify's total is {total} tokens, its nodes add up to {sum}; `usage: trust` takes the total as it is"
        );
        return Err(doubt(UsageKind::Difference, message));
    }
    match nodes.iter().find(|node| answered_for_nothing(node)) {
        Some(node) => {
            let message = format!(
                "`{}`, which is of type {}, succeeded and reports no tokens; `usage: trust` takes Dify's total of {total} as it is",
                node.title, node.node_type
            );
            Err(doubt(UsageKind::Missing, message))
        }
        None => Ok(total),
    }
}

/// What the leaves add up to.
pub(super) fn sum(nodes: &[NodeRun]) -> u64 {
    let leaves = nodes.iter().filter(|node| !node.is_container());
    leaves.filter_map(|node| node.told()?.tokens).fold(0, u64::saturating_add)
}

/// True where a model surely answered and was not counted.
fn answered_for_nothing(node: &NodeRun) -> bool {
    let counted = node.told().and_then(|told| told.tokens);
    let succeeded = node.status() == Some(&ReportedStatus::Succeeded);
    surely_uses_model(&node.node_type) && succeeded && counted.unwrap_or(0) == 0
}

/// What Dify says of the total.
pub(super) fn said(total: Option<u64>) -> &'static str {
    match total {
        Some(_) => "Dify reports 0 tokens",
        None => "Dify reports no total of tokens",
    }
}
