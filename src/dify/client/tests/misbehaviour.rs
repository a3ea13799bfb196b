//! Servers that misbehave, and what the client makes of them.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::base::redact::Redactor;
use crate::dify::client::tests::raw_http::{chunk, document, stream_head};
use crate::dify::client::tests::raw_server::{RawServer, Step};
use crate::dify::client::{Certificates, Client, ClientError, Endpoint, Recover, Timeouts};
use crate::dify::transcript::{
    Ending, FileInput, FileVariable, ResponseMode, StallKind, Transcript, UserScope, WorkflowRequest,
};
use crate::dify::wire::error::ErrorClass;

const SHORT: Duration = Duration::from_millis(400);
const BRIEF: Recover = Recover { deadline: Duration::from_millis(60), poll: Duration::from_millis(10) };
const LONG: Duration = Duration::from_secs(60);
const PATIENT: Timeouts = Timeouts { connect: LONG, first_event: LONG, idle: LONG, total: LONG };

fn endpoint(base_url: String) -> Endpoint {
    Endpoint {
        base_url,
        headers: vec![("X-Team".into(), "blue".into())],
        ca_file: None,
        proxy: None,
        certificates: Certificates::Checked,
        kept_connections: 4,
        timeouts: PATIENT,
        recovery: BRIEF,
        max_body: 1_000_000,
    }
}

fn client(server: &RawServer) -> Client {
    Client::new(&endpoint(format!("{}/v1/", server.address))).unwrap()
}

fn request(mode: ResponseMode) -> WorkflowRequest {
    let Value::Object(inputs) = json!({ "q": "it's" }) else { unreachable!() };
    WorkflowRequest {
        inputs,
        files: vec![],
        user: "user-7".into(),
        user_scope: UserScope::Shared,
        mode,
        workflow_id: None,
        answers: vec![],
        cap: Default::default(),
        mock_attempt: None,
    }
}

async fn send(client: &Client, request: &WorkflowRequest, timeouts: &Timeouts) -> Transcript {
    let (_keep, mut stop) = watch::channel(None);
    client.run(&SecretString::from("app-SECRET"), request, timeouts, &mut stop).await
}

/// Sends one streaming run to a server of these steps.
async fn run(steps: Vec<Step>) -> Transcript {
    run_within(steps, &PATIENT).await
}

async fn run_within(steps: Vec<Step>, timeouts: &Timeouts) -> Transcript {
    let server = RawServer::start(move |_| steps.clone()).await;
    send(&client(&server), &request(ResponseMode::Streaming), timeouts).await
}

fn event(event: &str, data: Value) -> Vec<u8> {
    raw_event(
        &json!({ "event": event, "workflow_run_id": "run-1", "task_id": "task-1", "data": data }).to_string(),
    )
}

fn raw_event(data: &str) -> Vec<u8> {
    chunk(format!("data: {data}\n\n").as_bytes())
}

fn started() -> Vec<u8> {
    event("workflow_started", json!({ "id": "run-1", "workflow_id": "wf-1" }))
}

fn finished() -> Vec<u8> {
    event(
        "workflow_finished",
        json!({ "id": "run-1", "workflow_id": "wf-1", "status": "succeeded", "outputs": { "a": 1 } }),
    )
}

fn ping() -> Vec<u8> {
    chunk(b"event: ping\n\n")
}

fn stream(parts: &[Vec<u8>]) -> Vec<Step> {
    vec![Step::Send(stream_head()), Step::Send(parts.concat())]
}

fn then(mut steps: Vec<Step>, last: Step) -> Vec<Step> {
    steps.push(last);
    steps
}

const LAST: &[u8] = b"0\r\n\r\n";

fn cut_detail(transcript: &Transcript) -> &str {
    match &transcript.ending {
        Ending::Cut { detail } => detail,
        other => panic!("not cut but {other:?}"),
    }
}

fn unreadable_detail(transcript: &Transcript) -> &str {
    match &transcript.ending {
        Ending::Unreadable { detail } => detail,
        other => panic!("not unreadable but {other:?}"),
    }
}

#[tokio::test]
async fn connections_that_break_are_cut_and_say_how() {
    assert_eq!(cut_detail(&run(vec![Step::Close]).await), "the connection was closed before an answer");
    let reset = run(vec![Step::Reset]).await;
    assert_eq!(cut_detail(&reset), "the connection was reset before an answer");
    let whole = run(then(stream(&[started()]), Step::Send(LAST.to_vec()))).await;
    assert_eq!(cut_detail(&whole), "the stream ended after 1 event, without workflow_finished");
    let half = stream(&[started(), chunk(b"data: {\"event\":\"node_st"), LAST.to_vec()]);
    assert_eq!(cut_detail(&run(half).await), "the stream ended after 1 event, in the middle of the next");
    let closed = run(then(stream(&[started(), started()]), Step::Close)).await;
    assert_eq!(cut_detail(&closed), "the connection was closed after 2 events");
    let reset = then(then(stream(&[started(), chunk(b"data: {")]), Step::Until(SHORT)), Step::Reset);
    assert_eq!(
        cut_detail(&run(reset).await),
        "the connection was reset after 1 event, in the middle of the next"
    );
    let pings = run(stream(&[ping(), LAST.to_vec()])).await;
    assert!(cut_detail(&pings).starts_with(
        "the stream ended before the first event, without workflow_finished: nothing but a ping"
    ));
    assert_eq!((pings.pings, pings.answer.first_event_at), (1, None));
    let mut short = document("200 OK", "application/json", b"{\"data\":");
    let at = short.windows(17).position(|part| part == b"Content-Length: 8").unwrap() + 16;
    short[at] = b'9';
    assert_eq!(
        cut_detail(&run(vec![Step::Send(short), Step::Close]).await),
        "the connection was closed after 8 bytes of the answer"
    );
}

