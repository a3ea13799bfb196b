//! Every recorded run, scripted from its own facts, comes back alike.

use serde_json::{Map, Value, json};

use super::derive::reply_of;
use super::likeness::{compare_keys, compare_streams};
use super::support::{VERSIONS, events, recordings, run_of};
use crate::mock::answer::graph::Graph;
use crate::mock::answer::{write_blocking, write_stream};
use crate::mock::reply::decode_reply;

/// Streams that differ in order or in what no script says; each with its reason.
const UNLIKE: [(&str, &str, &str); 9] = [
    ("1.12.1", "file.ok.streaming", "an end that shows an attribute of a file: `[start, doc, name]`"),
    ("1.12.1", "filelist.ok.streaming", "the same file signed twice: its source cannot be found by value"),
    ("1.14.2", "file.ok.streaming", "an end that shows an attribute of a file: `[start, doc, name]`"),
    ("1.12.1", "iteration_parallel.streaming", "rounds at once: all `iteration_next` first"),
    ("1.12.1", "workers4.parallel.streaming", "branches at once"),
    ("1.14.2", "dead_end.streaming", "branches at once"),
    ("1.14.2", "iteration_parallel.streaming", "rounds at once: all `iteration_next` first"),
    ("1.14.2", "llm_two.streaming", "branches at once"),
    ("1.14.2", "parallel.streaming", "branches at once"),
];

#[test]
fn recorded_streams_come_back_alike() {
    let (mut alike, mut failures) = (0, Vec::new());
    for (folder, version) in VERSIONS {
        for (name, recording) in recordings(folder) {
            let body = recording["response"]["body"].as_str().unwrap();
            let recorded = events(body);
            let is_whole = recorded.last().is_some_and(|event| event["event"] == "workflow_finished");
            if name.starts_with("chatflow") || !is_whole || recorded[0]["event"] != "workflow_started" {
                continue;
            }
            let reply =
                decode_reply(&reply_of(&recorded)).unwrap_or_else(|error| panic!("{folder}/{name}: {error}"));
            let run = run_of(Graph::lay_out(reply), version, own_inputs(&recorded[0]["data"]["inputs"]));
            let bytes = write_stream(&run).bytes;
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(
                body.starts_with("event: ping\n\n"),
                text.starts_with("event: ping\n\n"),
                "{folder}/{name}"
            );
            let known = UNLIKE.iter().any(|(of, case, _)| *of == folder && *case == name);
            match compare_streams(&recorded, &events(&text)) {
                Ok(()) if known => {
                    failures.push(format!("{folder}/{name}: alike now; strike it from the list"))
                }
                Ok(()) => alike += 1,
                Err(_) if known => assert_eq!(bag(&recorded), bag(&events(&text)), "{folder}/{name}"),
                Err(error) => failures.push(format!("{folder}/{name}: {error}")),
            }
        }
    }
    assert!(failures.is_empty(), "{alike} alike; not:\n{}", failures.join("\n"));
    assert_eq!(alike, 89, "update the count, and the report, when recordings are added");
}

/// The events without their order: of a parallel run the mock sends the same, one branch after the other.
fn bag(events: &[Value]) -> Vec<String> {
    let mut bag: Vec<String> = events
        .iter()
        .map(|event| format!("{} {} {}", event["event"], event["data"]["node_id"], event["data"]["status"]))
        .collect();
    bag.sort();
    bag
}

fn own_inputs(inputs: &Value) -> Value {
    let own = inputs.as_object().unwrap().iter().filter(|(key, _)| !key.starts_with("sys."));
    Value::Object(own.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>())
}

#[test]
fn recorded_blocking_answers_come_back_alike() {
    let mut alike = 0;
    for (folder, version) in VERSIONS {
        for (name, recording) in recordings(folder) {
            let body = recording["response"]["body"].as_str().unwrap();
            let Ok(recorded) = serde_json::from_str::<Value>(body) else { continue };
            let data = &recorded["data"];
            if name.starts_with("chatflow") || !data.is_object() || recorded["task_id"].is_null() {
                continue;
            }
            let reply = json!({ "status": data["status"], "outputs": data["outputs"], "error": data["error"], "tokens": data["total_tokens"], "steps": data["total_steps"] });
            let reply = Value::Object(
                reply
                    .as_object()
                    .unwrap()
                    .iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
            );
            let reply = decode_reply(&reply).unwrap_or_else(|error| panic!("{folder}/{name}: {error}"));
            let text = String::from_utf8(write_blocking(&run_of(Graph::lay_out(reply), version, json!({}))))
                .unwrap();
            let mocked: Value = serde_json::from_str(&text).unwrap();
            compare_keys(&recorded, &mocked).unwrap_or_else(|error| panic!("{folder}/{name}: {error}"));
            compare_keys(data, &mocked["data"]).unwrap_or_else(|error| panic!("{folder}/{name}: {error}"));
            for key in ["status", "outputs", "error", "total_tokens", "total_steps"] {
                assert_eq!(data[key], mocked["data"][key], "{folder}/{name}: {key}");
            }
            assert_same_style(body, &text, &format!("{folder}/{name}"));
            alike += 1;
        }
    }
    assert!(alike >= 120, "{alike}");
}

/// The bytes of the outputs are Dify's own.
fn assert_same_style(recorded: &str, mocked: &str, name: &str) {
    // Exponents are written in another way by Python.
    let outputs = |text: &str| {
        let from = text.find("\"outputs\": ").unwrap();
        let to = text.rfind(", \"error\": ").unwrap();
        text[from..to].replace("e+", "e")
    };
    assert_eq!(outputs(recorded), outputs(mocked), "{name}");
}
