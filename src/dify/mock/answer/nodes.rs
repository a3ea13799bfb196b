//! The events of a node: started, retried, finished.

use serde_json::{Map, Value};

use super::graph::{GraphNode, NodeRole, ScriptedRound};
use super::model;
use super::sources::has_defaults;
use super::stream::{ExecutionPlace, StreamWriter};
use super::text::is_file;
use super::{DifyVersion, SystemInputs};
use crate::dify::mock::reply::NodeStatus;

impl StreamWriter<'_> {
    pub(super) fn node_started(&mut self, id: &str, node: &GraphNode, inside: ExecutionPlace<'_>) {
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

    fn container_ids(&mut self, inside: ExecutionPlace<'_>) {
        for (key, role) in [("iteration_id", NodeRole::Iteration), ("loop_id", NodeRole::Loop)] {
            match inside.container.filter(|(container, _)| container.role == role) {
                Some((container, _)) => self.events.value(key, &container.id),
                None => self.events.raw(key, "null"),
            }
        }
    }

    pub(super) fn retries(&mut self, id: &str, node: &GraphNode, inside: ExecutionPlace<'_>) {
        let round = node.round(inside.container.map_or(0, |(_, index)| index));
        for attempt in 1..=node.retries {
            self.events.open("node_retry");
            self.node_head(id, node);
            self.events.value("inputs", &round.inputs);
            self.events.raw("inputs_truncated", "false");
            self.events.value("process_data", &round.process_data);
            self.events.raws(&[
                ("process_data_truncated", "false"),
                ("outputs", "{}"),
                ("outputs_truncated", "false"),
            ]);
            self.events.word("status", "retry");
            self.events.value("error", round.error.as_deref().unwrap_or("the mock's script says so"));
            self.node_tail(round, &Value::Null, &Map::new());
            self.container_ids(inside);
            self.events.value("retry_index", &attempt);
            self.events.close();
        }
    }

    pub(super) fn node_finished(&mut self, id: &str, node: &GraphNode, inside: ExecutionPlace<'_>) {
        let index = inside.container.map_or(0, |(_, index)| index);
        let round = node.round(index);
        self.events.open("node_finished");
        self.node_head(id, node);
        self.node_inputs(node, round);
        self.events.raw("inputs_truncated", "false");
        self.events.value("process_data", &round.process_data);
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
            NodeRole::Start => &*run.inputs,
            NodeRole::End if round.outputs.is_empty() => &run.graph.reply.outputs,
            NodeRole::Plain | NodeRole::End | NodeRole::Iteration | NodeRole::Loop | NodeRole::Unfinished => {
                &round.outputs
            }
        };
        self.node_tail(round, &metadata(node, round, inside), outputs);
        self.container_ids(inside);
        self.events.close();
    }

    fn node_inputs(&mut self, node: &GraphNode, round: &ScriptedRound) {
        let sys = match self.run.version {
            DifyVersion::V1_12 => SystemInputs::WithTimestamp,
            DifyVersion::V1_14 => SystemInputs::Without,
        };
        match node.role {
            NodeRole::Start => self.events.inputs("inputs", self.run, sys),
            NodeRole::End if round.inputs.is_empty() => {
                self.events.value("inputs", &self.run.graph.reply.outputs)
            }
            NodeRole::Plain
                if node.kind == "llm"
                    && round.inputs.is_empty()
                    && self.run.version == DifyVersion::V1_14 =>
            {
                self.events
                    .raw("inputs", "{\"model_provider\":\"flowproof/mock/mock\",\"model_name\":\"mock\"}");
            }
            NodeRole::Plain | NodeRole::End | NodeRole::Iteration | NodeRole::Loop | NodeRole::Unfinished => {
                self.events.value("inputs", &round.inputs)
            }
        }
    }

    fn node_outputs(&mut self, node: &GraphNode, round: &ScriptedRound) {
        match node.role {
            NodeRole::Start => self.events.inputs(
                "outputs",
                self.run,
                match self.run.version {
                    DifyVersion::V1_12 => SystemInputs::WithTimestamp,
                    DifyVersion::V1_14 => SystemInputs::Without,
                },
            ),
            NodeRole::End if round.outputs.is_empty() => {
                self.events.value("outputs", &self.run.graph.reply.outputs)
            }
            NodeRole::Plain | NodeRole::End | NodeRole::Iteration | NodeRole::Loop | NodeRole::Unfinished => {
                match round.status {
                    NodeStatus::Succeeded | NodeStatus::Exception => {
                        self.events.value("outputs", &round.outputs)
                    }
                    NodeStatus::Failed => self.events.raw("outputs", "{}"),
                }
            }
        }
    }

    fn node_tail(&mut self, round: &ScriptedRound, metadata: &Value, outputs: &Map<String, Value>) {
        self.events.value("elapsed_time", &round.elapsed);
        self.events.value("execution_metadata", metadata);
        self.events.value("created_at", &self.run.created_at);
        self.events.value("finished_at", &(self.run.created_at + round.elapsed as i64));
        self.events.value("files", &files_in(outputs));
    }
}

/// The files among outputs, those in lists included.
pub(super) fn files_in(outputs: &Map<String, Value>) -> Vec<&Value> {
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

/// `execution_metadata`: usage, error strategy, tool and place in a container, or null.
fn metadata(node: &GraphNode, round: &ScriptedRound, inside: ExecutionPlace<'_>) -> Value {
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
        let kind = if container.role == NodeRole::Loop { "loop" } else { "iteration" };
        data.insert(format!("{kind}_id"), Value::from(container.id.as_str()));
        data.insert(format!("{kind}_index"), Value::from(index));
    }
    if data.is_empty() { Value::Null } else { Value::Object(data) }
}
