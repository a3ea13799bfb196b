//! The events of a run in the order Dify sends them.

use fastrand::Rng;
use serde_json::{Map, Value};

use super::containers;
use super::events::Events;
use super::graph::{GraphNode, Role, Round};
use super::model;
use super::sources::{Segment, Source, has_defaults};
use super::text::{is_file, shown};
use super::{DifyVersion, Run, Sys, new_id};
use crate::mock::reply::{NodeStatus, RunStatus};

/// Writes all events of a run.
pub fn write_stream(run: &Run) -> Events {
    let mut writer = Writer { run, events: Events::new(run), random: Rng::with_seed(run.seed), next: 0, fork: run.graph.last_fork() };
    writer.run();
    writer.events
}

/// The terminal event of a run that was stopped while it ran.
pub fn stopped_event(run: &Run) -> Vec<u8> {
    let ending = Ending { status: RunStatus::Stopped, outputs: &Map::new(), error: Some("Stopped by user."), tokens: 0 };
    let mut events = Events::new(run);
    finish_event(run, &mut events, &ending);
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
    events.value("created_by", &user.into_iter().map(|(key, text)| (key.to_owned(), Value::from(text))).collect::<Map<_, _>>());
    events.value("created_at", &run.created_at);
    events.value("finished_at", &run.finished_at());
    events.value("exceptions_count", &run.graph.exceptions);
    events.value("files", &files_in(ending.outputs));
    events.close();
}

/// The files among outputs, those in lists included.
fn files_in(outputs: &Map<String, Value>) -> Vec<&Value> {
    let mut files = Vec::new();
    for value in outputs.values() {
        match value {
            Value::Array(items) => files.extend(items.iter().filter(|item| is_file(item))),
            value if is_file(value) => files.push(value),
            _ => {}
        }
    }
    files
}

