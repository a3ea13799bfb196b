//! The events of a run in the order Dify sends them.

use std::ops::Range;

use fastrand::Rng;
use serde_json::{Map, Value};

use super::containers;
use super::events::MockEvents;
use super::graph::{GraphNode, NodeRole};
use super::nodes::files_in;
use super::schedule;
use super::schedule::NodeStep;
use super::{DifyVersion, MockRun, SystemInputs, new_id};
use crate::dify::mock::reply::RunStatus;
use crate::dify::mock::reply::pause::Pause;

/// Writes all events of a run, or those before its first pause.
pub fn write_stream(run: &MockRun) -> MockEvents {
    let mut writer = StreamWriter::new(run, run.seed);
    writer.run();
    writer.events
}

/// The terminal event of a run that was stopped while it ran.
pub fn stopped_event(run: &MockRun) -> Vec<u8> {
    let ending = TerminalEvent {
        status: RunStatus::Stopped,
        outputs: &Map::new(),
        error: Some("Stopped by user."),
        tokens: 0,
    };
    let mut events = MockEvents::new(run);
    finish_event(run, &mut events, &ending);
    events.bytes
}

/// The terminal event of a run that was not stopped.
pub(super) fn finished_event(run: &MockRun) -> Vec<u8> {
    let graph = &run.graph;
    let ending = TerminalEvent {
        status: graph.status,
        outputs: &graph.reply.outputs,
        error: graph.error.as_deref(),
        tokens: graph.tokens,
    };
    let mut events = MockEvents::new(run);
    finish_event(run, &mut events, &ending);
    events.bytes
}

/// One more chunk of text, of a node that no script has.
pub fn write_chunk(run: &MockRun, text: &str) -> Vec<u8> {
    let mut events = MockEvents::new(run);
    events.chunk(text, &["endless", "text"]);
    events.bytes
}

/// What the terminal event says.
struct TerminalEvent<'a> {
    status: RunStatus,
    outputs: &'a Map<String, Value>,
    error: Option<&'a str>,
    tokens: u64,
}

fn finish_event(run: &MockRun, events: &mut MockEvents, ending: &TerminalEvent<'_>) {
    events.open("workflow_finished");
    events.word("id", &run.id);
    events.word("workflow_id", &run.workflow);
    events.word("status", ending.status.word());
    events.value("outputs", ending.outputs);
    events.value("error", &ending.error);
    events.value("elapsed_time", &run.graph.elapsed);
    events.value("total_tokens", &ending.tokens);
    events.value("total_steps", &run.steps());
    let user = [("id", run.user_id.as_str()), ("user", run.user.as_str())];
    events.value(
        "created_by",
        &user.into_iter().map(|(key, text)| (key.to_owned(), Value::from(text))).collect::<Map<_, _>>(),
    );
    events.value("created_at", &run.created_at);
    events.value("finished_at", &run.finished_at());
    events.value("exceptions_count", &run.graph.exceptions);
    events.value("files", &files_in(ending.outputs));
    events.close();
}

/// What is known while a run is written.
pub(super) struct StreamWriter<'a> {
    pub(super) run: &'a MockRun,
    pub(super) events: MockEvents,
    pub(super) random: Rng,
    /// The end's variable whose turn it is.
    pub(super) next: usize,
    /// Chunks of it that are out.
    pub(super) sent: usize,
    /// What each node has done so far.
    pub(super) done: Vec<NodeProgress>,
    pub(super) fork: usize,
}

/// What a node has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NodeProgress {
    /// Chunks it has streamed, seen or not.
    pub chunks: usize,
    /// Whether its outputs are there.
    pub is_over: bool,
}

/// Where an execution of a node stands.
#[derive(Clone, Copy, Default)]
pub(super) struct ExecutionPlace<'a> {
    /// Its container, if any, and the round.
    pub container: Option<(&'a GraphNode, u64)>,
}

