//! `suites/cassettes/recorded-dify.jsonl` says what the recordings of real Difys say: it is written here from their files by
//! code that shares nothing with the program's own, and compared byte for byte.
//!
//! To renew it after a change: run this test, then copy the file it names.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Tests of the suite, each with the recording that answers it.
const CASES: [(&str, &str); 6] = [
    ("a-failing-node-falls-back-to-its-default", "http_fail_default.streaming"),
    ("a-model-answers", "llm.streaming"),
    ("an-input-that-is-missing-is-rejected", "err.missing_required.blocking"),
    ("an-iteration-runs-its-rounds-at-once", "iteration_parallel.streaming"),
    ("every-type-comes-back-as-it-went", "echo.streaming"),
    ("every-type-comes-back-in-one-answer", "echo.blocking"),
];
/// Headers of the connection and of the moment.
const PASSING: [&str; 4] = ["connection", "content-length", "date", "transfer-encoding"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_suite_of_recordings_holds_what_dify_sent() {
    let mut lines = vec![r#"{"cassette":1}"#.to_owned()];
    for (test, recording) in CASES {
        for version in ["1.12.1", "1.14.2"] {
            let path = root().join("tests/data/wire").join(version).join(format!("{recording}.json"));
            let recorded: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            lines.push(line(&format!("Recorded Dify::{test}[{version}]"), &recorded));
        }
    }
    let expected = lines.join("\n") + "\n";
    let file = root().join("suites/cassettes/recorded-dify.jsonl");
    let actual = std::fs::read_to_string(&file).unwrap_or_default();
    if actual != expected {
        let renewed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recorded-dify.jsonl");
        std::fs::write(&renewed, &expected).unwrap();
        panic!("{} is not what the recordings say; they say {}", file.display(), renewed.display());
    }
}

fn header<'a>(recorded: &'a Value, name: &str) -> &'a str {
    let headers = recorded["response"]["headers"].as_array().unwrap();
    let found = headers.iter().find(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name));
    found.map_or("", |pair| pair[1].as_str().unwrap())
}

/// The line of a recording, its members in the order of the format.
fn line(test: &str, recorded: &Value) -> String {
    let (asked, response) = (&recorded["request"]["body"], &recorded["response"]);
    let headers: Vec<Value> = response["headers"].as_array().unwrap().iter().filter_map(kept).collect();
    let mut line = json!({
        "test": test, "repeat": 0, "app": "", "mode": asked["response_mode"], "inputs": asked["inputs"],
        "recorded": date(header(recorded, "Date")), "status": response["status"], "headers": headers,
    });
    let body = response["body"].as_str().unwrap();
    if body.contains("data: ") {
        let pings = body.matches("event: ping\n").count();
        if pings > 0 {
            line["pings"] = json!(pings);
        }
        let times = times(recorded);
        let data = body.lines().filter_map(|line| line.strip_prefix("data: "));
        let events: Vec<Value> = data.zip(&times).map(|(data, at)| event(data, *at)).collect();
        assert_eq!(events.len(), times.len());
        line["events"] = Value::Array(events);
        line["elapsed_ms"] = json!(times.last().unwrap());
    } else {
        line["body"] = serde_json::from_str(body).unwrap();
        let reads = recorded["timing"]["reads"].as_array().unwrap();
        line["elapsed_ms"] = json!(milliseconds(&reads.last().unwrap()[0]));
    }
    line.to_string()
}

fn kept(pair: &Value) -> Option<Value> {
    let name = pair[0].as_str().unwrap().to_ascii_lowercase();
    (!PASSING.contains(&name.as_str())).then(|| json!([name, pair[1]]))
}

fn event(data: &str, at_ms: f64) -> Value {
    let value: Value = serde_json::from_str(data).unwrap();
    match serde_json::to_string(&value).unwrap() == data {
        true => json!({ "at_ms": at_ms, "data": value }),
        false => json!({ "at_ms": at_ms, "text": data }),
    }
}

fn milliseconds(seconds: &Value) -> f64 {
    (seconds.as_f64().unwrap() * 1e6).round() / 1e3
}

/// When the last byte of each data event came: an event is a chunk, and reads count the whole answer.
fn times(recorded: &Value) -> Vec<f64> {
    let response = &recorded["response"];
    let head: usize = response["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| pair[0].as_str().unwrap().len() + pair[1].as_str().unwrap().len() + 4)
        .sum();
    let mut sent = head + "HTTP/1.1 200 OK\r\n\r\n".len();
    let reads = recorded["timing"]["reads"].as_array().unwrap();
    let mut times = Vec::new();
    for block in response["body"].as_str().unwrap().split_inclusive("\n\n") {
        sent += format!("{:x}\r\n", block.len()).len() + block.len() + 2;
        let mut read = 0;
        let came = reads.iter().find(|piece| {
            read += piece[1].as_u64().unwrap() as usize;
            read >= sent
        });
        if block.contains("data: ") {
            times.push(milliseconds(&came.unwrap()[0]));
        }
    }
    times
}

/// `Mon, 23 Nov 2026 18:39:22 GMT` as `2026-11-23T18:39:22.000Z`.
fn date(text: &str) -> String {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|name| *name == parts[2]).unwrap() + 1;
    format!("{}-{month:02}-{:0>2}T{}.000Z", parts[3], parts[1], parts[4])
}
