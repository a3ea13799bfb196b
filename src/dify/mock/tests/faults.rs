//! Faults as a client meets them, what is in the books afterwards, and what is left running.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{VERSIONS, client, events, serve};
use crate::dify::mock::fault::parse_fault;
use crate::dify::mock::options::{DifyVersion, MockOptions};
use crate::dify::mock::server::MockServer;

const RUN: &str = "outputs: { a: 1 }, nodes: [{ title: L, type: llm, tokens: 7, price: 0.5 USD }]";

fn options(version: DifyVersion) -> MockOptions {
    MockOptions { version, stream_idle: Duration::from_secs(60), ..MockOptions::default() }
}

fn faulty(version: DifyVersion, fault: &str) -> MockServer {
    serve(&format!("{{ {RUN}, fault: {fault} }}"), options(version))
}

async fn post(server: &MockServer, mode: &str) -> Result<reqwest::Response, reqwest::Error> {
    let body = json!({ "inputs": {}, "user": "u", "response_mode": mode });
    client()
        .post(format!("{}/workflows/run", server.base_url()))
        .bearer_auth("app-x")
        .json(&body)
        .send()
        .await
}

/// All bytes that came before the answer ended, however it did.
async fn bytes(mut response: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn get(server: &MockServer, path: &str) -> (u16, String) {
    let url = format!("{}{path}", server.base_url());
    let response = client().get(url).bearer_auth("app-x").send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn get_json(server: &MockServer, path: &str) -> Value {
    let (_, text) = get(server, path).await;
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

async fn logs(server: &MockServer) -> Value {
    get_json(server, "/workflows/logs?created_by_end_user_session_id=u").await
}

#[tokio::test]
async fn a_lost_run_goes_on_and_its_detail_tells_how_it_ends() {
    for (_, version) in VERSIONS {
        let server = faulty(version, "{ drop_after: 2, running: 2 }");
        let text = bytes(post(&server, "streaming").await.unwrap()).await;
        let seen = events(&text);
        assert_eq!(seen.len(), 2);
        let path = format!("/workflows/run/{}", seen[0]["workflow_run_id"].as_str().unwrap());
        for _ in 0..2 {
            let detail = get_json(&server, &path).await;
            let nothing = if version == DifyVersion::V1_12 { json!("{}") } else { json!({}) };
            assert_eq!((&detail["status"], &detail["outputs"]), (&json!("running"), &nothing));
            assert_eq!((&detail["finished_at"], &detail["total_steps"]), (&Value::Null, &json!(0)));
        }
        let detail = get_json(&server, &path).await;
        let outputs = if version == DifyVersion::V1_12 { json!("{\"a\": 1}") } else { json!({ "a": 1 }) };
        assert_eq!((&detail["status"], &detail["outputs"]), (&json!("succeeded"), &outputs));
        assert_eq!(detail["total_tokens"], 7);
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_run_of_which_no_id_came_is_found_by_its_user() {
    for fault in
        ["http_504_html", "http_502_html", "connection_reset", "{ drop_after: 1 }", "maintenance_202"]
    {
        for (_, version) in VERSIONS {
            let server = faulty(version, fault);
            let answer = post(&server, "blocking").await;
            if let Ok(answer) = &answer {
                let is_proxy = fault.ends_with("_html");
                assert_eq!(answer.headers().contains_key("x-version"), !is_proxy, "{fault}");
            }
            let rows = logs(&server).await;
            assert_eq!(rows["total"], 1, "{fault}");
            assert_eq!(rows["data"][0]["workflow_run"]["status"], "running");
            let id = rows["data"][0]["workflow_run"]["id"].as_str().unwrap().to_owned();
            assert_eq!(get_json(&server, &format!("/workflows/run/{id}")).await["status"], "succeeded");
            assert_eq!(logs(&server).await["data"][0]["workflow_run"]["total_tokens"], 7);
            server.shutdown().await;
        }
    }
}

#[tokio::test]
async fn nothing_is_booked_where_nothing_ran() {
    let replaced = [
        "http_500",
        "too_many_requests",
        "http_429",
        "rate_limit_error",
        "unauthorized",
        "ping_only",
        "error_event",
        "error_then_pings",
        "{ name: http_504_html, booked: false }",
    ];
    for fault in replaced {
        for (_, version) in VERSIONS {
            for mode in ["blocking", "streaming"] {
                let server = faulty(version, fault);
                drop(post(&server, mode).await.unwrap());
                assert_eq!(logs(&server).await["total"], 0, "{fault} {mode}");
                server.shutdown().await;
            }
        }
    }
}

#[tokio::test]
async fn a_lost_run_is_followed_to_its_end() {
    let server = faulty(DifyVersion::V1_14, "{ drop_after: 5 }");
    let seen = events(&bytes(post(&server, "streaming").await.unwrap()).await);
    let (id, task) = (seen[0]["workflow_run_id"].as_str().unwrap(), seen[0]["task_id"].as_str().unwrap());
    let path = |rest: &str| format!("/workflow/{id}/events?{rest}");
    assert_eq!(get(&server, &path("user=other")).await.0, 404);
    assert_eq!(get(&server, &path("")).await.0, 400);
    let (_, text) = get(&server, &path("user=u&include_state_snapshot=true")).await;
    let told = events(&text);
    let names: Vec<&str> = told.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names[..3], ["workflow_started", "node_started", "node_finished"], "the snapshot");
    assert_eq!(
        (&told[2]["data"]["outputs"], &told[2]["data"]["status"]),
        (&Value::Null, &json!("succeeded"))
    );
    assert_eq!(names.last(), Some(&"workflow_finished"));
    assert_eq!(told.last().unwrap()["task_id"], task);
    let (_, text) = get(&server, &path("user=u")).await;
    assert!(text.starts_with("data: {\"event\": \"workflow_finished\", \"task_id\": \""), "{text}");
    let told = events(&text);
    assert_eq!(
        (told.len(), &told[0]["task_id"], &told[0]["data"]["outputs"]),
        (1, &json!(id), &json!({ "a": 1 }))
    );
    assert_eq!(get_json(&server, &format!("/workflows/run/{id}")).await["status"], "succeeded");
    server.shutdown().await;
    let server = faulty(DifyVersion::V1_12, "{ drop_after: 3 }");
    let seen = events(&bytes(post(&server, "streaming").await.unwrap()).await);
    let id = seen[0]["workflow_run_id"].as_str().unwrap();
    let (status, text) = get(&server, &format!("/workflow/{id}/events?user=u")).await;
    assert!(status == 404 && text.starts_with("<!doctype html>"), "1.12 has no such path: {text}");
    server.shutdown().await;
}

#[tokio::test]
async fn a_lost_run_that_is_stopped_says_running_for_ever() {
    let idle = Duration::from_millis(500);
    let server = serve(
        &format!("{{ {RUN}, fault: {{ stall_after: 1 }} }}"),
        MockOptions { stream_idle: idle, ..options(DifyVersion::V1_14) },
    );
    let mut response = post(&server, "streaming").await.unwrap();
    let mut text = String::new();
    while !text.contains("workflow_started") {
        text += std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap();
    }
    let seen = events(&text);
    let url = format!("{}/workflows/tasks/{}/stop", server.base_url(), seen[0]["task_id"].as_str().unwrap());
    client().post(url).bearer_auth("app-x").json(&json!({ "user": "u" })).send().await.unwrap();
    let id = seen[0]["workflow_run_id"].as_str().unwrap();
    for _ in 0..3 {
        assert_eq!(get_json(&server, &format!("/workflows/run/{id}")).await["status"], "running");
    }
    assert_eq!(logs(&server).await["data"][0]["workflow_run"]["status"], "stopped");
    let (_, text) = get(&server, &format!("/workflow/{id}/events?user=u")).await;
    assert_eq!(text, "event: ping\n\n", "whoever follows it waits in vain");
    server.shutdown().await;
}

#[tokio::test]
async fn a_run_that_never_ends_says_so() {
    let server = faulty(DifyVersion::V1_14, "{ no_terminal_event: , running: forever }");
    let seen = events(&bytes(post(&server, "streaming").await.unwrap()).await);
    let id = seen[0]["workflow_run_id"].as_str().unwrap();
    for _ in 0..4 {
        assert_eq!(get_json(&server, &format!("/workflows/run/{id}")).await["status"], "running");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn usage_and_versions_are_told_wrongly_and_nothing_else() {
    let finished = |text: &str| events(text).pop().unwrap()["data"].clone();
    let plain = serve(&format!("{{ {RUN} }}"), options(DifyVersion::V1_14));
    let right = finished(&bytes(post(&plain, "streaming").await.unwrap()).await);
    plain.shutdown().await;
    let server = faulty(DifyVersion::V1_14, "zero_usage");
    let text = bytes(post(&server, "streaming").await.unwrap()).await;
    assert_eq!(finished(&text)["total_tokens"], 0);
    let metadata = |event: &Value| event["data"]["execution_metadata"].clone();
    let llm = events(&text).into_iter().find(|event| !metadata(event).is_null()).unwrap();
    assert_eq!(metadata(&llm), json!({ "total_tokens": 0, "total_price": "0.0", "currency": "USD" }));
    let usage = &llm["data"]["outputs"]["usage"];
    assert_eq!((&usage["total_tokens"], &usage["total_price"]), (&json!(0), &json!("0.0")));
    server.shutdown().await;
    let server = faulty(DifyVersion::V1_14, "[double_usage, { version_change: 1 }]");
    let first = finished(&bytes(post(&server, "streaming").await.unwrap()).await);
    let second = finished(&bytes(post(&server, "streaming").await.unwrap()).await);
    assert_eq!((&first["total_tokens"], &first["outputs"]), (&json!(14), &right["outputs"]));
    assert_eq!(first["workflow_id"], right["workflow_id"]);
    assert_ne!(second["workflow_id"], right["workflow_id"]);
    server.shutdown().await;
}

#[tokio::test]
async fn tries_that_name_no_attempt_are_counted_by_app_and_inputs() {
    let options =
        MockOptions { faults: vec![parse_fault("http_500,times=2").unwrap()], ..MockOptions::default() };
    let server = serve("{ outputs: {} }", options);
    let ask = async |q: u32, attempt: Option<&str>| {
        let body = json!({ "inputs": { "q": q }, "user": "u", "response_mode": "blocking" });
        let url = format!("{}/workflows/run", server.base_url());
        let request = client().post(url).bearer_auth("app-x").json(&body);
        let request =
            attempt.into_iter().fold(request, |request, name| request.header("X-Flowproof-Attempt", name));
        request.send().await.unwrap().status().as_u16()
    };
    // No suite answers these inputs: once the fault is over, that is what is reported.
    for (q, attempt, status) in [
        (1, None, 500),
        (2, None, 500),
        (1, None, 500),
        (1, None, 404),
        (2, None, 500),
        (2, None, 404),
        (9, Some("0.0.1"), 500),
        (9, Some("0.0.2"), 200),
        (9, Some("0.1.0"), 500),
    ] {
        assert_eq!(ask(q, attempt).await, status, "{q} {attempt:?}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn no_task_outlives_a_client_that_leaves() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let silent = [
        "{ stall_after: 0 }",
        "{ stall_after: 2 }",
        "ping_only",
        "error_then_pings",
        "endless_stream",
        "{ slow_headers: 1h }",
    ];
    for fault in silent {
        for mode in ["streaming", "blocking"] {
            let server = faulty(DifyVersion::V1_14, fault);
            let before = alive();
            let client = client();
            let body = json!({ "inputs": {}, "user": "u", "response_mode": mode });
            let url = format!("{}/workflows/run", server.base_url());
            let asked = client.post(url).bearer_auth("app-x").json(&body).send();
            // No head comes from some of them.
            let response = tokio::time::timeout(Duration::from_millis(300), asked).await;
            drop((response, client));
            let gone = async {
                while alive() > before {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let ended = tokio::time::timeout(Duration::from_secs(20), gone).await;
            assert!(ended.is_ok(), "{fault} {mode}: {} tasks, {before} before", alive());
            tokio::time::timeout(Duration::from_secs(20), server.shutdown()).await.unwrap();
        }
    }
}