#[tokio::test]
async fn ids_and_nodes_survive_a_cut() {
    let node = json!({ "id": "n1", "node_id": "a", "node_type": "code", "title": "A" });
    let cut = run(then(stream(&[event("node_started", node)]), Step::Close)).await;
    assert_eq!(
        (cut.answer.ids.run.as_deref(), cut.answer.ids.task.as_deref()),
        (Some("run-1"), Some("task-1"))
    );
    assert_eq!((cut.answer.nodes.len(), cut.answer.nodes[0].status()), (1, None));
    assert!(!cut.nodes_complete());
}

#[tokio::test]
async fn silence_stalls() {
    let impatient = Timeouts { first_event: SHORT, ..PATIENT };
    let mute = run_within(vec![Step::Hang], &impatient).await;
    assert_eq!(mute.ending, Ending::Stalled { wait: StallKind::FirstEvent, after: SHORT });
    assert!(mute.elapsed >= SHORT && mute.http_status.is_none());
    let mut pings = vec![Step::Send(stream_head())];
    for tick in 1..60 {
        pings.extend([Step::Until(Duration::from_millis(tick * 20)), Step::Send(ping())]);
    }
    let pinged = run_within(then(pings.clone(), Step::Hang), &impatient).await;
    assert_eq!(pinged.ending, Ending::Stalled { wait: StallKind::FirstEvent, after: SHORT });
    assert!(pinged.pings > 0);
    let restless = Timeouts { idle: SHORT, ..PATIENT };
    let idle = run_within(then(stream(&[started()]), Step::Hang), &restless).await;
    assert_eq!(idle.ending, Ending::Stalled { wait: StallKind::Idle, after: SHORT });
    let half = document("200 OK", "application/json", b"{}").split_last().unwrap().1.to_vec();
    let body = run_within(vec![Step::Send(half), Step::Hang], &restless).await;
    assert_eq!(body.ending, Ending::Stalled { wait: StallKind::Idle, after: SHORT });
}

#[tokio::test]
async fn a_finished_run_does_not_wait_for_the_end_of_the_stream() {
    let silent = run(then(stream(&[started(), finished()]), Step::Hang)).await;
    assert_eq!(silent.ending, Ending::Finished);
    assert!(silent.elapsed < LONG / 2 && silent.nodes_complete());
    let error = json!({ "event": "error", "workflow_run_id": null, "code": "invalid_param", "status": 400, "message": "Model x not exist." });
    let failed = run(then(stream(&[ping(), raw_event(&error.to_string())]), Step::Hang)).await;
    let Ending::ErrorEvent(error) = &failed.ending else { panic!("{:?}", failed.ending) };
    assert_eq!((error.class, error.status, error.stops_suite), (ErrorClass::Config, 400, true));
    let both = run(stream(&[[finished(), started()].concat(), LAST.to_vec()])).await;
    assert_eq!((both.ending, both.events.len()), (Ending::Finished, 1));
}

#[tokio::test]
async fn the_content_type_chooses_the_parser() {
    let stream_for_blocking = {
        let server = RawServer::start(|_| stream(&[started(), finished(), LAST.to_vec()])).await;
        send(&client(&server), &request(ResponseMode::Blocking), &PATIENT).await
    };
    assert_eq!((stream_for_blocking.ending.clone(), stream_for_blocking.events.len()), (Ending::Finished, 2));
    assert!(!stream_for_blocking.nodes_complete());
    let answer = json!({ "task_id": "t", "workflow_run_id": "r", "data": { "id": "r", "status": "succeeded", "outputs": {} } }).to_string();
    let json_for_stream =
        run(vec![Step::Send(document("200 OK", "application/json", answer.as_bytes()))]).await;
    assert_eq!(
        (json_for_stream.ending.clone(), json_for_stream.answer.ids.run.as_deref()),
        (Ending::Finished, Some("r"))
    );
    assert!(!json_for_stream.nodes_complete());
}

