//! Every recording, one by one: the mock gives the same, or a line of data says why not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::details;
use super::recordings as runs;
use super::refusals::{ask, server};
use super::support::{VERSIONS, client, compile_script_text, data, entry, events, recording, recordings};
use crate::dify::mock::book::ScriptBook;
use crate::dify::mock::options::{DifyVersion, MockOptions};
use crate::dify::mock::server::MockServer;

/// How many recordings of each kind come back alike, both versions together.
const ALIKE: [(&str, usize); 13] = [
    ("blocking run", 131),
    ("detail", 12),
    ("info", 6),
    ("logs", 16),
    ("parameters", 10),
    ("path, method, redirect", 10),
    ("refused run, HTTP", 93),
    ("refused run, in the stream", 14),
    ("site, meta", 8),
    ("stop", 6),
    ("streamed run", 98),
    ("streamed run, left by its client", 2),
    ("upload", 24),
];

/// What a recording is.
fn kind(recording: &Value) -> &'static str {
    let (request, response) = (&recording["request"], &recording["response"]);
    let path = request["path"].as_str().unwrap();
    let body = response["body"].as_str().unwrap();
    let is_run = request["method"] == "POST" && path.ends_with("/run");
    match path.split('?').next().unwrap() {
        _ if is_run && body.contains("\"event\":\"workflow_finished\"") => "streamed run",
        _ if is_run && body.contains("\"event\":\"workflow_paused\"") => "paused run",
        _ if is_run && body.contains("\"event\":\"workflow_started\"") => "streamed run, left by its client",
        _ if is_run && response["headers"].to_string().contains("event-stream") => {
            "refused run, in the stream"
        }
        _ if is_run && response["status"] == 200 => "blocking run",
        _ if is_run => "refused run, HTTP",
        path if path.contains("/form/") || path.contains("/events") => "human input",
        path if path.ends_with("/stop") => "stop",
        path if path.starts_with("/v1/workflows/run/") => "detail",
        "/v1/workflows/logs" => "logs",
        "/v1/files/upload" => "upload",
        "/v1/parameters" => "parameters",
        "/v1/info" => "info",
        "/v1/site" | "/v1/meta" => "site, meta",
        _ => "path, method, redirect",
    }
}

/// Recordings that the mock does not play, with the reason.
fn unplayed() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(data("conformance/unplayed.csv")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines
        .map(|line| line.split_once(',').unwrap())
        .map(|(name, reason)| (name.to_owned(), reason.to_owned()))
        .collect()
}

#[tokio::test]
async fn every_recording_is_played_alike_or_named() {
    let unplayed = unplayed();
    let (mut alike, mut failures, mut named) = (BTreeMap::new(), Vec::new(), 0);
    for (folder, version) in VERSIONS {
        let stage = Stage::start(folder, version).await;
        for (name, recording) in recordings(folder) {
            let full = format!("{folder}/{name}");
            let kind = kind(&recording);
            if unplayed.get(&full).is_some_and(|reason| !reason.is_empty()) {
                named += 1;
                continue;
            }
            match stage.compare(kind, &name, &recording).await {
                Ok(()) => *alike.entry(kind).or_insert(0) += 1,
                Err(error) => failures.push(format!("{full} ({kind}): {error}")),
            }
        }
        stage.server.shutdown().await;
    }
    assert_eq!(named, unplayed.len(), "each line of unplayed.csv names a recording and says why");
    assert!(failures.is_empty(), "not alike:\n{}", failures.join("\n"));
    let total: usize = alike.values().sum();
    println!("{total} alike, {named} named: {alike:?}");
    assert_eq!(alike, BTreeMap::from(ALIKE), "update the counts when recordings are added");
}

/// A mock of one version, with what the recorded requests presuppose.
struct Stage {
    folder: &'static str,
    version: DifyVersion,
    server: MockServer,
    client: reqwest::Client,
    /// An uploaded text of `user-1`.
    upload: String,
}