/// What is known while a run is written.
pub(super) struct Writer<'a> {
    pub(super) run: &'a Run,
    pub(super) events: Events,
    random: Rng,
    next: usize,
    fork: usize,
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
        let ending = Ending { status: graph.status, outputs: &graph.reply.outputs, error: graph.error.as_deref(), tokens: graph.tokens };
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

    /// Text that a script streams although the end does not show it.
    fn live(&mut self, node: &GraphNode) {
        if node.is_live {
            for chunk in &node.stream {
                self.events.chunk(chunk, [&node.id, "text"]);
            }
        }
    }

    fn node_started(&mut self, id: &str, node: &GraphNode, inside: Inside<'_>) {
        self.events.open("node_started");
        self.node_head(id, node);
        self.events.raws(&[("inputs", "null"), ("inputs_truncated", "false")]);
        self.events.value("created_at", &self.run.created_at);
        if node.kind == "tool" {
            self.events.raw("extras", "{\"icon\":\"\"}");
        } else {
            self.events.raw("extras", "{}");
        }
        self.container_ids(inside);
        self.events.raw("agent_strategy", "null");
        self.events.close();
    }

    fn node_head(&mut self, id: &str, node: &GraphNode) {
        self.events.word("id", id);
        self.events.value("node_id", &node.id);
        self.events.value("node_type", &node.kind);
        self.events.value("title", &node.title);
        self.events.raws(&[("index", "1"), ("predecessor_node_id", "null")]);
    }

    fn container_ids(&mut self, inside: Inside<'_>) {
        for (key, role) in [("iteration_id", Role::Iteration), ("loop_id", Role::Loop)] {
            match inside.container.filter(|(container, _)| container.role == role) {
                Some((container, _)) => self.events.value(key, &container.id),
                None => self.events.raw(key, "null"),
            }
        }
    }

    fn retries(&mut self, id: &str, node: &GraphNode, inside: Inside<'_>) {
        let round = node.round(inside.container.map_or(0, |(_, index)| index));
        for attempt in 1..=node.retries {
            self.events.open("node_retry");
            self.node_head(id, node);
            self.events.value("inputs", &round.inputs);
            self.events.raws(&[("inputs_truncated", "false"), ("process_data", "{}"), ("process_data_truncated", "false")]);
            self.events.raws(&[("outputs", "{}"), ("outputs_truncated", "false")]);
            self.events.word("status", "retry");
            self.events.value("error", round.error.as_deref().unwrap_or("the mock's script says so"));
            self.node_tail(node, &Value::Null, &Map::new());
            self.container_ids(inside);
            self.events.value("retry_index", &attempt);
            self.events.close();
        }
    }

    fn node_finished(&mut self, id: &str, node: &GraphNode, inside: Inside<'_>) {
        let index = inside.container.map_or(0, |(_, index)| index);
        let round = node.round(index);
        self.events.open("node_finished");
        self.node_head(id, node);
        self.node_inputs(node, round);
        let has_model_data = node.kind == "llm" && round.status == NodeStatus::Succeeded;
        let process_data = if has_model_data { model::process_data(node, index as usize) } else { Map::new() };
        self.events.raw("inputs_truncated", "false");
        self.events.value("process_data", &process_data);
        self.events.raw("process_data_truncated", "false");
        self.node_outputs(node, round);
        self.events.raw("outputs_truncated", "false");
        self.events.word("status", round.status.word());
        match round.status {
            NodeStatus::Succeeded => self.events.raw("error", "null"),
            NodeStatus::Failed => self.events.value("error", &round.error),
            NodeStatus::Exception => self.events.word("error", "Unknown error"),
        }
        let run = self.run;
        let outputs = match node.role {
            Role::Start => &*run.inputs,
            Role::End if round.outputs.is_empty() => &run.graph.reply.outputs,
            Role::Plain | Role::End | Role::Iteration | Role::Loop | Role::Unfinished => &round.outputs,
        };
        self.node_tail(node, &metadata(node, round, inside), outputs);
        self.container_ids(inside);
        self.events.close();
    }

    fn node_inputs(&mut self, node: &GraphNode, round: &Round) {
        let sys = match self.run.version {
            DifyVersion::V1_12 => Sys::WithTimestamp,
            DifyVersion::V1_14 => Sys::Without,
        };
        match node.role {
            Role::Start => self.events.inputs("inputs", self.run, sys),
            Role::End if round.inputs.is_empty() => self.events.value("inputs", &self.run.graph.reply.outputs),
            Role::Plain if node.kind == "llm" && round.inputs.is_empty() && self.run.version == DifyVersion::V1_14 => {
                self.events.raw("inputs", "{\"model_provider\":\"flowproof/mock/mock\",\"model_name\":\"mock\"}");
            }
            Role::Plain | Role::End | Role::Iteration | Role::Loop | Role::Unfinished => self.events.value("inputs", &round.inputs),
        }
    }

    fn node_outputs(&mut self, node: &GraphNode, round: &Round) {
        match node.role {
            Role::Start => self.events.inputs("outputs", self.run, match self.run.version {
                DifyVersion::V1_12 => Sys::WithTimestamp,
                DifyVersion::V1_14 => Sys::Without,
            }),
            Role::End if round.outputs.is_empty() => self.events.value("outputs", &self.run.graph.reply.outputs),
            Role::Plain | Role::End | Role::Iteration | Role::Loop | Role::Unfinished => match round.status {
                NodeStatus::Succeeded | NodeStatus::Exception => self.events.value("outputs", &round.outputs),
                NodeStatus::Failed => self.events.raw("outputs", "{}"),
            },
        }
    }

    fn node_tail(&mut self, node: &GraphNode, metadata: &Value, outputs: &Map<String, Value>) {
        self.events.value("elapsed_time", &node.elapsed);
        self.events.value("execution_metadata", metadata);
        self.events.value("created_at", &self.run.created_at);
        self.events.value("finished_at", &(self.run.created_at + node.elapsed as i64));
        self.events.value("files", &files_in(outputs));
    }

    /// Streams the variables whose turn it is, now that this node has run.
    fn flush(&mut self, index: usize) {
        let run = self.run;
        let graph = &run.graph;
        let is_end = graph.nodes[index].role == Role::End;
        if index < self.fork {
            return;
        }
        while let Some(segment) = graph.segments.get(self.next) {
            let from = self.node_of(segment);
            let is_ready = match segment.source {
                Source::Default(..) => is_end,
                Source::Stream(_) | Source::Output(..) | Source::Open | Source::Nothing => from <= index,
            };
            if !is_ready {
                return;
            }
            self.segment(segment, from);
            self.next += 1;
            if self.next < graph.segments.len() {
                let end = graph.nodes.iter().find(|node| node.role == Role::End);
                self.events.chunk("\n", [end.map_or("end", |end| &end.id), "answer"]);
            }
        }
    }

    /// The node from which a variable comes.
    fn node_of(&self, segment: &Segment) -> usize {
        let graph = &self.run.graph;
        match &segment.source {
            Source::Stream(index) | Source::Output(index, _) | Source::Default(index, _) => *index,
            Source::Nothing => 0,
            Source::Open => match self.input_of(segment) {
                Some(_) => 0,
                None => graph.open_source(),
            },
        }
    }

    /// The input that has a variable's value, if any: of its own name, else the first.
    fn input_of(&self, segment: &Segment) -> Option<&str> {
        let value = self.run.graph.reply.outputs.get(&segment.name)?;
        let inputs = &self.run.inputs;
        if inputs.get(&segment.name) == Some(value) {
            return inputs.get_key_value(&segment.name).map(|(key, _)| key.as_str());
        }
        let is_it = |(_, input): &(&String, &Value)| *input == value && !value.is_boolean();
        inputs.iter().find(is_it).map(|(key, _)| key.as_str())
    }

    fn segment(&mut self, segment: &Segment, from: usize) {
        let run = self.run;
        let node = &run.graph.nodes[from];
        let value = run.graph.reply.outputs.get(&segment.name).unwrap_or(&Value::Null);
        match &segment.source {
            Source::Stream(_) => {
                let trailing = if node.is_model() { 2 } else { 1 };
                let chunks = node.stream.iter().map(String::as_str);
                for chunk in chunks.chain(std::iter::repeat_n("", trailing)) {
                    self.events.chunk(chunk, [&node.id, "text"]);
                }
            }
            Source::Output(_, key) | Source::Default(_, key) => self.events.chunk(&shown(value), [&node.id, key]),
            Source::Open => {
                let key = self.input_of(segment).unwrap_or(&segment.name).to_owned();
                self.events.chunk(&shown(value), [&node.id, &key]);
            }
            // A null input is streamed as an empty text, a variable without any source not at all.
            Source::Nothing => {
                if let Some(key) = self.input_of(segment).map(str::to_owned) {
                    self.events.chunk("", [&node.id, &key]);
                }
            }
        }
    }
}

