//! All recorded traffic, replayed byte for byte: what the client makes of it is compared with what a naive parser of the
//! recording's lines finds, which shares no code with the client.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::watch;

use crate::assert::check::{self, Context, UsageAudit};
use crate::assert::judge::JudgeQuestions;
use crate::base::borrowed_json::BorrowedValue;
use crate::base::template::{TemplateScope, Templates};
use crate::dify::client::tests::raw_http::{RawRequest, chunk};
use crate::dify::client::tests::raw_server::{RawServer, Step};
use crate::dify::client::{Certificates, Client, Endpoint, Recover, Timeouts};
use crate::dify::transcript::{
    Arrival, Ending, FileInput, FileVariable, NodeEnd, ReportedStatus, ResponseMode, RunResult, StallKind,
    Transcript, UserScope, WorkflowRequest,
};
use crate::dify::wire::contract::Contracts;
use crate::dify::wire::error::ErrorClass;
use crate::dify::wire::usage::{self, NodePrice};
use crate::record::attempt::UsageKind;

/// How the bytes are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cutting {
    Whole,
    AsRecorded,
    ByteByByte,
}

/// A recorded exchange.
struct Recording {
    name: String,
    json: Value,
    /// What it must become, from `wire_expected.csv`; `None` for runs.
    expected: Option<Vec<String>>,
    /// The raw answer, its chunk framing rebuilt.
    raw: Vec<u8>,
    /// Where each event of a stream ends in `raw`.
    event_ends: Vec<usize>,
}

impl Recording {
    fn body(&self) -> &str {
        self.json["response"]["body"].as_str().unwrap()
    }

    fn status(&self) -> u64 {
        self.json["response"]["status"].as_u64().unwrap()
    }

    fn is_stream(&self) -> bool {
        header(&self.json, "content-type").starts_with("text/event-stream")
    }

    /// `(seconds, bytes)` of each read, if they add up to the answer as rebuilt.
    fn reads(&self) -> Option<Vec<(f64, usize)>> {
        let reads = self.json["timing"]["reads"].as_array().unwrap().iter();
        let reads: Vec<_> =
            reads.map(|read| (read[0].as_f64().unwrap(), read[1].as_u64().unwrap() as usize)).collect();
        (reads.iter().map(|read| read.1).sum::<usize>() == self.raw.len()).then_some(reads)
    }

    /// True where the server was left before it ended the answer.
    fn is_left_open(&self) -> bool {
        !self.json["timing"]["cut"].is_null()
    }

    fn data_lines(&self) -> Vec<Value> {
        let lines = self.body().split('\n').filter_map(|line| line.strip_prefix("data: "));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// True for a stream that never says how the run ended, and stays open.
    fn hangs(&self) -> bool {
        let terminal = |event: &Value| {
            matches!(event["event"].as_str(), Some("workflow_finished" | "workflow_paused" | "error"))
        };
        self.is_left_open() && !self.data_lines().iter().any(terminal)
    }

    /// When each piece is sent: bytes and scaled offset.
    fn pieces(&self) -> Vec<(Duration, Vec<u8>)> {
        let reads = self.reads().unwrap_or_else(|| {
            let mut ends = self.event_ends.clone();
            ends.push(self.raw.len());
            let mut from = 0;
            ends.into_iter().map(|end| (0.0, end - std::mem::replace(&mut from, end))).collect()
        });
        let last = reads.last().map_or(0.0, |read| read.0);
        let scale = if last > 0.25 { 0.25 / last } else { 1.0 };
        let mut from = 0;
        let piece = |(seconds, size): (f64, usize)| {
            from += size;
            (Duration::from_secs_f64(seconds * scale), self.raw[from - size..from].to_vec())
        };
        reads.into_iter().map(piece).collect()
    }

    /// The earliest a client can have each event, in recorded chunks.
    fn earliest(&self) -> Vec<Duration> {
        let mut sent = 0;
        let arrivals: Vec<_> = self
            .pieces()
            .into_iter()
            .map(|(at, bytes)| {
                sent += bytes.len();
                (sent, at)
            })
            .collect();
        let of = |end: &usize| arrivals.iter().find(|(sent, _)| sent >= end).unwrap().1;
        self.event_ends.iter().map(of).collect()
    }

    fn steps(&self, cutting: Cutting) -> Vec<Step> {
        let mut steps = match cutting {
            Cutting::Whole => vec![Step::Send(self.raw.clone())],
            Cutting::ByteByByte => vec![Step::Drip(self.raw.clone())],
            Cutting::AsRecorded => self
                .pieces()
                .into_iter()
                .flat_map(|(at, bytes)| [Step::Until(at), Step::Send(bytes)])
                .collect(),
        };
        steps.push(if self.is_left_open() { Step::Hang } else { Step::Close });
        steps
    }

    fn request(&self) -> WorkflowRequest {
        let body = &self.json["request"]["body"];
        let mode = if body["response_mode"] == "streaming" {
            ResponseMode::Streaming
        } else {
            ResponseMode::Blocking
        };
        WorkflowRequest {
            inputs: body["inputs"].as_object().cloned().unwrap_or_default(),
            files: Vec::new(),
            user: "user-1".into(),
            user_scope: UserScope::Shared,
            mode,
            workflow_id: None,
            answers: Vec::new(),
            cap: Default::default(),
            mock_attempt: None,
        }
    }
}

fn header<'a>(json: &'a Value, name: &str) -> &'a str {
    let headers = json["response"]["headers"].as_array().unwrap();
    let found = headers.iter().find(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name));
    found.map_or("", |pair| pair[1].as_str().unwrap())
}

