//! Runs that wait for people: as recorded, and as Dify's sources say.

use std::sync::Arc;

use serde_json::{Value, json};

use super::likeness::{compare_keys, compare_streams};
use super::support::{client, compile_script_text, entry, events, recording};
use crate::dify::mock::book::ScriptBook;
use crate::dify::mock::options::{DifyVersion, MockOptions};
use crate::dify::mock::server::MockServer;

/// What a person who wrote the recorded workflow would script.
const RECORDED: &str = r#"
outputs: { comment: looks fine, action: approve }
nodes: [{ id: hi, title: Approval, type: human-input }]
pause:
  node: Approval
  content: "Review: Hello {{#$output.comment#}}"
  inputs: [{ name: comment, default: ok by default }]
  actions: [{ id: approve, title: Approve }, { id: reject, title: Reject }]
"#;

/// A server that gives one answer to the recorded inputs.
fn serve(yaml: &str, options: MockOptions) -> MockServer {
    let (script, templates, problems) = compile_script_text(yaml);
    assert_eq!(problems, []);
    let book = ScriptBook::new(vec![entry("", json!({ "draft": "Hello" }), script)], Vec::new());
    MockServer::start(book, options, Arc::new(templates), "run-1").unwrap()
}

fn plain(yaml: &str) -> String {
    // Templates of a suite would be rendered; the text is Dify's own notation.
    yaml.replace("{{#$output.comment#}}", "{{ '{{#$output.comment#}}' }}")
}

async fn run(server: &MockServer, mode: &str) -> String {
    let body = json!({ "inputs": { "draft": "Hello" }, "user": "hu", "response_mode": mode });
    let url = format!("{}/workflows/run", server.base_url());
    client().post(url).bearer_auth("app-x").json(&body).send().await.unwrap().text().await.unwrap()
}

