//! The order of nodes: which pairs ran in another order, and which at the same time on one side only.
//!
//! The order of the events decides, never clocks: a node that ended before another began ran before it, however late the
//! events came. Branches that ran at the same time have no order.

use crate::outcome::NodeFact;

/// Nodes whose order is looked at: the work grows by the square of their number.
const MOST_ORDERED: usize = 500;

/// How two nodes ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InTime {
    /// The one ended before the other began.
    Before,
    /// The other way round.
    After,
    /// They ran at the same time, or in either order.
    Together,
    /// The events do not say.
    Unknown,
}

fn in_time(one: &NodeFact, other: &NodeFact) -> InTime {
    let is_before = |one: &NodeFact, other: &NodeFact| Some(one.ended? < other.began?);
    match (is_before(one, other), is_before(other, one)) {
        (Some(true), _) => InTime::Before,
        (_, Some(true)) => InTime::After,
        (Some(false), Some(false)) => InTime::Together,
        (Some(false) | None, Some(false) | None) => InTime::Unknown,
    }
}

/// How two nodes ran in all repeats of a side.
fn in_repeats(one: &[Option<&NodeFact>], other: &[Option<&NodeFact>]) -> InTime {
    let both = one.iter().zip(other).filter_map(|(one, other)| Some(in_time((*one)?, (*other)?)));
    both.reduce(|so_far, next| match (so_far, next) {
        (InTime::Unknown, _) | (_, InTime::Unknown) => InTime::Unknown,
        (one, other) if one == other => one,
        (_, _) => InTime::Together,
    })
    .unwrap_or(InTime::Unknown)
}

/// A node on both sides: its execution in each repeat.
pub(super) struct Matched<'a> {
    /// Which node it is.
    pub index: usize,
    /// Of the first side; none in a repeat without it.
    pub a: Vec<Option<&'a NodeFact>>,
    /// Of the second side.
    pub b: Vec<Option<&'a NodeFact>>,
}

impl Matched<'_> {
    /// False for a container, and for what ran in the rounds of one.
    pub fn has_order(&self) -> bool {
        self.a.iter().chain(&self.b).flatten().all(|node| node.round.is_none() && !node.container)
    }
}

/// Pairs that ran one way on the first side and another way on the second.
pub(super) fn moved(matched: &[Matched<'_>], is_it: fn(InTime, InTime) -> bool) -> Vec<(usize, usize)> {
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
pub(super) fn is_reordered(a: InTime, b: InTime) -> bool {
    matches!((a, b), (InTime::Before, InTime::After) | (InTime::After, InTime::Before))
}

/// One after the other on one side, at the same time on the other.
pub(super) fn is_regrouped(a: InTime, b: InTime) -> bool {
    matches!(
        (a, b),
        (InTime::Before | InTime::After, InTime::Together)
            | (InTime::Together, InTime::Before | InTime::After)
    )
}
