//! The blocking answer: one JSON object, spaced, ASCII.

use serde_json::{Value, json};

use super::json;
use super::pauses::{WaitingRun, waiting_run};
use super::run::MockRun;

/// The body of a blocking answer, keys in Dify's order.
pub fn write_blocking(run: &MockRun) -> Vec<u8> {
    let graph = &run.graph;
    let mut out = Vec::with_capacity(1024);
    let mut member = |before: &str, value: &dyn Fn(&mut Vec<u8>)| {
        out.extend_from_slice(before.as_bytes());
        value(&mut out);
    };
    member("{\"task_id\": ", &|out| json::push_spaced(out, &run.task));
    member(", \"workflow_run_id\": ", &|out| json::push_spaced(out, &run.id));
    member(", \"data\": {\"id\": ", &|out| json::push_spaced(out, &run.id));
    member(", \"workflow_id\": ", &|out| json::push_spaced(out, &run.workflow));
    member(", \"status\": ", &|out| json::push_spaced(out, graph.status.word()));
    member(", \"outputs\": ", &|out| json::push_spaced(out, &graph.reply.outputs));
    member(", \"error\": ", &|out| json::push_spaced(out, &graph.error));
    member(", \"elapsed_time\": ", &|out| json::push_spaced(out, &graph.elapsed));
    member(", \"total_tokens\": ", &|out| json::push_spaced(out, &graph.tokens));
    member(", \"total_steps\": ", &|out| json::push_spaced(out, &run.steps()));
    member(", \"created_at\": ", &|out| json::push_spaced(out, &run.created_at));
    member(", \"finished_at\": ", &|out| json::push_spaced(out, &run.finished_at()));
    member("}}", &|_| {});
    out
}

/// The body of a blocking answer of a run that waits for people.
pub fn write_paused(run: &MockRun) -> Vec<u8> {
    let forms: Vec<_> = run.graph.pauses.first().into_iter().flatten().collect();
    let WaitingRun { nodes, reasons, steps, tokens, elapsed } = waiting_run(run, &forms);
    json::spaced(&json!({
        "task_id": run.task, "workflow_run_id": run.id, "data": {
            "id": run.id, "workflow_id": run.workflow, "status": "paused", "outputs": {}, "error": null, "elapsed_time": elapsed,
            "total_tokens": tokens, "total_steps": steps, "created_at": run.created_at, "finished_at": null,
            "paused_nodes": nodes, "reasons": reasons,
        },
    }))
}

/// The run of a log row.
pub fn log_facts(run: &MockRun) -> Value {
    let graph = &run.graph;
    json!({
        "id": run.id,
        "version": "2026-01-01 00:00:00.000000",
        "status": graph.status.word(),
        "triggered_from": "app-run",
        "error": graph.error,
        "elapsed_time": graph.elapsed,
        "total_tokens": graph.tokens,
        "total_steps": run.steps(),
        "created_at": run.created_at,
        "finished_at": run.finished_at(),
        "exceptions_count": graph.exceptions,
    })
}
