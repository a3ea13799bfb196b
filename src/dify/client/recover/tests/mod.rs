//! Servers that lose runs, rung by rung, and what is found of them again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::dify::client::tests::raw_http::{RawRequest, chunk, document, stream_head};
use crate::dify::client::tests::raw_server::{RawServer, Step};
use crate::dify::client::{Certificates, Client, Endpoint, Recover, Timeouts};
use crate::dify::transcript::{
    Ending, RecoveredBy, Recovery, ReportedStatus, ResponseMode, StallKind, Trace, Transcript, UserScope,
    WorkflowRequest,
};

mod odd;
mod rungs;

const LONG: Duration = Duration::from_secs(60);
const PATIENT: Timeouts = Timeouts { connect: LONG, first_event: LONG, idle: LONG, total: LONG };
const QUICK: Recover = Recover { deadline: Duration::from_secs(20), poll: Duration::from_millis(10) };
/// For runs that are not found.
const BRIEF: Recover = Recover { deadline: Duration::from_millis(600), poll: Duration::from_millis(20) };
/// Monday, 23 November 2026, 18:42:00 UTC.
const NOON: i64 = 1_795_459_320;

/// What a server answers to each kind of call: the first answer first, the last one again and again.
#[derive(Default)]
struct Script {
    run: Vec<Step>,
    events: Vec<Vec<Step>>,
    detail: Vec<Vec<Step>>,
    logs: Vec<Vec<Step>>,
}

impl Script {
    async fn start(self) -> RawServer {
        let counts = Arc::new([const { AtomicUsize::new(0) }; 3]);
        RawServer::start(move |seen: &RawRequest| {
            let nth = |kind: usize, answers: &[Vec<Step>]| {
                let at = counts[kind].fetch_add(1, Ordering::SeqCst).min(answers.len().saturating_sub(1));
                answers.get(at).cloned().unwrap_or_else(|| vec![html("404 NOT FOUND")])
            };
            match seen.target.as_str() {
                "POST /v1/workflows/run" => self.run.clone(),
                target if target.ends_with("/stop") => vec![json_body(&json!({ "result": "success" }))],
                target if target.starts_with("GET /v1/workflow/") => nth(0, &self.events),
                target if target.starts_with("GET /v1/workflows/run/") => nth(1, &self.detail),
                target if target.starts_with("GET /v1/workflows/logs?") => nth(2, &self.logs),
                _ => vec![html("404 NOT FOUND")],
            }
        })
        .await
    }
}

/// A request with its waits.
struct Try {
    request: WorkflowRequest,
    timeouts: Timeouts,
    recovery: Recover,
}

impl Try {
    fn new(mode: ResponseMode) -> Self {
        let Value::Object(inputs) = json!({ "q": "hello" }) else { unreachable!() };
        let request = WorkflowRequest {
            inputs,
            files: vec![],
            user: "user-7".into(),
            user_scope: UserScope::Attempt,
            mode,
            workflow_id: None,
            answers: vec![],
            cap: Default::default(),
            mock_attempt: None,
        };
        Self { request, timeouts: PATIENT, recovery: QUICK }
    }

    fn streaming() -> Self {
        Self::new(ResponseMode::Streaming)
    }

    fn blocking() -> Self {
        Self::new(ResponseMode::Blocking)
    }

    fn brief(self) -> Self {
        Self { recovery: BRIEF, ..self }
    }

    fn client(&self, server: &RawServer) -> Client {
        let endpoint = Endpoint {
            base_url: format!("{}/v1", server.address),
            headers: vec![],
            ca_file: None,
            proxy: None,
            certificates: Certificates::Checked,
            kept_connections: 4,
            timeouts: self.timeouts,
            recovery: self.recovery,
            max_body: 1_000_000,
        };
        Client::new(&endpoint).unwrap()
    }

    async fn send(&self, server: &RawServer) -> Transcript {
        let (_keep, mut stop) = watch::channel(None);
        let key = SecretString::from("app-SECRET");
        self.client(server).run(&key, &self.request, &self.timeouts, &mut stop).await
    }
}

fn json_body(json: &Value) -> Step {
    Step::Send(document("200 OK", "application/json", json.to_string().as_bytes()))
}

fn html(status: &str) -> Step {
    Step::Send(document(status, "text/html", b"<html><title>Sorry</title></html>"))
}

fn event(event: &str, data: &Value) -> Vec<u8> {
    let json = json!({ "event": event, "workflow_run_id": "r-1", "task_id": "t-1", "data": data });
    chunk(format!("data: {json}\n\n").as_bytes())
}

