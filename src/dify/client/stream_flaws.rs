//! What of a stream is not sure: events of another run, keys given twice, numbers that are rounded; pure.

use crate::base::json_path::{PathStep, show_place};
use crate::dify::client::stream_record::{RunIdRule, StreamRecord};
use crate::dify::transcript::{Flaw, FlawKind};
use crate::dify::wire::event::{EventKind, StreamEvent};

impl StreamRecord {
    /// Keeps what of an event is not known with what it is about.
    pub(super) fn note_flaws(&mut self, event: &StreamEvent<'_>, flaws: Vec<Flaw>) {
        let number = self.transcript.events.len() + 1;
        for flaw in flaws {
            match (event.kind, flaw.in_data()) {
                (EventKind::TextChunk | EventKind::TextReplace, _) => {
                    self.doubt_text(format!("event {number} gives `{}` twice", show_place(&flaw.place)));
                }
                (
                    EventKind::NodeFinished | EventKind::IterationCompleted | EventKind::LoopCompleted,
                    Some(place),
                ) => {
                    let flaw = Flaw { event: None, place: place.to_vec(), kind: flaw.kind.clone() };
                    self.nodes.doubt(event.data(), flaw);
                }
                _ => {}
            }
            self.transcript.answer.flaws.push(flaw);
        }
    }

    /// What was streamed may not be what a client shows at the end; the first reason counts.
    pub(super) fn doubt_text(&mut self, why: String) {
        self.transcript.answer.text_doubt.get_or_insert(why);
    }

    /// Which id of an event is not that of its stream.
    pub(super) fn foreign_id(&self, event: &StreamEvent<'_>) -> Option<String> {
        let number = self.transcript.events.len() + 1;
        let is_of_run = matches!(
            event.kind,
            EventKind::WorkflowStarted | EventKind::WorkflowFinished | EventKind::WorkflowPaused
        );
        let transcript = &self.transcript;
        let own_task = transcript.answer.ids.task.as_deref().filter(|_| self.ids == RunIdRule::Checked);
        [
            ("run", transcript.answer.ids.run.as_deref(), event.run_id()),
            (
                "run",
                event.run_id().or(transcript.answer.ids.run.as_deref()),
                event.text("id").filter(|_| is_of_run),
            ),
            ("task", own_task, event.task_id()),
            ("version", transcript.answer.ids.workflow.as_deref(), event.text("workflow_id")),
            ("message", transcript.answer.ids.message.as_deref(), event.message_id()),
            ("conversation", transcript.answer.ids.conversation.as_deref(), event.conversation_id()),
        ]
        .into_iter()
        .find_map(|(what, own, told)| match (own.unwrap_or_default(), told.unwrap_or_default()) {
            (own, told) if own == told || own.is_empty() || told.is_empty() => None,
            (own, told) => Some(format!(
                "event {number} is of the {what} {told}, and the stream is that of the {what} {own}"
            )),
        })
    }
}

/// True for a key by which events are distinguished and joined: where it is given twice, nothing else is sure.
pub(super) fn decides(kind: EventKind, flaw: &Flaw) -> bool {
    const OF_RUN: [&str; 3] = ["id", "workflow_id", "status"];
    const OF_NODE: [&str; 7] = ["id", "node_id", "node_type", "title", "index", "iteration_id", "loop_id"];
    let keys: &[&str] = match kind {
        EventKind::WorkflowStarted | EventKind::WorkflowFinished | EventKind::WorkflowPaused => &OF_RUN,
        EventKind::NodeStarted | EventKind::NodeFinished | EventKind::NodeRetry => &OF_NODE,
        EventKind::IterationStarted | EventKind::IterationNext | EventKind::IterationCompleted => &OF_NODE,
        EventKind::LoopStarted | EventKind::LoopNext | EventKind::LoopCompleted => &OF_NODE,
        EventKind::TextChunk
        | EventKind::TextReplace
        | EventKind::HumanInputRequired
        | EventKind::Message
        | EventKind::AgentMessage
        | EventKind::AgentThought
        | EventKind::MessageReplace
        | EventKind::MessageEnd
        | EventKind::Error
        | EventKind::Other => &[],
    };
    match flaw.place.as_slice() {
        _ if flaw.kind != FlawKind::Repeated => false,
        [PathStep::Name(_)] => true,
        [_, PathStep::Name(key)] => keys.contains(&key.as_str()),
        _ => false,
    }
}