/// Rebuilds the answer's bytes, and where each event ends in them.
fn rebuild(json: &Value) -> (Vec<u8>, Vec<usize>) {
    let response = &json["response"];
    let reason = match response["status"].as_u64().unwrap() {
        200 => "OK",
        201 => "CREATED",
        308 => "PERMANENT REDIRECT",
        400 => "BAD REQUEST",
        401 => "UNAUTHORIZED",
        404 => "NOT FOUND",
        413 => "REQUEST ENTITY TOO LARGE",
        415 => "UNSUPPORTED MEDIA TYPE",
        500 => "INTERNAL SERVER ERROR",
        other => panic!("no reason phrase for {other}"),
    };
    let mut raw = format!("HTTP/1.1 {} {reason}\r\n", response["status"]).into_bytes();
    for pair in response["headers"].as_array().unwrap() {
        raw.extend_from_slice(
            format!("{}: {}\r\n", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()).as_bytes(),
        );
    }
    raw.extend_from_slice(b"\r\n");
    let body = response["body"].as_str().unwrap();
    let mut ends = Vec::new();
    if header(json, "transfer-encoding") != "chunked" {
        raw.extend_from_slice(body.as_bytes());
        return (raw, ends);
    }
    for block in body.split_inclusive("\n\n") {
        raw.extend_from_slice(&chunk(block.as_bytes()));
        if block.contains("data:") {
            ends.push(raw.len() - 2);
        }
    }
    if json["timing"]["cut"].is_null() {
        raw.extend_from_slice(b"0\r\n\r\n");
    }
    (raw, ends)
}

fn load() -> Vec<Recording> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let table = std::fs::read_to_string(root.join("wire_expected.csv")).unwrap();
    let rows: Vec<Vec<String>> = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect();
    let mut used = vec![false; rows.len()];
    let mut recordings = Vec::new();
    for version in ["1.12.1", "1.14.2"] {
        let mut files: Vec<_> = std::fs::read_dir(root.join("wire").join(version))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        for file in files {
            let name = format!("{version}/{}", file.file_stem().unwrap().to_str().unwrap());
            let json: Value =
                serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap_or_else(|error| {
                    assert!(name.ends_with("err.json_nan"), "{name}: {error}");
                    serde_json::from_str(&std::fs::read_to_string(&file).unwrap().replace("NaN", "null"))
                        .unwrap()
                });
            let any_version = name.replacen(version, "*", 1);
            let row = rows.iter().position(|row| row[0] == name || row[0] == any_version);
            if let Some(row) = row {
                used[row] = true;
            }
            let (raw, event_ends) = rebuild(&json);
            recordings.push(Recording {
                name,
                json,
                expected: row.map(|row| rows[row].clone()),
                raw,
                event_ends,
            });
        }
    }
    let unused: Vec<_> = rows.iter().zip(used).filter(|(_, used)| !used).map(|(row, _)| &row[0]).collect();
    assert!(unused.is_empty(), "rows without a recording: {unused:?}");
    recordings
}

