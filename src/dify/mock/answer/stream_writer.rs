//! The state of a stream while its events are written.

use fastrand::Rng;

use super::events::MockEvents;
use super::graph_node::GraphNode;
use super::run::MockRun;

/// Writes the events of a run.
pub(super) struct StreamWriter<'a> {
    pub run: &'a MockRun,
    /// The events so far.
    pub events: MockEvents,
    /// Draws ids and times.
    pub random: Rng,
    /// The index of the next variable of the end to stream.
    pub next_segment: usize,
    /// Chunks of that variable that are written.
    pub sent_chunks: usize,
    /// What each node has done so far.
    pub progress: Vec<NodeProgress>,
    /// The node before which nothing is streamed.
    pub last_fork: usize,
}

/// What a node has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NodeProgress {
    /// Chunks it has produced, written or not.
    pub chunks: usize,
    /// Whether its outputs are known.
    pub is_over: bool,
}

/// A round of a container.
#[derive(Clone, Copy)]
pub(super) struct ContainerRound<'a> {
    /// The container.
    pub container: &'a GraphNode,
    /// Which round, from 0.
    pub index: u64,
}

impl<'a> StreamWriter<'a> {
    /// A stream without events; execution ids follow from the seed.
    pub(super) fn new(run: &'a MockRun, seed: u64) -> Self {
        let (events, random) = (MockEvents::new(run), Rng::with_seed(seed));
        let progress = vec![NodeProgress::default(); run.graph.nodes.len()];
        let last_fork = run.graph.last_fork();
        Self { run, events, random, next_segment: 0, sent_chunks: 0, progress, last_fork }
    }
}
