//! Recorded calls, asked again of a mock: the same status, headers and body.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::likeness::compare_deep;
use super::support::{compile_script_text, entry, options, recording};
use crate::base::template::Templates;
use crate::dify::mock::book::ScriptBook;
use crate::dify::mock::options::DifyVersion;
use crate::dify::mock::server::MockServer;

/// The recorded apps, as declared there, in one of which uploads are taken; any inputs are answered.
pub fn server(folder: &str, version: DifyVersion) -> MockServer {
    let declared = |name: &str| {
        let body = recording(folder, name)["response"]["body"].as_str().unwrap().to_owned();
        serde_json::from_str::<Value>(&body).unwrap()["user_input_form"].clone()
    };
    let names = [("echo", "echo"), ("file", "file2"), ("one-file", "file"), ("chatflow", "chatflow")];
    let apps: Value = names
        .iter()
        .map(|(app, name)| {
            ((*app).to_owned(), json!({ "parameters": declared(&format!("parameters.{name}")) }))
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    let apps = json!({ "apps": apps });
    let mut options = options(&apps.to_string());
    options.version = version;
    let script = |outputs: &str| compile_script_text(&format!("outputs: {outputs}")).0;
    let any = ["echo", "file"].map(|app| entry(app, json!({}), script("{}")));
    let rules = super::support::compile_rules_text(
        "- { when: { inputs: { text: x } }, reply: { outputs: { text: x } } }",
    )
    .0;
    MockServer::start(ScriptBook::new(any.into(), rules), options, Arc::new(Templates::new()), "r").unwrap()
}

const VOLATILE: [&str; 5] = ["date", "connection", "content-length", "transfer-encoding", "host"];

/// The address of the recorded Difys, which some answers repeat.
const RECORDED: [&str; 2] = ["127.0.0.1:5001", "127.0.0.1:5021"];

/// Asks a recorded request again: the same status, headers and body.
pub async fn ask(server: &MockServer, recording: &Value, client: &reqwest::Client) -> Result<(), String> {
    let own = server.base_url().trim_end_matches("/v1").trim_start_matches("http://").to_owned();
    let text = RECORDED.iter().fold(recording.to_string(), |text, address| text.replace(address, &own));
    let recording: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let (request, recorded) = (&recording["request"], &recording["response"]);
    let url = format!("http://{own}{}", request["path"].as_str().unwrap());
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
    let body = filled(body, request);
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
    if recorded["headers"].to_string().contains("text/event-stream") {
        return compare_open_stream(wanted, recording["timing"]["cut"].is_null(), &mut response).await;
    }
    compare_bodies(wanted, &response.text().await.map_err(|error| error.to_string())?)
}

/// A long body was recorded without its middle: its true size is known.
fn filled(mut body: Vec<u8>, request: &Value) -> Vec<u8> {
    let headers = request["headers"].as_object().unwrap();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| value.as_str()?.parse::<usize>().ok()).unwrap_or(0);
    if length <= body.len() || length < 1 << 20 {
        return body;
    }
    let boundary = headers.values().find_map(|value| value.as_str()?.split("boundary=").nth(1)).unwrap();
    body.resize(length, b'x');
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}

/// The recorded bytes, and then no more: the end, or silence where Dify stays silent.
async fn compare_open_stream(
    wanted: &str,
    ends: bool,
    response: &mut reqwest::Response,
) -> Result<(), String> {
    let mut found = Vec::new();
    while found.len() < wanted.len() {
        match response.chunk().await.map_err(|error| error.to_string())? {
            Some(chunk) => found.extend_from_slice(&chunk),
            None => break,
        }
    }
    if found != wanted.as_bytes() {
        return Err(format!("body {wanted:?} became {:?}", String::from_utf8_lossy(&found)));
    }
    let patience = Duration::from_millis(if ends { 10_000 } else { 20 });
    let more = tokio::time::timeout(patience, response.chunk()).await;
    match (more, ends) {
        (Err(_), false) | (Ok(Ok(None)), true) => Ok(()),
        (more, _) => Err(format!("after the recorded bytes came {more:?}")),
    }
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
    match (&left["data"][0], &right["data"][0]) {
        (Value::Object(_), row @ Value::Object(_)) => compare_deep(&left["data"][0], row),
        _ => super::likeness::compare_keys(&left["data"], &right["data"]),
    }
}
