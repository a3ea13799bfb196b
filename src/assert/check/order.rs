//! Whether nodes began in an order, if the events prove one: what ran at the same time has none.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dify::transcript::NodeRound;

    /// A node by its title: when it began and ended, and the container it ran in.
    fn node(title: &str, began: Option<u32>, ended: Option<u32>, container: Option<&str>) -> NodeRun {
        let node_type = if title.starts_with("Loop") { "loop" } else { "code" };
        let parent = container.map(|container| NodeRound {
            container: container.to_owned(),
            index: Some(0),
            container_run: None,
        });
        NodeRun {
            title: title.to_owned(),
            node_id: title.to_owned(),
            node_type: node_type.to_owned(),
            began,
            ended,
            parent,
            ..NodeRun::default()
        }
    }

    #[test]
    fn an_order_is_proved_possible_or_broken() {
        use Truth::{Broken, Held, Undecided};
        let plain = |title, began, ended| node(title, Some(began), Some(ended), None);
        let cases = [
            (vec![plain("A", 0, 1), plain("B", 2, 3)], &["A", "B"][..], Held),
            (vec![plain("A", 0, 1), plain("B", 2, 3)], &["B", "A"], Broken),
            (vec![plain("A", 0, 2), plain("B", 1, 3)], &["A", "B"], Undecided),
            (vec![plain("A", 0, 2), plain("B", 1, 3)], &["B", "A"], Undecided),
            (vec![plain("A", 0, 1), plain("B", 2, 3), plain("C", 4, 5)], &["A", "B", "C"], Held),
            (vec![plain("A", 0, 1), plain("B", 2, 4), plain("C", 3, 5)], &["A", "B", "C"], Undecided),
            (vec![plain("A", 4, 5), plain("B", 2, 3), plain("C", 0, 1)], &["A", "B", "C"], Broken),
            (vec![plain("A", 0, 2), plain("B", 2, 3)], &["A", "B"], Undecided),
            // A ran twice, and B between: the first A is before it, the second after.
            (vec![plain("A", 0, 1), plain("B", 2, 3), plain("A", 4, 5)], &["A", "B", "A"], Held),
            (vec![plain("A", 0, 1), plain("B", 2, 3), plain("A", 4, 5)], &["B", "A"], Held),
            (vec![plain("A", 0, 1), plain("B", 2, 3), plain("A", 4, 5)], &["B", "A", "B"], Broken),
            (vec![plain("A", 0, 1)], &["A", "A"], Broken),
            (vec![plain("A", 0, 2), plain("A", 1, 3)], &["A", "A"], Undecided),
            // What never ended may still have been before; what began unseen proves nothing.
            (vec![node("A", Some(0), None, None), plain("B", 1, 2)], &["A", "B"], Undecided),
            (vec![node("A", Some(0), None, None), plain("B", 1, 2)], &["B", "A"], Undecided),
            (vec![plain("A", 0, 1), node("B", None, Some(2), None)], &["A", "B"], Undecided),
        ];
        for (nodes, names, expected) in cases {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let found = in_order(&names, &nodes, |node, name| node.title == name);
            assert_eq!(found, expected, "{names:?} {nodes:?}");
        }
    }

    #[test]
    fn a_container_begins_before_what_runs_in_it() {
        let nodes = [
            node("Loop", Some(0), Some(5), None),
            node("Inner", Some(1), Some(2), Some("Loop")),
            node("Beside", Some(3), Some(4), None),
        ];
        let found =
            |names: [&str; 2]| in_order(&names.map(str::to_owned), &nodes, |node, name| node.title == name);
        assert_eq!(found(["Loop", "Inner"]), Truth::Held);
        assert_eq!(found(["Inner", "Loop"]), Truth::Broken);
        assert_eq!(found(["Loop", "Beside"]), Truth::Undecided, "it only ran at the same time");
        assert_eq!(found(["Beside", "Loop"]), Truth::Undecided);
        assert_eq!(found(["Inner", "Beside"]), Truth::Held);
        // Rounds of another container of the same name: the earliest beginning counts, and the node after it.
        let twice = [
            node("Loop", Some(0), Some(9), None),
            node("Loop", Some(4), Some(8), None),
            node("Inner", Some(2), Some(3), Some("Loop")),
        ];
        let names = ["Loop", "Inner"].map(str::to_owned);
        assert_eq!(in_order(&names, &twice, |node, name| node.title == name), Truth::Held);
        let before = [node("Loop", Some(4), Some(8), None), node("Inner", Some(4), Some(5), Some("Loop"))];
        assert_ne!(in_order(&names, &before, |node, name| node.title == name), Truth::Held);
    }
}
