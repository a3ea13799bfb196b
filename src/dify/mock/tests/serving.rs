//! The server as a client meets it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::support::{client, compile_rules_text, compile_script_text, entry, events, options, serve};
use crate::base::template::Templates;
use crate::dify::mock::book::ScriptBook;
use crate::dify::mock::options::{DifyVersion, MockOptions, NodePace};
use crate::dify::mock::server::MockServer;

async fn run(server: &MockServer, key: &str, attempt: Option<&str>, body: Value) -> (u16, String) {
    let mut request =
        client().post(format!("{}/workflows/run", server.base_url())).bearer_auth(key).json(&body);
    if let Some(attempt) = attempt {
        request = request.header("X-Flowproof-Attempt", attempt);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn body(inputs: Value, mode: &str) -> Value {
    json!({ "inputs": inputs, "user": "u", "response_mode": mode })
}

#[tokio::test]
async fn an_attempt_gets_its_own_reply_and_others_are_matched_by_inputs() {
    let script = |yaml: &str| compile_script_text(yaml).0;
    let entries = vec![
        entry("a", json!({ "q": "x" }), script("replies: [{ outputs: { n: 0 } }, { outputs: { n: 1 } }]")),
        entry("b", json!({ "q": 1 }), script("outputs: { n: 2 }")),
        entry("a", json!({ "q": "y" }), None),
    ];
    let rules = compile_rules_text("- { when: { inputs: { q: y } }, reply: { outputs: { n: 3 } } }").0;
    let server = MockServer::start(
        ScriptBook::new(entries, rules),
        MockOptions::default(),
        Arc::new(Templates::new()),
        "r",
    )
    .unwrap();
    let n = |text: &str| serde_json::from_str::<Value>(text).unwrap()["data"]["outputs"]["n"].clone();
    let ask = |attempt, inputs| run(&server, "app-a", attempt, body(inputs, "blocking"));
    assert_eq!(n(&ask(Some("0.1.0"), json!({})).await.1), 1);
    assert_eq!(n(&ask(Some("0.2.5"), json!({})).await.1), 0);
    assert_eq!(n(&ask(Some("1.0.0"), json!({})).await.1), 2);
    assert_eq!(n(&ask(Some("2.0.0"), json!({ "q": "y", "more": 1 })).await.1), 3);
    for expected in [0, 1, 0] {
        assert_eq!(n(&ask(None, json!({ "q": "x" })).await.1), expected);
    }
    assert_eq!(n(&run(&server, "app-b", None, body(json!({ "q": 1.0 }), "blocking")).await.1), 2);
    let (status, text) = ask(None, json!({ "q": "z" })).await;
    let error: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (status, &error["code"], &error["message"]),
        (404, &json!("not_found"), &json!("no mock answer for the inputs {\"q\":\"z\"}"))
    );
    assert_eq!(run(&server, "app-c", None, body(json!({}), "blocking")).await.0, 401);
    server.shutdown().await;
}

#[tokio::test]
async fn a_stream_is_followed_by_its_detail_and_its_log_row() {
    for (version, word) in [(DifyVersion::V1_12, "text"), (DifyVersion::V1_14, "mapping")] {
        let server = serve(
            "{ outputs: { a: \"h\\u00e9\" }, tokens: 4 }",
            MockOptions { version, ..MockOptions::default() },
        );
        let (status, text) = run(&server, "app-x", None, body(json!({}), "streaming")).await;
        assert_eq!((status, text.starts_with("event: ping\n\n")), (200, version == DifyVersion::V1_14));
        let events = events(&text);
        let id = events[0]["workflow_run_id"].as_str().unwrap().to_owned();
        let get =
            |path: String| client().get(format!("{}{path}", server.base_url())).bearer_auth("app-x").send();
        let detail: Value = get(format!("/workflows/run/{id}")).await.unwrap().json().await.unwrap();
        assert_eq!((&detail["status"], &detail["total_tokens"]), (&json!("succeeded"), &json!(4)));
        let expected = if word == "text" { json!("{\"a\": \"h\\u00e9\"}") } else { json!({ "a": "hé" }) };
        assert_eq!(detail["outputs"], expected);
        let logs: Value = get("/workflows/logs?created_by_end_user_session_id=u&limit=1".to_owned())
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!((&logs["total"], &logs["data"][0]["workflow_run"]["id"]), (&json!(1), &json!(id)));
        let none: Value = get("/workflows/logs?created_by_end_user_session_id=v".to_owned())
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(none["total"], 0);
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_running_stream_can_be_stopped() {
    let options = MockOptions { pace: NodePace::Real, ..MockOptions::default() };
    let server = serve("{ outputs: {}, nodes: [{ title: slow, elapsed: 60s }] }", options);
    let url = format!("{}/workflows/run", server.base_url());
    let mut response =
        client().post(url).bearer_auth("app-x").json(&body(json!({}), "streaming")).send().await.unwrap();
    let mut text = String::new();
    while !text.contains("\"title\":\"slow\"") {
        text += std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap();
    }
    let task = events(&text)[0]["task_id"].as_str().unwrap().to_owned();
    let stop = client()
        .post(format!("{}/workflows/tasks/{task}/stop", server.base_url()))
        .bearer_auth("app-x")
        .json(&json!({ "user": "w" }));
    assert_eq!(stop.send().await.unwrap().text().await.unwrap(), "{\"result\":\"success\"}\n");
    while let Some(chunk) = response.chunk().await.unwrap() {
        text += std::str::from_utf8(&chunk).unwrap();
    }
    let last = events(&text).pop().unwrap();
    assert_eq!(
        (&last["data"]["status"], &last["data"]["error"]),
        (&json!("stopped"), &json!("Stopped by user."))
    );
    server.shutdown().await;
}

#[tokio::test]
async fn scripted_rejections_are_http_errors_or_a_ping_and_silence() {
    let yaml = "reject: { message: query is required in input form }";
    let idle = Duration::from_millis(50);
    for (version, streamed) in [(DifyVersion::V1_12, 400), (DifyVersion::V1_14, 200)] {
        let server = serve(yaml, MockOptions { version, stream_idle: idle, ..MockOptions::default() });
        let (status, text) = run(&server, "app-x", None, body(json!({}), "blocking")).await;
        assert_eq!(
            (status, text.as_str()),
            (
                400,
                "{\"code\":\"invalid_param\",\"message\":\"query is required in input form\",\"status\":400}\n"
            )
        );
        let (status, text) = run(&server, "app-x", None, body(json!({}), "streaming")).await;
        assert_eq!(status, streamed);
        assert_eq!(text == "event: ping\n\n", version == DifyVersion::V1_14);
        server.shutdown().await;
    }
    let server =
        serve("reject: { http: 429, code: too_many_requests, message: slow down }", MockOptions::default());
    assert_eq!(run(&server, "app-x", None, body(json!({}), "streaming")).await.0, 429);
    server.shutdown().await;
}

async fn send_file(server: &MockServer, form: reqwest::multipart::Form) -> reqwest::Response {
    let url = format!("{}/files/upload", server.base_url());
    client().post(url).bearer_auth("app-x").multipart(form).send().await.unwrap()
}

#[tokio::test]
async fn uploads_belong_to_key_and_user_from_1_14_on() {
    for (version, foreign) in [(DifyVersion::V1_12, 200), (DifyVersion::V1_14, 400)] {
        let server = serve("outputs: { ok: true }", MockOptions { version, ..MockOptions::default() });
        let file = reqwest::multipart::Part::bytes(vec![b'x'; 10])
            .file_name("note.txt")
            .mime_str("text/plain")
            .unwrap();
        let response =
            send_file(&server, reqwest::multipart::Form::new().text("user", "u").part("file", file)).await;
        assert_eq!(response.status(), 201);
        let upload: Value = response.json().await.unwrap();
        assert_eq!(
            (&upload["name"], &upload["size"], &upload["extension"]),
            (&json!("note.txt"), &json!(10), &json!("txt"))
        );
        let file = json!({ "doc": { "type": "document", "transfer_method": "local_file", "upload_file_id": upload["id"] } });
        let mut request = body(file, "streaming");
        let (status, text) = run(&server, "app-x", None, request.clone()).await;
        assert_eq!(
            (status, &events(&text)[0]["data"]["inputs"]["doc"]["filename"]),
            (200, &json!("note.txt"))
        );
        request["user"] = json!("someone else");
        request["response_mode"] = json!("blocking");
        assert_eq!(run(&server, "app-x", None, request).await.0, foreign);
        let large = reqwest::multipart::Part::bytes(vec![b'x'; (15 << 20) + 1]).file_name("big.txt");
        let response = send_file(&server, reqwest::multipart::Form::new().part("file", large)).await;
        assert_eq!(response.status(), 413);
        server.shutdown().await;
    }
}

#[tokio::test]
async fn paths_methods_and_declared_forms() {
    let declared = "apps: { a: { parameters: [{ number: { variable: n, required: true } }, { checkbox: { variable: c } }] } }\ndify_version: \"1.12\"";
    let options = options(declared);
    assert_eq!(options.version, DifyVersion::V1_12);
    let book = ScriptBook::new(
        vec![entry(
            "a",
            json!({ "n": "7", "c": "yes", "dropped": 1 }),
            compile_script_text("outputs: { n: 7, c: true }").0,
        )],
        Vec::new(),
    );
    let server = MockServer::start(book, options, Arc::new(Templates::new()), "r").unwrap();
    let (_, text) =
        run(&server, "app-a", None, body(json!({ "n": "7", "c": "yes", "dropped": 1 }), "streaming")).await;
    let inputs = events(&text)[0]["data"]["inputs"].clone();
    assert_eq!((&inputs["n"], &inputs["c"], &inputs["dropped"]), (&json!(7), &json!(true), &Value::Null));
    assert_eq!(run(&server, "app-a", None, body(json!({ "n": [] }), "streaming")).await.0, 500);
    let get = |path: &str| client().get(format!("{}{path}", server.base_url())).bearer_auth("app-a").send();
    assert_eq!(get("/workflows/run").await.unwrap().status(), 405);
    assert_eq!(get("/parameters/").await.unwrap().status(), 404);
    assert_eq!(get("").await.unwrap().status(), 308);
    assert_eq!(get("/").await.unwrap().status(), 200);
    let info: Value = get("/info").await.unwrap().json().await.unwrap();
    assert_eq!((&info["mode"], &info["name"]), (&json!("workflow"), &json!("a")));
    server.shutdown().await;
}

#[tokio::test]
async fn a_user_must_be_what_python_takes_for_true() {
    let server = serve("outputs: { ok: true }", MockOptions::default());
    let users = [json!(0), json!(0.0), json!(false), json!([]), json!({}), json!(""), Value::Null];
    let taken = [json!(7), json!(true), json!([0]), json!({ "id": 1 }), json!("u")];
    let all = users.iter().map(|user| (user, 400)).chain(taken.iter().map(|user| (user, 200)));
    for (user, expected) in all {
        let body = json!({ "inputs": {}, "user": user, "response_mode": "blocking" });
        let (status, text) = run(&server, "app-x", None, body).await;
        assert_eq!(status, expected, "{user}: {text}");
        assert_eq!(text.contains("Arg user must be provided."), expected == 400, "{user}: {text}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_graph_that_cannot_be_built_is_told_in_the_stream() {
    let broken = "2 validation errors for CodeNodeData\\nx";
    for (version, message, events) in [
        (DifyVersion::V1_12, broken, 1),
        (DifyVersion::V1_14, broken, 1),
        (DifyVersion::V1_14, "Model m not exist.", 1),
        // 1.12 finds it out when the node runs; a script that refuses it is taken at its word.
        (DifyVersion::V1_12, "Model m not exist.", 0),
    ] {
        let yaml = format!("reject: {{ message: \"{message}\" }}");
        let idle = Duration::from_millis(20);
        let server = serve(&yaml, MockOptions { version, stream_idle: idle, ..MockOptions::default() });
        assert_eq!(run(&server, "app-x", None, body(json!({}), "blocking")).await.0, 400);
        let (status, text) = run(&server, "app-x", None, body(json!({}), "streaming")).await;
        assert_eq!(status, if events == 0 { 400 } else { 200 }, "{version:?} {message}");
        let found = super::support::events(&text);
        assert_eq!(found.iter().filter(|event| event["event"] == "error").count(), events, "{text}");
        server.shutdown().await;
    }
}

#[tokio::test]
async fn in_real_time_a_blocking_call_waits_and_a_left_run_goes_on() {
    let options = MockOptions { pace: NodePace::Real, ..MockOptions::default() };
    let server = serve("{ outputs: { a: 1 }, nodes: [{ title: n, elapsed: 60ms }] }", options);
    let before = crate::base::clock::now();
    assert_eq!(run(&server, "app-x", None, body(json!({}), "blocking")).await.0, 200);
    assert!(before.elapsed() >= Duration::from_millis(60));
    let url = format!("{}/workflows/run", server.base_url());
    let mut response =
        client().post(url).bearer_auth("app-x").json(&body(json!({}), "streaming")).send().await.unwrap();
    let mut text = String::new();
    while !text.contains("workflow_started") {
        text += std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap();
    }
    drop(response);
    let id = events(&text)[0]["workflow_run_id"].as_str().unwrap().to_owned();
    for _ in 0..500 {
        let url = format!("{}/workflows/run/{id}", server.base_url());
        let detail: Value =
            client().get(url).bearer_auth("app-x").send().await.unwrap().json().await.unwrap();
        if detail["status"] == "succeeded" {
            assert_eq!(detail["outputs"], json!({ "a": 1 }));
            server.shutdown().await;
            return;
        }
        assert_eq!((&detail["status"], &detail["outputs"]), (&json!("running"), &json!({})));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the run never ends");
}

#[tokio::test]
async fn only_latency_is_waited_for() {
    let server = serve(
        "{ outputs: {}, elapsed: 1h, latency: 40ms, nodes: [{ title: a, elapsed: 1h }] }",
        MockOptions::default(),
    );
    let before = crate::base::clock::now();
    let (_, text) = run(&server, "app-x", None, body(json!({}), "streaming")).await;
    assert!(before.elapsed() >= Duration::from_millis(40));
    assert_eq!(events(&text).last().unwrap()["data"]["elapsed_time"], 3600.0);
    server.shutdown().await;
}

#[tokio::test]
async fn connections_are_kept_and_a_shutdown_cuts_silent_streams() {
    let server = serve("reject: { message: q is required in input form }", MockOptions::default());
    let client = client();
    let ask = || client.post(format!("{}/workflows/run", server.base_url())).bearer_auth("app-x");
    for _ in 0..3 {
        assert_eq!(ask().json(&body(json!({}), "blocking")).send().await.unwrap().status(), 400);
    }
    let mut silent = ask().json(&body(json!({}), "streaming")).send().await.unwrap();
    assert_eq!(silent.chunk().await.unwrap().unwrap(), "event: ping\n\n");
    tokio::time::timeout(Duration::from_secs(20), server.shutdown()).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(20), silent.chunk()).await.unwrap().is_err());
}
