//! What a run watches besides its tests: the version that runs, the tokens that Dify counts, the limit it keeps, what it sends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use serde_json::Value;

use crate::live::{Live, case, junit, report};
use crate::project::Project;
use crate::server::{
    Seen, Step, VERSION, event, finished, good, refusal, run_document, started, stream_head, succeed,
    suite_of, with_headers,
};

const FIRST: &str = "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345";
const SECOND: &str = "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12346";

/// The same answer from another version; both ids are of one length.
fn on(version: &str, mut steps: Vec<Step>) -> Vec<Step> {
    for step in &mut steps {
        if let Step::Send(bytes) = step {
            *bytes = String::from_utf8(std::mem::take(bytes)).unwrap().replace(FIRST, version).into_bytes();
        }
    }
    steps
}

/// Runs from number `from` on come from another version.
fn published_at(from: usize) -> impl Fn(&Seen) -> Vec<Step> {
    move |seen| on(if seen.number < from { FIRST } else { SECOND }, good(seen))
}

fn message(report: &Value, test: &str) -> String {
    case(report, test)["attempts"].as_array().unwrap().last().unwrap()["cause"]["message"].to_string()
}

fn suite_in(mode: &str, count: usize) -> String {
    suite_of(count).replace("    inputs:", &format!("    response_mode: {mode}\n    inputs:"))
}

// Versions.

#[test]
fn a_version_published_during_the_run_makes_later_tests_errored() {
    for mode in ["streaming", "blocking"] {
        let live = Live::new(&suite_in(mode, 4), "", published_at(1));
        let ran = live.expect(100, &["-j", "1"]);
        let verdicts: Vec<_> = (0..4).map(|number| live.verdict(&format!("t{number}"))).collect();
        assert_eq!(verdicts, ["passed", "errored", "errored", "errored"], "{mode}: {}", ran.text);
        assert!(
            message(&report(&live.project), "t1")
                .contains("published during the run: this test ran on version 7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12346, `S::t0` on 7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345")
        );
        assert_eq!(live.server.runs().len(), 2, "the rest would meet the same and is not paid for");
        assert!(
            ran.text.contains("version 7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345 ran on")
                && ran.text.contains("version 7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12346 ran on"),
            "{}",
            ran.text
        );
        junit(&live.project);
    }
}

#[test]
fn two_versions_at_once_are_never_green_whichever_answers_first() {
    // Both are asked before either is answered.
    let both = Arc::new(Barrier::new(2));
    let live = Live::new(&suite_of(2), "", move |seen: &Seen| {
        both.wait();
        published_at(1)(seen)
    });
    live.expect(100, &["-j", "2"]);
    let mut verdicts = [live.verdict("t0"), live.verdict("t1")];
    verdicts.sort();
    assert_eq!(verdicts, ["errored", "passed"]);
}

#[test]
fn repeats_and_retries_on_another_version_are_no_observation() {
    let live = Live::new(&suite_of(1), "", published_at(2));
    live.expect(3, &["--repeat", "5", "-j", "1"]);
    assert_eq!(live.server.runs().len(), 3, "what is left of the repeats would meet the same");

    let live =
        Live::new(&suite_of(1), "retries: { count: 2, delay: 10ms, resend: true }", |seen: &Seen| match seen
            .number
        {
            0 => vec![Step::Send([stream_head(), started("task-1")].concat()), Step::Close],
            _ => on(SECOND, good(seen)),
        });
    live.expect(3, &[]);
    assert_eq!(live.verdict("t0"), "errored", "the run that was cut was on another version");
}

