//! Whose fault a change is: the node executions of both sides, put side by side.
//!
//! Executions are the same where their node's id is, in the same round of the same container; else by title; else by type
//! and neighbours, which makes a renamed node. Branches that ran at the same time have no order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::Decimal;
use serde::Serialize;

use crate::record::attempt::NodeFact;
use crate::record::compare::order::{MatchedNode, is_regrouped, is_reordered, moved};

/// The node executions of one attempt, in order of start.
pub(crate) type ExecutionPath = [NodeFact];

/// A node on both sides, or on one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct NodeChange {
    /// Its title on the first side, else on the second, with the round it ran in.
    pub title: String,
    /// Its title on the second side, where it was renamed.
    pub renamed: Option<String>,
    /// `llm`, `code`, …
    #[serde(rename = "type")]
    pub node_type: String,
    /// On which sides it ran.
    pub presence: NodePresence,
    /// Whether its outputs are others.
    pub outputs: Outputs,
    /// Mean change of its tokens; `None` where a side does not know them.
    pub tokens: Option<f64>,
    /// Mean change of its price; `None` where a side does not know it or names another currency.
    #[serde(serialize_with = "as_text")]
    pub cost: Option<Decimal>,
    /// Mean change of Dify's elapsed time, milliseconds; `None` where a side does not know it.
    pub elapsed_ms: Option<f64>,
    /// True for an iteration or loop: its tokens and time are those of its rounds.
    pub container: bool,
}

/// An exact amount is text: JSON's readers would round it.
fn as_text<S: serde::Serializer>(amount: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    amount.map(|amount| amount.normalize().to_string()).serialize(serializer)
}

/// On which sides a node ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NodePresence {
    /// On both.
    Both,
    /// Only on the first.
    Gone,
    /// Only on the second.
    New,
}

/// Whether a node's outputs are others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outputs {
    /// Some repeat of one side gave what some repeat of the other gave.
    Same,
    /// No repeat of one side gave what any repeat of the other gave.
    Changed,
    /// A side did not report it.
    Unknown,
}

/// Two sides of one test, node by node.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct Attribution {
    /// In order of start on the first side, new nodes last.
    pub nodes: Vec<NodeChange>,
    /// The first node in order of start whose outputs are others: an index of `nodes`.
    pub first_changed: Option<usize>,
    /// Pairs of nodes that ran one after the other on both sides, and in the other order: indices of `nodes`.
    pub reordered: Vec<(usize, usize)>,
    /// Pairs of nodes that ran one after the other on one side, and at the same time on the other: not drift, but reported.
    pub regrouped: Vec<(usize, usize)>,
}