impl<'a> StreamWriter<'a> {
    /// Writes nothing yet; execution ids follow from the seed.
    pub(super) fn new(run: &'a MockRun, seed: u64) -> Self {
        let (events, random) = (MockEvents::new(run), Rng::with_seed(seed));
        let done = vec![NodeProgress::default(); run.graph.nodes.len()];
        Self { run, events, random, next: 0, sent: 0, done, fork: run.graph.last_fork() }
    }
}

impl StreamWriter<'_> {
    fn run(&mut self) {
        if self.run.version == DifyVersion::V1_14 {
            self.events.ping();
        }
        self.workflow_started("initial");
        self.nodes_from(0, 0);
    }

    /// The nodes from an index on, to the pause with this number, or else to the end of the run.
    pub(super) fn nodes_from(&mut self, from: usize, pause: usize) {
        let run = self.run;
        let nodes = &run.graph.nodes;
        let asking: &[(usize, Pause)] = run.graph.pauses.get(pause).map_or(&[], Vec::as_slice);
        let asks = |at: usize| asking.iter().any(|(index, _)| *index == at);
        let last = asking.iter().map(|(index, _)| *index).max();
        let mut at = from;
        while at < nodes.len() {
            let group = schedule::group(nodes, at);
            let end = group.clone().find(|index| asks(*index)).unwrap_or(group.end).max(at + 1);
            if asks(at) {
                self.asking_started(&nodes[at]);
            } else if end == at + 1 {
                self.node(at, &nodes[at]);
            } else {
                self.beside(at..end);
            }
            if Some(at) == last {
                return self.paused(&asking.iter().collect::<Vec<_>>());
            }
            at = end;
        }
        self.workflow_finished();
    }

    /// Nodes that run at once: what each does, in the order of time.
    fn beside(&mut self, group: Range<usize>) {
        let nodes = &self.run.graph.nodes;
        let ids: Vec<String> = group.clone().map(|_| new_id(&mut self.random)).collect();
        for (index, step) in schedule::steps(nodes, group.clone(), &mut self.random) {
            let (node, id) = (&nodes[index], &ids[index - group.start]);
            match (node.role, step) {
                // A container is told when it has ended, with its rounds.
                (NodeRole::Iteration | NodeRole::Loop, NodeStep::Start | NodeStep::Chunk) => {}
                (NodeRole::Iteration | NodeRole::Loop, NodeStep::Finish) => self.node(index, node),
                (_, NodeStep::Start) => self.node_started(id, node, ExecutionPlace::default()),
                (_, NodeStep::Chunk) => self.chunk(index, node),
                (_, NodeStep::Finish) => {
                    self.retries(id, node, ExecutionPlace::default());
                    self.flush(index);
                    self.node_finished(id, node, ExecutionPlace::default());
                }
            }
        }
    }

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

    fn workflow_finished(&mut self) {
        let graph = &self.run.graph;
        let ending = TerminalEvent {
            status: graph.status,
            outputs: &graph.reply.outputs,
            error: graph.error.as_deref(),
            tokens: graph.tokens,
        };
        finish_event(self.run, &mut self.events, &ending);
    }

    fn node(&mut self, index: usize, node: &GraphNode) {
        if matches!(node.role, NodeRole::Iteration | NodeRole::Loop) {
            containers::write(self, node);
            self.flush(index);
            return;
        }
        let id = new_id(&mut self.random);
        self.node_started(&id, node, ExecutionPlace::default());
        if node.role == NodeRole::Unfinished {
            self.live(node);
            return;
        }
        self.retries(&id, node, ExecutionPlace::default());
        self.live(node);
        self.flush(index);
        self.node_finished(&id, node, ExecutionPlace::default());
    }

    /// One execution of a container's child.
    pub(super) fn child(&mut self, node: &GraphNode, inside: ExecutionPlace<'_>) {
        let id = new_id(&mut self.random);
        self.node_started(&id, node, inside);
        self.retries(&id, node, inside);
        self.node_finished(&id, node, inside);
    }
}
