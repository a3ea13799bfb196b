//! The event that ends a run.

use serde_json::{Map, Value};

use super::events::MockEvents;
use super::file_object::files_in;
use super::run::MockRun;
use crate::dify::mock::reply::RunStatus;

/// The terminal event of a run that was stopped while it ran.
pub fn stopped_event(run: &MockRun) -> Vec<u8> {
    let event = TerminalEvent {
        status: RunStatus::Stopped,
        outputs: &Map::new(),
        error: Some("Stopped by user."),
        tokens: 0,
    };
    let mut events = MockEvents::new(run);
    push_terminal(run, &mut events, &event);
    events.bytes
}

/// The terminal event of a run that was not stopped.
pub(super) fn finished_event(run: &MockRun) -> Vec<u8> {
    let mut events = MockEvents::new(run);
    push_finished(run, &mut events);
    events.bytes
}

/// Adds the terminal event of a run that was not stopped.
pub(super) fn push_finished(run: &MockRun, events: &mut MockEvents) {
    let graph = &run.graph;
    let event = TerminalEvent {
        status: graph.status,
        outputs: &graph.reply.outputs,
        error: graph.error.as_deref(),
        tokens: graph.tokens,
    };
    push_terminal(run, events, &event);
}

/// The members of a terminal event that depend on how the run ends.
struct TerminalEvent<'a> {
    status: RunStatus,
    outputs: &'a Map<String, Value>,
    error: Option<&'a str>,
    tokens: u64,
}

fn push_terminal(run: &MockRun, events: &mut MockEvents, event: &TerminalEvent<'_>) {
    events.open("workflow_finished");
    events.word("id", &run.id);
    events.word("workflow_id", &run.workflow);
    events.word("status", event.status.word());
    events.value("outputs", event.outputs);
    events.value("error", &event.error);
    events.value("elapsed_time", &run.graph.elapsed);
    events.value("total_tokens", &event.tokens);
    events.value("total_steps", &run.steps());
    let user = [("id", run.user_id.as_str()), ("user", run.user.as_str())];
    events.value(
        "created_by",
        &user.into_iter().map(|(key, text)| (key.to_owned(), Value::from(text))).collect::<Map<_, _>>(),
    );
    events.value("created_at", &run.created_at);
    events.value("finished_at", &run.finished_at());
    events.value("exceptions_count", &run.graph.exceptions);
    events.value("files", &files_in(event.outputs));
    events.close();
}
