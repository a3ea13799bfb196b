//! What a run sends when it waits for people.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::graph::GraphForm;
use super::graph_node::GraphNode;
use super::ids::id_of;
use super::run::MockRun;
use super::stream_writer::StreamWriter;
use crate::dify::mock::reply::pause::{Delivery, ScriptedForm};

/// A form of a run as clients see it.
#[derive(Debug, Clone, Copy)]
pub struct PendingForm<'r> {
    /// The run.
    pub run: &'r MockRun,
    /// The node that asks.
    pub node: &'r GraphNode,
    /// What it asks.
    pub form: &'r ScriptedForm,
}

impl<'r> PendingForm<'r> {
    /// A form by its pause and its place in it.
    pub fn find(run: &'r MockRun, pause: usize, form: usize) -> Option<Self> {
        Some(Self::of(run, run.graph.pauses.get(pause)?.get(form)?))
    }

    /// A form of the run's graph.
    pub fn of(run: &'r MockRun, form: &'r GraphForm) -> Self {
        Self { run, node: &run.graph.nodes[form.node], form: &form.form }
    }

    /// `form_id`.
    pub fn id(&self) -> String {
        id_of("form", &format!("{}\n{}", self.run.id, self.node.id))
    }

    /// `form_token`: `None` where the form is sent by e-mail.
    pub fn token(&self) -> Option<String> {
        let token = id_of("token", &format!("{}\n{}\n{}", self.run.id, self.node.id, self.run.seed));
        match self.form.delivery {
            Delivery::WebApp => Some(token.replace('-', "").chars().take(22).collect()),
            Delivery::Email => None,
        }
    }

    /// Until when it can be answered, in Unix seconds.
    pub fn expires_at(&self) -> i64 {
        self.run.created_at.saturating_add(i64::try_from(self.form.expires.as_secs()).unwrap_or(i64::MAX))
    }

    /// The buttons.
    pub fn actions(&self) -> Value {
        let style = |index| if index == 0 { "primary" } else { "default" };
        let shown = self.form.actions.iter().enumerate().map(
            |(index, action)| json!({ "id": action.id, "title": action.title, "button_style": style(index) }),
        );
        shown.collect()
    }

    /// The fields.
    pub fn inputs(&self) -> Value {
        self.form.fields.iter().flatten().map(|field| field.shown()).collect()
    }

    /// The answer to `GET /form/human_input/{token}`.
    pub fn shown(&self) -> Value {
        json!({
            "form_content": self.form.content, "inputs": self.inputs(), "resolved_default_values": {},
            "user_actions": self.actions(), "expiration_time": self.expires_at(),
        })
    }

    /// An entry of `reasons`.
    fn reason(&self) -> Value {
        json!({
            "TYPE": "human_input_required", "form_id": self.id(), "form_content": self.form.content, "inputs": self.inputs(),
            "actions": self.actions(), "node_id": self.node.id, "node_title": self.node.title, "resolved_default_values": {},
            "form_token": self.token(), "expiration_time": self.expires_at(),
        })
    }
}

/// The `reasons`, `paused_nodes` and totals of a run that waits.
pub struct WaitingRun {
    /// The nodes that ask.
    pub nodes: Value,
    /// Why it waits: each form.
    pub reasons: Value,
    /// Steps so far.
    pub steps: u64,
    /// Tokens so far.
    pub tokens: u64,
    /// Running time so far, in seconds.
    pub elapsed: f64,
}

/// A run that waits for these forms.
pub fn waiting_run(run: &MockRun, forms: &[&GraphForm]) -> WaitingRun {
    let last = forms.iter().map(|form| form.node).max().unwrap_or_default();
    let started = &run.graph.nodes[..=last];
    let asks = |index: usize| forms.iter().any(|form| form.node == index);
    let done = started.iter().enumerate().filter(|(index, _)| !asks(*index)).map(|(_, node)| node);
    let pending = || forms.iter().map(|form| PendingForm::of(run, form));
    let steps: u64 = started.iter().map(|node| 1 + node.retries).sum();
    WaitingRun {
        nodes: pending().map(|form| form.node.id.as_str()).collect(),
        reasons: pending().map(|form| form.reason()).collect(),
        steps: steps + run.restarts.load(Ordering::Relaxed),
        tokens: done.clone().map(GraphNode::total_tokens).sum(),
        elapsed: done.map(|node| node.elapsed).sum(),
    }
}

/// The id of a node's execution, the same whenever it asks again.
pub(super) fn execution_id(run: &MockRun, node: &GraphNode) -> String {
    id_of("execution", &format!("{}\n{}", run.id, node.id))
}

impl StreamWriter<'_> {
    /// Writes the start of a node that asks, for the first time or again.
    pub(super) fn asking_started(&mut self, node: &GraphNode) {
        let id = execution_id(self.run, node);
        self.node_started(&id, node, None);
    }

    /// Writes the forms that wait, and the pause.
    pub(super) fn paused(&mut self, forms: &[&GraphForm]) {
        let run = self.run;
        let waiting = waiting_run(run, forms);
        for reason in waiting.reasons.as_array().into_iter().flatten() {
            self.events.open("human_input_required");
            for key in ["form_id", "node_id", "node_title", "form_content", "inputs", "actions"] {
                self.events.value(key, &reason[key]);
            }
            self.events.raw("display_in_ui", "true");
            for key in ["form_token", "resolved_default_values", "expiration_time"] {
                self.events.value(key, &reason[key]);
            }
            self.events.close();
        }
        self.events.open("workflow_paused");
        self.events.word("workflow_run_id", &run.id);
        self.events.value("paused_nodes", &waiting.nodes);
        self.events.raw("outputs", "{}");
        self.events.value("reasons", &waiting.reasons);
        self.events.word("status", "paused");
        self.events.value("created_at", &run.created_at);
        self.events.value("elapsed_time", &waiting.elapsed);
        self.events.value("total_tokens", &waiting.tokens);
        self.events.value("total_steps", &waiting.steps);
        self.events.close();
    }
}