/// Puts the executions of all repeats of both sides side by side.
pub(crate) fn attribute<'p>(a: &[&'p ExecutionPath], b: &[&'p ExecutionPath]) -> Attribution {
    let (Some(first_a), Some(first_b)) = (a.first(), b.first()) else { return Attribution::default() };
    let pairs = align(first_a, first_b);
    let by_place_a: Vec<HashMap<ExecutionKey, &'p NodeFact>> = a.iter().map(|path| by_key(path)).collect();
    let by_place_b: Vec<HashMap<ExecutionKey, &'p NodeFact>> = b.iter().map(|path| by_key(path)).collect();
    let (keys_a, keys_b) = (keys(first_a), keys(first_b));
    let of = |sides: &[HashMap<ExecutionKey, &'p NodeFact>],
              key: Option<&ExecutionKey>|
     -> Vec<Option<&'p NodeFact>> { sides.iter().map(|side| side.get(key?).copied()).collect() };
    let runs = pairs.iter().enumerate().map(|(index, (in_a, in_b))| MatchedNode {
        index,
        a: of(&by_place_a, in_a.map(|place| &keys_a[place])),
        b: of(&by_place_b, in_b.map(|place| &keys_b[place])),
    });
    let mut runs: Vec<MatchedNode<'_>> = runs.collect();
    let nodes: Vec<NodeChange> = runs.iter().map(|node| change(&ran(&node.a), &ran(&node.b))).collect();
    let first_changed = nodes.iter().position(|node| node.outputs == Outputs::Changed);
    runs.retain(|node| nodes[node.index].presence == NodePresence::Both && node.has_order());
    Attribution {
        reordered: moved(&runs, is_reordered),
        regrouped: moved(&runs, is_regrouped),
        nodes,
        first_changed,
    }
}

/// The executions of the repeats that had one.
fn ran(side: &[Option<&NodeFact>]) -> Vec<NodeFact> {
    side.iter().flatten().map(|node| (*node).clone()).collect()
}

/// The container that an execution ran in, and which round of it.
type ExecutionRound = Option<(String, u64)>;
/// What an execution is known by: its node, its round, and which execution of that it is.
type ExecutionKey = (String, ExecutionRound, usize);

fn keys(path: &ExecutionPath) -> Vec<ExecutionKey> {
    let mut seen: HashMap<(&str, &ExecutionRound), usize> = HashMap::new();
    path.iter()
        .map(|node| {
            let name = if node.id.is_empty() { &node.title } else { &node.id };
            let count = seen.entry((name, &node.round)).or_default();
            *count += 1;
            (name.clone(), node.round.clone(), *count - 1)
        })
        .collect()
}

fn by_key(path: &ExecutionPath) -> HashMap<ExecutionKey, &NodeFact> {
    keys(path).into_iter().zip(path).collect()
}

/// Pairs the places of two paths; places of the first side in order, then those that only the second has.
fn align(a: &ExecutionPath, b: &ExecutionPath) -> Vec<(Option<usize>, Option<usize>)> {
    let mut partner: Vec<Option<usize>> = vec![None; a.len()];
    let mut free: BTreeSet<usize> = (0..b.len()).collect();
    let titled = |path: &ExecutionPath| -> Vec<ExecutionKey> {
        let untitled: Vec<NodeFact> =
            path.iter().map(|node| NodeFact { id: node.title.clone(), ..node.clone() }).collect();
        keys(&untitled)
    };
    for (keys_a, keys_b) in [(keys(a), keys(b)), (titled(a), titled(b))] {
        let places: HashMap<&ExecutionKey, usize> =
            keys_b.iter().enumerate().map(|(place, key)| (key, place)).collect();
        for (place, key) in
            keys_a.iter().enumerate().filter(|(place, _)| partner[*place].is_none()).collect::<Vec<_>>()
        {
            if let Some(found) = places.get(key).copied().filter(|found| free.contains(found))
                && a[place].node_type == b[found].node_type
            {
                partner[place] = Some(found);
                free.remove(&found);
            }
        }
    }
    rename(a, b, &mut partner, &mut free);
    let mut pairs: Vec<_> =
        partner.into_iter().enumerate().map(|(place, found)| (Some(place), found)).collect();
    pairs.extend(free.into_iter().map(|found| (None, Some(found))));
    pairs
}

/// Pairs what is left where type and both neighbours agree.
fn rename(a: &ExecutionPath, b: &ExecutionPath, partner: &mut [Option<usize>], free: &mut BTreeSet<usize>) {
    for place in 0..a.len() {
        if partner[place].is_some() {
            continue;
        }
        let before = place.checked_sub(1).map(|before| partner[before]);
        let after = (place + 1 < a.len()).then(|| partner[place + 1]);
        let fits = |found: usize| {
            let starts = match before {
                None => found == 0,
                Some(before) => before.is_some_and(|before| before + 1 == found),
            };
            let ends = match after {
                None => found + 1 == b.len(),
                Some(after) => after == Some(found + 1),
            };
            starts && ends && a[place].node_type == b[found].node_type
        };
        if let Some(found) = free.iter().copied().find(|found| fits(*found)) {
            partner[place] = Some(found);
            free.remove(&found);
        }
    }
}

fn change(a: &[NodeFact], b: &[NodeFact]) -> NodeChange {
    let shown = a.first().or(b.first());
    let presence = match (a.is_empty(), b.is_empty()) {
        (false, true) => NodePresence::Gone,
        (true, false) => NodePresence::New,
        (true, true) | (false, false) => NodePresence::Both,
    };
    let container = shown.is_some_and(|node| node.container);
    let renamed = b.first().filter(|_| presence == NodePresence::Both).map(|node| node.title.clone());
    let both = |known: fn(&NodeFact) -> Option<f64>| side_change(a, b, presence, known);
    NodeChange {
        title: shown.map(titled).unwrap_or_default(),
        renamed: renamed.filter(|title| a.first().is_some_and(|node| node.title != *title)),
        node_type: shown.map(|node| node.node_type.clone()).unwrap_or_default(),
        presence,
        outputs: if presence == NodePresence::Both { outputs(a, b) } else { Outputs::Unknown },
        tokens: both(|node| Some(node.tokens.unwrap_or(0) as f64)).filter(|_| !container),
        cost: cost_change(a, b).filter(|_| !container),
        elapsed_ms: both(|node| node.elapsed_ms).filter(|_| !container),
        container,
    }
}

fn titled(node: &NodeFact) -> String {
    match &node.round {
        Some((_, round)) => format!("{} [{round}]", node.title),
        None => node.title.clone(),
    }
}

fn outputs(a: &[NodeFact], b: &[NodeFact]) -> Outputs {
    let digests =
        |side: &[NodeFact]| side.iter().map(|node| node.digest.clone()).collect::<Option<BTreeSet<String>>>();
    match (digests(a), digests(b)) {
        (Some(a), Some(b)) if a.is_disjoint(&b) => Outputs::Changed,
        (Some(_), Some(_)) => Outputs::Same,
        (Some(_) | None, Some(_) | None) => Outputs::Unknown,
    }
}

/// The difference of the means; a side on which the node did not run has nothing of it.
fn side_change(
    a: &[NodeFact],
    b: &[NodeFact],
    presence: NodePresence,
    known: fn(&NodeFact) -> Option<f64>,
) -> Option<f64> {
    let mean = |side: &[NodeFact]| -> Option<f64> {
        let values: Vec<f64> = side.iter().map(known).collect::<Option<_>>()?;
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    match presence {
        NodePresence::Both => Some(mean(b)? - mean(a)?),
        NodePresence::Gone => Some(-mean(a)?),
        NodePresence::New => mean(b),
    }
}

fn cost_change(a: &[NodeFact], b: &[NodeFact]) -> Option<Decimal> {
    let mut currencies = BTreeMap::<String, ()>::new();
    let mut mean = |side: &[NodeFact]| -> Option<Decimal> {
        let mut sum = Decimal::ZERO;
        for price in side.iter().filter_map(|node| node.price.as_ref()) {
            currencies.insert(price.currency.clone(), ());
            sum = sum.checked_add(price.amount.parse().ok()?)?;
        }
        sum.checked_div(Decimal::from(side.len().max(1)))
    };
    let change = mean(b)?.checked_sub(mean(a)?)?;
    (currencies.len() == 1).then_some(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, title: &str, start_ms: f64, output: &str) -> NodeFact {
        NodeFact {
            title: title.to_owned(),
            node_type: if title.starts_with("Answer") { "llm".to_owned() } else { "code".to_owned() },
            status: "succeeded".to_owned(),
            start_ms,
            end_ms: Some(start_ms + 10.0),
            began: Some(start_ms as u32),
            ended: Some(start_ms as u32 + 10),
            elapsed_ms: Some(10.0),
            tokens: Some(100),
            container: false,
            id: id.to_owned(),
            round: None,
            price: None,
            digest: Some(output.to_owned()),
            error: None,
            retry_errors: Vec::new(),
        }
    }

    fn titles(found: &Attribution) -> Vec<(&str, NodePresence, Outputs)> {
        found.nodes.iter().map(|node| (node.title.as_str(), node.presence, node.outputs)).collect()
    }

    #[test]
    fn names_the_first_node_whose_outputs_are_others() {
        let a = [node("1", "Start", 0.0, "x"), node("2", "Answer", 20.0, "y"), node("3", "End", 40.0, "y")];
        let mut b = a.clone();
        b[1].digest = Some("z".to_owned());
        b[1].tokens = Some(160);
        b[2].digest = Some("z".to_owned());
        let found = attribute(&[&a], &[&b]);
        assert_eq!(found.first_changed, Some(1));
        assert_eq!(found.nodes[1].tokens, Some(60.0));
        assert_eq!(found.nodes[0].outputs, Outputs::Same);
        assert!(found.reordered.is_empty());
    }

    #[test]
    fn an_output_that_a_side_gives_itself_at_times_is_no_change() {
        let a = [node("1", "Answer", 0.0, "x")];
        let also = [node("1", "Answer", 0.0, "y")];
        assert_eq!(attribute(&[&a, &also], &[&also, &also]).first_changed, None);
    }

    #[test]
    fn finds_renamed_new_and_gone_nodes() {
        let a = [node("1", "Start", 0.0, "x"), node("2", "Answer", 20.0, "y"), node("3", "End", 40.0, "y")];
        let b = [
            node("1", "Start", 0.0, "x"),
            node("9", "Answer kindly", 20.0, "y"),
            node("3", "End", 40.0, "y"),
        ];
        let found = attribute(&[&a], &[&b]);
        assert_eq!(found.nodes.len(), 3);
        assert_eq!(found.nodes[1].renamed.as_deref(), Some("Answer kindly"));
        let longer = [a[0].clone(), a[1].clone(), node("7", "Check", 30.0, "c"), a[2].clone()];
        assert_eq!(titles(&attribute(&[&a], &[&longer]))[3], ("Check", NodePresence::New, Outputs::Unknown));
        assert_eq!(titles(&attribute(&[&longer], &[&a]))[2], ("Check", NodePresence::Gone, Outputs::Unknown));
        assert_eq!(attribute(&[&longer], &[&a]).nodes[2].tokens, Some(-100.0));
    }

    #[test]
    fn other_ids_with_the_same_titles_are_the_same_nodes() {
        let a = [node("1", "Start", 0.0, "x"), node("2", "Answer", 20.0, "y")];
        let b = [node("11", "Start", 0.0, "x"), node("12", "Answer", 20.0, "y")];
        assert!(attribute(&[&a], &[&b]).nodes.iter().all(|node| node.presence == NodePresence::Both));
    }

    #[test]
    fn branches_at_the_same_time_have_no_order() {
        let at = |first: f64, second: f64| [node("1", "Left", first, "x"), node("2", "Right", second, "y")];
        let swapped = |first: f64, second: f64| {
            let [left, right] = at(second, first);
            [right, left]
        };
        assert!(attribute(&[&at(0.0, 1.0)], &[&swapped(0.0, 1.0)]).reordered.is_empty(), "they overlap");
        assert!(
            attribute(&[&at(0.0, 20.0)], &[&swapped(0.0, 1.0)]).reordered.is_empty(),
            "now they run together"
        );
        assert_eq!(attribute(&[&at(0.0, 20.0)], &[&swapped(0.0, 20.0)]).reordered, [(0, 1)]);
    }

    #[test]
    fn the_order_of_events_decides_and_no_clock() {
        // Dify says that each took 300 ms; the events of the second side came 30 ms apart.
        let chain = |elapsed: f64, late: f64| {
            let mut nodes = [node("1", "Left", 0.0, "x"), node("2", "Right", 20.0, "y")];
            for (place, node) in nodes.iter_mut().enumerate() {
                node.start_ms = place as f64 * late;
                node.elapsed_ms = Some(elapsed);
            }
            nodes
        };
        let found = attribute(&[&chain(50.0, 120.0)], &[&chain(300.0, 30.0)]);
        assert!(found.regrouped.is_empty() && found.reordered.is_empty(), "{found:?}");
        // Both began before one ended: whatever the clocks say, they ran together.
        let together = [node("1", "Left", 0.0, "x"), node("2", "Right", 5.0, "y")];
        assert_eq!(attribute(&[&chain(50.0, 120.0)], &[&together]).regrouped, [(0, 1)]);
        // Where the beginning was lost, or an older journal does not know the order, nothing is claimed.
        let mut lost = together.clone();
        lost[1].began = None;
        assert!(attribute(&[&chain(50.0, 120.0)], &[&lost]).regrouped.is_empty());
    }

    #[test]
    fn branches_that_race_have_no_order_in_any_repeat() {
        let at = |first: f64, second: f64| [node("1", "Left", first, "x"), node("2", "Right", second, "y")];
        let (one, other) = (at(0.0, 20.0), at(20.0, 0.0));
        assert_eq!(attribute(&[&one], &[&other]).reordered, [(0, 1)]);
        assert!(attribute(&[&one, &other], &[&other]).reordered.is_empty(), "A does either itself");
        assert_eq!(attribute(&[&one, &one], &[&other, &other]).reordered, [(0, 1)]);
    }

    #[test]
    fn rounds_are_told_apart() {
        let in_round = |round, output: &str| NodeFact {
            round: Some(("it".to_owned(), round)),
            ..node("5", "Step", 0.0, output)
        };
        let a = [in_round(0, "a"), in_round(1, "b")];
        let b = [in_round(1, "b"), in_round(0, "changed")];
        let found = attribute(&[&a], &[&b]);
        assert_eq!(found.nodes[0].title, "Step [0]");
        assert_eq!(found.nodes[0].outputs, Outputs::Changed);
        assert_eq!(found.nodes[1].outputs, Outputs::Same);
    }

    #[test]
    fn a_side_without_nodes_says_nothing() {
        assert_eq!(attribute(&[], &[]), Attribution::default());
        assert!(attribute(&[&[]], &[&[]]).nodes.is_empty());
    }
}
