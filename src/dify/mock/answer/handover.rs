//! A run that is handed over for maintenance: read in Dify's sources, never recorded.

use serde_json::{Value, json};

use super::json;
use super::run::MockRun;

/// The event that ends a stream whose run is handed over for maintenance.
pub fn handover_event(run: &MockRun) -> Vec<u8> {
    let mut out = b"data: ".to_vec();
    json::push_compact(&mut out, &handover(run));
    out.extend_from_slice(b"\n\n");
    out
}

/// The 202 of a blocking call whose run is handed over for maintenance.
pub fn write_handover(run: &MockRun) -> Vec<u8> {
    let mut out = Vec::new();
    json::push_spaced(&mut out, &handover(run));
    out
}

fn handover(run: &MockRun) -> Value {
    json!({ "event": "workflow_maintenance_paused", "task_id": run.task, "workflow_run_id": run.id })
}