#[tokio::test]
async fn other_answers_are_never_runs() {
    let cases: [(&str, &str, &[u8], &str); 9] = [
        ("200 OK", "text/html", b"<html><title>Sign in</title>", "an HTML page: Sign in"),
        ("200 OK", "application/json", b"", "empty body"),
        ("200 OK", "application/json", b"{\"data\": {\"status\": NaN}}", "not JSON"),
        ("200 OK", "application/json", b"{\"data\": {\"status\": \"\\ud800\"}}", "not JSON"),
        ("200 OK", "application/json", b"{\"data\": {\"status\": \"\xFF\"}}", "not JSON"),
        ("200 OK", "application/json", b"{\"data\": {\"outputs\": {}}}", "no `data.status`"),
        ("200 OK", "application/json", b"{\"result\": \"success\"}", "its keys are result"),
        ("200 OK", "application/json", b"{\"data\": {\"status\": \"running\"}}", "still going on"),
        ("200 OK", "text/plain", b"{\"data\": {\"status\": \"succeeded\"}}", "of type text/plain"),
    ];
    for (status, content_type, body, said) in cases {
        let transcript = run(vec![Step::Send(document(status, content_type, body))]).await;
        assert!(unreadable_detail(&transcript).contains(said), "{:?}", transcript.ending);
        assert!(transcript.answer.run.is_none() && transcript.body.is_some());
    }
    let none = run(vec![Step::Send(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()), Step::Close]).await;
    assert!(unreadable_detail(&none).starts_with("the answer is not HTTP"), "{:?}", none.ending);
}

#[tokio::test]
async fn http_errors_are_judged() {
    let maintenance = b"{\"event\":\"workflow_maintenance_paused\"}".as_slice();
    let cases: [(&str, &str, &[u8], ErrorClass, &str); 6] = [
        (
            "502 Bad Gateway",
            "text/html",
            b"<html><head><title>502 Bad Gateway</title>",
            ErrorClass::Transport,
            "502 Bad Gateway",
        ),
        ("504 Gateway Time-out", "text/html", b"", ErrorClass::Transport, "empty body"),
        ("404 Not Found", "text/html", b"<title>404 Not Found</title>", ErrorClass::Config, "`/v1`"),
        ("202 Accepted", "application/json", maintenance, ErrorClass::Transport, "maintenance"),
        ("301 Moved", "text/html", b"", ErrorClass::Config, "redirects are not followed"),
        ("429 Too Many Requests", "text/html", b"error code: 1015", ErrorClass::Quota, "1015"),
    ];
    for (status, content_type, body, class, said) in cases {
        let transcript = run(vec![Step::Send(document(status, content_type, body))]).await;
        let Ending::Rejected(error) = &transcript.ending else { panic!("{status}: {:?}", transcript.ending) };
        assert_eq!((error.class, error.not_started), (class, class == ErrorClass::Quota), "{status}");
        assert!(error.message.contains(said), "{error:?}");
    }
}

#[tokio::test]
async fn broken_events_are_named() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let cases: [(&[u8], &str); 8] = [
        (b"data: {\"event\": \"x\", \"data\": NaN}\n\n", "event 2 is not JSON"),
        (b"data: {\"event\": \"text_chunk\", \"data\": {\"text\": \"\\ud83d\"}}\n\n", "event 2 is not JSON"),
        (b"data: {\"event\": \"\xC3\x28\"}\n\n", "event 2 is not JSON"),
        (b"data: {\"event\": \"x\"\n\n", "event 2 is not JSON"),
        (b"data: [DONE]\n\n", "event 2 is not JSON"),
        (b"data: 5\n\n", "event 2 is JSON but no object"),
        (
            b"data: {\"event\":\"workflow_finished\",\"data\":{\"outputs\":{}}}\n\n",
            "event 2, workflow_finished, has no `data.status`",
        ),
        (deep.as_bytes(), "event 2 is not JSON"),
    ];
    for (bytes, said) in cases {
        let bytes =
            if bytes.starts_with(b"data") { bytes.to_vec() } else { [b"data: ", bytes, b"\n\n"].concat() };
        let transcript = run(stream(&[started(), chunk(&bytes), finished(), LAST.to_vec()])).await;
        assert!(unreadable_detail(&transcript).starts_with(said), "{:?}", transcript.ending);
        assert_eq!(transcript.answer.run, None);
    }
}

#[tokio::test]
async fn answers_without_end_are_bounded() {
    let note =
        vec![Step::Send(stream_head()), Step::Endless(event("other", json!({ "x": "y".repeat(5000) })))];
    let line =
        vec![Step::Send(stream_head()), Step::Send(chunk(b"data: ")), Step::Endless(chunk(&[b'x'; 5000]))];
    let comments = vec![Step::Send(stream_head()), Step::Endless(chunk(b": nothing\n"))];
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = vec![Step::Send(head.to_vec()), Step::Endless(chunk(&[b' '; 5000]))];
    for steps in [note, line, comments, body] {
        let transcript = run(steps).await;
        assert!(unreadable_detail(&transcript).contains("larger than 1 MB"), "{:?}", transcript.ending);
        assert!(transcript.bytes < 3 << 20, "{}", transcript.bytes);
    }
}

