//! Runs that are followed by `GET /workflow/{run_id}/events`: over, going on, left by their readers.

use std::time::Duration;

use serde_json::{Value, json};

use super::likeness::compare_keys;
use super::support::{client, events, recording, serve};
use crate::dify::mock::options::{DifyVersion, MockOptions, NodePace};
use crate::dify::mock::server::MockServer;

async fn start(server: &MockServer, mode: &str) -> reqwest::Response {
    let body = json!({ "inputs": {}, "user": "hu", "response_mode": mode });
    let url = format!("{}/workflows/run", server.base_url());
    client().post(url).bearer_auth("app-x").json(&body).send().await.unwrap()
}

async fn get(server: &MockServer, path: &str) -> reqwest::Response {
    let url = format!("{}{path}", server.base_url());
    client().get(url).bearer_auth("app-x").send().await.unwrap()
}

/// Reads a stream until it holds a text.
async fn read_until(response: &mut reqwest::Response, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        let chunk = response.chunk().await.unwrap().unwrap_or_else(|| panic!("no {wanted} in {text}"));
        text += std::str::from_utf8(&chunk).unwrap();
    }
    text
}

#[tokio::test]
async fn a_run_that_is_over_tells_its_end_again() {
    let server = serve("{ outputs: { comment: \"h\\u00e9\", action: approve } }", MockOptions::default());
    for mode in ["streaming", "blocking"] {
        let text = start(&server, mode).await.text().await.unwrap();
        let run = match mode {
            "blocking" => serde_json::from_str::<Value>(&text).unwrap()["workflow_run_id"].clone(),
            _ => events(&text)[0]["workflow_run_id"].clone(),
        };
        let run = run.as_str().unwrap();
        let response = get(&server, &format!("/workflow/{run}/events?user=hu")).await;
        assert_eq!(response.headers()["cache-control"], "no-cache");
        assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
        let told = response.text().await.unwrap();
        let recorded = recording("1.14.2", "human.events_after");
        let recorded = events(recorded["response"]["body"].as_str().unwrap());
        let told_events = events(&told);
        assert_eq!((told_events.len(), &told_events[0]["task_id"]), (1, &json!(run)));
        compare_keys(&recorded[0], &told_events[0]).unwrap();
        compare_keys(&recorded[0]["data"], &told_events[0]["data"]).unwrap();
        assert!(told.starts_with("data: {\"event\": \"workflow_finished\", \"task_id\": \""), "{told}");
        assert!(told.contains("\"comment\": \"h\\u00e9\", "), "{told}");
        for (path, status, message) in [
            (format!("/workflow/{run}/events?user=other"), 404, "Workflow run not found"),
            (format!("/workflow/{run}/events"), 400, "Arg user must be provided."),
            (
                "/workflow/00000000-0000-4000-8000-000000000000/events?user=hu".to_owned(),
                404,
                "Workflow run not found",
            ),
            ("/workflow/nope/events?user=hu".to_owned(), 500, "Internal Server Error"),
        ] {
            let refused = get(&server, &path).await;
            assert_eq!(refused.status().as_u16(), status, "{path}");
            assert_eq!(refused.json::<Value>().await.unwrap()["message"], message, "{path}");
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn dify_1_12_cannot_follow() {
    let server = serve("{}", MockOptions { version: DifyVersion::V1_12, ..MockOptions::default() });
    let id = "00000000-0000-4000-8000-000000000000";
    let response = get(&server, &format!("/workflow/{id}/events?user=hu")).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"] == "text/html; charset=utf-8"),
        (404, true)
    );
    server.shutdown().await;
}

#[tokio::test]
async fn a_run_left_by_its_reader_goes_on_and_is_followed() {
    let options = MockOptions { pace: NodePace::Real, ..MockOptions::default() };
    let yaml = "{ outputs: { a: 1 }, nodes: [{ title: first }, { title: slow, elapsed: 2s }] }";
    let server = serve(yaml, options);
    let mut own = start(&server, "streaming").await;
    let text = read_until(&mut own, "\"title\":\"slow\"").await;
    drop(own);
    let run = events(&text)[0]["workflow_run_id"].as_str().unwrap().to_owned();
    let detail: Value = get(&server, &format!("/workflows/run/{run}")).await.json().await.unwrap();
    assert_eq!(
        (&detail["status"], &detail["finished_at"], &detail["outputs"]),
        (&json!("running"), &Value::Null, &json!({}))
    );
    let path = format!("/workflow/{run}/events?user=hu");
    let with_snapshot = format!("{path}&include_state_snapshot=true");
    let plain = get(&server, &path);
    let snapshot = get(&server, &with_snapshot);
    let mut never = get(&server, &format!("/workflow/{run}/events?user=hu&continue_on_pause=true")).await;
    let (plain, snapshot) = tokio::join!(async { plain.await.text().await.unwrap() }, async {
        snapshot.await.text().await.unwrap()
    });
    let names = |text: &str| {
        let name = |event: &Value| match event["data"]["title"].as_str() {
            Some(title) => format!("{} {title}", event["event"].as_str().unwrap()),
            None => event["event"].as_str().unwrap().to_owned(),
        };
        events(text).iter().map(name).filter(|name| name != "text_chunk").collect::<Vec<_>>()
    };
    assert!(plain.starts_with("event: ping\n\n"));
    let rest = ["node_finished slow", "node_started End", "node_finished End", "workflow_finished"];
    assert_eq!(names(&plain), rest);
    let again = ["workflow_started", "node_started Start", "node_finished Start", "node_started first"];
    let again: Vec<_> =
        again.into_iter().chain(["node_finished first", "node_started slow"]).chain(rest).collect();
    assert_eq!(names(&snapshot), again);
    let told = &events(&snapshot)[2]["data"];
    assert_eq!((&told["outputs"], &told["status"]), (&Value::Null, &json!("succeeded")));
    read_until(&mut never, "workflow_finished").await;
    let open = tokio::time::timeout(Duration::from_millis(50), never.chunk()).await;
    assert!(open.is_err(), "with `continue_on_pause` alone nothing closes the stream");
    let detail: Value = get(&server, &format!("/workflows/run/{run}")).await.json().await.unwrap();
    assert_eq!(detail["status"], "succeeded");
    server.shutdown().await;
}

#[tokio::test]
async fn a_stopped_run_is_silent_until_the_idle_limit() {
    let idle = Duration::from_millis(80);
    let server = serve(
        "{ nodes: [{ title: slow, elapsed: 60s }] }",
        MockOptions { pace: NodePace::Real, stream_idle: idle, ..MockOptions::default() },
    );
    let mut own = start(&server, "streaming").await;
    let text = read_until(&mut own, "\"title\":\"slow\"").await;
    let (run, task) = (&events(&text)[0]["workflow_run_id"], &events(&text)[0]["task_id"]);
    let url = format!("{}/workflows/tasks/{}/stop", server.base_url(), task.as_str().unwrap());
    client().post(url).bearer_auth("app-x").json(&json!({ "user": "hu" })).send().await.unwrap();
    read_until(&mut own, "\"status\":\"stopped\"").await;
    let told = get(&server, &format!("/workflow/{}/events?user=hu", run.as_str().unwrap())).await;
    assert_eq!(told.text().await.unwrap(), "event: ping\n\n");
    server.shutdown().await;
}

/// Starts a run that goes wrong in real time, and reads it up to its slow node: what was read, the run, its task.
async fn to_the_slow_node(server: &MockServer) -> (reqwest::Response, String, String) {
    let mut own = start(server, "streaming").await;
    let text = read_until(&mut own, "\"title\":\"slow\"").await;
    let first = text.split("\"task_id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let run = text.split("\"workflow_run_id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    (own, run, first)
}

async fn status(server: &MockServer, run: &str) -> String {
    let detail: Value = get(server, &format!("/workflows/run/{run}")).await.json().await.unwrap();
    detail["status"].as_str().unwrap().to_owned()
}

/// What comes until the answer ends, however it does.
async fn rest(mut response: reqwest::Response) -> String {
    let mut text = String::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        text += &String::from_utf8_lossy(&chunk);
    }
    text
}

#[tokio::test]
async fn a_faulted_stream_takes_its_time_and_can_be_stopped_midway() {
    let serve_slow = |elapsed: &str, fault: &str| {
        let yaml = format!(
            "{{ nodes: [{{ title: first }}, {{ title: slow, elapsed: {elapsed} }}], fault: {fault} }}"
        );
        let stream_idle = Duration::from_millis(80);
        serve(&yaml, MockOptions { pace: NodePace::Real, stream_idle, ..MockOptions::default() })
    };
    let forms = ["crlf", "one_byte_chunks", "missing_started", "zero_usage", "[crlf, one_byte_chunks]"];
    let losses = [
        "no_terminal_event",
        "{ no_terminal_event: , end: reset }",
        "{ drop_after: 9999 }",
        "{ stall_after: 9999 }",
        "{ cut_mid_event: 9999 }",
        "{ drop_after: 9999, running: forever }",
    ];
    for (fault, has_end) in
        forms.map(|fault| (fault, true)).into_iter().chain(losses.map(|fault| (fault, false)))
    {
        let server = serve_slow("600s", fault);
        let (own, run, task) = to_the_slow_node(&server).await;
        assert_eq!(status(&server, &run).await, "running", "{fault}");
        let url = format!("{}/workflows/tasks/{task}/stop", server.base_url());
        client().post(url).bearer_auth("app-x").json(&json!({ "user": "hu" })).send().await.unwrap();
        let text = rest(own).await;
        assert_eq!(text.contains("\"status\":\"stopped\""), has_end, "{fault}: {text}");
        assert!(
            !text.contains("\"status\":\"succeeded\"") && !text.contains("node_finished"),
            "{fault}: {text}"
        );
        assert_eq!(status(&server, &run).await, "running", "{fault}: a stopped run says so for ever");
        server.shutdown().await;
    }
    let server = serve_slow("300ms", "crlf");
    let (own, run, _) = to_the_slow_node(&server).await;
    assert_eq!(status(&server, &run).await, "running");
    assert!(rest(own).await.contains("\"status\":\"succeeded\""));
    assert_eq!(status(&server, &run).await, "succeeded");
    server.shutdown().await;
}

#[tokio::test]
async fn in_real_time_a_run_that_was_lost_goes_on_in_its_own_time() {
    let yaml = "{ nodes: [{ title: first }, { title: slow, elapsed: 600s }], fault: { drop_after: 3 } }";
    let server = serve(yaml, MockOptions { pace: NodePace::Real, ..MockOptions::default() });
    let text = rest(start(&server, "streaming").await).await;
    let run = events(&text)[0]["workflow_run_id"].as_str().unwrap().to_owned();
    for _ in 0..4 {
        assert_eq!(status(&server, &run).await, "running", "asking brings it no nearer to its end");
    }
    server.shutdown().await;
}
