//! Where the executions of a run are, by their ids and by their nodes: each event finds its own in a step, however many came.

use std::collections::{HashMap, VecDeque};

use crate::dify::transcript::NodeRun;

/// The type of a node that waits for a person.
const ASKS: &str = "human-input";

/// Finds executions; what it holds are indices of the run's nodes.
#[derive(Debug, Default)]
pub(super) struct NodeIndex {
    by_id: HashMap<String, Namesakes>,
    by_node: HashMap<String, NodeSeat>,
    /// Executions that asked a person, by node, in order of start.
    asking: HashMap<String, VecDeque<usize>>,
}

/// Executions with one id, in order of start.
#[derive(Debug, Default)]
struct Namesakes {
    runs: Vec<usize>,
    /// Those before it have ended.
    ended: usize,
}

/// Executions of one node.
#[derive(Debug, Default)]
struct NodeSeat {
    newest: usize,
    /// In order of start; some of them may have ended.
    open: Vec<usize>,
}

impl NodeIndex {
    /// Of the executions seen so far.
    pub fn of(runs: &[NodeRun]) -> Self {
        let mut index = Self::default();
        for (at, run) in runs.iter().enumerate() {
            index.add(at, run);
        }
        index
    }

    /// Notes an execution, the newest of all.
    pub fn add(&mut self, at: usize, run: &NodeRun) {
        entry(&mut self.by_id, &run.id).runs.push(at);
        let seat = entry(&mut self.by_node, &run.node_id);
        seat.newest = at;
        if run.finished.is_none() {
            seat.open.push(at);
        }
        if run.node_type == ASKS && run.finished.is_none() {
            entry(&mut self.asking, &run.node_id).push_back(at);
        }
    }

    /// The newest execution with an id.
    pub fn newest_by_id(&mut self, runs: &[NodeRun], id: &str) -> Option<usize> {
        let same = self.by_id.get_mut(id)?;
        // One that was begun again has another id since.
        while same.runs.last().is_some_and(|at| runs[*at].id != id) {
            same.runs.pop();
        }
        same.ended = same.ended.min(same.runs.len());
        same.runs.last().copied()
    }

    /// The oldest execution with an id that has not ended.
    pub fn oldest_open_by_id(&mut self, runs: &[NodeRun], id: &str) -> Option<usize> {
        let same = self.by_id.get_mut(id)?;
        let is_over = |run: &NodeRun| run.finished.is_some() || run.id != id;
        while same.runs.get(same.ended).is_some_and(|at| is_over(&runs[*at])) {
            same.ended += 1;
        }
        same.runs.get(same.ended).copied()
    }

    /// The newest execution of a node that has not ended, else the newest.
    pub fn newest_of_node(&mut self, runs: &[NodeRun], node_id: &str) -> Option<usize> {
        let seat = self.by_node.get_mut(node_id)?;
        while seat.open.last().is_some_and(|at| runs[*at].finished.is_some()) {
            seat.open.pop();
        }
        Some(seat.open.last().copied().unwrap_or(seat.newest))
    }

    /// The oldest execution of a node that asked a person and has not ended.
    pub fn asking(&mut self, runs: &[NodeRun], node_id: &str) -> Option<usize> {
        let asking = self.asking.get_mut(node_id)?;
        while asking.front().is_some_and(|at| runs[*at].finished.is_some()) {
            asking.pop_front();
        }
        asking.front().copied()
    }

    /// Notes that an execution has another id from now on, which none had.
    pub fn rename(&mut self, at: usize, id: &str) {
        let same = entry(&mut self.by_id, id);
        same.runs.push(at);
        same.ended = same.ended.min(same.runs.len() - 1);
    }
}

/// What a map has of a key, made where there is nothing; the key is copied only then.
pub(super) fn entry<'m, T: Default>(map: &'m mut HashMap<String, T>, key: &str) -> &'m mut T {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), T::default());
    }
    map.get_mut(key).expect("it was there, or was put there")
}