#[test]
fn a_broken_assertion_stays_broken_on_another_version() {
    let live = Live::new(&suite_of(2), "", |seen: &Seen| match seen.number {
        0 => good(seen),
        _ => on(SECOND, succeed(seen, r#"{"x":2}"#)),
    });
    live.expect(100, &["-j", "1"]);
    assert_eq!(live.verdict("t1"), "failed");
    assert!(message(&report(&live.project), "t1").contains("published during the run"));
}

#[test]
fn a_pinned_version_must_be_the_one_that_runs() {
    let pinned = format!("workflow_id: {FIRST}");
    let good_for_any = |seen: &Seen| {
        assert!(seen.target.contains(&format!("/workflows/{FIRST}/run")), "{}", seen.target);
        good(seen)
    };
    Live::new(&suite_of(3), &pinned, good_for_any).expect(0, &[]);
    Live::new(&suite_of(3), "", good_for_any).expect(0, &["--workflow-id", FIRST]);
    let live = Live::new(&suite_of(1), &pinned, |seen| on(SECOND, good(seen)));
    let ran = live.expect(3, &[]);
    let message = format!("version {FIRST} was asked for, and version {SECOND} ran");
    assert!(ran.text.contains(&message), "{}", ran.text);
}

#[test]
fn what_ran_is_in_every_report() {
    let live = Live::new(&suite_of(2), "", good);
    let ran = live.expect(0, &[]);
    assert!(
        ran.text.contains("version 7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345 ran on Dify 1.14.2"),
        "{}",
        ran.text
    );
    let report = report(&live.project);
    assert_eq!(
        report["run"]["versions"],
        serde_json::json!([{ "app": "", "workflow_id": "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345", "dify_version": "1.14.2", "attempts": 2 }])
    );
    assert_eq!(
        case(&report, "t0")["attempts"][0]["facts"]["workflow_id"],
        "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345"
    );
    let xml = live.project.read("reports/latest/junit.xml");
    assert!(
        xml.contains(
            r#"<property name="flowproof.ran" value="version 7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345 ran on"#
        ),
        "{xml}"
    );
    assert!(
        xml.contains(r#"<property name="workflow_id" value="7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345""#),
        "{xml}"
    );
}

#[test]
fn refusals_name_no_version_and_hold_none() {
    let live = Live::new(&suite_of(2), "", |seen: &Seen| match seen.number {
        0 => refusal(400, "invalid_param", "t is required in input form"),
        _ => good(seen),
    });
    live.expect(100, &["-j", "1"]);
    assert_eq!(live.verdict("t1"), "passed");
}

#[test]
fn the_mock_may_name_versions_on_purpose() {
    let suite = "
version: 1
name: S
tests:
  - { name: a, assert: [{ workflow_id: { equals: one } }], mock: { outputs: {}, workflow_id: one } }
  - { name: b, assert: [{ workflow_id: { equals: b } }], mock: { outputs: {}, workflow_id: \"{{ test.name }}\" } }
  - { name: c, assert: [{ status: succeeded }], mock: { outputs: {} } }
  - { name: d, assert: [{ status: succeeded }], mock: { outputs: {} } }
";
    let project = Project::with_suite(suite);
    let ran = project.run(&["run"]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    assert_eq!(report(&project)["run"]["versions"].as_array().unwrap().len(), 3);
}

// Usage.

/// A run of two models in an iteration; Dify's total is given.
fn counted(total: u64, second: u64) -> Vec<Step> {
    let start = |id: &str, kind: &str, title: &str| {
        format!(r#"{{"id":"e-{id}","node_id":"{id}","node_type":"{kind}","title":"{title}","created_at":1}}"#)
    };
    let finish = |id: &str, kind: &str, tokens: u64| {
        format!(
            r#"{{"id":"e-{id}","node_id":"{id}","node_type":"{kind}","title":"{id}","status":"succeeded","outputs":{{}},"error":null,"elapsed_time":0.1,"execution_metadata":{{"total_tokens":{tokens},"total_price":"0.01","currency":"USD"}}}}"#
        )
    };
    let end = format!(
        r#"{{"id":"run-1","workflow_id":"7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345","status":"succeeded","outputs":{{"x":1}},"error":null,"elapsed_time":0.1,"total_tokens":{total},"total_steps":3}}"#
    );
    let events = [
        (
            "workflow_started",
            r#"{"id":"run-1","workflow_id":"7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345"}"#.to_owned(),
        ),
        ("iteration_started", start("loop", "iteration", "Loop").replace("e-loop", "loop")),
        ("node_started", start("a", "llm", "a")),
        ("node_finished", finish("a", "llm", 21)),
        ("node_started", start("b", "llm", "b")),
        ("node_finished", finish("b", "llm", second)),
        ("iteration_completed", finish("loop", "iteration", 21 + second).replace("e-loop", "loop")),
        ("workflow_finished", end),
    ];
    let events = events.iter().map(|(name, data)| event("task-1", name, data));
    vec![Step::Send(stream_head().into_iter().chain(events.flatten()).chain(*b"0\r\n\r\n").collect())]
}

const BUDGETED: &str = "
version: 1
name: S
tests:
  - { name: tokens, assert: [{ tokens: 8k }] }
  - { name: cost, assert: [{ cost: 1 USD }] }
  - { name: neither, assert: [{ path: $.x, equals: 1 }] }
";

#[test]
fn a_total_that_its_leaves_confirm_is_taken() {
    let live = Live::new(BUDGETED, "", |_| counted(42, 21));
    let ran = live.expect(0, &[]);
    assert!(!ran.text.contains("in doubt"), "{}", ran.text);
    assert_eq!(report(&live.project)["usage"]["doubted"], 0);
}

#[test]
fn a_total_in_doubt_is_reported_and_no_budget_rests_on_it() {
    for (total, second, kind, said) in [
        (84, 21, "difference", "Dify's total is 84 tokens, its nodes add up to 42"),
        (0, 21, "zero", "Dify reports 0 tokens, though `a` ran"),
        (21, 0, "missing", "`b`, which is of type llm, succeeded and reports no tokens"),
    ] {
        let live = Live::new(BUDGETED, "", move |_| counted(total, second));
        let ran = live.expect(100, &[]);
        assert_eq!(
            (live.verdict("tokens").as_str(), live.verdict("neither").as_str()),
            ("errored", "passed"),
            "{kind}"
        );
        assert!(kind != "difference" || live.verdict("cost") == "errored");
        assert!(ran.text.contains("usage: the tokens of 3 attempts are in doubt"), "{}", ran.text);
        assert!(ran.text.contains(said), "{}", ran.text);
        let report = report(&live.project);
        assert_eq!(report["usage"]["doubted"], 3);
        assert_eq!(report["usage"]["doubts"][0]["doubt"]["kind"], kind);
        assert!(live.project.read("reports/latest/junit.xml").contains(r#"<property name="usage" value=""#));
        junit(&live.project);
    }
}

#[test]
fn trust_takes_the_total_and_keeps_the_doubt_in_the_documents() {
    let live = Live::new(BUDGETED, "usage: trust", |_| counted(84, 21));
    let ran = live.expect(0, &[]);
    assert!(!ran.text.contains("in doubt"), "{}", ran.text);
    let report = report(&live.project);
    assert_eq!((&report["usage"]["doubted"], &report["usage"]["trusted"]), (&3.into(), &3.into()));
}

// The limit.

/// What Dify says to one request too many.
fn too_many() -> Vec<Step> {
    let said = "Too many requests. Please try again later. The current maximum concurrent requests allowed for x is 2.";
    refusal(400, "invalid_param", said)
}

#[test]
fn attempts_at_once_fall_where_dify_takes_no_more() {
    let inside = Arc::new(AtomicUsize::new(0));
    let live =
        Live::new(&suite_of(24), "concurrency: 8\nretries: { count: 60, delay: 10ms, max_delay: 20ms }", {
            move |seen: &Seen| {
                let many = inside.fetch_add(1, Ordering::SeqCst) >= 2;
                std::thread::sleep(Duration::from_millis(if many { 0 } else { 20 }));
                inside.fetch_sub(1, Ordering::SeqCst);
                if many { too_many() } else { good(seen) }
            }
        });
    let ran = live.expect(0, &[]);
    let report = report(&live.project);
    let limit = &report["run"]["limit"];
    assert_eq!(limit["most"], 8, "{}", ran.text);
    assert!(limit["lowest"].as_u64().unwrap() <= 4, "{limit}");
    assert_eq!(limit["refusals"].as_u64().unwrap() as usize, live.server.runs().len() - 24);
    assert!(ran.text.contains("refused as too many: attempts at once fell from 8 to"), "{}", ran.text);
    assert!(live.project.read("reports/latest/junit.xml").contains(r#"name="flowproof.limit""#));
}

#[test]
fn after_refusals_no_more_are_asked_at_once_than_half() {
    // The first eight come together and are all refused; then the limit is 4, and what fails otherwise moves nothing.
    let first = Arc::new(Barrier::new(8));
    let most = Arc::new(AtomicUsize::new(0));
    let (inside, seen_most) = (AtomicUsize::new(0), most.clone());
    let live = Live::new(&suite_of(16), "concurrency: 8\nretries: 0", move |seen: &Seen| {
        if seen.number < 8 {
            first.wait();
            return too_many();
        }
        seen_most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(30));
        inside.fetch_sub(1, Ordering::SeqCst);
        refusal(400, "invalid_param", "t is required in input form")
    });
    live.expect(100, &[]);
    assert!(most.load(Ordering::SeqCst) <= 4, "{most:?} at once");
    assert_eq!(
        report(&live.project)["run"]["limit"],
        serde_json::json!({ "most": 8, "lowest": 4, "last": 4, "refusals": 8 })
    );
}

#[test]
fn retry_after_holds_back_every_test_in_seconds_or_as_a_date() {
    for header in [
        "Retry-After: 1\r\n",
        "Date: Sun, 06 Nov 1994 08:49:36 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    ] {
        let live = Live::new(&suite_of(2), "retries: 0", move |seen: &Seen| match seen.number {
            0 => vec![Step::Send(with_headers("429 Busy", "text/plain", header, b"busy"))],
            _ => good(seen),
        });
        live.expect(100, &["-j", "1"]);
        let runs = live.server.runs();
        let apart = runs[1].at - runs[0].at;
        assert!(apart >= Duration::from_millis(900), "{header:?}: asked again after {apart:?}");
        assert_eq!(live.verdict("t1"), "passed");
    }
}

#[test]
fn where_nothing_is_refused_no_limit_is_told() {
    let live = Live::new(&suite_of(3), "", good);
    let ran = live.expect(0, &[]);
    assert!(report(&live.project)["run"].get("limit").is_none() && !ran.text.contains("refused"));
}

// The contract.

/// The same answer with a field that nobody recorded.
fn with_a_new_field(seen: &Seen) -> Vec<Step> {
    let mut steps = good(seen);
    for step in &mut steps {
        if let Step::Send(bytes) = step {
            let text = String::from_utf8(std::mem::take(bytes)).unwrap();
            *bytes = text.replace("\"task_id\"", "\"traceid\"").into_bytes();
        }
    }
    steps
}

#[test]
fn what_dify_is_not_known_to_send_is_told_once_and_fails_nothing() {
    let live = Live::new(&suite_in("streaming", 3), "contract: watch", |seen| match seen.number {
        0 => good(seen),
        _ => vec![
            Step::Send(
                [
                    stream_head(),
                    started("task-1"),
                    event("task-1", "agent_note", "{}"),
                    finished("task-1", r#"{"x":1}"#),
                ]
                .concat(),
            ),
            Step::Close,
        ],
    });
    let ran = live.expect(0, &["-j", "1"]);
    let line = "contract: 1 difference from Dify 1.14 as it was recorded: unknown event `agent_note`, first in S::t1";
    assert!(ran.text.contains(line), "{}", ran.text);
    let report = report(&live.project);
    assert_eq!(
        report["contract"],
        serde_json::json!([{ "case": 1, "note": { "message": "unknown event `agent_note`", "known": "1.14", "event": 2 } }])
    );
}

#[test]
fn a_strict_contract_fails_every_test_that_breaks_it() {
    for mode in ["streaming", "blocking"] {
        let strict = "contract: strict";
        let live = Live::new(&suite_in(mode, 2), strict, good);
        let ran = live.expect(0, &[]);
        assert!(!ran.text.contains("contract:"), "{}", ran.text);
        let live = Live::new(&suite_in(mode, 2), strict, with_a_new_field);
        let ran = live.expect(100, &[]);
        assert_eq!([live.verdict("t0"), live.verdict("t1")], ["failed", "failed"], "{mode}: {}", ran.text);
        assert!(ran.text.contains("has a new field `traceid` (string)"), "{}", ran.text);
        assert!(ran.text.contains("lacks `task_id`"), "{}", ran.text);
        junit(&live.project);
    }
}

/// A document of Dify's, whatever its status.
fn document_of(status: &str, headers: &str, json: &Value) -> Vec<Step> {
    vec![Step::Send(with_headers(status, "application/json", headers, json.to_string().as_bytes()))]
}

/// A run that is lost, and found again by a detail with more or fewer fields, which replaces what is null.
fn lost_and_found(more: &Value) -> impl Fn(&Seen) -> Vec<Step> + use<> {
    let more = more.clone();
    move |seen| {
        if seen.is_run() {
            let head = String::from_utf8(stream_head()).unwrap().replace("1.14.2", "1.12.1");
            return vec![Step::Send([head.into_bytes(), started("task-1")].concat()), Step::Close];
        }
        let mut detail = serde_json::json!({
            "id": "run-1", "workflow_id": "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345", "status": "succeeded", "inputs": "{}", "outputs": "{\"x\": 1}", "error": null,
            "total_steps": 2, "total_tokens": 5, "created_at": 1, "finished_at": 2, "elapsed_time": 1.5,
        });
        for (key, value) in more.as_object().unwrap() {
            detail[key] = value.clone();
        }
        if more["finished_at"].is_null() {
            detail.as_object_mut().unwrap().remove("finished_at");
        }
        document_of("200 OK", "X-Version: 1.12.1\r\n", &detail)
    }
}

#[test]
fn the_answers_around_a_run_are_held_too() {
    let keys = |contract: &str| format!("{contract}\nrecovery: {{ deadline: 20s, poll: 10ms }}");
    // `reason` came with 1.14: the events before the loss are held as those of any run.
    let reason = "`workflow_started` has a new field `data.reason` (string)";
    for (more, said) in [
        (serde_json::json!({ "finished_at": 3 }), None),
        (serde_json::json!({ "finished_at": null }), Some("the run's detail lacks `finished_at`")),
        (
            serde_json::json!({ "finished_at": 3, "outputs": { "x": 1 } }),
            Some("the run's detail: `outputs` is object, known as string"),
        ),
        (
            serde_json::json!({ "finished_at": 3, "cost": 7 }),
            Some("the run's detail has a new field `cost` (integer)"),
        ),
    ] {
        let live = Live::new(&suite_of(1), &keys("contract: watch"), lost_and_found(&more));
        let ran = live.expect(0, &[]);
        let notes = report(&live.project)["contract"].to_string();
        assert!(notes.contains(reason), "{notes}");
        assert_eq!(notes.matches("message").count(), 1 + usize::from(said.is_some()), "{notes} {}", ran.text);
        assert!(said.is_none_or(|said| notes.contains(said)), "{notes}");
        let strict = Live::new(&suite_of(1), &keys("contract: strict"), lost_and_found(&more));
        let ran = strict.expect(100, &[]);
        assert!(said.is_none_or(|said| ran.text.contains(said)), "{}", ran.text);
    }
}

#[test]
fn uploads_refusals_and_heads_are_held_too() {
    let with_file = suite_of(1).replace("    inputs:", "    files: { doc: _data/a.txt }\n    inputs:");
    let good_upload = serde_json::json!({
        "id": "u", "name": "a.txt", "size": 1, "extension": "txt", "mime_type": "text/plain", "created_by": "u", "created_at": 1,
        "preview_url": null, "source_url": "http://h/f", "original_url": null, "user_id": null, "tenant_id": "t",
        "conversation_id": null, "file_key": null,
    });
    let mut more = good_upload.clone();
    more["hash"] = "h".into();
    let short = serde_json::json!({ "code": "no_file_uploaded", "message": "Please upload your file." });
    for (status, headers, answer, code, said) in [
        ("201 Created", VERSION, &good_upload, 0, ""),
        ("201 Created", VERSION, &more, 100, "the answer to an upload has a new field `hash` (string)"),
        ("201 Created", "", &good_upload, 100, "the answer to an upload lacks the header `X-Version`"),
        ("400 Bad", VERSION, &short, 100, "the error answer lacks `status`"),
    ] {
        let answer = answer.clone();
        let live = Live::new(&with_file, "contract: strict", move |seen| match seen.is_run() {
            true => good(seen),
            false => document_of(status, headers, &answer),
        });
        live.project.write("suites/_data/a.txt", b"x");
        let ran = live.expect(code, &[]);
        assert!(ran.text.contains(said), "{said}: {}", ran.text);
    }
    for (headers, said) in [
        ("", "the blocking answer lacks the header `X-Version`"),
        ("X-Version: dev\r\n", "the blocking answer: the header `X-Version` is no version's number"),
    ] {
        let live = Live::new(&suite_in("blocking", 1), "contract: strict", move |_| {
            let body = run_document(r#"{"x":1}"#);
            vec![Step::Send(with_headers("200 OK", "application/json", headers, body.as_bytes()))]
        });
        let ran = live.expect(100, &[]);
        assert!(ran.text.contains(said), "{}", ran.text);
    }
}
