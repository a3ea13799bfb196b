//! The order of nodes: which pairs ran in another order, and which at the same time on one side only.
//!
//! The order of the events decides, never clocks: a node that ended before another began ran before it, however late the
//! events came. Branches that ran at the same time have no order.

use crate::record::attempt::NodeFact;

/// Nodes whose order is looked at: the work grows by the square of their number.
const MOST_ORDERED: usize = 500;

/// How two nodes ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeOrder {
    /// The one ended before the other began.
    Before,
    /// The other way round.
    After,
    /// They ran at the same time, or in either order.
    Together,
    /// The events do not say.
    Unknown,
}

fn in_time(one: &NodeFact, other: &NodeFact) -> TimeOrder {
    let is_before = |one: &NodeFact, other: &NodeFact| Some(one.ended? < other.began?);
    match (is_before(one, other), is_before(other, one)) {
        (Some(true), _) => TimeOrder::Before,
        (_, Some(true)) => TimeOrder::After,
        (Some(false), Some(false)) => TimeOrder::Together,
        (Some(false) | None, Some(false) | None) => TimeOrder::Unknown,
    }
}

/// How two nodes ran in all repeats of a side.
fn in_repeats(one: &[Option<&NodeFact>], other: &[Option<&NodeFact>]) -> TimeOrder {
    let both = one.iter().zip(other).filter_map(|(one, other)| Some(in_time((*one)?, (*other)?)));
    both.reduce(|so_far, next| match (so_far, next) {
        (TimeOrder::Unknown, _) | (_, TimeOrder::Unknown) => TimeOrder::Unknown,
        (one, other) if one == other => one,
        (_, _) => TimeOrder::Together,
    })
    .unwrap_or(TimeOrder::Unknown)
}

/// A node on both sides: its execution in each repeat.
pub(super) struct MatchedNode<'a> {
    /// Which node it is.
    pub index: usize,
    /// Of the first side; `None` in a repeat without it.
    pub a: Vec<Option<&'a NodeFact>>,
    /// Of the second side.
    pub b: Vec<Option<&'a NodeFact>>,
}

impl MatchedNode<'_> {
    /// False for a container, and for what ran in the rounds of one.
    pub fn has_order(&self) -> bool {
        self.a.iter().chain(&self.b).flatten().all(|node| node.round.is_none() && !node.container)
    }
}

/// Pairs that ran one way on the first side and another way on the second.
pub(super) fn moved(
    matched: &[MatchedNode<'_>],
    is_it: fn(TimeOrder, TimeOrder) -> bool,
) -> Vec<(usize, usize)> {
    let matched = &matched[..matched.len().min(MOST_ORDERED)];
    let mut found = Vec::new();
    for (place, one) in matched.iter().enumerate() {
        for other in &matched[place + 1..] {
            if is_it(in_repeats(&one.a, &other.a), in_repeats(&one.b, &other.b)) {
                found.push((one.index, other.index));
            }
        }
    }
    found
}

/// Strictly one after the other on both sides, in another order.
pub(super) fn is_reordered(a: TimeOrder, b: TimeOrder) -> bool {
    matches!((a, b), (TimeOrder::Before, TimeOrder::After) | (TimeOrder::After, TimeOrder::Before))
}

/// One after the other on one side, at the same time on the other.
pub(super) fn is_regrouped(a: TimeOrder, b: TimeOrder) -> bool {
    matches!(
        (a, b),
        (TimeOrder::Before | TimeOrder::After, TimeOrder::Together)
            | (TimeOrder::Together, TimeOrder::Before | TimeOrder::After)
    )
}