fn endpoint(base_url: String) -> Endpoint {
    Endpoint {
        base_url,
        headers: Vec::new(),
        ca_file: None,
        proxy: None,
        certificates: Certificates::Checked,
        kept_connections: 1,
        timeouts: Timeouts::default(),
        recovery: Recover { deadline: Duration::from_millis(50), poll: Duration::from_millis(10) },
        max_body: 64 << 20,
    }
}

async fn replay(server: &RawServer, recordings: &[Recording], index: usize, cutting: Cutting) -> Transcript {
    let recording = &recordings[index];
    let client = Client::new(&endpoint(format!("{}/{cutting:?}/{index}/v1", server.address))).unwrap();
    let long = Duration::from_secs(120);
    let wait = if recording.hangs() { Duration::from_millis(1200) } else { long };
    let timeouts = Timeouts { connect: long, first_event: wait, idle: wait, total: long };
    let (_keep, mut stop) = watch::channel(None);
    let mut request = recording.request();
    if expects(recording, "upload") {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let input = FileInput::Upload {
            path: file,
            fence: crate::base::files::Fence::anywhere(),
            kind: "document".into(),
        };
        request.files.push(("doc".into(), FileVariable::One(input)));
    }
    client.run(&SecretString::from("app-EXAMPLE"), &request, &timeouts, &mut stop).await
}

fn expects(recording: &Recording, ending: &str) -> bool {
    recording.expected.as_ref().is_some_and(|row| row[1] == ending)
}

/// Finds what a request asks for: `/<cutting>/<index>/v1/…`.
fn find_steps(recordings: &[Recording], seen: &RawRequest) -> Vec<Step> {
    let mut parts = seen.target.split('/').skip(1);
    let cutting = match parts.next().unwrap() {
        "Whole" => Cutting::Whole,
        "AsRecorded" => Cutting::AsRecorded,
        "ByteByByte" => Cutting::ByteByByte,
        other => panic!("{other}"),
    };
    let recording = &recordings[parts.next().unwrap().parse::<usize>().unwrap()];
    let is_run = seen.target.ends_with("/workflows/run");
    if seen.target.contains("/tasks/") || (is_run && expects(recording, "upload")) {
        return vec![Step::Close];
    }
    recording.steps(cutting)
}

/// Compares a run with its recording, line by line; says what differs.
fn check_run(recording: &Recording, transcript: &Transcript, cutting: Cutting) {
    let name = &recording.name;
    assert_eq!(transcript.http_status, Some(200), "{name}");
    assert_eq!(transcript.dify_version.as_deref(), Some(name.split('/').next().unwrap()), "{name}");
    if !recording.is_stream() {
        let whole: Value = serde_json::from_str(recording.body()).unwrap();
        assert_eq!(transcript.answer.run.as_ref().map(RunResult::data), Some(&whole["data"]), "{name}");
        assert_eq!(transcript.answer.ids.run.as_deref(), whole["workflow_run_id"].as_str(), "{name}");
        assert_eq!(transcript.answer.ids.task.as_deref(), whole["task_id"].as_str(), "{name}");
        let paused = whole["data"]["status"] == "paused";
        assert_eq!(transcript.ending, if paused { Ending::Paused } else { Ending::Finished }, "{name}");
        assert!(transcript.answer.nodes.is_empty() && transcript.events.is_empty(), "{name}");
        return;
    }
    let lines = recording.data_lines();
    let last = lines.last().map_or("", |event| event["event"].as_str().unwrap());
    match (last, &transcript.ending) {
        ("workflow_finished", Ending::Finished) | ("workflow_paused", Ending::Paused) => {
            assert_eq!(
                transcript.answer.run.as_ref().map(RunResult::data),
                Some(&lines[lines.len() - 1]["data"]),
                "{name}"
            );
        }
        (_, Ending::Stalled { wait: StallKind::FirstEvent, .. }) => {
            assert!(recording.hangs() && lines.is_empty(), "{name}")
        }
        (_, Ending::Stalled { wait: StallKind::Idle, .. }) => {
            assert!(recording.hangs() && !lines.is_empty(), "{name}")
        }
        (_, Ending::Cut { detail }) => {
            assert!(name.ends_with("err.missing_required_hang.streaming"), "{name}: {detail}");
            assert!(
                detail.contains("before the first event") && detail.contains("nothing but a ping"),
                "{detail}"
            );
        }
        (last, other) => panic!("{name}: the last event is {last}, the ending {other:?}"),
    }
    check_events(recording, transcript, &lines);
    check_nodes(name, transcript, &lines);
    check_usage(name, transcript, &lines);
    check_times(recording, transcript, &lines, cutting);
}