async fn get(server: &MockServer, path: &str) -> (u16, String) {
    let url = format!("{}{path}", server.base_url());
    let response = client().get(url).bearer_auth("app-x").send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn submit(server: &MockServer, token: &str, body: Value) -> (u16, String) {
    let url = format!("{}/form/human_input/{token}", server.base_url());
    let response = client().post(url).bearer_auth("app-x").json(&body).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn body_of(name: &str) -> String {
    recording("1.14.2", name)["response"]["body"].as_str().unwrap().to_owned()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn names(text: &str) -> Vec<String> {
    let name = |event: &Value| {
        let title = event["data"]["title"].as_str().or(event["data"]["node_title"].as_str());
        let event = event["event"].as_str().unwrap();
        title.map_or_else(|| event.to_owned(), |title| format!("{event} {title}"))
    };
    events(text).iter().map(name).filter(|name| name != "text_chunk").collect()
}

/// The same members at every depth, in the same order, each of the same type.
fn compare_deep(recorded: &Value, mocked: &Value) -> Result<(), String> {
    compare_keys(recorded, mocked)?;
    for (key, value) in recorded.as_object().into_iter().flatten() {
        compare_deep(value, &mocked[key]).map_err(|error| format!("{key}: {error}"))?;
    }
    for (index, item) in recorded.as_array().into_iter().flatten().enumerate() {
        compare_deep(item, &mocked[index]).map_err(|error| format!("{index}: {error}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn the_recorded_pause_comes_back_alike() {
    let server = serve(&plain(RECORDED), MockOptions::default());
    let text = run(&server, "streaming").await;
    let (recorded, mocked) = (events(&body_of("human.streaming")), events(&text));
    assert!(text.starts_with("event: ping\n\n"));
    compare_streams(&recorded, &mocked).unwrap();
    for (recorded, mocked) in recorded.iter().zip(&mocked) {
        compare_deep(recorded, mocked).unwrap();
    }
    let of = |events: &[Value], at: usize, key: &str| events[at]["data"][key].clone();
    for key in ["form_content", "inputs", "actions", "display_in_ui", "resolved_default_values"] {
        assert_eq!(of(&mocked, 4, key), of(&recorded, 4, key), "{key}");
    }
    let run_id = mocked[0]["workflow_run_id"].as_str().unwrap();
    let token = mocked[4]["data"]["form_token"].as_str().unwrap();

    let (status, form) = get(&server, &format!("/form/human_input/{token}")).await;
    let recorded_form = json_of(&body_of("human.form"));
    compare_deep(&recorded_form, &json_of(&form)).unwrap();
    assert_eq!((status, form.ends_with('}'), form.contains("\": ")), (200, true, true));
    let (status, unknown) = get(&server, "/form/human_input/nope").await;
    assert_eq!((status, unknown), (404, body_of("human.form_unknown")));
    let detail = json_of(&get(&server, &format!("/workflows/run/{run_id}")).await.1);
    compare_deep(&json_of(&body_of("human.detail_paused")), &detail).unwrap();
    assert_eq!((&detail["status"], &detail["total_steps"]), (&json!("paused"), &json!(2)));

    let answer = |inputs: Value, action: &str| json!({ "inputs": inputs, "action": action, "user": "hu" });
    let (status, missing) = submit(&server, token, answer(json!({}), "approve")).await;
    assert_eq!((status, missing), (400, body_of("human.submit_missing_input")));
    let wrong = submit(&server, token, answer(json!({ "comment": "x" }), "aprove")).await;
    assert_eq!(
        wrong,
        (
            400,
            "{\"code\":\"invalid_form_data\",\"message\":\"Invalid action: aprove\",\"status\":400}\n"
                .to_owned()
        )
    );
    let good = answer(json!({ "comment": "looks fine" }), "approve");
    assert_eq!(submit(&server, token, good.clone()).await, (200, body_of("human.submit")));
    let (status, second) = submit(&server, token, good).await;
    assert_eq!((status, &json_of(&second)["code"]), (412, &json!("human_input_form_submitted")));
    assert_eq!(get(&server, &format!("/form/human_input/{token}")).await.0, 412);

    let (_, after) = get(&server, &format!("/workflow/{run_id}/events?user=hu")).await;
    compare_deep(&events(&body_of("human.events_after"))[0], &events(&after)[0]).unwrap();
    let other = get(&server, &format!("/workflow/{run_id}/events?user=other")).await;
    assert_eq!(other, (404, body_of("human.events_other_user")));
    let detail = json_of(&get(&server, &format!("/workflows/run/{run_id}")).await.1);
    compare_deep(&json_of(&body_of("human.detail_after")), &detail).unwrap();
    assert_eq!((&detail["status"], &detail["total_steps"]), (&json!("succeeded"), &json!(4)));
    server.shutdown().await;
}

#[tokio::test]
async fn an_answered_run_is_followed_from_its_pause() {
    let server = serve(&plain(RECORDED), MockOptions::default());
    for mode in ["streaming", "blocking"] {
        let text = run(&server, mode).await;
        let data = match mode {
            "blocking" => json_of(&text)["data"].clone(),
            _ => events(&text).pop().unwrap()["data"].clone(),
        };
        assert_eq!((&data["status"], &data["paused_nodes"]), (&json!("paused"), &json!(["hi"])), "{text}");
        let run_id = data["workflow_run_id"].as_str().or(data["id"].as_str()).unwrap();
        let token = data["reasons"][0]["form_token"].as_str().unwrap();
        let url = format!("{}/workflow/{run_id}/events?user=hu", server.base_url());
        let mut response = client().get(url).bearer_auth("app-x").send().await.unwrap();
        assert_eq!(&response.chunk().await.unwrap().unwrap()[..], b"event: ping\n\n");
        let body = json!({ "inputs": { "comment": "fine", "more": 1 }, "action": "reject", "user": "hu" });
        assert_eq!(submit(&server, token, body).await.0, 200);
        let text = response.text().await.unwrap();
        assert_eq!(
            names(&text),
            [
                "workflow_started",
                "node_started Approval",
                "human_input_form_filled Approval",
                "node_finished Approval",
                "node_started End",
                "node_finished End",
                "workflow_finished"
            ]
        );
        let told = events(&text);
        assert_eq!(told[0]["data"]["reason"], "resumption");
        assert_eq!(told[2]["data"]["rendered_content"], "Review: Hello fine");
        assert_eq!(
            (&told[2]["data"]["action_id"], &told[2]["data"]["action_text"]),
            (&json!("reject"), &json!("Reject"))
        );
        let finished = told.iter().find(|event| event["event"] == "node_finished").unwrap();
        assert_eq!(finished["data"]["id"], told[1]["data"]["id"]);
        assert_eq!(
            (&finished["data"]["outputs"]["comment"], &finished["data"]["outputs"]["__action_id"]),
            (&json!("fine"), &json!("reject"))
        );
    }
    server.shutdown().await;
}

#[tokio::test]
async fn forms_that_wait_at_once_are_asked_again_one_by_one() {
    let yaml = "
outputs: { a: 1 }
nodes: [{ title: Draft }, { title: Legal, type: human-input }, { title: Tone, type: human-input }, { title: Send }]
pause:
  - [{ node: Legal, actions: [ok] }, { node: Tone, inputs: [note], actions: [ok] }]
  - { node: Last, actions: [ok] }
";
    let server = serve(yaml, MockOptions::default());
    let text = run(&server, "streaming").await;
    assert_eq!(
        names(&text)[3..],
        [
            "node_started Draft",
            "node_finished Draft",
            "node_started Legal",
            "node_started Tone",
            "human_input_required Legal",
            "human_input_required Tone",
            "workflow_paused"
        ]
    );
    let paused = events(&text).pop().unwrap();
    let run_id = paused["workflow_run_id"].as_str().unwrap().to_owned();
    let token = |at: usize| paused["data"]["reasons"][at]["form_token"].as_str().unwrap();
    assert_eq!(paused["data"]["total_steps"], 4);
    let path = format!("/workflow/{run_id}/events?user=hu");
    let url = format!("{}{path}&continue_on_pause=true", server.base_url());
    let mut response = client().get(url).bearer_auth("app-x").send().await.unwrap();
    let answer = |inputs: Value| json!({ "inputs": inputs, "action": "ok", "user": "hu" });
    assert_eq!(submit(&server, token(1), answer(json!({ "note": "n" }))).await.0, 200);
    let snapshot = get(&server, &format!("{path}&include_state_snapshot=true")).await.1;
    assert_eq!(
        names(&snapshot),
        [
            "workflow_started",
            "node_started Start",
            "node_finished Start",
            "node_started Draft",
            "node_finished Draft",
            "node_started Legal",
            "node_started Tone",
            "node_finished Tone",
            "workflow_paused"
        ]
    );
    assert_eq!(submit(&server, token(0), answer(json!({}))).await.0, 200);
    let mut text = String::new();
    while names(&text).last().is_none_or(|name| name != "workflow_paused")
        || !text.contains("\"paused_nodes\":[\"last\"]")
    {
        text += std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap();
    }
    assert_eq!(
        names(&text),
        [
            "workflow_started",
            "node_started Legal",
            "node_started Tone",
            "human_input_form_filled Tone",
            "node_finished Tone",
            "human_input_required Legal",
            "workflow_paused",
            "workflow_started",
            "node_started Legal",
            "human_input_form_filled Legal",
            "node_finished Legal",
            "node_started Send",
            "node_finished Send",
            "node_started Last",
            "human_input_required Last",
            "workflow_paused"
        ]
    );
    assert_eq!(submit(&server, token(1), answer(json!({ "note": "n" }))).await.0, 412);
    let last = events(&text).pop().unwrap();
    let token = last["data"]["reasons"][0]["form_token"].as_str().unwrap();
    assert_eq!(submit(&server, token, answer(json!({}))).await.0, 200);
    let detail = json_of(&get(&server, &format!("/workflows/run/{run_id}")).await.1);
    // Start, Draft, Legal, Tone, Send, Last, End; Legal twice again, Tone once, Last once.
    assert_eq!((&detail["status"], &detail["total_steps"]), (&json!("succeeded"), &json!(7 + 4)));
    server.shutdown().await;
}

#[tokio::test]
async fn forms_that_cannot_be_answered_say_why() {
    for (keys, status, code) in [("expires: 0s", 412, "human_input_form_expired"), ("expires: 1h", 200, "")] {
        let yaml = format!("{{ pause: {{ node: A, actions: [ok], {keys} }} }}");
        let server = serve(&yaml, MockOptions::default());
        let paused = events(&run(&server, "streaming").await).pop().unwrap();
        let token = paused["data"]["reasons"][0]["form_token"].as_str().unwrap();
        for (found, text) in [
            get(&server, &format!("/form/human_input/{token}")).await,
            submit(&server, token, json!({ "inputs": {}, "action": "ok", "user": "hu" })).await,
        ] {
            assert_eq!((found, json_of(&text)["code"].as_str().unwrap_or_default()), (status, code));
        }
        let other = client()
            .get(format!("{}/form/human_input/{token}", server.base_url()))
            .bearer_auth("wrong")
            .send();
        assert_eq!(other.await.unwrap().status().as_u16(), 401);
        for (body, message) in [
            (json!({ "inputs": {}, "action": "ok" }), "Arg user must be provided."),
            (json!({ "user": "hu" }), "2 validation errors for HumanInputFormSubmitPayload"),
        ] {
            let (status, text) = submit(&server, token, body).await;
            assert_eq!(status, 400);
            assert!(json_of(&text)["message"].as_str().unwrap().starts_with(message), "{text}");
        }
        server.shutdown().await;
    }
    let server = serve("{ pause: { node: A, actions: [ok], delivery: email } }", MockOptions::default());
    let told = events(&run(&server, "streaming").await);
    let forms = [&told[3]["data"]["form_token"], &told[4]["data"]["reasons"][0]["form_token"]];
    assert_eq!(forms, [&Value::Null, &Value::Null]);
    server.shutdown().await;
    let server = serve(
        "{ pause: { node: A, actions: [ok] } }",
        MockOptions { version: DifyVersion::V1_12, ..MockOptions::default() },
    );
    assert!(run(&server, "streaming").await.contains("no mock answer: `pause` needs Dify 1.14"));
    assert_eq!(get(&server, "/form/human_input/x").await.0, 404);
    server.shutdown().await;
}