impl Stage {
    async fn start(folder: &'static str, version: DifyVersion) -> Self {
        let server = server(folder, version);
        let mut stage = Self { folder, version, server, client: client(), upload: String::new() };
        stage.upload = stage.upload_text().await;
        // More runs than a page of logs holds, the last by the user whom a recording asks for.
        for turn in 0..22 {
            let user = if turn < 21 { "user-1" } else { "detail-user" };
            let body = json!({ "inputs": { "text": "x" }, "user": user, "response_mode": "blocking" });
            let url = format!("{}/workflows/run", stage.server.base_url());
            let answer = stage.client.post(url).bearer_auth("app-echo").json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 200);
        }
        stage
    }

    async fn upload_text(&self) -> String {
        let part = reqwest::multipart::Part::bytes(b"text".to_vec()).file_name("note.txt");
        let form = reqwest::multipart::Form::new().text("user", "user-1").part("file", part);
        let url = format!("{}/files/upload", self.server.base_url());
        let answer = self.client.post(url).bearer_auth("app-file").multipart(form).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
    }

    async fn compare(&self, kind: &str, name: &str, recording: &Value) -> Result<(), String> {
        match kind {
            "streamed run" => runs::stream(recording, self.version),
            "blocking run" => runs::blocking(recording, self.version),
            "streamed run, left by its client" => {
                runs::abandoned(recording, &super::support::recording(self.folder, "stop.slow"), self.version)
            }
            "refused run, HTTP" | "refused run, in the stream" if !is_natural(name) => {
                self.ask_scripted(name, recording).await
            }
            "detail" if recording["response"]["body"].as_str().unwrap().contains("sys.app_id") => {
                details::compare(name, recording, self.version).await
            }
            _ => self.ask(name, recording).await,
        }
    }

    /// Asks as recorded, of the app that was asked, with an upload of our own.
    async fn ask(&self, name: &str, recording: &Value) -> Result<(), String> {
        let is_of_files = name.starts_with("file.") || name.starts_with("scope.same");
        let app = match name {
            "err.auth_invalid" => "app-nobody",
            "parameters.file" => "app-one-file",
            "parameters.file2" => "app-file",
            "parameters.chatflow" => "app-chatflow",
            _ if is_of_files => "app-file",
            _ => "app-echo",
        };
        let mut text = recording.to_string().replace("app-EXAMPLE", app);
        if let Some(id) = find_upload(recording).filter(|_| is_of_files) {
            text = text.replace(&id, &self.upload);
        }
        if name == "versions.draft_id" {
            let path = recording["request"]["path"].as_str().unwrap();
            let draft = crate::dify::mock::answer::id_of("draft", "echo");
            text = text.replace(path.split('/').nth(3).unwrap(), &draft);
        }
        ask(&self.server, &serde_json::from_str(&text).unwrap(), &self.client).await
    }

    /// Asks a mock whose script is the recorded refusal; a refusal that the stream never sent is taken from its blocking twin.
    async fn ask_scripted(&self, name: &str, recorded: &Value) -> Result<(), String> {
        let body = recorded["response"]["body"].as_str().unwrap();
        let told = match body {
            "event: ping\n\n" => told_by(self.folder, name),
            _ => events(body).pop().or_else(|| serde_json::from_str(body).ok()),
        };
        let told = told.ok_or("no recording tells the refusal")?;
        let reject =
            json!({ "reject": { "http": told["status"], "code": told["code"], "message": told["message"] } });
        let (script, templates, problems) = compile_script_text(&reject.to_string());
        assert_eq!(problems, []);
        let book = ScriptBook::new(vec![entry("", json!({}), script)], Vec::new());
        let mut options = MockOptions { version: self.version, ..MockOptions::default() };
        if recorded["timing"]["cut"].is_null() {
            // It was watched to its end, five minutes later.
            options.stream_idle = Duration::from_millis(5);
        }
        let server = MockServer::start(book, options, Arc::new(templates), "r").unwrap();
        let mut recorded = recorded.clone();
        recorded["request"]["headers"]["X-Flowproof-Attempt"] = json!("0.0.0");
        let answer = ask(&server, &recorded, &self.client).await;
        server.shutdown().await;
        answer
    }
}

/// Whether the request itself, and the apps of the recording, make the refusal; else a script says it.
fn is_natural(name: &str) -> bool {
    let families = ["err.", "file.", "scope.", "versions."];
    let scripted = ["err.unpublished.blocking", "err.missing_required_hang.streaming"];
    families.iter().any(|family| name.starts_with(family)) && !scripted.contains(&name)
}

/// The refusal behind a stream of one ping, as a blocking call with the same cause received it.
fn told_by(folder: &str, name: &str) -> Option<Value> {
    let twin = match name {
        "filelist.ok.streaming" => "docx.ok.blocking",
        "err.missing_required_hang.streaming" | "text_types.defaults.streaming" => {
            "err.missing_required.blocking"
        }
        _ => return None,
    };
    serde_json::from_str(recording(folder, twin)["response"]["body"].as_str()?).ok()
}

/// The upload that a recorded request names.
fn find_upload(recording: &Value) -> Option<String> {
    let text = recording["request"]["body"]["inputs"].to_string();
    let id = text.split("\"upload_file_id\":\"").nth(1)?.split('"').next()?;
    Some(id.to_owned())
}
