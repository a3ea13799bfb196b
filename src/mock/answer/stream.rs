//! The events of a run in the order Dify sends them.

use fastrand::Rng;
use serde_json::{Map, Value};

use super::containers;
use super::events::Events;
use super::graph::{GraphNode, Role};
use super::nodes::files_in;
use super::{DifyVersion, Run, Sys, new_id};
use crate::mock::reply::RunStatus;

/// Writes all events of a run.
pub fn write_stream(run: &Run) -> Events {
    let mut writer = Writer {
        run,
        events: Events::new(run),
        random: Rng::with_seed(run.seed),
        next: 0,
        fork: run.graph.last_fork(),
    };
    writer.run();
    writer.events
}

/// The terminal event of a run that was stopped while it ran.
pub fn stopped_event(run: &Run) -> Vec<u8> {
    let ending = Ending {
        status: RunStatus::Stopped,
        outputs: &Map::new(),
        error: Some("Stopped by user."),
        tokens: 0,
    };
    let mut events = Events::new(run);
    finish_event(run, &mut events, &ending);
    events.bytes
}

/// One more chunk of text, of a node that no script has.
pub fn write_chunk(run: &Run, text: &str) -> Vec<u8> {
    let mut events = Events::new(run);
    events.chunk(text, ["endless", "text"]);
    events.bytes
}

/// What the terminal event says.
struct Ending<'a> {
    status: RunStatus,
    outputs: &'a Map<String, Value>,
    error: Option<&'a str>,
    tokens: u64,
}

fn finish_event(run: &Run, events: &mut Events, ending: &Ending<'_>) {
    events.open("workflow_finished");
    events.word("id", &run.id);
    events.word("workflow_id", &run.workflow);
    events.word("status", ending.status.word());
    events.value("outputs", ending.outputs);
    events.value("error", &ending.error);
    events.value("elapsed_time", &run.graph.elapsed);
    events.value("total_tokens", &ending.tokens);
    events.value("total_steps", &run.graph.steps);
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
pub(super) struct Writer<'a> {
    pub(super) run: &'a Run,
    pub(super) events: Events,
    random: Rng,
    pub(super) next: usize,
    pub(super) fork: usize,
}

/// Where an execution of a node stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Inside<'a> {
    /// Its container, if any, and the round.
    pub container: Option<(&'a GraphNode, u64)>,
}

impl Writer<'_> {
    fn run(&mut self) {
        let run = self.run;
        if run.version == DifyVersion::V1_14 {
            self.events.ping();
        }
        self.workflow_started();
        for (index, node) in run.graph.nodes.iter().enumerate() {
            match node.role {
                Role::Start | Role::Plain | Role::End | Role::Unfinished => self.node(index, node),
                Role::Iteration | Role::Loop => {
                    containers::write(self, node);
                    self.flush(index);
                }
            }
        }
        self.workflow_finished();
    }

    fn workflow_started(&mut self) {
        let run = self.run;
        self.events.open("workflow_started");
        self.events.word("id", &run.id);
        self.events.word("workflow_id", &run.workflow);
        self.events.inputs("inputs", run, Sys::With);
        self.events.value("created_at", &run.created_at);
        if run.version == DifyVersion::V1_14 {
            self.events.word("reason", "initial");
        }
        self.events.close();
    }

    fn workflow_finished(&mut self) {
        let graph = &self.run.graph;
        let ending = Ending {
            status: graph.status,
            outputs: &graph.reply.outputs,
            error: graph.error.as_deref(),
            tokens: graph.tokens,
        };
        finish_event(self.run, &mut self.events, &ending);
    }

    fn node(&mut self, index: usize, node: &GraphNode) {
        let id = new_id(&mut self.random);
        self.node_started(&id, node, Inside::default());
        if node.role == Role::Unfinished {
            self.live(node);
            return;
        }
        self.retries(&id, node, Inside::default());
        self.live(node);
        self.flush(index);
        self.node_finished(&id, node, Inside::default());
    }

    /// One execution of a container's child.
    pub(super) fn child(&mut self, node: &GraphNode, inside: Inside<'_>) {
        let id = new_id(&mut self.random);
        self.node_started(&id, node, inside);
        self.retries(&id, node, inside);
        self.node_finished(&id, node, inside);
    }
}
