//! A run as it is told to those who lost sight of it: handed over, replayed, finished.
//!
//! The style of a finished run's event is recorded from 1.14.2; the hand-over and the snapshot are read in Dify's sources.

use serde_json::{Map, Value, json};

use super::nodes::files_in;
use super::{Run, json};
use crate::mock::reply::RunStatus;

/// The event that ends a stream whose run is handed over for maintenance.
pub fn handover_event(run: &Run) -> Vec<u8> {
    let mut out = b"data: ".to_vec();
    json::push_compact(&mut out, &handover(run));
    out.extend_from_slice(b"\n\n");
    out
}

/// The 202 of a blocking call whose run is handed over for maintenance.
pub fn write_handover(run: &Run) -> Vec<u8> {
    let mut out = Vec::new();
    json::push_spaced(&mut out, &handover(run));
    out
}

fn handover(run: &Run) -> Value {
    json!({ "event": "workflow_maintenance_paused", "task_id": run.task, "workflow_run_id": run.id })
}

/// How a run ended that is followed afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// As its graph has it.
    ByItself,
    /// Somebody stopped it.
    Stopped,
}

/// The one event of a finished run: its task is the run, its style that of blocking answers.
pub fn finished_event(run: &Run, ended: Ended) -> Vec<u8> {
    let graph = &run.graph;
    let nothing = Map::new();
    let (status, outputs, error, tokens) = match ended {
        Ended::ByItself => (graph.status, &graph.reply.outputs, graph.error.as_deref(), graph.tokens),
        Ended::Stopped => (RunStatus::Stopped, &nothing, Some("Stopped by user."), 0),
    };
    let event = json!({
        "event": "workflow_finished", "task_id": run.id, "workflow_run_id": run.id,
        "data": {
            "id": run.id, "workflow_id": run.workflow, "status": status.word(), "outputs": outputs, "error": error,
            "elapsed_time": graph.elapsed, "total_tokens": tokens, "total_steps": graph.steps,
            "created_by": { "id": run.user_id, "user": run.user }, "created_at": run.created_at,
            "finished_at": run.finished_at(), "exceptions_count": graph.exceptions, "files": files_in(outputs),
        },
    });
    let mut out = b"data: ".to_vec();
    json::push_spaced(&mut out, &event);
    out.extend_from_slice(b"\n\n");
    out
}

/// An event as the snapshot tells it again: nodes without their data; none for those it leaves out.
pub fn snapshot_event(frame: &[u8]) -> Option<Vec<u8>> {
    let json = frame.strip_prefix(b"data: ")?;
    let mut event: Value = serde_json::from_slice(json).ok()?;
    let is_told =
        matches!(event["event"].as_str(), Some("workflow_started" | "node_started" | "node_finished"));
    if !is_told {
        return None;
    }
    if event["event"] == "node_finished"
        && let Some(data) = event["data"].as_object_mut()
    {
        for key in ["inputs", "process_data", "outputs", "error", "execution_metadata"] {
            drop(data.insert(key.to_owned(), Value::Null));
        }
        drop(data.insert("files".to_owned(), Value::Array(Vec::new())));
    }
    let mut out = b"data: ".to_vec();
    json::push_compact(&mut out, &event);
    out.extend_from_slice(b"\n\n");
    Some(out)
}
