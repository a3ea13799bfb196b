//! Which round each container of a run is in, if the order of events proves it; pure.
//!
//! Where rounds run one after the other, a node that starts belongs to the round that began last. An iteration that runs
//! its rounds at once announces them all before their nodes start: then only Dify's own index says which round it was.

use std::collections::{BTreeSet, HashMap};

use crate::dify::client::node_index::entry;
use crate::dify::transcript::{NodeRound, NodeRun};

/// The containers of a run.
#[derive(Debug, Default)]
pub(super) struct ContainerRounds {
    /// By node id.
    containers: HashMap<String, Container>,
}

#[derive(Debug, Default)]
struct Container {
    /// The round that began last.
    round: Option<u64>,
    /// Nodes that started since that round began.
    started: u64,
    /// Nodes that started and did not end.
    unfinished: u64,
    /// True once two rounds were seen to run at the same time.
    is_mixed: bool,
    /// Executions that started and did not end, indices of the run's nodes.
    open: BTreeSet<usize>,
    /// The execution that started last.
    last: Option<usize>,
}

impl ContainerRounds {
    /// Of the executions seen so far.
    pub fn of(runs: &[NodeRun]) -> Self {
        let mut rounds = Self::default();
        for (index, run) in runs.iter().enumerate() {
            if run.is_container() {
                rounds.open(&run.node_id, index, None);
            }
            rounds.begin(run.parent.as_ref());
            if let Some(round) = &run.parent {
                let container = rounds.container(&round.container);
                container.round = container.round.max(round.index);
            }
            if run.finished.is_some() {
                rounds.end(run.parent.as_ref());
                rounds.close(&run.node_id, index);
            }
        }
        rounds
    }

    /// A container starts; a loop is in its first round at once.
    pub fn open(&mut self, node_id: &str, run: usize, round: Option<u64>) {
        let container = self.container(node_id);
        container.is_mixed = !container.open.is_empty();
        if container.open.is_empty() {
            container.unfinished = 0;
        }
        (container.round, container.started) = (round, 0);
        container.open.insert(run);
        container.last = Some(run);
    }

    /// A container has ended.
    pub fn close(&mut self, node_id: &str, run: usize) {
        if let Some(container) = self.containers.get_mut(node_id) {
            container.open.remove(&run);
        }
    }

    /// A container begins a round.
    pub fn next(&mut self, node_id: &str, round: u64) {
        let container = self.container(node_id);
        // A round before this one whose nodes have not come, or have not ended, may still be running.
        let is_skipped = container.round.is_some() && container.started == 0;
        container.is_mixed |= is_skipped || container.unfinished > 0;
        (container.round, container.started) = (Some(round), 0);
    }

    /// A node in a container starts.
    pub fn begin(&mut self, round: Option<&NodeRound>) {
        if let Some(round) = round {
            let container = self.container(&round.container);
            container.started += 1;
            container.unfinished += 1;
        }
    }

    /// A node in a container has ended.
    pub fn end(&mut self, round: Option<&NodeRound>) {
        if let Some(round) = round {
            let container = self.container(&round.container);
            container.unfinished = container.unfinished.saturating_sub(1);
        }
    }

    /// The round that a node which starts now belongs to; `None` where it may be another.
    pub fn current(&self, node_id: &str) -> Option<u64> {
        let container = self.known(node_id)?;
        container.round.filter(|_| !container.is_mixed)
    }

    /// The execution of a container that is open; `None` where there is not exactly one.
    pub fn open_run(&self, node_id: &str) -> Option<usize> {
        let open = &self.known(node_id)?.open;
        open.first().copied().filter(|_| open.len() == 1)
    }

    /// The execution of a container that started last.
    pub fn last_run(&self, node_id: &str) -> Option<usize> {
        self.known(node_id)?.last
    }

    fn known(&self, node_id: &str) -> Option<&Container> {
        self.containers.get(node_id)
    }

    fn container(&mut self, node_id: &str) -> &mut Container {
        entry(&mut self.containers, node_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child() -> NodeRound {
        NodeRound { container: "it".into(), index: None, container_run: None }
    }

    #[test]
    fn rounds_one_after_the_other_are_known_and_those_at_once_are_not() {
        let mut rounds = ContainerRounds::default();
        assert_eq!(rounds.current("it"), None);
        rounds.open("it", 3, None);
        for round in 0..3 {
            rounds.next("it", round);
            assert_eq!(rounds.current("it"), Some(round));
            rounds.begin(Some(&child()));
            rounds.end(Some(&child()));
        }
        rounds.close("it", 3);
        rounds.open("it", 9, None);
        rounds.next("it", 0);
        rounds.next("it", 1);
        assert_eq!((rounds.current("it"), rounds.open_run("it")), (None, Some(9)));
    }

    #[test]
    fn a_round_that_begins_while_another_runs_is_not_taken_for_that_of_the_next_node() {
        let mut rounds = ContainerRounds::default();
        rounds.open("it", 0, None);
        rounds.next("it", 0);
        rounds.begin(Some(&child()));
        rounds.next("it", 1);
        assert_eq!(rounds.current("it"), None);
        rounds.open("it", 5, None);
        assert_eq!(rounds.open_run("it"), None, "two executions are open");
    }
}