fn started() -> Vec<u8> {
    event("workflow_started", &json!({ "id": "r-1", "workflow_id": "w-1" }))
}

fn node(kind: &str, id: &str, more: &Value) -> Vec<u8> {
    let mut data = json!({ "id": id, "node_id": id, "node_type": "code", "title": id });
    data.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    event(kind, &data)
}

fn finished(run: &Value) -> Vec<u8> {
    event("workflow_finished", run)
}

/// A stream of version 1.12 or 1.14 that breaks off.
fn cut(version: &str, parts: &[Vec<u8>]) -> Vec<Step> {
    let head = String::from_utf8(stream_head()).unwrap().replace("1.14.2", version);
    vec![Step::Send(head.into_bytes()), Step::Send(parts.concat()), Step::Close]
}

fn stream(parts: &[Vec<u8>]) -> Vec<Step> {
    vec![Step::Send(stream_head()), Step::Send(parts.concat()), Step::Send(b"0\r\n\r\n".to_vec())]
}

/// A detail in the form of 1.14, `more` over what every detail has.
fn detail(status: &str, more: &Value) -> Value {
    let inputs = json!({ "q": "hello", "sys.user_id": "user-7", "sys.app_id": "a-1" }).to_string();
    let mut json = json!({
        "id": "r-1", "workflow_id": "w-1", "status": status, "inputs": inputs, "outputs": {}, "error": null, "total_steps": 2,
        "total_tokens": 17, "created_at": NOON, "finished_at": null, "elapsed_time": 4.5,
    });
    json.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    json
}

fn succeeded() -> Vec<Step> {
    vec![json_body(&detail("succeeded", &json!({ "outputs": { "a": 1 }, "finished_at": NOON + 4 })))]
}

fn running() -> Vec<Step> {
    vec![json_body(&detail("running", &json!({})))]
}

/// A page of the logs that was answered at `NOON`.
fn logs(rows: &[(&str, &str, i64)]) -> Vec<Step> {
    let rows: Vec<Value> = rows
        .iter()
        .map(|(id, user, created)| {
            json!({
                "id": "l", "workflow_run": { "id": id, "status": "succeeded", "created_at": created },
                "created_by_end_user": { "session_id": user }, "created_at": created + 4,
            })
        })
        .collect();
    let body =
        json!({ "page": 1, "limit": 100, "total": rows.len(), "has_more": false, "data": rows }).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 18:42:00 GMT\r\nContent-Type: application/json\r\nX-Version: 1.12.1\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    vec![Step::Send(format!("{head}{body}").into_bytes())]
}

fn gateway_timeout() -> Vec<Step> {
    vec![html("504 Gateway Time-out")]
}

/// Which way the run was found; panics with what there is instead.
fn by(transcript: &Transcript) -> RecoveredBy {
    match &transcript.recovery {
        Some(Recovery::Recovered { by, .. }) => *by,
        other => panic!("not recovered but {other:?}, {:?}", transcript.ending),
    }
}

/// Why the run was not found, and whether it left a trace.
fn lost(transcript: &Transcript) -> (&str, Trace) {
    match &transcript.recovery {
        Some(Recovery::Lost { why, trace, .. }) => (why, *trace),
        other => panic!("not lost but {other:?}, {:?}", transcript.ending),
    }
}

fn outputs(transcript: &Transcript) -> &Value {
    &transcript.answer.run.as_ref().unwrap().data()["outputs"]
}

/// A recorded answer, headers and body as they came.
fn recorded(name: &str) -> Vec<Step> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/wire").join(format!("{name}.json"));
    let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let response = &json["response"];
    let body = response["body"].as_str().unwrap();
    let mut head = format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\n", response["status"], body.len());
    for pair in response["headers"].as_array().unwrap() {
        let (name, value) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        if !["content-length", "transfer-encoding", "connection"].contains(&name.to_lowercase().as_str()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    vec![Step::Send(format!("{head}\r\n{body}").into_bytes())]
}

/// A recorded stream that breaks off instead of ending.
fn recorded_cut(name: &str, before: &str) -> Vec<Step> {
    let Some(Step::Send(bytes)) = recorded(name).pop() else { unreachable!() };
    let whole = String::from_utf8(bytes).unwrap();
    let kept = whole.split(before).next().unwrap();
    vec![Step::Send(kept.as_bytes().to_vec()), Step::Close]
}
