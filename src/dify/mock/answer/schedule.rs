//! The order of what runs in parallel: branches, and the rounds of a parallel iteration.
//!
//! Only the order follows from the times; nothing waits for them. A time that a script does not write is drawn anew for each run,
//! since a real Dify does not promise an order of its branches.

use std::ops::Range;

use fastrand::Rng;

use super::graph_node::{GraphNode, NodeRole};
use crate::dify::mock::reply::node::NodeStatus;

/// The share of its time after which a model streams its first chunk.
const FIRST_CHUNK: f64 = 0.2;

/// What a node does among parallel nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeStep {
    /// It begins.
    Start,
    /// It streams its next chunk.
    Chunk,
    /// It ends.
    Finish,
}

/// A step of a node among parallel nodes.
pub(super) struct ScheduledStep {
    /// The node's index.
    pub node: usize,
    /// What it does.
    pub step: NodeStep,
}

/// A round of a container, and how long it takes.
pub(super) struct RoundTime {
    /// Which round, from 0.
    pub index: u64,
    /// Seconds.
    pub elapsed: f64,
}

/// When a round ends.
pub(super) struct RoundEnd {
    /// Which round, from 0.
    pub index: usize,
    /// Seconds after the start of the container.
    pub at: f64,
}

/// The nodes that run in parallel with the one at `at`, itself included.
pub(super) fn group(nodes: &[GraphNode], at: usize) -> Range<usize> {
    let beside = nodes[at + 1..].iter().take_while(|node| node.beside.is_some()).count();
    at..at + 1 + beside
}

/// The steps of a group's nodes in the order of time; a failing node ends after all that it ends.
pub(super) fn steps(nodes: &[GraphNode], group: Range<usize>, random: &mut Rng) -> Vec<ScheduledStep> {
    let mut steps = Vec::new();
    for (index, start) in group.clone().zip(starts(&nodes[group.clone()])) {
        let node = &nodes[index];
        let elapsed = elapsed_or_drawn(node, random);
        let chunks = node.chunks();
        steps.push((start, index, NodeStep::Start));
        for chunk in 0..chunks {
            let part = chunk as f64 / (chunks.max(2) - 1) as f64;
            steps.push((
                start + elapsed * (FIRST_CHUNK + (1.0 - FIRST_CHUNK) * part),
                index,
                NodeStep::Chunk,
            ));
        }
        if node.role != NodeRole::Unfinished {
            let is_failing = node.rounds[0].status == NodeStatus::Failed;
            let end = if is_failing { f64::INFINITY } else { start + elapsed };
            steps.push((end, index, NodeStep::Finish));
        }
    }
    steps.sort_by(|(left, ..), (right, ..)| left.total_cmp(right));
    steps.into_iter().map(|(_, node, step)| ScheduledStep { node, step }).collect()
}

/// Seconds after the start of a group's first node at which each begins.
fn starts(group: &[GraphNode]) -> impl Iterator<Item = f64> {
    group.iter().enumerate().scan(0.0, |at, (index, node)| {
        if index > 0 {
            *at += node.beside.unwrap_or(0.0);
        }
        Some(*at)
    })
}

/// Marks the nodes that would have ended after a failing node of their group: they never end.
pub(super) fn leave_unfinished(nodes: &mut [GraphNode], failing: usize) {
    let first = (0..=failing).rev().find(|index| nodes[*index].beside.is_none()).unwrap_or(0);
    let ends: Vec<f64> =
        starts(&nodes[first..]).zip(&nodes[first..]).map(|(start, node)| start + node.elapsed).collect();
    let limit = ends[failing - first];
    for (node, end) in nodes[first..].iter_mut().zip(&ends) {
        if *end > limit && node.rounds[0].status != NodeStatus::Failed {
            node.role = NodeRole::Unfinished;
        }
    }
}

/// Seconds that all nodes take; those of a group overlap.
pub(super) fn makespan(nodes: &[GraphNode]) -> f64 {
    let (mut total, mut at) = (0.0, 0);
    while at < nodes.len() {
        let group = group(nodes, at);
        let group_nodes = &nodes[group.clone()];
        total += starts(group_nodes)
            .zip(group_nodes)
            .map(|(start, node)| start + node.elapsed)
            .fold(0.0, f64::max);
        at = group.end;
    }
    total
}

/// Seconds that each round of a container takes.
pub(super) fn round_times(node: &GraphNode) -> Vec<f64> {
    let time = |index| node.children.iter().map(|child| child.round(index).elapsed).sum();
    (0..node.iterations).map(time).collect()
}

/// The rounds of a parallel iteration in the order in which they end.
pub(super) fn parallel_rounds(node: &GraphNode, workers: u64, random: &mut Rng) -> Vec<RoundTime> {
    let is_timed = node.children.iter().any(|child| child.is_timed);
    let times = round_times(node);
    let times: Vec<f64> = match is_timed {
        true => times,
        false => times.into_iter().map(|time| time * (0.5 + random.f64())).collect(),
    };
    let ends = round_ends(&times, workers);
    ends.into_iter().map(|end| RoundTime { index: end.index as u64, elapsed: times[end.index] }).collect()
}

/// When rounds end, the earliest first. At most `workers` run at once; the next round takes the first free place.
pub(super) fn round_ends(times: &[f64], workers: u64) -> Vec<RoundEnd> {
    let places = usize::try_from(workers).unwrap_or(usize::MAX).clamp(1, times.len().max(1));
    let mut free = vec![0.0_f64; places];
    let mut ends: Vec<RoundEnd> = Vec::with_capacity(times.len());
    for (index, time) in times.iter().enumerate() {
        let mut place = 0;
        for (other, at) in free.iter().enumerate() {
            if *at < free[place] {
                place = other;
            }
        }
        free[place] += time;
        ends.push(RoundEnd { index, at: free[place] });
    }
    ends.sort_by(|left, right| left.at.total_cmp(&right.at));
    ends
}

/// A node's time, as written or drawn.
fn elapsed_or_drawn(node: &GraphNode, random: &mut Rng) -> f64 {
    if node.is_timed { node.elapsed } else { node.elapsed * (0.5 + random.f64()) }
}
