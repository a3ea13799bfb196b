//! Pauses: what a run sends when it waits for people, and what follows each answer.
//!
//! Dify runs the waiting nodes again after every answer. Those that were answered finish, the others ask again, and the run
//! pauses once more for them. A node begun again keeps its execution's id and counts as another step.

use std::sync::atomic::Ordering;

use serde_json::{Map, Value, json};

use super::events::MockEvents;
use super::graph::{GraphNode, ScriptedRound};
use super::stream::{ExecutionPlace, StreamWriter};
use super::{MockRun, id_of};
use crate::dify::mock::reply::pause::{Delivery, Pause};

/// A form of a run as it is known outside of it.
#[derive(Debug, Clone, Copy)]
pub struct PendingForm<'r> {
    /// The run.
    pub run: &'r MockRun,
    /// The node that asks.
    pub node: &'r GraphNode,
    /// What it asks.
    pub pause: &'r Pause,
}

/// What a person sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The action's id.
    pub action: String,
    /// Every field.
    pub inputs: Map<String, Value>,
}

/// Where a run stands between two pauses.
#[derive(Debug, Clone, Copy)]
pub struct PauseProgress<'s> {
    /// Which pause it waits in, from 0.
    pub pause: usize,
    /// The form that was answered, by its place in the pause.
    pub form: usize,
    /// What was sent.
    pub submission: &'s Submission,
    /// The forms that still wait, by their places in the pause.
    pub waiting: &'s [usize],
}

impl<'r> PendingForm<'r> {
    /// A form by its pause and its place there.
    pub fn find(run: &'r MockRun, pause: usize, form: usize) -> Option<Self> {
        let (index, pause) = run.graph.pauses.get(pause)?.get(form)?;
        Some(Self { run, node: &run.graph.nodes[*index], pause })
    }

    /// `form_id`.
    pub fn id(&self) -> String {
        id_of("form", &format!("{}\n{}", self.run.id, self.node.id))
    }

    /// `form_token`: none where the form goes out by e-mail.
    pub fn token(&self) -> Option<String> {
        let token = id_of("token", &format!("{}\n{}\n{}", self.run.id, self.node.id, self.run.seed));
        match self.pause.delivery {
            Delivery::WebApp => Some(token.replace('-', "").chars().take(22).collect()),
            Delivery::Email => None,
        }
    }

    /// Until when it can be answered, in Unix seconds.
    pub fn expires_at(&self) -> i64 {
        self.run.created_at.saturating_add(i64::try_from(self.pause.expires.as_secs()).unwrap_or(i64::MAX))
    }

    /// The buttons.
    pub fn actions(&self) -> Value {
        let style = |index| if index == 0 { "primary" } else { "default" };
        let shown = self.pause.actions.iter().enumerate().map(
            |(index, action)| json!({ "id": action.id, "title": action.title, "button_style": style(index) }),
        );
        shown.collect()
    }

    /// The fields.
    pub fn inputs(&self) -> Value {
        self.pause.fields.iter().flatten().map(|field| field.shown()).collect()
    }

    /// The answer to `GET /form/human_input/{token}`.
    pub fn shown(&self) -> Value {
        json!({
            "form_content": self.pause.content, "inputs": self.inputs(), "resolved_default_values": {},
            "user_actions": self.actions(), "expiration_time": self.expires_at(),
        })
    }

    /// An entry of `reasons`.
    fn reason(&self) -> Value {
        json!({
            "TYPE": "human_input_required", "form_id": self.id(), "form_content": self.pause.content, "inputs": self.inputs(),
            "actions": self.actions(), "node_id": self.node.id, "node_title": self.node.title, "resolved_default_values": {},
            "form_token": self.token(), "expiration_time": self.expires_at(),
        })
    }

    fn execution(&self) -> String {
        id_of("execution", &format!("{}\n{}", self.run.id, self.node.id))
    }

