//! Lost runs, from the suite to the reports: found again and labelled, or errored with what was found instead.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::live::{Live, case, command, report, signal, spawn, until, wait};
use crate::server::{
    Seen, Step, document, event, ping, refusal, started, stream_head, suite_of, with_headers,
};

const SEARCH: &str = "recovery: { deadline: 20s, poll: 20ms }";
const SHORT: &str = "recovery: { deadline: 1s, poll: 20ms }";
/// 1.12 has no events to follow.
const OLD: &str = "1.12.1";

/// A stream of this version that breaks off after a node.
fn cut(version: &str) -> Vec<Step> {
    let head = String::from_utf8(stream_head()).unwrap().replace("1.14.2", version).into_bytes();
    let node =
        event("task-1", "node_started", r#"{"id":"e1","node_id":"n1","node_type":"code","title":"Look up"}"#);
    vec![Step::Send([head, started("task-1"), node].concat()), Step::Close]
}

fn json_of(json: &Value) -> Vec<Step> {
    vec![Step::Send(document("200 OK", "application/json", json.to_string().as_bytes()))]
}

/// The detail of `run-1`.
fn detail(status: &str, user: &str) -> Vec<Step> {
    let inputs = json!({ "sys.user_id": user }).to_string();
    json_of(&json!({
        "id": "run-1", "workflow_id": "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345", "status": status, "inputs": inputs, "outputs": "{\"x\": 1}", "error": null,
        "total_steps": 2, "total_tokens": 5, "created_at": 1, "finished_at": 2, "elapsed_time": 1.5,
    }))
}

/// A page of the logs with `run-1` of this user, started as the answer is given.
fn logs(user: &str) -> Vec<Step> {
    let row = json!({ "workflow_run": { "id": "run-1", "created_at": 1_795_459_320 }, "created_by_end_user": { "session_id": user } });
    let body = json!({ "data": [row] }).to_string();
    let date = "Date: Mon, 23 Nov 2026 18:42:00 GMT\r\n";
    vec![Step::Send(with_headers("200 OK", "application/json", date, body.as_bytes()))]
}

fn stop_said() -> Vec<Step> {
    json_of(&json!({ "result": "success" }))
}

fn gateway_timeout() -> Vec<Step> {
    vec![Step::Send(document("504 Gateway Time-out", "text/html", b"<html><title>504</title></html>"))]
}

/// Which call a request is.
enum Call {
    Run,
    Detail,
    Logs,
    Stop,
    Other,
}

fn call(seen: &Seen) -> Call {
    match seen.target.as_str() {
        _ if seen.is_run() => Call::Run,
        target if target.ends_with("/stop") => Call::Stop,
        target if target.contains("/workflows/logs?") => Call::Logs,
        target if target.contains("/workflows/run/") => Call::Detail,
        _ => Call::Other,
    }
}

/// The user that the logs are asked for.
fn user_of(seen: &Seen) -> String {
    let query = seen.target.split("session_id=").nth(1).unwrap_or_default();
    query.split('&').next().unwrap_or_default().to_owned()
}

fn not_found() -> Vec<Step> {
    refusal(404, "not_found", "Workflow run not found.")
}

/// One test with more keys and assertions.
fn suite(keys: &str, assertions: &str) -> String {
    suite_of(1)
        .replace("    inputs:", &format!("{keys}    inputs:"))
        .replace("equals: 1 }]", &format!("equals: 1 }}{assertions}]"))
}

#[test]
fn a_stream_that_broke_off_is_found_again_and_says_so_everywhere() {
    let polls = AtomicUsize::new(0);
    let live = Live::new(&suite_of(1), SEARCH, move |seen| match call(seen) {
        Call::Run => cut(OLD),
        Call::Detail if polls.fetch_add(1, Ordering::SeqCst) < 3 => detail("running", ""),
        Call::Detail => detail("succeeded", ""),
        Call::Logs | Call::Stop | Call::Other => not_found(),
    });
    // The detail names no user of ours: then another one is reported, and it is not believed.
    let ran = live.expect(3, &[]);
    assert!(ran.text.contains("the run run-1 is not ours: it ran for another user"), "{}", ran.text);

    let polls = AtomicUsize::new(0);
    let live = Live::new(&suite("    user: u-7\n", ""), SEARCH, move |seen| match call(seen) {
        Call::Run => cut(OLD),
        Call::Detail if polls.fetch_add(1, Ordering::SeqCst) < 3 => detail("running", "u-7"),
        Call::Detail => detail("succeeded", "u-7"),
        Call::Logs | Call::Stop | Call::Other => not_found(),
    });
    let ran = live.expect(0, &[]);
    assert!(ran.text.contains("· recovered"), "{}", ran.text);
    assert_eq!((live.server.runs().len(), live.server.stops().len()), (1, 0));
    let report = report(&live.project);
    let facts = &case(&report, "t0")["attempts"][0]["facts"];
    assert_eq!(
        (&facts["recovered"], &facts["run_id"], &facts["tokens"]),
        (&json!("detail"), &json!("run-1"), &json!(5))
    );
    assert_eq!(facts["lost"], "the connection was closed after 2 events");
    assert!(
        facts["latency_ms"].is_null() && facts["ttft_ms"].is_null() && facts["cost"].is_null(),
        "{facts}"
    );
    let junit = live.project.read("reports/latest/junit.xml");
    assert!(junit.contains("name=\"recovered\" value=\"detail\""), "{junit}");
    let runs = std::fs::read_dir(live.project.path("reports/runs")).unwrap();
    let journals: Vec<_> = runs.map(|run| run.unwrap().path().join("journal.jsonl")).collect();
    let journal = std::fs::read_to_string(&journals[0]).unwrap();
    assert!(journals.len() == 1 && journal.contains("\"recovered\":\"detail\""), "{journal}");
}

#[test]
fn what_happened_unseen_is_undecided_and_never_green() {
    for assertion in [
        "{ latency: 60s }",
        "{ max_gap: 60s }",
        "{ cost: 9 USD }",
        "{ nodes: { absent: [Escalate] } }",
        "{ node: Escalate, status: succeeded }",
        "{ node: Look up, path: $.y, exists: false }",
        "{ from: events, path: $, length: { lte: 9 } }",
        "{ exceptions: 0 }",
    ] {
        let live =
            Live::new(&suite("    user: u-7\n", &format!(", {assertion}")), SEARCH, |seen| {
                match call(seen) {
                    Call::Run => cut(OLD),
                    Call::Detail => detail("succeeded", "u-7"),
                    Call::Logs | Call::Stop | Call::Other => not_found(),
                }
            });
        let ran = live.expect(3, &[]);
        assert_eq!(live.verdict("t0"), "errored", "{assertion}: {}", ran.text);
        let reason = match assertion {
            _ if assertion.contains("Look up") => "`Look up` never finished",
            _ if assertion.contains("exceptions") => "Dify's answer has no `exceptions_count`",
            _ => {
                "the run was found again after its answer broke off (the connection was closed after 2 events)"
            }
        };
        assert!(ran.text.contains(reason), "{assertion}: {}", ran.text);
        assert!(
            ran.text.contains("found   by its detail, after: the connection was closed after 2 events"),
            "{}",
            ran.text
        );
    }
}

#[test]
fn a_blocking_run_behind_a_proxy_is_found_by_its_user() {
    for (user, code) in
        [("", 0), ("    user: \"u-{{ run.id }}-{{ repeat.index }}\"\n", 0), ("    user: shared\n", 3)]
    {
        let keys = format!("    response_mode: blocking\n{user}");
        let seen_user = std::sync::Mutex::new(String::new());
        let live = Live::new(&suite(&keys, ""), SEARCH, move |seen| match call(seen) {
            Call::Run => {
                *seen_user.lock().unwrap() = seen.body["user"].as_str().unwrap().to_owned();
                gateway_timeout()
            }
            Call::Logs => logs(&user_of(seen)),
            Call::Detail => detail("succeeded", &seen_user.lock().unwrap()),
            Call::Stop | Call::Other => not_found(),
        });
        let ran = live.expect(code, &[]);
        if code == 0 {
            assert_eq!(case(&report(&live.project), "t0")["attempts"][0]["facts"]["recovered"], "logs");
        } else {
            assert!(
                ran.text.contains("HTTP 504") && ran.text.contains("the logs were not searched"),
                "{}",
                ran.text
            );
        }
        assert_eq!(live.server.runs().len(), 1);
    }
}

#[test]
fn tests_that_share_a_user_are_not_taken_for_one_another() {
    // The second test's run is in the logs under the user that both have; the first must not take it for its own.
    let suite = suite_of(2).replace(
        "tests:",
        "defaults: { user: \"u-{{ run.id }}-{{ repeat.index }}\", response_mode: blocking }\ntests:",
    );
    let live = Live::new(&suite, SHORT, |seen| match call(seen) {
        Call::Run => [vec![Step::Sleep(Duration::from_millis(300))], gateway_timeout()].concat(),
        Call::Logs => logs(&user_of(seen)),
        Call::Detail => json_of(&json!({ "id": "run-1", "status": "succeeded", "outputs": { "x": 1 } })),
        Call::Stop | Call::Other => not_found(),
    });
    let ran = live.expect(3, &["-j", "2"]);
    assert_eq!((&*live.verdict("t0"), &*live.verdict("t1")), ("errored", "errored"), "{}", ran.text);
}

#[test]
fn only_what_left_no_trace_is_sent_anew_and_only_if_the_user_takes_the_risk() {
    for (resend, status, runs) in
        [("false", None, 1), ("true", None, 3), ("true", Some("running"), 1), ("false", Some("running"), 1)]
    {
        // A run that goes on is waited for until the attempt's own time is up.
        let total = if status.is_some() { "\ntimeouts: { total: 1500ms }" } else { "" };
        let keys = format!("{SHORT}\nretries: {{ count: 2, delay: 10ms, resend: {resend} }}{total}");
        let live = Live::new(&suite("    user: u-7\n", ""), &keys, move |seen| match (call(seen), status) {
            (Call::Run, _) => cut(OLD),
            (Call::Detail, Some(status)) => detail(status, "u-7"),
            (Call::Stop, _) => stop_said(),
            (Call::Detail | Call::Logs | Call::Other, _) => not_found(),
        });
        let ran = live.expect(3, &[]);
        assert_eq!(live.server.runs().len(), runs, "resend: {resend}, {status:?}: {}", ran.text);
        assert_eq!(live.server.stops().len(), runs, "what is given up is stopped");
        let said = if status.is_some() {
            "the run run-1 had not ended"
        } else {
            "Dify does not know the run run-1, "
        };
        assert!(ran.text.contains(said), "{}", ran.text);
    }
}

#[test]
fn one_ping_and_silence_is_errored_with_the_way_to_learn_more() {
    let keys = format!("{SEARCH}\ntimeouts: {{ first_event: 300ms, total: 60s }}");
    let live = Live::new(&suite_of(1), &keys, |seen| match call(seen) {
        Call::Run => vec![Step::Send([stream_head(), ping()].concat()), Step::Hang],
        Call::Logs => json_of(&json!({ "data": [] })),
        Call::Detail | Call::Stop | Call::Other => not_found(),
    });
    let ran = live.expect(3, &[]);
    for said in
        ["one ping and no event for 300 ms", "the logs show no run of the user", "`response_mode: blocking`"]
    {
        assert!(ran.text.contains(said), "{said:?} is not in {}", ran.text);
    }
    assert_eq!(live.server.runs().len(), 1);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_search_and_stops_the_task() {
    let live =
        Live::new(
            &suite("    user: u-7\n", ""),
            "recovery: { deadline: 2m, poll: 50ms }",
            |seen| match call(seen) {
                Call::Run => cut(OLD),
                Call::Detail => detail("running", "u-7"),
                Call::Stop => stop_said(),
                Call::Logs | Call::Other => not_found(),
            },
        );
    let child = spawn(&live.project, command(&live.project, &[]));
    until("the run is looked for", || live.server.requests().len() > 2);
    signal(&child, "INT");
    let ran = wait(&live.project, child);
    assert_eq!(ran.code, Some(130), "{}", ran.text);
    assert_eq!(live.server.stops(), [("task-1".to_owned(), "u-7".to_owned())]);
}

#[test]
fn waits_that_make_no_sense_are_problems() {
    for (recovery, said) in [
        ("{ deadline: 1s, poll: 2s }", "`recovery.poll` is longer than `recovery.deadline`"),
        ("{ deadline: 0s }", "`recovery.deadline`"),
        ("{ poll: 0s }", "`recovery.poll`"),
        ("{ polls: 1s }", "poll"),
        ("2m", "`recovery`"),
    ] {
        let live = Live::new(&suite_of(1), &format!("recovery: {recovery}"), |_| stop_said());
        let ran = live.expect(2, &[]);
        assert!(ran.text.contains(said), "{recovery}: {}", ran.text);
        assert!(live.server.requests().is_empty());
    }
}

#[test]
fn a_pause_known_from_the_detail_names_its_node_and_says_that_no_form_is_told() {
    let asks = || {
        let head = String::from_utf8(stream_head()).unwrap().replace("1.14.2", OLD).into_bytes();
        let node = event(
            "task-1",
            "node_started",
            r#"{"id":"e1","node_id":"n1","node_type":"human-input","title":"Review"}"#,
        );
        vec![Step::Send([head, started("task-1"), node].concat()), Step::Close]
    };
    let live = Live::new(&suite("    user: u-7\n", ""), SEARCH, move |seen| match call(seen) {
        Call::Run => asks(),
        Call::Detail => detail("paused", "u-7"),
        Call::Logs | Call::Stop | Call::Other => not_found(),
    });
    let ran = live.expect(3, &[]);
    for said in [
        "the run waits for a person at `Review`; what it asks is not known",
        "the run's detail, by which it was found again, holds no form",
        "answer it in Dify",
        "Review … running",
    ] {
        assert!(ran.text.contains(said), "{said}: {}", ran.text);
    }
    assert!(!ran.text.contains("✗ running") && !ran.text.contains("is no form"), "{}", ran.text);
}

#[test]
fn a_search_that_the_tests_time_ends_names_the_loss() {
    let live = Live::new(&suite("    user: u-7\n    timeout: 1s\n", ""), SEARCH, |seen| match call(seen) {
        Call::Run => cut(OLD),
        Call::Detail => detail("running", "u-7"),
        Call::Stop => stop_said(),
        Call::Logs | Call::Other => not_found(),
    });
    let ran = live.expect(3, &[]);
    let said = "the connection was closed after 2 events; searching for the run timed out, 1.00 s after the test began: \
                the run run-1 had not ended";
    assert!(ran.text.contains(said), "{}", ran.text);
}

#[test]
fn a_request_that_never_arrived_is_given_up_after_a_few_looks_and_is_never_green() {
    let keys = "recovery: { deadline: 2m, poll: 10ms }\nretries: 0";
    let live = Live::new(&suite_of(1), keys, |seen| match call(seen) {
        Call::Run => vec![Step::Reset],
        Call::Logs => json_of(&json!({ "page": 1, "limit": 100, "total": 0, "has_more": false, "data": [] })),
        Call::Detail | Call::Stop | Call::Other => not_found(),
    });
    let ran = live.expect(3, &[]);
    assert!(
        ran.text.contains("in 6 looks, the last ") && ran.text.contains("may never have arrived"),
        "{}",
        ran.text
    );
    assert_eq!((live.server.runs().len(), live.server.requests().len()), (1, 7));
}