/// `execution_metadata`: usage, error strategy, tool and place in a container, or null.
fn metadata(node: &GraphNode, round: &Round, inside: Inside<'_>) -> Value {
    let mut data = Map::new();
    let has_usage = node.kind == "llm" || round.tokens > 0 || node.price.is_some();
    match round.status {
        NodeStatus::Succeeded if has_usage => {
            let (price, currency) = model::price_text(node.price.as_ref());
            data.insert("total_tokens".to_owned(), Value::from(round.tokens));
            data.insert("total_price".to_owned(), Value::from(price));
            data.insert("currency".to_owned(), Value::from(currency));
        }
        NodeStatus::Succeeded | NodeStatus::Failed => {}
        NodeStatus::Exception => {
            let strategy = if has_defaults(node) { "default-value" } else { "fail-branch" };
            data.insert("error_strategy".to_owned(), Value::from(strategy));
        }
    }
    if node.kind == "tool" && round.status == NodeStatus::Succeeded {
        let info = serde_json::json!({"provider_type": "builtin", "provider_id": node.id, "plugin_unique_identifier": null});
        data.insert("tool_info".to_owned(), info);
    }
    if let Some((container, index)) = inside.container {
        let kind = if container.role == Role::Loop { "loop" } else { "iteration" };
        data.insert(format!("{kind}_id"), Value::from(container.id.as_str()));
        data.insert(format!("{kind}_index"), Value::from(index));
    }
    if data.is_empty() { Value::Null } else { Value::Object(data) }
}
