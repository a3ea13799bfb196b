//! The recorded traffic of two Difys as two runs of one suite: each recording is a test, answered from a cassette.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::project::{Project, code, text};

/// The versions that were recorded.
const VERSIONS: [&str; 2] = ["1.12.1", "1.14.2"];

/// The exported runs of both versions.
pub fn journals() -> [Vec<u8>; 2] {
    let names = common();
    assert!(names.len() >= 90, "only {} recordings are runs of both", names.len());
    VERSIONS.map(|version| run(version, &names))
}

/// The recordings of whole runs that both versions were asked for in the same words.
fn common() -> Vec<String> {
    let names = |version: &str| -> BTreeSet<String> {
        let files = std::fs::read_dir(folder(version)).unwrap();
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    let both = |name: &String| {
        let [old, new] = VERSIONS.map(|version| recording(version, name));
        is_run(&old)
            && is_run(&new)
            && old["request"]["body"] == new["request"]["body"]
            && status(&old).is_some()
    };
    names(VERSIONS[0]).intersection(&names(VERSIONS[1])).filter(|name| both(name)).cloned().collect()
}

fn folder(version: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/wire").join(version)
}

/// A recording; the id of an upload, another one on each Dify, is made the same.
fn recording(version: &str, name: &str) -> Value {
    let bytes = std::fs::read_to_string(folder(version).join(format!("{name}.json"))).unwrap();
    // One of them has a bare NaN: no run.
    let mut recording: Value = serde_json::from_str(&bytes).unwrap_or_default();
    same_uploads(&mut recording["request"]["body"]);
    recording
}

fn same_uploads(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(id) = members.get_mut("upload_file_id") {
                *id = json!("uploaded");
            }
            members.values_mut().for_each(same_uploads);
        }
        Value::Array(items) => items.iter_mut().for_each(same_uploads),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_run(recording: &Value) -> bool {
    let request = &recording["request"];
    let plain = |body: &serde_json::Map<String, Value>| {
        body.keys().all(|key| ["inputs", "user", "response_mode"].contains(&key.as_str()))
            && body.get("inputs").is_some_and(Value::is_object)
            && matches!(body.get("response_mode").and_then(Value::as_str), Some("streaming" | "blocking"))
    };
    request["method"] == "POST"
        && request["path"] == "/v1/workflows/run"
        && request["body"].as_object().is_some_and(plain)
        && recording["response"]["status"] == 200
        && recording["timing"]["cut"].is_null()
}

/// How the run ended; `None` where the recording does not tell.
fn status(recording: &Value) -> Option<String> {
    let body = recording["response"]["body"].as_str()?;
    let told = |data: &Value| data["status"].as_str().map(str::to_owned);
    if recording["request"]["body"]["response_mode"] == "blocking" {
        return told(&serde_json::from_str::<Value>(body).ok()?["data"]);
    }
    let events = events(body);
    let last = events.iter().flatten().rfind(|event| event["event"] == "workflow_finished")?;
    told(&last["data"])
}

/// The frames of a stream: none for a ping.
fn events(body: &str) -> Vec<Option<Value>> {
    let frames = body.split_terminator("\n\n");
    frames
        .map(|frame| frame.strip_prefix("data: ").and_then(|data| serde_json::from_str(data).ok()))
        .collect()
}

/// Runs the suite on the recordings of a version, and exports the run.
fn run(version: &str, names: &[String]) -> Vec<u8> {
    let project = Project::empty();
    let (mut suite, mut cassette) =
        (String::from("version: 1\nname: wire\ntests:\n"), String::from("{\"cassette\":1}\n"));
    for name in names {
        let body = &recording(VERSIONS[0], name)["request"]["body"];
        let status = status(&recording(VERSIONS[0], name)).unwrap();
        suite.push_str(&format!(
            "  - name: {name}\n    response_mode: {}\n    inputs: {}\n    assert: [{{ status: {status} }}]\n",
            body["response_mode"], body["inputs"]
        ));
        cassette.push_str(&format!("{}\n", line(name, &recording(version, name))));
    }
    project.write("suites/wire.yaml", suite);
    project.write("suites/cassettes/wire.jsonl", cassette);
    let ran = project.run(&["run", "-q"]);
    assert_eq!(code(&ran), 0, "{}", text(&ran));
    let exported = project.run(&["runs", "export", "latest", "-o", "run.jsonl"]);
    assert_eq!(code(&exported), 0, "{}", text(&exported));
    std::fs::read(project.path("run.jsonl")).unwrap()
}

/// A recording as a line of a cassette.
fn line(name: &str, recording: &Value) -> Value {
    let (body, response) = (&recording["request"]["body"], &recording["response"]);
    let kept = ["content-type", "x-version"];
    let headers: Vec<Value> = response["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| json!([pair[0].as_str().unwrap().to_lowercase(), pair[1]]))
        .filter(|pair| kept.contains(&pair[0].as_str().unwrap()))
        .collect();
    let mut line = json!({
        "test": format!("wire::{name}"),
        "repeat": 0,
        "app": "",
        "mode": body["response_mode"],
        "inputs": body["inputs"],
        "recorded": "2026-11-23T18:43:51.000Z",
        "status": 200,
        "headers": headers,
        "elapsed_ms": recording["timing"]["total_s"].as_f64().unwrap() * 1000.0,
    });
    let text = response["body"].as_str().unwrap();
    if body["response_mode"] == "blocking" {
        line["body"] = serde_json::from_str(text).unwrap();
    } else {
        let events = events(text);
        line["pings"] = json!(events.iter().filter(|event| event.is_none()).count());
        let timed = events.iter().zip(arrivals(text, &recording["timing"]["reads"]));
        line["events"] =
            timed.filter_map(|(event, at)| Some(json!({"at_ms": at, "data": event.as_ref()?}))).collect();
    }
    line
}

/// When each frame had come, milliseconds: a frame is one chunk, and the last read is the five bytes of the end.
fn arrivals(body: &str, reads: &Value) -> Vec<f64> {
    let reads: Vec<(f64, usize)> = serde_json::from_value(reads.clone()).unwrap();
    let framed = |frame: &str| {
        let length = frame.len() + 2;
        length + format!("{length:x}").len() + 4
    };
    let sizes: Vec<usize> = body.split_terminator("\n\n").map(framed).collect();
    let total: usize = reads.iter().map(|(_, bytes)| bytes).sum();
    let mut end = total.saturating_sub(5 + sizes.iter().sum::<usize>());
    let mut times = Vec::new();
    for size in sizes {
        end += size;
        let mut seen = 0;
        let read = reads.iter().find(|(_, bytes)| {
            seen += bytes;
            seen >= end
        });
        times.push(read.or(reads.last()).map_or(0.0, |(at, _)| at * 1000.0));
    }
    times
}
