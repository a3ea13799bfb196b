//! Recorded run details, asked of a mock that has just had such a run.

use serde_json::{Value, json};

use super::likeness::compare_deep;
use super::recordings::own_inputs;
use super::support::{client, compile_script_text, entry, events};
use crate::dify::mock::book::ScriptBook;
use crate::dify::mock::options::{DifyVersion, MockOptions, NodePace};
use crate::dify::mock::server::MockServer;

/// Runs what the detail reports about, left or stopped on the way if it still says `running`, and asks for its detail.
pub async fn compare(name: &str, recording: &Value, version: DifyVersion) -> Result<(), String> {
    let recorded: Value = serde_json::from_str(recording["response"]["body"].as_str().unwrap()).unwrap();
    let inputs = text_or_value(&recorded["inputs"]);
    let is_running = recorded["status"] == "running";
    let mut reply =
        json!({ "outputs": text_or_value(&recorded["outputs"]), "tokens": recorded["total_tokens"] });
    let mut options = MockOptions { version, ..MockOptions::default() };
    if is_running {
        options.pace = NodePace::Real;
        reply["nodes"] = json!([{ "title": "Slow", "elapsed": "1h" }]);
    } else {
        reply["status"] = recorded["status"].clone();
        reply["steps"] = recorded["total_steps"].clone();
    }
    let server = serve(&reply, options);
    let body =
        json!({ "inputs": own_inputs(&inputs), "user": inputs["sys.user_id"], "response_mode": "streaming" });
    let client = client();
    let url = |path: &str| format!("{}{path}", server.base_url());
    let mut response = client
        .post(url("/workflows/run"))
        .bearer_auth("app-x")
        .header("X-Flowproof-Attempt", "0.0.0")
        .json(&body)
        .send()
        .await
        .unwrap();
    let mut text = String::new();
    let wanted = if is_running { "\"Slow\"" } else { "workflow_finished" };
    while !text.contains(wanted) {
        text += std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap();
    }
    let started = events(&text).swap_remove(0);
    if name.starts_with("stop.") {
        let path = format!("/workflows/tasks/{}/stop", started["task_id"].as_str().unwrap());
        client.post(url(&path)).bearer_auth("app-x").json(&json!({ "user": "w" })).send().await.unwrap();
        while response.chunk().await.unwrap().is_some() {}
    }
    drop(response);
    let path = format!("/workflows/run/{}", started["workflow_run_id"].as_str().unwrap());
    let mocked: Value =
        client.get(url(&path)).bearer_auth("app-x").send().await.unwrap().json().await.unwrap();
    server.shutdown().await;
    compare_deep(&recorded, &mocked)?;
    for key in ["inputs", "outputs"] {
        compare_deep(&text_or_value(&recorded[key]), &text_or_value(&mocked[key]))
            .map_err(|error| format!("{key}{error}"))?;
    }
    for key in ["status", "error", "total_steps", "total_tokens"] {
        if recorded[key] != mocked[key] {
            return Err(format!("`{key}` {} became {}", recorded[key], mocked[key]));
        }
    }
    Ok(())
}

fn serve(reply: &Value, options: MockOptions) -> MockServer {
    let (script, templates, problems) = compile_script_text(&reply.to_string());
    assert_eq!(problems, []);
    let book = ScriptBook::new(vec![entry("", json!({}), script)], Vec::new());
    MockServer::start(book, options, std::sync::Arc::new(templates), "r").unwrap()
}

/// Dify writes mappings as JSON texts, but for the outputs of 1.14.
fn text_or_value(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| serde_json::from_str(text).unwrap())
}
