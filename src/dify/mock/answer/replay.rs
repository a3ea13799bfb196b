//! What Dify repeats of a run for later readers: its end once it is over, and its nodes without their data while it goes on.

use serde_json::{Value, json};

use super::json;
use super::run::MockRun;
use super::terminal_event::finished_event;

/// The end of a run that is over, as a later reader gets it: spaced, with the run's id as its task.
pub fn replayed_event(run: &MockRun) -> Vec<u8> {
    let mut event = read(&finished_event(run)).unwrap_or_default();
    let data = event["data"].take();
    let event =
        json!({ "event": "workflow_finished", "task_id": run.id, "workflow_run_id": run.id, "data": data });
    let mut out = b"data: ".to_vec();
    json::push_spaced(&mut out, &event);
    out.extend_from_slice(b"\n\n");
    out
}

/// The nodes of a run so far, without their inputs and outputs; a pause that still lasts is repeated unchanged.
///
/// Read in Dify's sources (`workflow_event_snapshot_service.py`), never recorded: containers count as nodes there.
pub fn snapshot_events<'e>(run: &MockRun, past: impl Iterator<Item = &'e [u8]>) -> Vec<bytes::Bytes> {
    let past: Vec<Value> = past.filter_map(read).collect();
    let last = past.len().saturating_sub(1);
    let is_started_before = |index: usize, id: &Value| {
        past[..index].iter().any(|event| event["event"] == "node_started" && event["data"]["id"] == *id)
    };
    let repeated = past.iter().enumerate().filter_map(|(index, event)| {
        let name = event["event"].as_str()?;
        let data = &event["data"];
        let (name, data) = match name {
            "workflow_started" if data["reason"] != "resumption" => (name, data.clone()),
            // A node that asks begins again after each answer: it is repeated once.
            "node_started" if is_started_before(index, &data["id"]) => return None,
            "node_started" | "iteration_started" | "loop_started" => ("node_started", started(data)),
            "node_finished" | "iteration_completed" | "loop_completed" => ("node_finished", finished(data)),
            "workflow_paused" if index == last => (name, data.clone()),
            _ => return None,
        };
        Some(frame(&json!({ "event": name, "task_id": run.task, "workflow_run_id": run.id, "data": data })))
    });
    repeated.collect()
}

fn started(data: &Value) -> Value {
    json!({
        "id": data["id"], "node_id": data["node_id"], "node_type": data["node_type"], "title": data["title"], "index": 1,
        "predecessor_node_id": null, "inputs": null, "inputs_truncated": false, "created_at": data["created_at"], "extras": {},
        "iteration_id": data["iteration_id"], "loop_id": data["loop_id"], "agent_strategy": null,
    })
}

fn finished(data: &Value) -> Value {
    json!({
        "id": data["id"], "node_id": data["node_id"], "node_type": data["node_type"], "title": data["title"], "index": 1,
        "predecessor_node_id": null, "inputs": null, "inputs_truncated": false, "process_data": null,
        "process_data_truncated": false, "outputs": null, "outputs_truncated": false, "status": data["status"], "error": null,
        "elapsed_time": data["elapsed_time"], "execution_metadata": null, "created_at": data["created_at"],
        "finished_at": data["finished_at"], "files": [], "iteration_id": data["iteration_id"], "loop_id": data["loop_id"],
    })
}

fn frame(event: &Value) -> bytes::Bytes {
    let mut out = b"data: ".to_vec();
    json::push_compact(&mut out, event);
    out.extend_from_slice(b"\n\n");
    out.into()
}

fn read(event: &[u8]) -> Option<Value> {
    serde_json::from_slice(event.strip_prefix(b"data: ")?).ok()
}
