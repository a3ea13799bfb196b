//! The events of a node: started, retried, finished.

use serde_json::{Map, Value};

use super::file_object::files_in;
use super::graph_node::{GraphNode, NodeRole, ScriptedRound};
use super::ids::new_id;
use super::model;
use super::run::SystemInputs;
use super::sources::has_defaults;
use super::stream_writer::{ContainerRound, StreamWriter};
use crate::dify::mock::reply::node::NodeStatus;
use crate::dify::mock::version::DifyVersion;

impl StreamWriter<'_> {
    /// Writes one execution of a container's child.
    pub(super) fn child(&mut self, node: &GraphNode, inside: ContainerRound<'_>) {
        let id = new_id(&mut self.random);
        self.node_started(&id, node, Some(inside));
        self.retries(&id, node, Some(inside));
        self.node_finished(&id, node, Some(inside));
    }

    /// Writes the start of an execution.
    pub(super) fn node_started(&mut self, id: &str, node: &GraphNode, inside: Option<ContainerRound<'_>>) {
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

    fn container_ids(&mut self, inside: Option<ContainerRound<'_>>) {
        for (key, role) in [("iteration_id", NodeRole::Iteration), ("loop_id", NodeRole::Loop)] {
            match inside.filter(|inside| inside.container.role == role) {
                Some(inside) => self.events.value(key, &inside.container.id),
                None => self.events.raw(key, "null"),
            }
        }
    }

    /// Writes the failed attempts of an execution.
    pub(super) fn retries(&mut self, id: &str, node: &GraphNode, inside: Option<ContainerRound<'_>>) {
        let round = node.round(inside.map_or(0, |inside| inside.index));
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

    /// Writes the end of an execution.
    pub(super) fn node_finished(&mut self, id: &str, node: &GraphNode, inside: Option<ContainerRound<'_>>) {
        let index = inside.map_or(0, |inside| inside.index);
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

/// `execution_metadata`: usage, error strategy, tool and round of a container, or null.
fn metadata(node: &GraphNode, round: &ScriptedRound, inside: Option<ContainerRound<'_>>) -> Value {
    let mut data = Map::new();
    let has_usage = node.kind == "llm" || round.tokens > 0 || node.price.is_some();
    match round.status {
        NodeStatus::Succeeded if has_usage => {
            let model::PriceText { amount: price, currency } = model::price_text(node.price.as_ref());
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
    if let Some(ContainerRound { container, index }) = inside {
        let kind = if container.role == NodeRole::Loop { "loop" } else { "iteration" };
        data.insert(format!("{kind}_id"), Value::from(container.id.as_str()));
        data.insert(format!("{kind}_index"), Value::from(index));
    }
    if data.is_empty() { Value::Null } else { Value::Object(data) }
}
