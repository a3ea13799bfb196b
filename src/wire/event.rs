//! One event of a run's stream: its kind, and the JSON exactly as it came.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

/// What an event says happened.
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
    /// `human_input_required`.
    HumanInputRequired,
    /// `error`: the run ended without a result.
    Error,
    /// Any other event; kept as it is.
    Other,
}

/// The kinds with a name of their own on the wire.
const NAMES: [(&str, EventKind); 15] = [
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
    ("human_input_required", EventKind::HumanInputRequired),
    ("error", EventKind::Error),
];

/// A data event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What it says happened.
    pub kind: EventKind,
    /// The whole event as it came.
    pub json: Value,
}

impl Event {
    /// Wraps a parsed `data:` object; its `event` key names the kind.
    pub fn from_json(json: Value) -> Self {
        let name = json.get("event").and_then(Value::as_str).unwrap_or_default();
        let kind = NAMES.iter().find(|(known, _)| *known == name).map_or(EventKind::Other, |(_, kind)| *kind);
        Self { kind, json }
    }

    /// The event's `data`, or null.
    pub fn data(&self) -> &Value {
        &self.json["data"]
    }

    /// Takes the event's `data` out of it; null where it has none.
    pub fn take_data(&mut self) -> Value {
        self.json.get_mut("data").map(Value::take).unwrap_or_default()
    }

    /// A text field of `data`.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.data()[key].as_str()
    }

    /// The run's id, wherever this event carries it.
    pub fn run_id(&self) -> Option<&str> {
        self.json["workflow_run_id"].as_str().or_else(|| self.text("workflow_run_id"))
    }

    /// The task's id: what `stop` wants.
    pub fn task_id(&self) -> Option<&str> {
        self.json["task_id"].as_str()
    }
}

/// A `text_chunk`, read without making a tree of it: most events of a stream are one.
///
/// It takes exactly the keys that Dify sends; anything else in the event makes it no chunk but an ordinary [`Event`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextChunk<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    /// The run's id.
    #[serde(borrow)]
    pub workflow_run_id: Cow<'a, str>,
    /// The task's id.
    #[serde(borrow)]
    pub task_id: Cow<'a, str>,
    #[serde(borrow)]
    data: ChunkBody<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChunkBody<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow)]
    from_variable_selector: Vec<Name<'a>>,
}

#[derive(Debug, Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> TextChunk<'a> {
    /// Reads an event that is a chunk and nothing more; none where it must be read as an ordinary event.
    pub fn read(text: &'a str) -> Option<Self> {
        const NAME: &str = "text_chunk";
        if !text.get(..NAME.len() + 16)?.contains(NAME) {
            return None;
        }
        serde_json::from_str::<Self>(text).ok().filter(|chunk| chunk.event == NAME)
    }

    /// The piece of text.
    pub fn text(&self) -> &str {
        &self.data.text
    }

    /// The node whose text it is.
    pub fn node_id(&self) -> Option<&str> {
        self.data.from_variable_selector.first().map(|name| &*name.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_read_as_the_event_it_is() {
        let text = r#"{"event":"text_chunk","workflow_run_id":"r","task_id":"t","data":{"text":"a\n\u00e9\"","from_variable_selector":["one","text"]}}"#;
        let chunk = TextChunk::read(text).unwrap();
        let event = Event::from_json(serde_json::from_str(text).unwrap());
        assert_eq!(event.kind, EventKind::TextChunk);
        assert_eq!((Some(chunk.text()), chunk.node_id()), (event.text("text"), Some("one")));
        assert_eq!((Some(&*chunk.workflow_run_id), Some(&*chunk.task_id)), (event.run_id(), event.task_id()));
    }

    #[test]
    fn whatever_is_not_quite_a_chunk_is_left_to_the_ordinary_way() {
        let rest =
            r#""workflow_run_id":"r","task_id":"t","data":{"text":"a","from_variable_selector":["one"]}"#;
        for text in [
            String::new(),
            format!(r#"{{"event":"text_chunk",{rest},"more":"\ud800"}}"#),
            format!(r#"{{"event":"text_chunk2",{rest}}}"#),
            format!(r#"{{"event":"text_chunk","event":"error",{rest}}}"#),
            format!(r#"{{"event":"text_chunk",{}}}"#, rest.replace("\"a\"", "null")),
            format!(r#"{{"event":"text_chunk",{}}}"#, rest.replace("\"a\"", r#""\ud800""#)),
            format!(r#"{{"event":"text_chunk",{}}}"#, rest.replace("\"one\"", "1")),
            format!(r#"{{"event":"text_chunk",{rest}}} x"#),
        ] {
            assert!(TextChunk::read(&text).is_none(), "{text}");
        }
    }
}