#[tokio::test]
async fn a_run_has_a_connection_of_its_own_where_the_server_may_end_idle_ones() {
    let server = RawServer::start(|_| stream(&[started(), finished(), LAST.to_vec()])).await;
    let careful = Endpoint { kept_connections: 0, ..endpoint(format!("{}/v1", server.address)) };
    let careful = Client::new(&careful).unwrap();
    for runs in 1..=3 {
        let transcript = send(&careful, &request(ResponseMode::Streaming), &PATIENT).await;
        assert_eq!(transcript.ending, Ending::Finished);
        assert_eq!(server.connections.load(Ordering::SeqCst), runs);
    }
}

#[tokio::test]
async fn the_limit_of_an_attempt_holds_while_every_piece_is_there_at_once() {
    let limit = Timeouts { total: SHORT, ..PATIENT };
    let endless = RawServer::start(|seen| match seen.target.contains("/tasks/") {
        true => vec![Step::Send(document("200 OK", "application/json", b"{\"result\":\"success\"}"))],
        false => then(stream(&[started()]), Step::Endless(chunk(b"event: ping\n\n"))),
    })
    .await;
    let wide = Endpoint { max_body: 1_000_000_000, ..endpoint(format!("{}/v1", endless.address)) };
    let transcript = send(&Client::new(&wide).unwrap(), &request(ResponseMode::Streaming), &limit).await;
    assert_eq!(transcript.ending, Ending::TimedOut { after: SHORT });
}

