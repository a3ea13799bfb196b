//! Where in a run an execution of a node belongs: its round of a container, and its place among the events.

/// The round of a container in which an execution ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRound {
    /// The container's node id.
    pub container: String,
    /// Dify's index of the round, from 0; `None` where nothing proves which round it was.
    pub index: Option<u64>,
    /// The execution of the container, an index of the run's nodes; `None` where it was not seen to start.
    pub container_run: Option<usize>,
}

/// Where among the node events of its stream an execution began and ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeSpan {
    /// The number of its start; `None` where no start came.
    pub began: Option<u32>,
    /// The number of its end; `None` where no end came.
    pub ended: Option<u32>,
}

impl NodeSpan {
    /// True where an execution ended before the other began: whatever runs at the same time has no order.
    pub fn is_before(self, other: Self) -> bool {
        matches!((self.ended, other.began), (Some(ended), Some(began)) if ended < began)
    }
}
