//! Runs made up for tests: every verdict, hostile outputs, and as many plain cases as wanted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::base::diff::{Diff, diff_json, diff_text};
use crate::base::digest::Digest;
use crate::base::origin::Place;
use crate::base::redact::Redactor;
use crate::dify::transcript::ResponseMode;
use crate::dify::wire::error::ErrorClass;
use crate::record::attempt::{Attempt, CaseOutcome, Cause, NodeFact, Price, RunFacts, WaitTimes};
use crate::record::event::{Event, FallenLimit, RanVersion, RunEnd, RunStart, Sink};
use crate::record::journal::read;
use crate::record::journal::{Journal, RunRecord, SCHEMA, path_of};
use crate::record::verdict::{Finding, Severity, Truth, Verdict};

/// Texts that break careless writers.
pub(crate) const HOSTILE: &str =
    "a\0b \u{1b}[31mred\u{1b}[0m ]]> </script> \u{fffe}\u{202e} & <b> \"q\" 'x' \r\n\ttab 🌍";

pub(crate) fn start(cases: u32) -> RunStart {
    RunStart {
        shard: None,
        merged: Vec::new(),
        build: None,
        nextest: false,
        schema: SCHEMA,
        run: String::from("20261123T081530-4f2a"),
        flowproof: String::from("0.1.0"),
        target: String::from("mock"),
        cassettes: None,
        mock: true,
        profile: String::from("default"),
        started: String::from("2026-11-23T08:15:30.250Z"),
        cases,
        deselected: 0,
        seed: u64::MAX,
        shuffled: false,
        plan: Digest::default(),
        address: Digest::default(),
        asked: None,
        thresholds: Vec::new(),
    }
}

pub(crate) fn end() -> Event {
    Event::RunFinished(RunEnd {
        duration_ms: 1234.5,
        limit: Some(FallenLimit { most: 8, lowest: 2, last: 5, refusals: 7 }),
        versions: vec![ran("triage", "wf-1"), ran("", "wf-2")],
        ..RunEnd::default()
    })
}

fn ran(app: &str, workflow_id: &str) -> RanVersion {
    RanVersion {
        app: app.to_owned(),
        workflow_id: Some(workflow_id.to_owned()),
        dify_version: Some(String::from("1.14.2")),
        attempts: 4,
    }
}

pub(crate) fn place(line: u32, column: u32, width: u32, excerpt: &str) -> Place {
    Place { file: Arc::from("suites/triage.yaml"), line, column, width, excerpt: Arc::from(excerpt) }
}

pub(crate) fn finding(truth: Truth, label: &str) -> Finding {
    Finding {
        truth,
        severity: Severity::Error,
        place: Arc::new(place(14, 9, 8, "      - { path: $.category, equals: billing }")),
        label: label.to_owned(),
        message: String::new(),
        expected: None,
        actual: None,
        diff: None,
        members: Vec::new(),
    }
}

pub(crate) fn broken(label: &str, expected: Value, actual: Value) -> Finding {
    let diff = match (&expected, &actual) {
        (Value::String(old), Value::String(new)) => Diff::Text(diff_text(old, new)),
        _ => Diff::Json(diff_json(&expected, &actual)),
    };
    Finding {
        expected: Some(expected),
        actual: Some(actual),
        diff: Some(diff),
        ..finding(Truth::Broken, label)
    }
}

pub(crate) fn attempt(case: u32, verdict: Verdict, findings: Vec<Finding>) -> Attempt {
    let node = |title: &str, kind: &str, status: &str, tokens| NodeFact {
        title: title.to_owned(),
        node_type: kind.to_owned(),
        status: status.to_owned(),
        start_ms: 1.5,
        end_ms: None,
        began: None,
        ended: None,
        elapsed_ms: Some(20.25),
        tokens,
        container: false,
        id: format!("id-{title}"),
        round: None,
        price: None,
        digest: Some(format!("digest-{case}")),
        error: None,
        retry_errors: Vec::new(),
    };
    let status = if verdict == Verdict::Failed { "failed" } else { "succeeded" };
    Attempt {
        case,
        key: Digest::default(),
        repeat: 0,
        attempt: 0,
        verdict,
        cause: None,
        findings,
        facts: RunFacts {
            seen: None,
            run_id: Some(format!("run-{case}")),
            workflow_id: Some(String::from("wf-1")),
            dify_version: Some(String::from("1.14.2")),
            recovered: None,
            lost: None,
            status: Some(String::from("succeeded")),
            latency_ms: Some(812.25),
            ttft_ms: Some(120.0),
            server_ms: Some(800.0),
            tokens: Some(421),
            cost: vec![Price { amount: String::from("0.0000041"), currency: String::from("USD") }],
            steps: Some(3),
            nodes: vec![
                node("Start", "start", "succeeded", None),
                node("Classify", "llm", status, Some(421)),
                node("Answer", "end", "succeeded", None),
            ],
            digest: Some(format!("digest-{case}")),
            error: None,
            settled: None,
            usage: None,
        },
        mode: ResponseMode::Streaming,
        sent_ms: 10.0,
        waited_ms: 0.5,
        waits: WaitTimes { slot_ms: 0.5, ..WaitTimes::default() },
        intended_ms: None,
        retried: false,
        replayed: false,
        curl: String::new(),
        outputs: None,
        contract: Vec::new(),
        judges: Vec::new(),
    }
}

