//! The events of a run in the order Dify sends them.

use std::ops::Range;

use super::containers;
use super::events::MockEvents;
use super::graph::GraphForm;
use super::graph_node::{GraphNode, NodeRole};
use super::ids::new_id;
use super::run::{MockRun, SystemInputs};
use super::schedule::{self, NodeStep, ScheduledStep};
use super::stream_writer::StreamWriter;
use super::terminal_event::push_finished;
use crate::dify::mock::version::DifyVersion;

/// Writes all events of a run, or those before its first pause.
pub fn write_stream(run: &MockRun) -> MockEvents {
    let mut writer = StreamWriter::new(run, run.seed);
    writer.run();
    writer.events
}

/// One more chunk of text, from a node that no script has.
pub fn write_chunk(run: &MockRun, text: &str) -> Vec<u8> {
    let mut events = MockEvents::new(run);
    events.chunk(text, &["endless", "text"]);
    events.bytes
}

impl StreamWriter<'_> {
    fn run(&mut self) {
        if self.run.version == DifyVersion::V1_14 {
            self.events.ping();
        }
        self.workflow_started("initial");
        self.nodes_from(0, 0);
    }

    /// Writes the nodes from an index on: up to the pause with this number, otherwise to the end of the run.
    pub(super) fn nodes_from(&mut self, from: usize, pause: usize) {
        let run = self.run;
        let nodes = &run.graph.nodes;
        let forms: &[GraphForm] = run.graph.pauses.get(pause).map_or(&[], Vec::as_slice);
        let asks = |at: usize| forms.iter().any(|form| form.node == at);
        let last = forms.iter().map(|form| form.node).max();
        let mut at = from;
        while at < nodes.len() {
            let group = schedule::group(nodes, at);
            let end = group.clone().find(|index| asks(*index)).unwrap_or(group.end).max(at + 1);
            if asks(at) {
                self.asking_started(&nodes[at]);
            } else if end == at + 1 {
                self.node(at, &nodes[at]);
            } else {
                self.parallel_nodes(at..end);
            }
            if Some(at) == last {
                return self.paused(&forms.iter().collect::<Vec<_>>());
            }
            at = end;
        }
        push_finished(run, &mut self.events);
    }

    /// Writes what nodes that run in parallel do, in the order of time.
    fn parallel_nodes(&mut self, group: Range<usize>) {
        let nodes = &self.run.graph.nodes;
        let ids: Vec<String> = group.clone().map(|_| new_id(&mut self.random)).collect();
        for scheduled in schedule::steps(nodes, group.clone(), &mut self.random) {
            let ScheduledStep { node: index, step } = scheduled;
            let (node, id) = (&nodes[index], &ids[index - group.start]);
            match (node.role, step) {
                // A container is written once it has ended, with its rounds.
                (NodeRole::Iteration | NodeRole::Loop, NodeStep::Start | NodeStep::Chunk) => {}
                (NodeRole::Iteration | NodeRole::Loop, NodeStep::Finish) => self.node(index, node),
                (_, NodeStep::Start) => self.node_started(id, node, None),
                (_, NodeStep::Chunk) => self.chunk(index, node),
                (_, NodeStep::Finish) => {
                    self.retries(id, node, None);
                    self.flush(index);
                    self.node_finished(id, node, None);
                }
            }
        }
    }

    /// Writes the event that starts or resumes the run.
    pub(super) fn workflow_started(&mut self, reason: &str) {
        let run = self.run;
        self.events.open("workflow_started");
        self.events.word("id", &run.id);
        self.events.word("workflow_id", &run.workflow);
        self.events.inputs("inputs", run, SystemInputs::With);
        self.events.value("created_at", &run.created_at);
        if run.version == DifyVersion::V1_14 {
            self.events.word("reason", reason);
        }
        self.events.close();
    }

    fn node(&mut self, index: usize, node: &GraphNode) {
        if matches!(node.role, NodeRole::Iteration | NodeRole::Loop) {
            containers::write(self, node);
            self.flush(index);
            return;
        }
        let id = new_id(&mut self.random);
        self.node_started(&id, node, None);
        if node.role == NodeRole::Unfinished {
            self.stream_live(node);
            return;
        }
        self.retries(&id, node, None);
        self.stream_live(node);
        self.flush(index);
        self.node_finished(&id, node, None);
    }
}
