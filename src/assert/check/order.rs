//! Whether nodes began in an order, as far as the events prove one: what ran at the same time has none.

use std::collections::HashMap;

use crate::dify::transcript::NodeRun;
use crate::record::verdict::Truth;

/// Whether executions of these nodes, one each, began one after the other.
///
/// Two that overlap began in an order of chance, unless the one is the container of the other.
pub(super) fn in_order(
    names: &[String],
    nodes: &[NodeRun],
    is_named: impl Fn(&NodeRun, &str) -> bool,
) -> Truth {
    let (mut proved, mut possible) = (Chains::default(), Chains::default());
    for (step, name) in names.iter().enumerate() {
        let (mut next_proved, mut next_possible) = (Chains::default(), Chains::default());
        for (at, node) in nodes.iter().enumerate().filter(|(_, node)| is_named(node, name)) {
            if step == 0 || proved.surely_before(node) {
                next_proved.add(at, node);
            }
            if step == 0 || possible.perhaps_before(at, node) {
                next_possible.add(at, node);
            }
        }
        (proved, possible) = (next_proved, next_possible);
    }
    match (proved.is_empty(), possible.is_empty()) {
        (false, _) => Truth::Held,
        (true, false) => Truth::Undecided,
        (true, true) => Truth::Broken,
    }
}

/// When an execution began; 0 where that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ExecutionStart<'t> {
    number: u32,
    execution: usize,
    /// The container it ran in.
    container: Option<&'t str>,
}

/// The executions with which a chain of names may have come so far.
#[derive(Default)]
struct Chains<'t> {
    /// The earliest known end.
    ended: Option<u32>,
    /// The two earliest starts.
    began: Vec<ExecutionStart<'t>>,
    /// When each container began.
    containers: HashMap<&'t str, u32>,
}

impl<'t> Chains<'t> {
    fn is_empty(&self) -> bool {
        self.began.is_empty()
    }

    fn add(&mut self, at: usize, node: &'t NodeRun) {
        self.ended = [self.ended, node.span().ended].into_iter().flatten().min();
        let container = node.parent.as_ref().map(|round| round.container.as_str());
        self.began.push(ExecutionStart { number: node.span().began.unwrap_or(0), execution: at, container });
        self.began.sort_unstable();
        self.began.truncate(2);
        if let (true, Some(began)) = (node.is_container(), node.span().began) {
            let known = self.containers.entry(node.node_id.as_str()).or_insert(began);
            *known = began.min(*known);
        }
    }

    /// True where one of them ended before the execution began, or is the container it ran in.
    fn surely_before(&self, node: &NodeRun) -> bool {
        let Some(began) = node.span().began else { return false };
        let container = node.parent.as_ref().and_then(|round| self.containers.get(round.container.as_str()));
        self.ended.is_some_and(|ended| ended < began) || container.is_some_and(|container| *container < began)
    }

    /// True unless the execution surely began before all of them.
    fn perhaps_before(&self, at: usize, node: &NodeRun) -> bool {
        let is_child = |began: &ExecutionStart<'_>| {
            node.is_container() && began.container == Some(node.node_id.as_str())
        };
        let first = self.began.iter().find(|began| began.execution != at && !is_child(began));
        first.is_some_and(|began| node.span().ended.is_none_or(|ended| began.number < ended))
    }
}
