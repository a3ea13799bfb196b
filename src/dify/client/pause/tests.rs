//! Runs that pause, against servers that play Dify.

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::base::origin::Place;
use crate::dify::client::tests::raw_http::{RawRequest, chunk, document, stream_head};
use crate::dify::client::tests::raw_server::{RawServer, Step};
use crate::dify::client::{Certificates, Client, Endpoint, Timeouts};
use crate::dify::transcript::{
    Ending, HumanAnswer, ReportedStatus, ResponseMode, StallKind, Transcript, WorkflowRequest,
};

const LONG: Duration = Duration::from_secs(60);
const PATIENT: Timeouts = Timeouts { connect: LONG, first_event: LONG, idle: LONG, total: LONG };

fn recorded(name: &str) -> Value {
    let path = format!("{}/tests/data/wire/1.14.2/human.{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn body_of(name: &str) -> String {
    recorded(name)["response"]["body"].as_str().unwrap().to_owned()
}

/// The recorded exchange as raw bytes: documents with a length, streams with an event a chunk.
fn raw(name: &str) -> Vec<u8> {
    let json = recorded(name);
    let status = json["response"]["status"].as_u64().unwrap();
    document(&format!("{status} Said"), "application/json", body_of(name).as_bytes())
}

fn stream(events: &[String]) -> Vec<Step> {
    let mut steps = vec![Step::Send(stream_head())];
    steps.extend(events.iter().map(|event| Step::Send(chunk(event.as_bytes()))));
    steps.push(Step::Send(b"0\r\n\r\n".to_vec()));
    steps
}

fn frames(body: &str) -> Vec<String> {
    body.split_inclusive("\n\n").map(str::to_owned).collect()
}

/// The run's ids as recorded, in an event of our own.
fn event(name: &str, data: Value) -> String {
    let first = frames(&body_of("streaming")).swap_remove(1);
    let first: Value = serde_json::from_str(first.trim_start_matches("data: ")).unwrap();
    let event = json!({ "event": name, "workflow_run_id": first["workflow_run_id"], "task_id": first["task_id"], "data": data });
    format!("data: {event}\n\n")
}

/// What follows the recorded answer: read in Dify's sources, never recorded.
fn resumption() -> Vec<String> {
    let node = |id: &str, node: &str, kind: &str, title: &str| json!({ "id": id, "node_id": node, "node_type": kind, "title": title, "status": "succeeded", "outputs": { "comment": "looks fine" } });
    let (asks, end) = (node("other", "hi", "human-input", "Approval"), node("e", "end", "end", "End"));
    vec![
        "event: ping\n\n".to_owned(),
        event("workflow_started", json!({ "id": RUN, "reason": "resumption" })),
        event("node_started", asks.clone()),
        event("human_input_form_filled", json!({ "node_id": "hi", "action_id": "approve" })),
        event("text_chunk", json!({ "text": "fine", "from_variable_selector": ["hi", "comment"] })),
        event("node_finished", asks),
        event("node_started", end.clone()),
        event("node_finished", end),
        event(
            "workflow_finished",
            json!({ "id": RUN, "status": "succeeded", "outputs": { "comment": "looks fine" }, "total_steps": 4, "total_tokens": 0 }),
        ),
    ]
}

fn after(wait: u64, steps: Vec<Step>) -> Vec<Step> {
    let mut steps = steps;
    steps.insert(1, Step::Until(Duration::from_millis(wait)));
    steps
}

/// Dify as recorded; the events of the run come a while after the head.
fn dify(seen: &RawRequest) -> Vec<Step> {
    let target = seen.target.as_str();
    if target.contains("/events?") {
        after(100, stream(&resumption()))
    } else if target.starts_with("GET /v1/form/") {
        vec![Step::Send(raw("form"))]
    } else if target.starts_with("POST /v1/form/") {
        vec![Step::Send(raw("submit"))]
    } else if seen.body.windows(8).any(|bytes| bytes == b"blocking") {
        let paused = frames(&body_of("streaming")).pop().unwrap();
        let paused: Value = serde_json::from_str(paused.trim_start_matches("data: ")).unwrap();
        let answer =
            json!({ "task_id": "t", "workflow_run_id": paused["workflow_run_id"], "data": paused["data"] });
        vec![Step::Send(document("200 OK", "application/json", answer.to_string().as_bytes()))]
    } else {
        stream(&frames(&body_of("streaming")))
    }
}

fn answer(node: &str, action: &str, inputs: Value) -> HumanAnswer {
    let Value::Object(inputs) = inputs else { panic!() };
    let place = Arc::new(Place::file("s.yaml"));
    HumanAnswer { node: node.into(), action: action.into(), inputs, files: Vec::new(), place }
}

fn fine() -> HumanAnswer {
    answer("Approval", "approve", json!({ "comment": "looks fine" }))
}

async fn send(
    server: &RawServer,
    mode: ResponseMode,
    answers: Vec<HumanAnswer>,
    timeouts: Timeouts,
) -> Transcript {
    let endpoint = Endpoint {
        base_url: format!("{}/v1", server.address),
        headers: Vec::new(),
        ca_file: None,
        proxy: None,
        certificates: Certificates::Checked,
        kept_connections: 2,
        timeouts,
        recovery: crate::dify::client::Recover {
            deadline: Duration::from_millis(600),
            poll: Duration::from_millis(10),
        },
        max_body: 1_000_000,
    };
    let Value::Object(inputs) = json!({ "draft": "Hello" }) else { unreachable!() };
    let request = WorkflowRequest {
        inputs,
        files: Vec::new(),
        user: "h u".into(),
        user_scope: crate::dify::transcript::UserScope::Shared,
        mode,
        workflow_id: None,
        answers,
        cap: Default::default(),
        mock_attempt: None,
    };
    let (_keep, mut stop) = watch::channel(None);
    let client = Client::new(&endpoint).unwrap();
    client.run(&SecretString::from("app-SECRET"), &request, &timeouts, &mut stop).await
}

fn targets(server: &RawServer) -> Vec<String> {
    server.requests.lock().unwrap().iter().map(|seen| seen.target.clone()).collect()
}

const TOKEN: &str = "MjJmMJLLsbKxXPYDqYxJzy";
const RUN: &str = "a0e2bc60-dd54-4165-a5bd-4c784bd0fe91";

#[tokio::test]
async fn the_recorded_form_is_answered_and_the_run_followed_to_its_end() {
    let server = RawServer::start(dify).await;
    let transcript = send(&server, ResponseMode::Streaming, vec![fine()], PATIENT).await;
    assert_eq!(transcript.ending, Ending::Finished);
    assert_eq!(
        targets(&server),
        [
            "POST /v1/workflows/run".to_owned(),
            format!("GET /v1/form/human_input/{TOKEN}"),
            format!("GET /v1/workflow/{RUN}/events?user=h+u&continue_on_pause=true"),
            format!("POST /v1/form/human_input/{TOKEN}"),
        ]
    );
    let sent: Value = serde_json::from_slice(&server.seen("POST /v1/form/")[0].body).unwrap();
    assert_eq!(sent, json!({ "inputs": { "comment": "looks fine" }, "action": "approve", "user": "h u" }));
    let nodes: Vec<_> =
        transcript.answer.nodes.iter().map(|node| (node.title.as_str(), node.status())).collect();
    let done = Some(&ReportedStatus::Succeeded);
    assert_eq!(nodes, [("Start", done), ("Approval", done), ("End", done)]);
    assert!(transcript.nodes_complete());
    assert_eq!((transcript.answer.ids.run.as_deref(), transcript.answer.text.as_str()), (Some(RUN), "fine"));
    let names: Vec<Value> = transcript.events.iter().map(|event| event.json()["event"].clone()).collect();
    assert_eq!(names.len(), 6 + 8);
    assert_eq!((&names[5], &names[6]), (&json!("workflow_paused"), &json!("workflow_started")));
    let pauses = &transcript.pauses;
    assert_eq!(
        (pauses.answered.len(), pauses.restarts, pauses.unused.len(), pauses.waiting.len()),
        (1, 1, 0, 0)
    );
    assert_eq!(transcript.answer.run.unwrap().data()["outputs"], json!({ "comment": "looks fine" }));
}

#[tokio::test]
async fn a_field_left_out_is_sent_with_the_forms_default() {
    let server = RawServer::start(dify).await;
    let lazy = answer("hi", "Reject", json!({}));
    let transcript = send(&server, ResponseMode::Streaming, vec![lazy], PATIENT).await;
    assert_eq!(transcript.ending, Ending::Finished);
    let sent: Value = serde_json::from_slice(&server.seen("POST /v1/form/")[0].body).unwrap();
    assert_eq!(sent["inputs"], json!({ "comment": "ok by default" }));
    assert_eq!(sent["action"], "reject");
}

#[tokio::test]
async fn the_pause_is_in_no_time_of_the_transcript() {
    const WAIT: Duration = Duration::from_millis(600);
    let server = RawServer::start(|seen| {
        let is_form = seen.target.starts_with("GET /v1/form/");
        if is_form { [vec![Step::Until(WAIT)], dify(seen)].concat() } else { dify(seen) }
    })
    .await;
    let began = Instant::now();
    let transcript = send(&server, ResponseMode::Streaming, vec![fine()], PATIENT).await;
    let whole = began.elapsed();
    assert_eq!(transcript.ending, Ending::Finished);
    let lasted = transcript.pauses.lasted;
    assert!(lasted >= WAIT, "{lasted:?}");
    assert!(transcript.elapsed + lasted <= whole, "{:?} and {lasted:?} in {whole:?}", transcript.elapsed);
    let times: Vec<_> = transcript.events.iter().map(|event| event.at).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(*times.last().unwrap() <= transcript.elapsed);
    assert!(transcript.answer.max_gap.unwrap() <= transcript.elapsed);
}

#[tokio::test]
async fn a_blocking_run_is_answered_too() {
    let server = RawServer::start(dify).await;
    let transcript = send(&server, ResponseMode::Blocking, vec![fine()], PATIENT).await;
    assert_eq!(transcript.ending, Ending::Finished);
    assert_eq!(
        (transcript.mode, transcript.answer.nodes.len(), transcript.answer.text.as_str()),
        (ResponseMode::Blocking, 0, "")
    );
    assert_eq!(
        (transcript.answer.first_event_at, transcript.answer.first_token_at, transcript.answer.max_gap),
        (None, None, None)
    );
    assert_eq!(transcript.answer.run.unwrap().data()["status"], "succeeded");
    let unanswered = send(&server, ResponseMode::Blocking, vec![], PATIENT).await;
    assert_eq!((unanswered.ending, unanswered.pauses.waiting.len()), (Ending::Paused, 1));
}

#[tokio::test]
async fn events_that_are_told_again_are_taken_once() {
    let server = RawServer::start(|seen| {
        if seen.target.contains("/events?") {
            let again = frames(&body_of("streaming")).into_iter().chain(resumption().into_iter().skip(1));
            return after(100, stream(&again.collect::<Vec<_>>()));
        }
        dify(seen)
    })
    .await;
    for mode in [ResponseMode::Streaming, ResponseMode::Blocking] {
        let transcript = send(&server, mode, vec![fine()], PATIENT).await;
        assert_eq!(transcript.ending, Ending::Finished, "{mode:?}");
        if mode == ResponseMode::Streaming {
            assert_eq!((transcript.events.len(), transcript.answer.text.as_str()), (6 + 8, "fine"));
            assert!(transcript.nodes_complete());
        }
    }
    assert_eq!(server.seen("POST /v1/form/").len(), 2);
}

#[tokio::test]
async fn a_run_whose_rest_was_missed_is_torn() {
    let server = RawServer::start(|seen| {
        if seen.target.contains("/events?") {
            return after(100, stream(&frames(&body_of("events_after"))));
        }
        dify(seen)
    })
    .await;
    let transcript = send(&server, ResponseMode::Streaming, vec![fine()], PATIENT).await;
    assert_eq!(transcript.ending, Ending::Finished);
    assert!(transcript.pauses.is_torn && !transcript.nodes_complete());
    assert_eq!(transcript.answer.max_gap, None);
}

#[tokio::test]
async fn every_answer_is_given_once_and_the_rest_is_told() {
    // The run pauses again at the same node for as long as there are answers.
    let server = RawServer::start(|seen| {
        if seen.target.contains("/events?") {
            let again = frames(&body_of("streaming")).pop().unwrap().replace("01a209bb", "01a209bc");
            return after(
                100,
                stream(&[event("workflow_started", json!({ "reason": "resumption" })), again]),
            );
        }
        dify(seen)
    })
    .await;
    let other = answer("Other", "x", json!({}));
    let transcript = send(&server, ResponseMode::Streaming, vec![other.clone(), fine()], PATIENT).await;
    assert_eq!(transcript.ending, Ending::Paused);
    assert_eq!((transcript.pauses.answered.len(), transcript.pauses.waiting.len()), (1, 1));
    let unused: Vec<_> =
        transcript.pauses.unused.iter().map(|answer| (answer.node.as_str(), answer.used_before)).collect();
    assert_eq!(unused, [("Other", 0)]);
    assert!(transcript.nodes_complete(), "all that happened before the pause is known");
}

#[tokio::test]
async fn what_keeps_an_answer_from_being_given_is_told() {
    let refused = |status: &str, code: &str, message: &str| {
        let body = json!({ "code": code, "message": message, "status": 412 }).to_string();
        vec![Step::Send(document(status, "application/json", body.as_bytes()))]
    };
    type Case = (&'static str, Vec<Step>, &'static str, usize);
    let page = |body: &str| vec![Step::Send(document("200 OK", "application/json", body.as_bytes()))];
    let html =
        document("404 Not Found", "text/html; charset=utf-8", b"<!doctype html><title>404 Not Found</title>");
    let cases: Vec<Case> = vec![
        (
            "GET /v1/form/",
            refused("412 P", "human_input_form_expired", "This form has expired, form_id=f"),
            "the form of `Approval` cannot be fetched: HTTP 412 human_input_form_expired: This form has expired, form_id=f",
            0,
        ),
        (
            "GET /v1/form/",
            vec![Step::Send(raw("form_unknown"))],
            "the form of `Approval` cannot be fetched: HTTP 404 not_found: Form not found.",
            0,
        ),
        (
            "GET /v1/form/",
            vec![Step::Send(html)],
            "the form of `Approval` cannot be fetched: HTTP 404: an HTML page: 404 Not Found; does `base_url` end in `/v1`?",
            0,
        ),
        (
            "GET /v1/form/",
            page("{}"),
            "the form of `Approval` cannot be read: it has no `inputs` and `user_actions`",
            0,
        ),
        ("GET /v1/form/", page("<"), "the form of `Approval` cannot be fetched: the answer is not JSON: ", 0),
        (
            "GET /v1/workflow/",
            vec![Step::Send(raw("events_other_user"))],
            "the run that waits at `Approval` cannot be followed: HTTP 404 not_found: Workflow run not found",
            0,
        ),
        (
            "GET /v1/workflow/",
            page("{}"),
            "the run that waits at `Approval` cannot be followed: HTTP 200 of type application/json, which is no stream of events",
            0,
        ),
        (
            "POST /v1/form/",
            refused(
                "412 P",
                "human_input_form_submitted",
                "This form has already been submitted by another user, form_id=f",
            ),
            "the answer to the form of `Approval` was not taken: HTTP 412 human_input_form_submitted: This form has already been submitted",
            1,
        ),
        (
            "POST /v1/form/",
            vec![Step::Send(raw("submit_missing_input"))],
            "the answer to the form of `Approval` was not taken: HTTP 400 invalid_form_data: Missing required inputs: comment",
            1,
        ),
    ];
    for (target, steps, expected, submitted) in cases {
        let server =
            RawServer::start(
                move |seen| {
                    if seen.target.starts_with(target) { steps.clone() } else { dify(seen) }
                },
            )
            .await;
        let transcript = send(&server, ResponseMode::Streaming, vec![fine()], PATIENT).await;
        let detail = match &transcript.ending {
            Ending::Unanswered { detail, .. } | Ending::Unreadable { detail } => detail,
            other => panic!("{other:?} for {expected}"),
        };
        assert!(detail.starts_with(expected), "{detail}");
        assert_eq!(server.seen("POST /v1/form/").len(), submitted, "{expected}");
    }
}

#[tokio::test]
async fn a_run_that_does_not_go_on_is_given_up() {
    let server = RawServer::start(|seen| {
        if seen.target.contains("/events?") {
            return vec![Step::Send(stream_head()), Step::Send(chunk(b"event: ping\n\n")), Step::Hang];
        }
        dify(seen)
    })
    .await;
    let short = Duration::from_millis(300);
    let transcript =
        send(&server, ResponseMode::Streaming, vec![fine()], Timeouts { first_event: short, ..PATIENT })
            .await;
    assert_eq!(transcript.ending, Ending::Stalled { wait: StallKind::FirstEvent, after: short });
    assert_eq!(server.seen("POST /v1/workflows/tasks/").len(), 1, "the run is stopped");
    let transcript =
        send(&server, ResponseMode::Streaming, vec![fine()], Timeouts { total: short, ..PATIENT }).await;
    assert_eq!(transcript.ending, Ending::TimedOut { after: short });
}

#[tokio::test]
async fn a_stream_cut_after_the_answer_is_a_cut() {
    let server = RawServer::start(|seen| {
        if seen.target.contains("/events?") {
            let mut steps = after(100, stream(&resumption()[..4]));
            steps.pop();
            return [steps, vec![Step::Close]].concat();
        }
        dify(seen)
    })
    .await;
    let transcript = send(&server, ResponseMode::Streaming, vec![fine()], PATIENT).await;
    assert!(
        matches!(&transcript.ending, Ending::Cut { detail } if detail.contains("after 9 events")),
        "{:?}",
        transcript.ending
    );
}

/// The run's detail; the recorded run's id is in its events.
fn detail(status: &str) -> Vec<Step> {
    let first = frames(&body_of("streaming")).swap_remove(1);
    let first: Value = serde_json::from_str(first.trim_start_matches("data: ")).unwrap();
    let detail = json!({
        "id": first["workflow_run_id"], "workflow_id": first["data"]["workflow_id"], "status": status,
        "inputs": json!({ "draft": "Hello", "sys.user_id": "h u" }).to_string(), "outputs": { "comment": "looks fine" },
        "error": null, "total_steps": 4, "total_tokens": 7, "created_at": 1, "finished_at": 2, "elapsed_time": 1.0,
    });
    vec![Step::Send(document("200 OK", "application/json", detail.to_string().as_bytes()))]
}

fn is_recovered(transcript: &Transcript) -> bool {
    let by_status = transcript.answer.run.as_ref().is_some_and(|run| run.data()["status"] == "succeeded");
    transcript.ending == Ending::Finished && transcript.recovered().is_some() && by_status
}

#[tokio::test]
async fn a_run_whose_rest_is_lost_after_an_answer_is_found_again() {
    let head = || Step::Send(stream_head());
    let ping = || Step::Send(chunk(b"event: ping\n\n"));
    let cut = [after(50, stream(&resumption()[..4]))[..6].to_vec(), vec![Step::Close]].concat();
    let ways: [(&str, Vec<Step>); 5] = [
        ("cut", cut),
        ("a clean end after one event", after(50, stream(&resumption()[..2]))),
        ("a stall", vec![head(), ping(), Step::Hang]),
        ("the call itself broke", vec![Step::Close]),
        ("a gateway", vec![Step::Send(document("502 Bad Gateway", "text/html", b"<html></html>"))]),
    ];
    for (name, events) in ways {
        for mode in [ResponseMode::Streaming, ResponseMode::Blocking] {
            let events = events.clone();
            let server = RawServer::start(move |seen| match seen.target.as_str() {
                target if target.contains("/events?") => events.clone(),
                target if target.starts_with("GET /v1/workflows/run/") => detail("succeeded"),
                _ => dify(seen),
            })
            .await;
            let waits = Timeouts { first_event: Duration::from_millis(300), ..PATIENT };
            let transcript = send(&server, mode, vec![fine()], waits).await;
            assert!(is_recovered(&transcript), "{name} {mode:?}: {:?}", transcript.ending);
            assert_eq!(server.seen("POST /v1/form/").len(), 1, "{name}");
        }
    }
}

#[tokio::test]
async fn an_answer_whose_reply_is_lost_is_sent_once_and_its_run_decides() {
    let replies: [Vec<Step>; 3] = [
        vec![Step::Close],
        vec![Step::Send(document("504 Gateway Time-out", "text/html", b"<html></html>"))],
        vec![Step::Send(document("500 Internal Server Error", "text/html", b"<html></html>"))],
    ];
    for reply in replies {
        let lost = reply.clone();
        let server = RawServer::start(move |seen| match seen.target.as_str() {
            target if target.starts_with("POST /v1/form/") => lost.clone(),
            _ => dify(seen),
        })
        .await;
        let taken = send(&server, ResponseMode::Streaming, vec![fine()], PATIENT).await;
        assert_eq!((&taken.ending, server.seen("POST /v1/form/").len()), (&Ending::Finished, 1));

        let server = RawServer::start(move |seen| match seen.target.as_str() {
            target if target.starts_with("POST /v1/form/") => reply.clone(),
            target if target.contains("/events?") => vec![Step::Send(stream_head()), Step::Hang],
            target if target.starts_with("GET /v1/workflows/run/") => detail("paused"),
            _ => dify(seen),
        })
        .await;
        let waits = Timeouts { first_event: Duration::from_millis(200), ..PATIENT };
        let waiting = send(&server, ResponseMode::Streaming, vec![fine()], waits).await;
        let Ending::Unanswered { detail, .. } = &waiting.ending else { panic!("{:?}", waiting.ending) };
        assert!(detail.contains("was sent once") && detail.contains("still waits for it"), "{detail}");
        assert_eq!(server.seen("POST /v1/form/").len(), 1);
    }
}

#[tokio::test]
async fn a_pause_that_only_the_detail_tells_is_answered_by_the_form_that_was_seen() {
    let server = RawServer::start(|seen| match seen.target.as_str() {
        target if target.contains("/events?") && seen.head.contains("include_state_snapshot") => {
            vec![Step::Close]
        }
        target if target.starts_with("GET /v1/workflows/run/") => detail("paused"),
        target if target.starts_with("POST /v1/workflows/run") => {
            let mut frames = frames(&body_of("streaming"));
            frames.pop();
            stream(&frames)
        }
        _ => dify(seen),
    })
    .await;
    let transcript = send(&server, ResponseMode::Streaming, vec![fine()], PATIENT).await;
    assert_eq!(server.seen("POST /v1/form/").len(), 1, "{:?}", transcript.ending);
    assert_eq!(transcript.ending, Ending::Finished);
}
