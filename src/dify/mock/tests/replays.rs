//! Recorded exchanges served to somebody who names none, and to a runner who does.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::support::client;
use crate::base::template::Templates;
use crate::dify::cassette::{RecordedExchange, parse};
use crate::dify::mock::book::{ScriptBook, recorded_name};
use crate::dify::mock::options::MockOptions;
use crate::dify::mock::server::MockServer;

fn recorded() -> Vec<Arc<RecordedExchange>> {
    let line = |repeat: u32, said: &str| {
        json!({
            "test": "S::a", "repeat": repeat, "app": "triage", "mode": "blocking", "inputs": { "q": 1 }, "recorded": "", "status": 200,
            "headers": [["content-type", "application/json"], ["x-version", "1.12.1"]], "body": { "said": said }, "elapsed_ms": 1.0,
        })
        .to_string()
    };
    let text = format!("{{\"cassette\":1}}\n{}\n{}\n", line(0, "first"), line(1, "second"));
    let number = |(number, recorded)| Arc::new(RecordedExchange { number, ..recorded });
    parse(text.as_bytes()).unwrap().into_iter().enumerate().map(number).collect()
}

async fn ask(server: &MockServer, body: &Value, attempt: Option<String>) -> (u16, Value) {
    let request =
        client().post(format!("{}/workflows/run", server.base_url())).bearer_auth("app-triage").json(body);
    let request = match attempt {
        Some(attempt) => request.header("X-Flowproof-Attempt", attempt),
        None => request,
    };
    let answer = request.timeout(Duration::from_secs(60)).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn recorded_answers_are_found_by_app_inputs_and_mode() {
    let book = ScriptBook::default().with_recorded(&recorded());
    let server =
        MockServer::start(book, MockOptions::default(), Arc::new(Templates::new()), "run-1").unwrap();
    let body = |q: u32, mode: &str| json!({ "inputs": { "q": q }, "response_mode": mode, "user": "u" });
    let said = |text: &str| (200, json!({ "said": text }));
    let mut turns = Vec::new();
    for _ in 0..3 {
        turns.push(ask(&server, &body(1, "blocking"), None).await);
    }
    assert_eq!(turns, [said("first"), said("second"), said("first")], "repeats take turns");
    assert_eq!(
        ask(&server, &body(2, "blocking"), Some(recorded_name(1))).await,
        said("second"),
        "a runner chooses"
    );
    for (body, attempt) in [
        (body(2, "blocking"), None),
        (body(1, "streaming"), None),
        (body(1, "blocking"), Some("0.0.0".to_owned())),
        (body(2, "blocking"), Some(recorded_name(7))),
    ] {
        let (status, answer) = ask(&server, &body, attempt).await;
        assert_eq!(status, 404, "{answer}");
        assert!(answer["message"].as_str().unwrap().starts_with("no mock answer"), "{answer}");
    }
    server.shutdown().await;
}