fn check_events(recording: &Recording, transcript: &Transcript, lines: &[Value]) {
    let name = &recording.name;
    let events: Vec<Value> = transcript.events.iter().map(Arrival::json).collect();
    assert_eq!(events, lines, "{name}");
    let pings = recording.body().split('\n').filter(|line| *line == "event: ping").count();
    assert_eq!(transcript.pings as usize, pings, "{name}");
    let text: String = lines
        .iter()
        .filter(|event| event["event"] == "text_chunk")
        .map(|event| event["data"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(transcript.answer.text, text, "{name}");
    if let Some(first) = lines.first() {
        assert_eq!(transcript.answer.ids.run.as_deref(), first["workflow_run_id"].as_str(), "{name}");
        assert_eq!(transcript.answer.ids.task.as_deref(), first["task_id"].as_str(), "{name}");
        assert_eq!(
            transcript.answer.ids.workflow.as_deref(),
            first["data"]["workflow_id"].as_str(),
            "{name}"
        );
    }
}

/// Title, type, status, retries, parent: in order of start.
type Step5 = (String, String, String, u32, Option<(String, u64)>);

fn naive_path(lines: &[Value]) -> Vec<Step5> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let mut path: Vec<(String, Step5)> = Vec::new();
    for event in lines {
        let data = &event["data"];
        match event["event"].as_str().unwrap() {
            "node_started" | "iteration_started" | "loop_started" => {
                path.push((
                    word(&data["id"]),
                    (word(&data["title"]), word(&data["node_type"]), "unfinished".into(), 0, None),
                ));
            }
            "node_retry" => path.iter_mut().find(|(id, _)| *id == word(&data["id"])).unwrap().1.3 += 1,
            "node_finished" | "iteration_completed" | "loop_completed" => {
                let open =
                    |(id, step): &&mut (String, Step5)| *id == word(&data["id"]) && step.2 == "unfinished";
                let step = &mut path.iter_mut().find(open).unwrap().1;
                step.2 = word(&data["status"]);
                let meta = &data["execution_metadata"];
                for (id, index) in [("iteration_id", "iteration_index"), ("loop_id", "loop_index")] {
                    if let (Some(id), Some(index)) = (meta[id].as_str(), meta[index].as_u64()) {
                        step.4 = Some((id.to_owned(), index));
                    }
                }
            }
            _ => {}
        }
    }
    path.into_iter().map(|(_, step)| step).collect()
}

fn check_nodes(name: &str, transcript: &Transcript, lines: &[Value]) {
    let mine: Vec<Step5> = transcript
        .answer
        .nodes
        .iter()
        .map(|node| {
            let status = node.status().map_or("unfinished", ReportedStatus::word).to_owned();
            let parent = node.finished.as_ref().and_then(|_| node.parent.clone());
            let parent = parent.and_then(|round| Some((round.container, round.index?)));
            (node.title.clone(), node.node_type.clone(), status, node.retries, parent)
        })
        .collect();
    assert_eq!(mine, naive_path(lines), "{name}");
}

fn check_usage(name: &str, transcript: &Transcript, lines: &[Value]) {
    let leaves: Vec<&Value> = lines
        .iter()
        .filter(|event| event["event"] == "node_finished")
        .map(|event| &event["data"]["execution_metadata"])
        .collect();
    let tokens: u64 = leaves.iter().filter_map(|meta| meta["total_tokens"].as_u64()).sum();
    let mut prices: BTreeMap<String, Decimal> = BTreeMap::new();
    for meta in leaves {
        if let Some(price) = meta["total_price"].as_str()
            && price != "0.0"
        {
            *prices.entry(meta["currency"].as_str().unwrap().to_owned()).or_default() +=
                price.parse::<Decimal>().unwrap();
        }
    }
    let (mut sum, mut priced) = (0, BTreeMap::<String, Decimal>::new());
    for node in transcript.answer.nodes.iter().filter(|node| !node.is_container()) {
        let Some(data) = node.finished.as_ref().map(NodeEnd::data) else { continue };
        sum += usage::node_tokens(&node.node_type, &BorrowedValue::of(data)).unwrap_or(0);
        if let NodePrice::Known { amount, currency } =
            usage::node_price(&node.node_type, &BorrowedValue::of(data))
        {
            *priced.entry(currency).or_default() += amount;
        }
    }
    assert_eq!(sum, tokens, "{name}");
    assert_eq!(priced, prices, "{name}");
    let finished = lines.iter().find(|event| event["event"] == "workflow_finished");
    let total = finished.and_then(|event| event["data"]["total_tokens"].as_u64());
    let run = transcript.answer.run.as_ref().filter(|_| finished.is_some());
    assert_eq!(run.and_then(RunResult::tokens), total, "{name}");
    check_audit(name, transcript, (lines, total));
}

/// A total is known where its leaves confirm it; 0 beside a model is reported as a doubt.
fn check_audit(name: &str, transcript: &Transcript, (lines, total): (&[Value], Option<u64>)) {
    let Some(total) = total else { return };
    let types = || lines.iter().filter_map(|event| event["data"]["node_type"].as_str());
    let (model, tool) = (types().any(|kind| kind == "llm"), types().any(|kind| kind == "tool"));
    let (templates, scope) = (Templates::new(), TemplateScope::new());
    let judging = JudgeQuestions::default();
    let context = Context::new(&templates, &scope, UsageAudit::Audit, &judging);
    let facts = check::examine(&[], transcript, &context).facts;
    let stopped =
        transcript.answer.nodes.iter().any(|node| node.node_type == "llm" && node.finished.is_none());
    let expected = match (total, model) {
        (_, true) if stopped => Some(UsageKind::Unfinished),
        (0, true) => Some(UsageKind::Zero),
        (0.., _) => None,
    };
    assert_eq!(facts.usage.as_ref().map(|doubt| doubt.kind), expected, "{name}");
    let known = (total > 0 || !(model || tool)) && expected.is_none();
    // An iteration over nothing is a step without an event: what it did is not seen, and 0 is not known.
    let is_unseen = total == 0 && facts.tokens.is_none();
    assert!(facts.tokens == known.then_some(total) || is_unseen, "{name}: {:?}", facts.tokens);
    assert!(!facts.cost.is_empty() || total == 0, "{name}: a priced run");
}

fn check_times(recording: &Recording, transcript: &Transcript, lines: &[Value], cutting: Cutting) {
    let name = &recording.name;
    let mut models = Vec::new();
    let mut first_token = None;
    for (index, event) in lines.iter().enumerate() {
        let data = &event["data"];
        if event["event"] == "node_started" && matches!(data["node_type"].as_str(), Some("llm" | "agent")) {
            models.push(&data["node_id"]);
        }
        let is_token = event["event"] == "text_chunk"
            && models.contains(&&data["from_variable_selector"][0])
            && !data["text"].as_str().unwrap().trim().is_empty();
        if is_token && first_token.is_none() {
            first_token = Some(index);
        }
    }
    let times: Vec<Duration> = transcript.events.iter().map(|arrival| arrival.at).collect();
    assert!(times.is_sorted() && times.iter().all(|at| *at <= transcript.elapsed), "{name}: {times:?}");
    assert_eq!(transcript.answer.first_event_at, times.first().copied(), "{name}");
    assert_eq!(transcript.answer.first_token_at, first_token.map(|index| times[index]), "{name}");
    let mut gaps = times.iter().scan(Duration::ZERO, |last, at| Some(*at - std::mem::replace(last, *at)));
    let longest = gaps.by_ref().max();
    assert_eq!(transcript.answer.max_gap, longest, "{name}");
    if cutting == Cutting::AsRecorded {
        for (index, earliest) in recording.earliest().into_iter().enumerate() {
            assert!(
                times[index] >= earliest,
                "{name}: event {index} at {:?}, sent at {earliest:?}",
                times[index]
            );
        }
    }
}

/// Compares an answer that is no run with the table.
fn check_listed(recording: &Recording, row: &[String], transcript: &Transcript) {
    let name = &recording.name;
    match (row[1].as_str(), &transcript.ending) {
        ("rejected", Ending::Rejected(error)) | ("error_event", Ending::ErrorEvent(error)) => {
            let class = match error.class {
                ErrorClass::Rejected => "rejected",
                ErrorClass::Config => "config",
                ErrorClass::Quota => "quota",
                ErrorClass::Transport => "transport",
            };
            let yes = |flag: bool| if flag { "yes" } else { "no" };
            assert_eq!(
                [class, yes(error.not_started), yes(error.stops_suite)],
                [&row[2], &row[3], &row[4]],
                "{name}: {error:?}"
            );
            if row[1] == "rejected" {
                assert_eq!(u64::from(error.status), recording.status(), "{name}");
            }
            let said: Option<Value> = match row[1].as_str() {
                "rejected" => serde_json::from_str(recording.body()).ok(),
                _ => recording.data_lines().pop(),
            };
            if let Some(said) = said {
                assert_eq!(
                    (error.code.as_deref(), Some(error.message.as_str())),
                    (said["code"].as_str(), said["message"].as_str()),
                    "{name}"
                );
            } else {
                assert!(
                    error.message.contains("an HTML page") && error.message.contains("`/v1`"),
                    "{name}: {error:?}"
                );
            }
        }
        ("unreadable", Ending::Unreadable { .. }) => assert_eq!(transcript.answer.run, None, "{name}"),
        ("upload", Ending::Cut { .. }) => {
            let id = &serde_json::from_str::<Value>(recording.body()).unwrap()["id"];
            assert_eq!(&transcript.inputs["doc"]["upload_file_id"], id, "{name}");
            assert_eq!(transcript.inputs["doc"]["transfer_method"], "local_file", "{name}");
        }
        (expected, other) => panic!("{name}: expected {expected}, came {other:?}"),
    }
}

fn check(recording: &Recording, transcript: &Transcript, cutting: Cutting) {
    if !recording.name.contains("chatflow") {
        let (_, found) = check::contract_deviations(transcript, &Contracts::new());
        assert_eq!(found, [], "{}", recording.name);
    }
    match &recording.expected {
        Some(row) => check_listed(recording, row, transcript),
        None => check_run(recording, transcript, cutting),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recording_becomes_what_its_lines_say() {
    let recordings = Arc::new(load());
    assert_eq!(recordings.len(), 443);
    let served = recordings.clone();
    let server = RawServer::start(move |seen| find_steps(&served, seen)).await;
    for cutting in [Cutting::Whole, Cutting::AsRecorded, Cutting::ByteByByte] {
        let jobs = (0..recordings.len()).map(|index| {
            let (server, recordings) = (&server, &recordings);
            async move {
                let transcript = replay(server, recordings, index, cutting).await;
                check(&recordings[index], &transcript, cutting);
            }
        });
        futures_util::stream::iter(jobs).buffer_unordered(32).collect::<Vec<()>>().await;
    }
    let runs = recordings.iter().filter(|recording| recording.expected.is_none());
    let streams = runs.clone().filter(|recording| recording.is_stream()).count();
    let exact = recordings.iter().filter(|recording| recording.reads().is_some()).count();
    println!(
        "replayed {} recordings in 3 cuttings: {} runs ({streams} streams), {} other answers; {exact} rebuilt to the recorded byte count",
        recordings.len(),
        runs.clone().count(),
        recordings.len() - runs.count(),
    );
    assert!(exact >= 440, "{exact}");
}