    /// The text with what was filled in.
    fn rendered(&self, submission: &Submission) -> String {
        submission.inputs.iter().fold(self.pause.content.clone(), |content, (name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            content.replace(&format!("{{{{#$output.{name}#}}}}"), &text)
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

/// How a run stands in a pause; none where it has no such pause.
pub fn waiting(run: &MockRun, forms: &[&(usize, Pause)]) -> WaitingRun {
    let last = forms.iter().map(|(index, _)| *index).max().unwrap_or_default();
    let begun = &run.graph.nodes[..=last];
    let form = |(index, pause): &&(usize, Pause)| {
        let node = &run.graph.nodes[*index];
        let (index, pause) = (*index, pause.clone());
        (index, node.id.clone(), PendingForm { run, node, pause: &pause }.reason())
    };
    let forms: Vec<_> = forms.iter().map(form).collect();
    let done = begun.iter().enumerate().filter(|(index, _)| forms.iter().all(|(asks, ..)| asks != index));
    let steps: u64 = begun.iter().map(|node| 1 + node.retries).sum();
    WaitingRun {
        nodes: forms.iter().map(|(_, id, _)| id.as_str()).collect(),
        steps: steps + run.restarts.load(Ordering::Relaxed),
        tokens: done.clone().map(|(_, node)| node.total_tokens()).sum(),
        elapsed: done.map(|(_, node)| node.elapsed).sum(),
        reasons: forms.into_iter().map(|(_, _, reason)| reason).collect(),
    }
}

/// The events that follow an answer, to the next pause or the end.
pub fn write_answered(run: &MockRun, answered: PauseProgress<'_>) -> MockEvents {
    let PauseProgress { pause, form, submission, waiting } = answered;
    let group = &run.graph.pauses[pause];
    let mut again: Vec<usize> = waiting.to_vec();
    again.push(form);
    again.sort_unstable();
    let restarts = run.restarts.fetch_add(again.len() as u64, Ordering::Relaxed);
    let mut writer = StreamWriter::new(run, run.seed ^ (restarts + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    writer.workflow_started("resumption");
    for place in &again {
        writer.asking_started(&run.graph.nodes[group[*place].0]);
    }
    writer.answered(
        group[form].0,
        PendingForm { run, node: &run.graph.nodes[group[form].0], pause: &group[form].1 },
        submission,
    );
    if waiting.is_empty() {
        let last = group.iter().map(|(index, _)| *index).max().unwrap_or_default();
        writer.nodes_from(last + 1, pause + 1);
    } else {
        writer.paused(&waiting.iter().map(|place| &group[*place]).collect::<Vec<_>>());
    }
    writer.events
}

impl StreamWriter<'_> {
    /// A node begins to ask, or asks again.
    pub(super) fn asking_started(&mut self, node: &GraphNode) {
        let id = id_of("execution", &format!("{}\n{}", self.run.id, node.id));
        self.node_started(&id, node, ExecutionPlace::default());
    }

    /// The forms that wait, and the pause.
    pub(super) fn paused(&mut self, forms: &[&(usize, Pause)]) {
        let run = self.run;
        let waiting = waiting(run, forms);
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

    /// A node that was answered finishes with what was filled in.
    fn answered(&mut self, index: usize, form: PendingForm<'_>, submission: &Submission) {
        let rendered = form.rendered(submission);
        let action = form.pause.actions.iter().find(|action| action.id == submission.action);
        self.events.open("human_input_form_filled");
        self.events.value("node_id", &form.node.id);
        self.events.value("node_title", &form.node.title);
        self.events.value("rendered_content", &rendered);
        self.events.value("action_id", &submission.action);
        self.events.value("action_text", action.map_or("", |action| action.title.as_str()));
        self.events.close();
        let scripted = form.node.round(0);
        let mut outputs = submission.inputs.clone();
        outputs.insert("__action_id".to_owned(), Value::from(submission.action.as_str()));
        outputs.insert("__rendered_content".to_owned(), Value::from(rendered));
        outputs.extend(scripted.outputs.clone());
        let node =
            GraphNode { rounds: vec![ScriptedRound { outputs, ..scripted.clone() }], ..form.node.clone() };
        self.flush(index);
        self.node_finished(&form.execution(), &node, ExecutionPlace::default());
    }
}