pub(crate) fn outcome(case: u32, suite: &str, name: &str, verdict: Verdict) -> CaseOutcome {
    CaseOutcome {
        case,
        key: Digest::default(),
        print: Digest::default(),
        name: format!("{suite}::{name}"),
        suite: suite.to_owned(),
        place: place(12, 11, 6, "  - name: refund is billing"),
        tags: vec![String::from("smoke")],
        verdict,
        reason: None,
        attempts: 1,
        recovered: 0,
        duration_ms: 812.25,
        warnings: 0,
        over_budget: false,
        tolerated: false,
        repeats: None,
    }
}

pub(crate) fn errored(case: u32, message: &str) -> Attempt {
    let cause = Cause {
        message: message.to_owned(),
        hint: Some(String::from("set DIFY_API_KEY to a key of this app")),
        class: Some(ErrorClass::Config),
        stops_suite: true,
    };
    Attempt { cause: Some(cause), facts: RunFacts::default(), ..attempt(case, Verdict::Errored, Vec::new()) }
}

pub(crate) fn pair(attempt: Attempt, outcome: CaseOutcome) -> Vec<Event> {
    vec![Event::AttemptFinished(Arc::new(attempt)), Event::CaseFinished(Arc::new(outcome))]
}

/// A passed case in a few numbers.
pub(crate) fn passed(case: u32, suite: &str) -> Vec<Event> {
    let held = vec![finding(Truth::Held, "$.category equals \"billing\"")];
    pair(attempt(case, Verdict::Passed, held), outcome(case, suite, &format!("case {case}"), Verdict::Passed))
}

/// A run with every verdict, hostile texts and 64-bit numbers.
pub(crate) fn every_verdict() -> Vec<Event> {
    let mut events = vec![Event::RunStarted(start(8))];
    events.extend(passed(0, "triage"));
    let changed = broken(
        "$ equals …",
        json!({"category": "billing", "note": "Refund within 30 days", "id": 9007199254740993_u64, "tags": ["a"]}),
        json!({"category": "technical", "note": "Refund within 14 days", "id": 9007199254740992_u64, "tags": ["a", "b"]}),
    );
    let curl =
        "curl -X POST 'http://127.0.0.1:9/v1/workflows/run' -H \"Authorization: Bearer $DIFY_API_KEY\"";
    let failed = Attempt {
        curl: curl.to_owned(),
        outputs: Some(json!({"big": u64::MAX, "small": i64::MIN, "text": HOSTILE})),
        ..attempt(1, Verdict::Failed, vec![changed, finding(Truth::Held, "status equals succeeded")])
    };
    events.extend(pair(failed, outcome(1, "triage", "refund is billing", Verdict::Failed)));
    let hostile =
        attempt(2, Verdict::Failed, vec![broken(HOSTILE, json!("line one\nline two\n"), json!(HOSTILE))]);
    events.extend(pair(hostile, outcome(2, "hostile <&>", "]]> \u{1b}[0m", Verdict::Failed)));
    events.extend(pair(
        errored(3, "401 unauthorized: the key is not valid"),
        outcome(3, "triage", "no key", Verdict::Errored),
    ));
    let undecided = Finding {
        message: String::from("no tokens were reported"),
        ..finding(Truth::Undecided, "tokens at most 8k")
    };
    events.extend(pair(
        attempt(4, Verdict::Errored, vec![undecided]),
        outcome(4, "triage", "tokens", Verdict::Errored),
    ));
    events.extend(pair(
        attempt(5, Verdict::Failed, vec![finding(Truth::Broken, "$.tone equals \"warm\"")]),
        outcome(5, "triage", "tone", Verdict::Inconclusive),
    ));
    let first = Attempt { retried: true, ..errored(6, "connect to 127.0.0.1:9: connection refused") };
    events.push(Event::AttemptFinished(Arc::new(first)));
    let flaky =
        CaseOutcome { attempts: 2, warnings: 1, ..outcome(6, "triage", "second try", Verdict::Flaky) };
    let warned = Finding { severity: Severity::Warn, ..finding(Truth::Broken, "latency at most 1s") };
    let second = vec![finding(Truth::Held, "status equals succeeded"), warned];
    events.extend(pair(Attempt { attempt: 1, ..attempt(6, Verdict::Passed, second) }, flaky));
    let reason = Some(String::from("skip: waits for the new model"));
    let skipped = CaseOutcome {
        reason,
        attempts: 0,
        duration_ms: 0.0,
        ..outcome(7, "other", "later", Verdict::Skipped)
    };
    events.push(Event::CaseFinished(Arc::new(skipped)));
    events.push(end());
    events
}

/// Many passed cases of some suites, finished slightly out of order.
pub(crate) fn many(cases: u32) -> Vec<Event> {
    let mut events = vec![Event::RunStarted(start(cases))];
    let mut order: Vec<u32> = (0..cases).collect();
    order.chunks_mut(7).for_each(<[u32]>::reverse);
    events.extend(order.into_iter().flat_map(|case| passed(case, &format!("suite {}", case / 1000))));
    events.push(end());
    events
}

/// Writes the events to a journal in a folder of reports.
pub(crate) fn write(reports: &Path, events: &[Event], secrets: &[&str]) -> PathBuf {
    let redactor = Redactor::new(secrets.iter().map(|secret| (*secret).to_owned()));
    let run = start(0).run;
    let mut journal = Journal::create(reports, &run, redactor).unwrap();
    events.iter().for_each(|event| journal.take(event).unwrap());
    path_of(reports, &run)
}

/// The record of the events.
pub(crate) fn record(reports: &Path, events: &[Event]) -> RunRecord {
    read(&write(reports, events, &[])).unwrap()
}
