//! The order of nodes in time: which pairs ran in another order, and which at the same time on one side only.
//!
//! Branches that ran at the same time have no order.

use crate::compare::nodes::Path;
use crate::outcome::NodeFact;

/// Nodes whose order is looked at: the work grows by the square of their number.
const MOST_ORDERED: usize = 500;

/// How two nodes stood in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InTime {
    /// The one ended before the other began.
    Before,
    /// The other way round.
    After,
    /// They ran at the same time.
    Together,
    /// Too near each other to say.
    Near,
}

/// Clocks and networks blur what lies nearer than this, milliseconds.
const BLUR: f64 = 50.0;

fn in_time(one: &NodeFact, other: &NodeFact) -> InTime {
    let end = |node: &NodeFact| node.elapsed_ms.map(|elapsed| node.start_ms + elapsed);
    match (end(one), end(other)) {
        (Some(one_end), _) if one_end < other.start_ms => InTime::Before,
        (_, Some(other_end)) if other_end < one.start_ms => InTime::After,
        (Some(one_end), Some(other_end))
            if one_end.min(other_end) - one.start_ms.max(other.start_ms) >= BLUR =>
        {
            InTime::Together
        }
        (Some(_) | None, Some(_) | None) => InTime::Near,
    }
}

/// Pairs that stood one way in time on the first side and another way on the second.
pub(super) fn moved(
    pairs: &[(Option<usize>, Option<usize>)],
    (a, b): (&Path, &Path),
    is_it: fn(InTime, InTime) -> bool,
) -> Vec<(usize, usize)> {
    let matched: Vec<(usize, &NodeFact, &NodeFact)> = pairs
        .iter()
        .enumerate()
        .filter_map(|(index, (in_a, in_b))| Some((index, a.get((*in_a)?)?, b.get((*in_b)?)?)))
        .filter(|(_, in_a, _)| in_a.round.is_none() && !in_a.container)
        .take(MOST_ORDERED)
        .collect();
    let mut found = Vec::new();
    for (place, (index, one_a, one_b)) in matched.iter().enumerate() {
        for (other, other_a, other_b) in matched.iter().skip(place + 1) {
            if is_it(in_time(one_a, other_a), in_time(one_b, other_b)) {
                found.push((*index, *other));
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
