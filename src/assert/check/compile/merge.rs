//! How a suite's default assertions and a test's own become one list, and what the plan must know of it beforehand.

use std::borrow::Cow;
use std::sync::Arc;

use crate::assert::check::model::{AssertionHead, AssertionTarget, Check, CheckSubject};
use crate::assert::check::operand::PredicateOperand;
use crate::assert::check::operand::predicate_kind::Status;
use crate::base::origin::Place;
use crate::record::verdict::Severity;
use crate::yaml::node::{MapEntry, Node, NodeValue};

use super::keys::{KeyFamily, family, is_replaced};

/// The defaults' assertions, less the subjects that the test sets itself, and then the test's own.
///
/// `status`, `tokens`, `cost`, `latency`, `ttft`, `max_gap` and `steps` replace those of the defaults, outside groups and without
/// `node`; a default that has other subjects beside keeps those.
pub fn merge_assertions<'n>(defaults: &'n [Node], own: &'n [Node]) -> Vec<Cow<'n, Node>> {
    let set: Vec<&str> = own.iter().flat_map(run_keys).collect();
    let kept = defaults.iter().filter_map(|node| without(node, &set));
    kept.chain(own.iter().map(Cow::Borrowed)).collect()
}

/// True when no `status` of severity error is outside groups, so that `implicit_status` must be added.
pub fn needs_status(merged: &[Cow<'_, Node>]) -> bool {
    let warns = |node: &Node| node.get("severity").and_then(Node::as_text) == Some("warn");
    !merged.iter().any(|node| !warns(node) && run_keys(node).any(|key| key == "status"))
}

/// True when a test's own assertions expect the status `rejected` and no other: it is sent in blocking mode.
pub fn expects_rejection(own: &[Node]) -> bool {
    let is_rejected = |node: &Node| node.as_text() == Some("rejected");
    own.iter()
        .filter(|node| run_keys(node).any(|key| key == "status"))
        .filter_map(|node| node.get("status"))
        .any(|status| match &status.value {
            NodeValue::List(items) => !items.is_empty() && items.iter().all(is_rejected),
            NodeValue::Null
            | NodeValue::Bool(_)
            | NodeValue::Number(_)
            | NodeValue::Text(_)
            | NodeValue::Map(_) => is_rejected(status),
        })
}

/// The label of the implied `status: succeeded`.
pub const IMPLIED_STATUS: &str = "status is succeeded (implied)";

/// The implied `status: succeeded`, placed at the test's name.
pub fn implicit_status(place: Arc<Place>) -> Check {
    Check {
        head: AssertionHead {
            place,
            severity: Severity::Error,
            label: Arc::from(IMPLIED_STATUS),
            late_label: None,
        },
        body: Arc::new(AssertionTarget::Run(vec![CheckSubject::Status(PredicateOperand::Ready(vec![
            Status::Succeeded,
        ]))])),
    }
}

/// The subjects of the run that an assertion sets and that replace a default's.
fn run_keys(node: &Node) -> impl Iterator<Item = &str> {
    let entries = match node.get("node") {
        Some(_) => &[],
        None => node.as_map().unwrap_or_default(),
    };
    entries.iter().map(|entry| entry.key.as_str()).filter(|key| is_replaced(key))
}

/// A default less what the test sets itself; `None` when nothing to judge is left.
fn without<'n>(node: &'n Node, set: &[&str]) -> Option<Cow<'n, Node>> {
    let replaced = |entry: &MapEntry| {
        node.get("node").is_none() && set.contains(&entry.key.as_str()) && is_replaced(&entry.key)
    };
    let entries = node.as_map().unwrap_or_default();
    if !entries.iter().any(replaced) {
        return Some(Cow::Borrowed(node));
    }
    let kept: Vec<MapEntry> = entries.iter().filter(|entry| !replaced(entry)).cloned().collect();
    let judges = kept.iter().any(|entry| family(&entry.key) != Some(KeyFamily::Report));
    judges.then_some(Cow::Owned(Node { mark: node.mark, value: NodeValue::Map(kept) }))
}