#[tokio::test]
async fn tiny_events_are_bounded_by_what_is_kept_of_them() {
    for nameless in ["{}", r#"{"a":1}"#, r#"{"event":""}"#, r#"{"event":7}"#] {
        let told = streamed(&[nameless]).await;
        assert!(unreadable_detail(&told).contains("has no name in `event`"), "{nameless}: {:?}", told.ending);
    }
    let tiny = streamed(&[r#"{"event":"x"}"#; 45_000]).await;
    assert!(unreadable_detail(&tiny).contains("events, of 0 executions"), "{:?}", tiny.ending);
    assert!(unreadable_detail(&tiny).contains("2.5 times `max_body`"), "{:?}", tiny.ending);
    let wide = format!(r#"{{"event":"x","data":[{}1]}}"#, "1,".repeat(200_000));
    let wide = streamed(&[&wide]).await;
    assert!(unreadable_detail(&wide).contains("more values than are read"), "{:?}", wide.ending);
    let body = format!(r#"{{"data":{{"status":"succeeded","outputs":[{}1]}}}}"#, "1,".repeat(200_000));
    let blocking = run(vec![Step::Send(document("200 OK", "application/json", body.as_bytes()))]).await;
    assert!(unreadable_detail(&blocking).contains("more values than are read"), "{:?}", blocking.ending);
}

#[tokio::test]
async fn compressed_answers_are_read_and_bounded() {
    let gzipped = |bytes: &[u8]| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            bytes.len()
        );
        vec![Step::Send([head.as_bytes(), bytes].concat()), Step::Close]
    };
    let good = run(gzipped(include_bytes!("../../../../tests/data/gzip/run.json.gz"))).await;
    assert_eq!(
        (good.ending, good.answer.run.unwrap().data()["outputs"].clone()),
        (Ending::Finished, json!({ "a": 1 }))
    );
    let bomb = run(gzipped(include_bytes!("../../../../tests/data/gzip/bomb.json.gz"))).await;
    assert!(unreadable_detail(&bomb).contains("larger than 1 MB"), "{:?}", bomb.ending);
    let garbage = run(gzipped(b"this is not gzip")).await;
    assert!(
        unreadable_detail(&garbage).starts_with("the compressed answer cannot be read"),
        "{:?}",
        garbage.ending
    );
}

#[tokio::test]
async fn gzip_in_several_members_is_read_whole_or_named_at_once() {
    let member = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let answer = |content_type: &str, body: &[u8]| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Encoding: GZip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        vec![Step::Send([head.as_bytes(), body].concat()), Step::Close]
    };
    let text = br#"{"workflow_run_id":"r-1","task_id":"t-1","data":{"id":"r-1","workflow_id":"w-1","status":"succeeded","outputs":{"a":1},"total_tokens":1}}"#;
    let (first, second) = text.split_at(60);
    let document = run(answer("application/json", &[member(first), member(second)].concat())).await;
    assert_eq!(
        (document.ending, &document.answer.run.unwrap().data()["outputs"]),
        (Ending::Finished, &json!({ "a": 1 }))
    );
    assert!(document.headers.iter().all(|(name, _)| name != "content-encoding" && name != "content-length"));
    let (begun, ended) = (format!("data: {BEGUN}\n\n"), format!("data: {ENDED}\n\n"));
    let events = [member(begun.as_bytes()), member(b""), member(ended.as_bytes())].concat();
    assert_eq!(run(answer("text/event-stream", &events)).await.ending, Ending::Finished);
    let trailing = [member(begun.as_bytes()), b"rest".to_vec()].concat();
    for broken in [&events[..events.len() - 40], b"none".as_slice(), &trailing] {
        for content_type in ["text/event-stream", "application/json"] {
            let told = run(answer(content_type, broken)).await;
            let detail = unreadable_detail(&told);
            assert!(detail.starts_with("the compressed answer cannot be read"), "{detail}");
            assert_eq!(told.recovery, None, "an answer came: nothing is searched");
        }
    }
}

#[tokio::test]
async fn an_encoding_that_nobody_asked_for_is_named_at_once() {
    let answer = |status: &str, headers: &str| {
        let head = format!("HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: 4\r\n\r\n");
        vec![Step::Send([head.as_bytes(), &[0x8b, 1, 2, 3]].concat())]
    };
    for coding in ["br", "zstd", "deflate", "gzip, br"] {
        let headers = format!("Content-Type: text/event-stream\r\nContent-Encoding: {coding}");
        let told = run(answer("200 OK", &headers)).await;
        assert!(
            unreadable_detail(&told).contains(&format!("`Content-Encoding: {coding}`")),
            "{:?}",
            told.ending
        );
        assert_eq!(told.recovery, None, "an answer came: nothing is searched");
    }
    let charset = run(answer("200 OK", "Content-Type: application/json; charset=gbk")).await;
    assert!(unreadable_detail(&charset).contains("charset=gbk"), "{:?}", charset.ending);
    let refused =
        run(answer("400 Bad Request", "Content-Type: application/json\r\nContent-Encoding: br")).await;
    let Ending::Rejected(error) = refused.ending else { panic!("{:?}", refused.ending) };
    assert!(error.message.contains("`Content-Encoding: br`"), "{}", error.message);
}

/// What a stream of these events comes to.
async fn streamed(events: &[&str]) -> Transcript {
    let events: Vec<Vec<u8>> =
        events.iter().map(|event| chunk(format!("data: {event}\n\n").as_bytes())).collect();
    let mut steps = vec![Step::Send(stream_head())];
    steps.extend(events.into_iter().chain([LAST.to_vec()]).map(Step::Send));
    run(steps).await
}

const BEGUN: &str = r#"{"event":"workflow_started","workflow_run_id":"r-1","task_id":"t-1","data":{"id":"r-1","workflow_id":"w-1"}}"#;
const ENDED: &str = r#"{"event":"workflow_finished","workflow_run_id":"r-1","task_id":"t-1","data":{"id":"r-1","workflow_id":"w-1","status":"succeeded","outputs":{},"total_tokens":1}}"#;

#[tokio::test]
async fn every_event_is_of_the_same_run() {
    assert_eq!(streamed(&[BEGUN, ENDED]).await.ending, Ending::Finished);
    let chunk = r#"{"event":"text_chunk","workflow_run_id":"r-1","task_id":"t-2","data":{"text":"a","from_variable_selector":["n","text"]}}"#;
    for (events, told) in [
        (
            [BEGUN, &ENDED.replace(r#""data":{"id":"r-1"#, r#""data":{"id":"r-2"#)],
            "event 2 is of the run r-2",
        ),
        ([BEGUN, &ENDED.replacen("r-1", "r-2", 1)], "event 2 is of the run r-2"),
        ([BEGUN, &ENDED.replace("t-1", "t-2")], "event 2 is of the task t-2"),
        ([BEGUN, &ENDED.replace("w-1", "w-2")], "event 2 is of the version w-2"),
        (
            [&BEGUN.replace(r#""data":{"id":"r-1"#, r#""data":{"id":"r-2"#), ENDED],
            "event 1 is of the run r-2",
        ),
        ([BEGUN, chunk], "event 2 is of the task t-2"),
    ] {
        let found = streamed(&events).await;
        assert!(unreadable_detail(&found).starts_with(told), "{told}: {:?}", found.ending);
    }
}

#[tokio::test]
async fn what_is_given_twice_is_noted_and_a_status_given_twice_is_unreadable() {
    for (from, to, key) in [
        (r#""status":"succeeded""#, r#""status":"failed","\u0073tatus":"succeeded""#, "$.data.status"),
        (r#""task_id":"t-1""#, r#""task_id":"t-0","task_id":"t-1""#, "$.task_id"),
        (r#""event":"workflow_finished""#, r#""event":"error","event":"workflow_finished""#, "$.event"),
    ] {
        let found = streamed(&[BEGUN, &ENDED.replace(from, to)]).await;
        let told = format!("event 2 gives `{key}` twice");
        assert!(unreadable_detail(&found).starts_with(&told), "{:?}", found.ending);
    }
    let outputs = ENDED.replace(r#""outputs":{}"#, r#""outputs":{"a":1,"a":2}"#);
    let found = streamed(&[BEGUN, &outputs]).await;
    assert_eq!((&found.ending, found.answer.flaws.len()), (&Ending::Finished, 1));
    assert_eq!(found.answer.flaws[0].event, Some(1));
    let body =
        r#"{"task_id":"t","workflow_run_id":"r","data":{"id":"r","status":"failed","status":"succeeded"}}"#;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let blocking = run(vec![Step::Send([head.as_bytes(), body.as_bytes()].concat())]).await;
    assert!(unreadable_detail(&blocking).contains("`$.data.status` twice"), "{:?}", blocking.ending);
}

#[tokio::test]
async fn text_that_was_replaced_or_given_up_is_not_taken_for_what_stands_there() {
    let chunk = |text: &str| {
        format!(
            r#"{{"event":"text_chunk","workflow_run_id":"r-1","task_id":"t-1","data":{{"text":"{text}","from_variable_selector":["n","text"]}}}}"#
        )
    };
    let other = |event: &str, data: &str| {
        format!(r#"{{"event":"{event}","workflow_run_id":"r-1","task_id":"t-1","data":{data}}}"#)
    };
    let replaced = other("text_replace", r#"{"text":"withdrawn"}"#);
    let found = streamed(&[BEGUN, &chunk("Hel"), &chunk("lo"), &replaced, &chunk("!"), ENDED]).await;
    assert_eq!((&*found.answer.text, &found.answer.text_doubt), ("withdrawn!", &None));
    let node = r#"{"id":"e","node_id":"n","node_type":"llm","title":"N","error":"busy"}"#;
    let (started, retry) = (other("node_started", node), other("node_retry", node));
    let found = streamed(&[BEGUN, &started, &chunk("Hel"), &retry, &chunk("Hello"), ENDED]).await;
    assert!(found.answer.text_doubt.unwrap().contains("`N`"));
    assert_eq!(found.answer.nodes[0].retry_errors, ["busy"]);
    let found = streamed(&[BEGUN, &started, &retry, &chunk("Hello"), ENDED]).await;
    assert_eq!(found.answer.text_doubt, None, "nothing was streamed before it was tried again");
}

#[tokio::test]
async fn a_huge_event_is_read() {
    let outputs = json!({ "text": "x".repeat(20 << 20) });
    let last =
        event("workflow_finished", json!({ "id": "run-1", "status": "succeeded", "outputs": outputs }));
    let server = RawServer::start(move |_| stream(&[started(), last.clone(), LAST.to_vec()])).await;
    let wide = Endpoint { max_body: 64_000_000, ..endpoint(format!("{}/v1", server.address)) };
    let transcript = send(&Client::new(&wide).unwrap(), &request(ResponseMode::Streaming), &PATIENT).await;
    assert_eq!(transcript.ending, Ending::Finished);
    assert_eq!(transcript.answer.run.unwrap().data()["outputs"], outputs);
}

#[tokio::test]
async fn connections_are_used_again() {
    let answer = document("200 OK", "application/json", b"{\"data\":{\"status\":\"succeeded\"}}");
    for steps in [
        stream(&[started(), finished(), LAST.to_vec()]),
        then(stream(&[started(), finished()]), Step::Send(LAST.to_vec())),
        vec![Step::Send(answer)],
    ] {
        let server = RawServer::start(move |_| steps.clone()).await;
        let client = client(&server);
        for _ in 0..20 {
            let transcript = send(&client, &request(ResponseMode::Streaming), &PATIENT).await;
            assert_eq!(transcript.ending, Ending::Finished);
        }
        assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    }
}

/// A stream that goes on for ever; a stop is answered at once.
async fn stuck_server() -> RawServer {
    RawServer::start(|seen| match seen.target.contains("/tasks/") {
        true => vec![Step::Send(document("200 OK", "application/json", b"{\"result\":\"success\"}"))],
        false => then(stream(&[started()]), Step::Hang),
    })
    .await
}

fn assert_stopped_once(server: &RawServer) {
    let stops = server.seen("POST /v1/workflows/tasks/");
    assert_eq!(stops.len(), 1);
    assert_eq!(stops[0].target, "POST /v1/workflows/tasks/task-1/stop");
    assert_eq!(serde_json::from_slice::<Value>(&stops[0].body).unwrap(), json!({ "user": "user-7" }));
    assert!(stops[0].head.contains("authorization: bearer app-secret"));
}

#[tokio::test]
async fn a_timed_out_run_is_stopped_on_the_server() {
    let server = stuck_server().await;
    let timeouts = Timeouts { total: SHORT, ..PATIENT };
    let transcript = send(&client(&server), &request(ResponseMode::Streaming), &timeouts).await;
    assert_eq!(transcript.ending, Ending::TimedOut { after: SHORT });
    assert_stopped_once(&server);
    let server = stuck_server().await;
    let timeouts = Timeouts { idle: SHORT, ..PATIENT };
    let transcript = send(&client(&server), &request(ResponseMode::Streaming), &timeouts).await;
    assert_eq!(transcript.ending, Ending::Stalled { wait: StallKind::Idle, after: SHORT });
    assert_stopped_once(&server);
}

#[tokio::test]
async fn the_word_to_stop_stops() {
    let server = stuck_server().await;
    let client = client(&server);
    let (word, mut stop) = watch::channel(None);
    let (request, key) = (request(ResponseMode::Streaming), SecretString::from("app-SECRET"));
    let running = client.run(&key, &request, &PATIENT, &mut stop);
    let saying = async {
        tokio::time::sleep(SHORT).await;
        word.send(Some(Arc::from("interrupted"))).unwrap();
    };
    let (transcript, ()) = tokio::join!(running, saying);
    assert_eq!(transcript.ending, Ending::Stopped { reason: "interrupted".into() });
    assert_stopped_once(&server);
    let late = client.run(&key, &request, &PATIENT, &mut stop).await;
    assert_eq!(late.ending, Ending::Stopped { reason: "interrupted".into() }, "a word said before is heard");
}

#[tokio::test]
async fn a_dropped_stop_sender_stops_nothing() {
    let server = RawServer::start(|_| stream(&[started(), finished(), LAST.to_vec()])).await;
    let (word, mut stop) = watch::channel(None);
    drop(word);
    let key = SecretString::from("app-SECRET");
    let transcript = client(&server).run(&key, &request(ResponseMode::Streaming), &PATIENT, &mut stop).await;
    assert_eq!(transcript.ending, Ending::Finished);
}

#[tokio::test]
async fn what_cannot_be_sent_was_not_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let refused = Client::new(&endpoint(format!("http://{address}/v1"))).unwrap();
    let transcript = send(&refused, &request(ResponseMode::Streaming), &PATIENT).await;
    let Ending::NotSent { detail, retryable: true } = &transcript.ending else {
        panic!("{:?}", transcript.ending)
    };
    assert!(detail.starts_with(&format!("connect to {address}: Connection refused")), "{detail}");
    for key in ["app-\nSECRET", "app-SECRET\0", "app-SECRETé"] {
        let (_keep, mut stop) = watch::channel(None);
        let transcript = refused
            .run(&SecretString::from(key), &request(ResponseMode::Blocking), &PATIENT, &mut stop)
            .await;
        assert!(matches!(transcript.ending, Ending::NotSent { retryable: false, .. }));
        assert!(!format!("{transcript:?}").contains("SECRET"));
    }
}

#[tokio::test]
async fn a_request_is_what_dify_wants() {
    let server = RawServer::start(|_| stream(&[started(), finished(), LAST.to_vec()])).await;
    let client = client(&server);
    let plain = send(&client, &request(ResponseMode::Streaming), &PATIENT).await;
    let pinned = WorkflowRequest {
        workflow_id: Some("wf-9".into()),
        cap: Default::default(),
        mock_attempt: Some("case-3".into()),
        ..request(ResponseMode::Blocking)
    };
    send(&client, &pinned, &PATIENT).await;
    let seen = server.seen("POST");
    assert_eq!(
        [&*seen[0].target, &*seen[1].target],
        ["POST /v1/workflows/run", "POST /v1/workflows/wf-9/run"]
    );
    let body: Value = serde_json::from_slice(&seen[0].body).unwrap();
    assert_eq!(body, json!({ "inputs": { "q": "it's" }, "response_mode": "streaming", "user": "user-7" }));
    assert!(seen[0].head.contains("accept-encoding: identity") && seen[0].head.contains("x-team: blue"));
    assert!(
        seen[0].head.contains("authorization: bearer app-secret")
            && seen[0].head.contains("content-type: application/json")
    );
    assert!(
        !seen[0].head.contains("x-flowproof-attempt") && seen[1].head.contains("x-flowproof-attempt: case-3")
    );
    assert!(
        plain.curl(&Redactor::new([])).contains("\"it'\\''s\"")
            && plain.curl(&Redactor::new([])).contains("$DIFY_API_KEY")
            && !plain.curl(&Redactor::new([])).contains("SECRET")
    );
    assert_eq!((plain.inputs, plain.dify_version.as_deref()), (json!({ "q": "it's" }), Some("1.14.2")));
    assert_eq!((plain.answer.ids.workflow.as_deref(), plain.http_status), (Some("wf-1"), Some(200)));
}

#[tokio::test]
async fn a_file_is_uploaded_once_for_each_user() {
    let server = RawServer::start(|seen| match seen.target.ends_with("/files/upload") {
        true => vec![Step::Send(document("201 CREATED", "application/json", b"{\"id\":\"file-1\"}"))],
        false => stream(&[started(), finished(), LAST.to_vec()]),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("note.txt");
    std::fs::write(&path, "hello").unwrap();
    let input =
        FileInput::Upload { path, fence: crate::base::files::Fence::anywhere(), kind: "document".into() };
    let remote = FileInput::Remote { url: "https://example.com/a.png".into(), kind: "image".into() };
    let files = vec![
        ("doc".to_owned(), FileVariable::One(input.clone())),
        ("all".to_owned(), FileVariable::Many(vec![input, remote])),
    ];
    let first = WorkflowRequest { files, ..request(ResponseMode::Streaming) };
    let client = client(&server);
    let transcript = send(&client, &first, &PATIENT).await;
    send(&client, &first, &PATIENT).await;
    let local = json!({ "type": "document", "transfer_method": "local_file", "upload_file_id": "file-1" });
    let remote =
        json!({ "type": "image", "transfer_method": "remote_url", "url": "https://example.com/a.png" });
    assert_eq!(transcript.inputs, json!({ "q": "it's", "doc": local, "all": [local, remote] }));
    let run: Value = serde_json::from_slice(&server.seen("POST /v1/workflows/run")[0].body).unwrap();
    assert_eq!(run["inputs"], transcript.inputs);
    assert_eq!(server.seen("POST /v1/files/upload").len(), 1);
    send(&client, &WorkflowRequest { user: "user-8".into(), ..first }, &PATIENT).await;
    let uploads = server.seen("POST /v1/files/upload");
    assert_eq!(uploads.len(), 2);
    let form = String::from_utf8_lossy(&uploads[1].body).into_owned();
    for part in ["name=\"file\"; filename=\"note.txt\"", "text/plain", "hello", "name=\"user\"", "user-8"] {
        assert!(form.contains(part), "{form}");
    }
}

#[tokio::test]
async fn a_failed_upload_names_its_file_and_sends_no_run() {
    let refusing = RawServer::start(|_| {
        vec![Step::Send(document(
            "413 X",
            "application/json",
            b"{\"code\":\"file_too_large\",\"message\":\"\",\"status\":413}",
        ))]
    })
    .await;
    let with = |path: &std::path::Path| WorkflowRequest {
        files: vec![(
            "doc".into(),
            FileVariable::One(FileInput::Upload {
                path: path.into(),
                fence: crate::base::files::Fence::anywhere(),
                kind: "document".into(),
            }),
        )],
        ..request(ResponseMode::Streaming)
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("note.txt");
    std::fs::write(&path, "hello").unwrap();
    let refused = send(&client(&refusing), &with(&path), &PATIENT).await;
    let Ending::Rejected(error) = &refused.ending else { panic!("{:?}", refused.ending) };
    assert!(
        error.message.ends_with("note.txt: file_too_large") && error.class == ErrorClass::Rejected,
        "{error:?}"
    );
    let missing = send(&client(&refusing), &with(&folder.path().join("absent.txt")), &PATIENT).await;
    let Ending::NotSent { detail, retryable: false } = &missing.ending else {
        panic!("{:?}", missing.ending)
    };
    assert!(detail.contains("absent.txt"), "{detail}");
    let closing = RawServer::start(|_| vec![Step::Close]).await;
    let cut = send(&client(&closing), &with(&path), &PATIENT).await;
    let Ending::NotSent { detail, retryable: true } = &cut.ending else { panic!("{:?}", cut.ending) };
    assert!(detail.contains("note.txt"), "{detail}");
    let mute = RawServer::start(|_| vec![Step::Hang]).await;
    let late = send(&client(&mute), &with(&path), &Timeouts { total: SHORT, ..PATIENT }).await;
    assert_eq!(late.ending, Ending::TimedOut { after: SHORT });
    for server in [refusing, closing, mute] {
        assert!(server.seen("POST /v1/workflows/run").is_empty());
    }
}

#[tokio::test]
async fn a_proxy_is_asked_when_one_is_set() {
    let proxy = RawServer::start(|_| stream(&[started(), finished(), LAST.to_vec()])).await;
    let through =
        Endpoint { proxy: Some(proxy.address.clone()), ..endpoint("http://dify.invalid/v1".into()) };
    let transcript = send(&Client::new(&through).unwrap(), &request(ResponseMode::Streaming), &PATIENT).await;
    assert_eq!(transcript.ending, Ending::Finished);
    assert_eq!(proxy.seen("POST")[0].target, "POST http://dify.invalid/v1/workflows/run");
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_used_is_told_at_once() {
    let broken = |base: &str| Client::new(&endpoint(base.into())).unwrap_err().to_string();
    assert!(broken("ftp://h/v1").contains("the scheme is ftp"));
    assert!(broken("api.dify.ai/v1").contains("is no http or https address"));
    assert!(broken("").contains("is no http or https address"));
    assert!(broken("http://h/v1?x=1").contains("a query"));
    let secret = vec![("X-Key".to_owned(), "se\ncret".to_owned())];
    let error = Client::new(&Endpoint { headers: secret, ..endpoint("http://h/v1".into()) }).unwrap_err();
    assert!(
        matches!(&error, ClientError::Header { name, .. } if name == "X-Key")
            && !error.to_string().contains("cret")
    );
    let absent = Endpoint { ca_file: Some("/nowhere/ca.pem".into()), ..endpoint("https://h/v1".into()) };
    assert!(Client::new(&absent).unwrap_err().to_string().contains("ca_file /nowhere/ca.pem"));
    let proxy = Endpoint { proxy: Some("::not a proxy".into()), ..endpoint("http://h/v1".into()) };
    assert!(matches!(Client::new(&proxy), Err(ClientError::Proxy(_))));
    let unchecked =
        Endpoint { certificates: Certificates::Unchecked, ..endpoint("https://127.0.0.1:9/v1".into()) };
    assert!(Client::new(&unchecked).is_ok());
}

/// Whether the machine has certificates or not, there is a client or a reason that says what to do.
#[test]
fn a_machine_without_certificates_can_still_speak_plainly() {
    match Client::new(&endpoint("https://dify.invalid/v1".into())) {
        Ok(_) => println!("certificates found"),
        Err(error) => assert!(error.to_string().contains("ca-certificates"), "{error}"),
    }
    assert!(Client::new(&endpoint("http://dify.invalid/v1".into())).is_ok());
    assert!(Client::new(&endpoint("http://[::1]:9/v1".into())).is_ok());
}
