//! Recorded refusals and small calls, asked again of the mock: the same status, headers and body.

use std::sync::Arc;

use serde_json::{Value, json};

use super::support::{VERSIONS, client, compile_script_text, entry, options, recording, recordings};
use crate::base::template::Templates;
use crate::mock::book::Book;
use crate::mock::options::DifyVersion;
use crate::mock::server::MockServer;

/// The recorded apps, as declared there.
fn server(folder: &str, version: DifyVersion) -> MockServer {
    let declared = |name: &str| {
        let body = recording(folder, name)["response"]["body"].as_str().unwrap().to_owned();
        serde_json::from_str::<Value>(&body).unwrap()["user_input_form"].clone()
    };
    let apps = json!({ "echo": { "parameters": declared("parameters.echo") }, "file": { "parameters": declared("parameters.file2") } });
    let mut options = options(&json!({ "apps": apps }).to_string());
    options.version = version;
    let script = |outputs: &str| compile_script_text(&format!("outputs: {outputs}")).0;
    let any = ["echo", "file"].map(|app| entry(app, json!({}), script("{}")));
    let rules = super::support::compile_rules_text(
        "- { when: { inputs: { text: x } }, reply: { outputs: { text: x } } }",
    )
    .0;
    MockServer::start(Book::new(any.into(), rules), options, Arc::new(Templates::new()), "r").unwrap()
}

/// Recordings whose request the mock can be asked again: what it depends on is in the request.
fn is_asked(name: &str) -> bool {
    let skipped = [
        "err.unpublished",
        "err.root_noslash",
        "upload.too_large",
        "upload.image_too_large",
        "err.auth_invalid",
    ];
    let families = [
        "err.",
        "upload.",
        "stop.nouser",
        "stop.other_app_call",
        "stop.slow_call",
        "versions.bad_format",
        "versions.nonexistent",
    ];
    let others = [
        "detail.badid",
        "detail.unknown",
        "logs.limit101",
        "logs.account_unknown",
        "parameters.echo",
        "parameters.user_q",
        "meta.echo",
    ];
    let runs = name.ends_with("_ok") || matches!(name, "err.null_response_mode" | "err.user_number");
    let hangs = name == "err.missing_required_hang.streaming";
    (families.iter().any(|family| name.starts_with(family)) || others.contains(&name))
        && !skipped.iter().any(|skip| name.starts_with(skip))
        && !(runs && name.contains("trailing"))
        && !hangs
}

const VOLATILE: [&str; 5] = ["date", "connection", "content-length", "transfer-encoding", "host"];

#[tokio::test]
async fn recorded_refusals_come_back_alike() {
    let client = client();
    let mut asked = 0;
    let mut failures = Vec::new();
    for (folder, version) in VERSIONS {
        let server = server(folder, version);
        for (name, recording) in recordings(folder).into_iter().filter(|(name, _)| is_asked(name)) {
            asked += 1;
            if let Err(error) = ask(&server, &recording, &client).await {
                failures.push(format!("{folder}/{name}: {error}"));
            }
        }
        server.shutdown().await;
    }
    assert!(failures.is_empty(), "{asked} asked; not alike:\n{}", failures.join("\n"));
    assert_eq!(asked, 120, "update the count, and the report, when recordings are added");
}

async fn ask(server: &MockServer, recording: &Value, client: &reqwest::Client) -> Result<(), String> {
    let (request, recorded) = (&recording["request"], &recording["response"]);
    let url = format!("{}{}", server.base_url().trim_end_matches("/v1"), request["path"].as_str().unwrap());
    let mut builder = client.request(request["method"].as_str().unwrap().parse().unwrap(), url);
    for (name, value) in request["headers"].as_object().unwrap() {
        if !name.eq_ignore_ascii_case("content-length") {
            builder = builder.header(name, value.as_str().unwrap().replace("app-EXAMPLE", "app-echo"));
        }
    }
    let body = match &request["body"] {
        Value::Null if recorded["status"] == 500 && request["method"] == "POST" => b"null".to_vec(),
        Value::Null => Vec::new(),
        body if body["inputs"]["num"] == "NaN" => body.to_string().replace("\"NaN\"", "NaN").into_bytes(),
        body => match body["raw_utf8"].as_str() {
            // What could not be decoded was recorded as a replacement character.
            Some(raw) if raw.contains('\u{fffd}') => raw
                .split('\u{fffd}')
                .collect::<Vec<_>>()
                .join("\u{1}")
                .bytes()
                .map(|b| if b == 1 { 0xff } else { b })
                .collect(),
            Some(raw) => raw.as_bytes().to_vec(),
            None => body.to_string().into_bytes(),
        },
    };
    let mut response = builder.body(body).send().await.map_err(|error| error.to_string())?;
    if recorded["status"] != response.status().as_u16() {
        return Err(format!(
            "status {} became {}: {}",
            recorded["status"],
            response.status(),
            response.text().await.unwrap_or_default()
        ));
    }
    compare_headers(&recorded["headers"], response.headers())?;
    let wanted = recorded["body"].as_str().unwrap();
    if wanted == "event: ping\n\n" {
        let first = response.chunk().await.map_err(|error| error.to_string())?.unwrap_or_default();
        return if first == wanted { Ok(()) } else { Err(format!("first chunk {first:?}")) };
    }
    compare_bodies(wanted, &response.text().await.map_err(|error| error.to_string())?)
}

fn compare_headers(recorded: &Value, mocked: &reqwest::header::HeaderMap) -> Result<(), String> {
    let mut wanted: Vec<(String, String)> = recorded
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap().to_lowercase(), pair[1].as_str().unwrap().to_owned()))
        .collect();
    let mut found: Vec<(String, String)> =
        mocked.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    for list in [&mut wanted, &mut found] {
        list.retain(|(name, _)| !VOLATILE.contains(&name.as_str()));
        list.sort();
    }
    if wanted == found { Ok(()) } else { Err(format!("headers {wanted:?} became {found:?}")) }
}

fn compare_bodies(wanted: &str, found: &str) -> Result<(), String> {
    let (Ok(left), Ok(right)) = (serde_json::from_str::<Value>(wanted), serde_json::from_str::<Value>(found))
    else {
        return if wanted == found { Ok(()) } else { Err(format!("body {wanted:?} became {found:?}")) };
    };
    if !left["code"].is_null()
        || left["result"].is_string()
        || !left["user_input_form"].is_null()
        || !left["tool_icons"].is_null()
    {
        return if wanted == found { Ok(()) } else { Err(format!("body {wanted} became {found}")) };
    }
    super::likeness::compare_keys(&left, &right)?;
    super::likeness::compare_keys(&left["data"], &right["data"])
}
