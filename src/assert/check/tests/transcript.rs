//! Transcripts out of a short notation.

use std::time::Duration;

use serde_json::{Value, json};

use crate::dify::transcript::{
    Answer, AnswerIds, Arrival, Ending, NodeRound, NodeRun, Pauses, PostedRequest, RecoveredBy, Recovery,
    ResponseMode, StallKind, Trace, Transcript,
};
use crate::dify::wire::app_mode::AppMode;
use crate::dify::wire::error::{ErrorClass, WireError};

/// `over` over `base`, key by key.
pub(super) fn overlay(base: &Value, over: &Value) -> Value {
    let mut all = base.as_object().cloned().unwrap_or_default();
    for (key, value) in over.as_object().into_iter().flatten() {
        match (key.as_str(), all.get_mut(key)) {
            ("run", Some(Value::Object(run))) => run.extend(value.as_object().cloned().unwrap_or_default()),
            _ => drop(all.insert(key.clone(), value.clone())),
        }
    }
    Value::Object(all)
}

/// Builds a finished, streamed run unless the notation says otherwise.
pub(super) fn build(spec: &Value) -> Transcript {
    let seconds = |key: &str| spec[key].as_f64().map(Duration::from_secs_f64);
    let nodes: Vec<NodeRun> = spec["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(at, node)| node_run(at, node))
        .collect();
    let ending = ending(&spec["ending"]);
    let mode = if spec["mode"] == "blocking" { ResponseMode::Blocking } else { ResponseMode::Streaming };
    let outer = nodes.iter().filter(|node| node.parent.is_none());
    let steps: u64 = outer.map(|node| 1 + u64::from(node.retries)).sum();
    let tokens: u64 = nodes
        .iter()
        .filter(|node| !node.is_container())
        .filter_map(|node| node.finished.as_ref()?.data()["execution_metadata"]["total_tokens"].as_u64())
        .sum();
    let mut run = json!({
        "id": "r-1", "workflow_id": "w-1", "status": "succeeded", "outputs": spec.get("outputs").cloned().unwrap_or(json!({})), "error": null,
        "elapsed_time": 1.5, "total_tokens": tokens, "total_steps": steps, "exceptions_count": 0,
    });
    for (key, value) in spec["run"].as_object().into_iter().flatten() {
        if value == "(missing)" {
            run.as_object_mut().unwrap().remove(key);
        } else {
            run[key] = value.clone();
        }
    }
    let has_run = matches!(ending, Ending::Finished | Ending::Paused) && spec["run"] != "none";
    let started = json!({"event": "workflow_started", "workflow_run_id": "r-1", "data": { "id": "r-1" }});
    let finished = json!({"event": "workflow_finished", "workflow_run_id": "r-1", "data": run});
    let told = match spec["first_event"].as_str() {
        Some("lost") => vec![finished],
        Some(kind) => {
            vec![json!({"event": "node_started", "data": { "node_id": "n", "node_type": kind }}), finished]
        }
        None => vec![started, finished],
    };
    let is_streamed = mode == ResponseMode::Streaming && has_run && spec["stream"] != false;
    let arrived = |event: Value| Arrival::new(Duration::from_secs(1), event.to_string());
    let events = told.into_iter().filter(|_| is_streamed).map(arrived).collect();
    Transcript {
        stopping: None,
        told_after: None,
        ending,
        app: AppMode::Workflow,
        mode,
        http_status: spec["http_status"].as_u64().map_or(Some(200), |status| Some(status as u16)),
        headers: vec![
            ("content-type".into(), "text/event-stream".into()),
            ("x-version".into(), "1.14.2".into()),
        ],
        body: spec.get("body").cloned(),
        events,
        pings: spec["pings"].as_u64().unwrap_or(0) as u32,
        answer: Answer {
            run: has_run.then(|| run.into()),
            nodes,
            text: spec["text"].as_str().unwrap_or_default().to_owned(),
            text_doubt: spec["text_doubt"].as_str().map(str::to_owned),
            ids: AnswerIds {
                run: has_run.then(|| "r-1".to_owned()),
                workflow: has_run.then(|| "w-1".to_owned()),
                ..AnswerIds::default()
            },
            first_token_at: seconds("ttft"),
            max_gap: seconds("max_gap"),
            ..Answer::default()
        },
        dify_version: Some("1.14.2".to_owned()),
        elapsed: seconds("elapsed").unwrap_or(Duration::from_secs(2)),
        inputs: spec.get("inputs").cloned().unwrap_or(json!({})),
        bytes: 0,
        posted: PostedRequest::default(),
        pauses: Pauses {
            is_torn: spec["torn"] == true,
            restarts: spec["restarts"].as_u64().unwrap_or(0),
            ..Pauses::default()
        },
        recovery: recovery(&spec["recovery"]),
        asides: Vec::new(),
        side_wait: None,
    }
}

fn ending(spec: &Value) -> Ending {
    let second = Duration::from_secs(1);
    let error = || WireError {
        status: spec["status"].as_u64().unwrap_or(400) as u16,
        code: spec["code"].as_str().map(str::to_owned),
        message: spec["message"].as_str().unwrap_or_default().to_owned(),
        class: match spec["class"].as_str() {
            Some("config") => ErrorClass::Config,
            Some("quota") => ErrorClass::Quota,
            Some("transport") => ErrorClass::Transport,
            _ => ErrorClass::Rejected,
        },
        not_started: spec["not_started"] == true,
        stops_suite: spec["stops_suite"] == true,
    };
    match spec["kind"].as_str().unwrap_or("finished") {
        "finished" => Ending::Finished,
        "rejected" => Ending::Rejected(error()),
        "error_event" => Ending::ErrorEvent(error()),
        "stalled" => Ending::Stalled { wait: StallKind::FirstEvent, after: second },
        "idle" => Ending::Stalled { wait: StallKind::Idle, after: second },
        "cut" => Ending::Cut { detail: "reset".into() },
        "unreadable" => {
            Ending::Unreadable { detail: spec["detail"].as_str().unwrap_or("event 4 is not JSON").into() }
        }
        "timed_out" => Ending::TimedOut { after: second },
        "stopped" => Ending::Stopped { reason: "interrupted".into() },
        "paused" => Ending::Paused,
        "unanswered" => Ending::Unanswered { detail: "the form cannot be answered".to_owned(), hint: None },
        "not_sent" => {
            Ending::NotSent { detail: "connect to 127.0.0.1:9: connection refused".into(), retryable: true }
        }
        other => panic!("no ending {other}"),
    }
}

fn recovery(spec: &Value) -> Option<Recovery> {
    let lost = "the connection was reset after 3 events".to_owned();
    Some(match spec.as_str()? {
        "events" => Recovery::Recovered { by: RecoveredBy::Events, lost },
        "detail" => Recovery::Recovered { by: RecoveredBy::Detail, lost },
        "logs" => Recovery::Recovered { by: RecoveredBy::Logs, lost },
        why => Recovery::Lost {
            lost: "the stream ended after 3 events".to_owned(),
            why: why.to_owned(),
            trace: Trace::None,
            going_on: false,
        },
    })
}

fn node_run(at: usize, spec: &Value) -> NodeRun {
    let text = |key: &str| spec[key].as_str().map(str::to_owned);
    let title = text("title").unwrap();
    let mut metadata = match (&spec["tokens"], &spec["price"]) {
        (Value::Null, Value::Null) => Value::Null,
        (tokens, price) => {
            json!({"total_tokens": tokens, "total_price": price, "currency": spec.get("currency").unwrap_or(&json!("USD"))})
        }
    };
    if let Some(rounds) = spec["rounds"].as_u64() {
        let map: serde_json::Map<_, _> = (0..rounds).map(|round| (round.to_string(), json!(0.1))).collect();
        metadata["iteration_duration_map"] = Value::Object(map);
    }
    let mut data = json!({
        "status": text("status").unwrap_or("succeeded".into()), "outputs": spec.get("outputs").cloned().unwrap_or(json!({})),
        "inputs": spec.get("inputs").cloned().unwrap_or(json!({})), "process_data": spec.get("process_data").cloned().unwrap_or(json!({})),
        "error": spec["error"], "elapsed_time": spec["elapsed"].as_f64().unwrap_or(0.5), "execution_metadata": metadata,
    });
    if spec["truncated"] == true {
        data["outputs_truncated"] = json!(true);
    }
    NodeRun {
        id: format!("e-{at}"),
        node_id: text("id").unwrap_or_else(|| title.to_lowercase()),
        node_type: text("type").unwrap_or("code".into()),
        title,
        started_at: Duration::from_millis(at as u64),
        finished: (spec["unfinished"] != true).then(|| data.into()),
        // A replay says nothing of the order.
        began: (spec["start"] != "lost" && spec["replayed"] != true)
            .then_some(spec["began"].as_u64().map_or(2 * at as u32, |number| number as u32)),
        ended: (spec["unfinished"] != true && spec["replayed"] != true)
            .then_some(spec["ended"].as_u64().map_or(2 * at as u32 + 1, |number| number as u32)),
        ended_at: None,
        retries: spec["retries"].as_u64().unwrap_or(0) as u32,
        parent: text("parent").map(|container| NodeRound {
            container,
            index: match &spec["round"] {
                Value::String(unknown) if unknown == "unknown" => None,
                round => Some(round.as_u64().unwrap_or(0)),
            },
            container_run: None,
        }),
        retry_errors: Vec::new(),
        flaws: Vec::new(),
        first_token_at: spec["ttft"].as_f64().map(Duration::from_secs_f64),
        replayed: spec["replayed"] == true,
    }
}
