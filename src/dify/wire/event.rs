//! One event of a run's stream: its kind, and the JSON exactly as it came.

use crate::base::borrowed_json::BorrowedValue;
use crate::dify::wire::app_mode::AppMode;

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// `workflow_started`.
    WorkflowStarted,
    /// `workflow_finished`: the terminal event of a run.
    WorkflowFinished,
    /// `workflow_paused`: a run that waits for a person.
    WorkflowPaused,
    /// `node_started`.
    NodeStarted,
    /// `node_finished`.
    NodeFinished,
    /// `node_retry`.
    NodeRetry,
    /// `iteration_started`.
    IterationStarted,
    /// `iteration_next`.
    IterationNext,
    /// `iteration_completed`.
    IterationCompleted,
    /// `loop_started`.
    LoopStarted,
    /// `loop_next`.
    LoopNext,
    /// `loop_completed`.
    LoopCompleted,
    /// `text_chunk`.
    TextChunk,
    /// `text_replace`: other text takes the place of what was streamed.
    TextReplace,
    /// `human_input_required`.
    HumanInputRequired,
    /// `message`: a piece of a chat app's text.
    Message,
    /// `agent_message`: a piece of an agent's text.
    AgentMessage,
    /// `agent_thought`: a step of an agent, or more of one.
    AgentThought,
    /// `message_replace`: other text takes the place of a message's.
    MessageReplace,
    /// `message_end`: the end of a message.
    MessageEnd,
    /// `error`: the run ended without a result.
    Error,
    /// Any other event; kept as it is.
    Other,
}

impl EventKind {
    /// True for the events of which a message consists.
    pub fn is_of_message(self) -> bool {
        match self {
            Self::Message
            | Self::AgentMessage
            | Self::AgentThought
            | Self::MessageReplace
            | Self::MessageEnd => true,
            Self::WorkflowStarted | Self::WorkflowFinished | Self::WorkflowPaused => false,
            Self::NodeStarted | Self::NodeFinished | Self::NodeRetry => false,
            Self::IterationStarted | Self::IterationNext | Self::IterationCompleted => false,
            Self::LoopStarted | Self::LoopNext | Self::LoopCompleted => false,
            Self::TextChunk | Self::TextReplace | Self::HumanInputRequired | Self::Error | Self::Other => {
                false
            }
        }
    }
}

/// The kinds with a name of their own on the wire.
const NAMES: [(&str, EventKind); 21] = [
    ("workflow_started", EventKind::WorkflowStarted),
    ("workflow_finished", EventKind::WorkflowFinished),
    ("workflow_paused", EventKind::WorkflowPaused),
    ("node_started", EventKind::NodeStarted),
    ("node_finished", EventKind::NodeFinished),
    ("node_retry", EventKind::NodeRetry),
    ("iteration_started", EventKind::IterationStarted),
    ("iteration_next", EventKind::IterationNext),
    ("iteration_completed", EventKind::IterationCompleted),
    ("loop_started", EventKind::LoopStarted),
    ("loop_next", EventKind::LoopNext),
    ("loop_completed", EventKind::LoopCompleted),
    ("text_chunk", EventKind::TextChunk),
    ("text_replace", EventKind::TextReplace),
    ("human_input_required", EventKind::HumanInputRequired),
    ("message", EventKind::Message),
    ("agent_message", EventKind::AgentMessage),
    ("agent_thought", EventKind::AgentThought),
    ("message_replace", EventKind::MessageReplace),
    ("message_end", EventKind::MessageEnd),
    ("error", EventKind::Error),
];

/// A data event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamEvent<'a> {
    /// Its kind.
    pub kind: EventKind,
    /// The whole event as it came.
    pub json: BorrowedValue<'a>,
}

impl<'a> StreamEvent<'a> {
    /// Wraps a parsed `data:` object; its `event` key names the kind.
    pub fn from_json(json: BorrowedValue<'a>) -> Self {
        let name = json["event"].as_str().unwrap_or_default();
        let kind = NAMES.iter().find(|(known, _)| *known == name).map_or(EventKind::Other, |(_, kind)| *kind);
        Self { kind, json }
    }

    /// The same of an app of this mode: an event of a message says nothing in an app that sends none.
    pub fn of_app(json: BorrowedValue<'a>, app: &AppMode) -> Self {
        let event = Self::from_json(json);
        match event.kind.is_of_message() && !app.sends_messages() {
            true => Self { kind: EventKind::Other, ..event },
            false => event,
        }
    }

    /// The event's `data`, or null.
    pub fn data(&self) -> &BorrowedValue<'a> {
        &self.json["data"]
    }

    /// A text field of `data`.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.data()[key].as_str()
    }

    /// The run's id, wherever this event carries it.
    pub fn run_id(&self) -> Option<&str> {
        self.json["workflow_run_id"].as_str().or_else(|| self.text("workflow_run_id"))
    }

    /// The message's id, in the events of chat apps.
    pub fn message_id(&self) -> Option<&str> {
        self.json["message_id"].as_str()
    }

    /// The conversation's id, in the events of chat apps.
    pub fn conversation_id(&self) -> Option<&str> {
        self.json["conversation_id"].as_str()
    }

    /// The task's id: what `stop` wants.
    pub fn task_id(&self) -> Option<&str> {
        self.json["task_id"].as_str()
    }
}
