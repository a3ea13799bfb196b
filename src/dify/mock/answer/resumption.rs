//! What a run sends once a form of it is answered.
//!
//! Dify runs the waiting nodes again after every answer. Those that are answered finish, the others ask again, and the run
//! pauses once more for them. A node that begins again keeps its execution's id and counts as another step.

use std::sync::atomic::Ordering;

use serde_json::{Map, Value};

use super::events::MockEvents;
use super::graph::GraphForm;
use super::graph_node::{GraphNode, ScriptedRound};
use super::pauses::{PendingForm, execution_id};
use super::run::MockRun;
use super::stream_writer::StreamWriter;

/// The answer to a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The action's id.
    pub action: String,
    /// Every field.
    pub inputs: Map<String, Value>,
}

/// A pause of which a form was answered.
#[derive(Debug, Clone, Copy)]
pub struct AnsweredPause<'s> {
    /// Which pause it waits in, from 0.
    pub pause: usize,
    /// The form that was answered, by its place in the pause.
    pub form: usize,
    /// What was sent.
    pub submission: &'s Submission,
    /// The forms that still wait, by their places in the pause.
    pub waiting: &'s [usize],
}

/// The events that follow an answer, to the next pause or the end.
pub fn write_answered(run: &MockRun, answered: AnsweredPause<'_>) -> MockEvents {
    let AnsweredPause { pause, form, submission, waiting } = answered;
    let group = &run.graph.pauses[pause];
    let mut again: Vec<usize> = waiting.to_vec();
    again.push(form);
    again.sort_unstable();
    let restarts = run.restarts.fetch_add(again.len() as u64, Ordering::Relaxed);
    let mut writer = StreamWriter::new(run, run.seed ^ (restarts + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    writer.workflow_started("resumption");
    for place in &again {
        writer.asking_started(&run.graph.nodes[group[*place].node]);
    }
    writer.answered(&group[form], submission);
    if waiting.is_empty() {
        let last = group.iter().map(|form| form.node).max().unwrap_or_default();
        writer.nodes_from(last + 1, pause + 1);
    } else {
        writer.paused(&waiting.iter().map(|place| &group[*place]).collect::<Vec<_>>());
    }
    writer.events
}

impl StreamWriter<'_> {
    /// Writes the end of a node that was answered, with the submitted fields as its outputs.
    fn answered(&mut self, asked: &GraphForm, submission: &Submission) {
        let form = PendingForm::of(self.run, asked);
        let rendered = rendered_content(&form, submission);
        let action = form.form.actions.iter().find(|action| action.id == submission.action);
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
        self.flush(asked.node);
        self.node_finished(&execution_id(self.run, form.node), &node, None);
    }
}

/// The text of a form with the submitted fields.
fn rendered_content(form: &PendingForm<'_>, submission: &Submission) -> String {
    submission.inputs.iter().fold(form.form.content.clone(), |content, (name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        content.replace(&format!("{{{{#$output.{name}#}}}}"), &text)
    })
}
