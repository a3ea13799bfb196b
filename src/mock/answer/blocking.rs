//! The blocking answer: one JSON object, spaced, ASCII.

use serde_json::{Value, json};

use super::{Run, json};

/// The body of a blocking answer, keys in Dify's order.
pub fn write_blocking(run: &Run) -> Vec<u8> {
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
    member(", \"total_steps\": ", &|out| json::push_spaced(out, &graph.steps));
    member(", \"created_at\": ", &|out| json::push_spaced(out, &run.created_at));
    member(", \"finished_at\": ", &|out| json::push_spaced(out, &run.finished_at()));
    member("}}", &|_| {});
    out
}

/// The run facts of a log row.
pub fn log_facts(run: &Run) -> Value {
    let graph = &run.graph;
    json!({
        "id": run.id,
        "version": "2026-01-01 00:00:00.000000",
        "status": graph.status.word(),
        "triggered_from": "app-run",
        "error": graph.error,
        "elapsed_time": graph.elapsed,
        "total_tokens": graph.tokens,
        "total_steps": graph.steps,
        "created_at": run.created_at,
        "finished_at": run.finished_at(),
        "exceptions_count": graph.exceptions,
    })
}
