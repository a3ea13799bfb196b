//! What is learnt from journals, and what is not.

use serde_json::json;

use std::fs;

use super::*;
use crate::budget::{Currency, Expected};

fn journal(reports: &Path, run: &str, target: &str, lines: &[serde_json::Value]) {
    let folder = reports.join("runs").join(run);
    fs::create_dir_all(&folder).unwrap();
    let start = json!({ "run_started": { "schema": 1, "run": run, "flowproof": "0", "target": target, "mock": target == "mock",
        "profile": "default", "started": "x", "cases": 1, "deselected": 0, "seed": 1 } });
    let text: String = [&start].into_iter().chain(lines).map(|line| format!("{line}\n")).collect();
    fs::write(folder.join("journal.jsonl"), text).unwrap();
}

fn attempt(case: u32, tokens: u64, price: &str) -> serde_json::Value {
    json!({ "attempt_finished": { "case": case, "findings": [], "facts": { "status": "succeeded", "latency_ms": 1500.0,
        "tokens": tokens, "cost": [{ "amount": price, "currency": "USD" }] } } })
}

fn outcome(case: u32, name: &str) -> serde_json::Value {
    json!({ "case_finished": { "case": case, "name": name, "suite": "s", "verdict": "passed", "duration_ms": 1.0 } })
}

fn read(reports: &Path, target: &str) -> History {
    let names = HashMap::from([("s::a", 7)]);
    History::read(reports, PastScope { target, mock: target == "mock" }, &names)
}

#[test]
fn a_test_is_known_by_its_name_and_its_95th_percentile_is_expected() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines: Vec<_> = (1..=40).map(|tokens| attempt(3, tokens, "0.01")).collect();
    lines.extend([outcome(3, "s::a"), attempt(4, 9_000, "1"), outcome(4, "s::b")]);
    journal(folder.path(), "1", "staging", &lines);
    let history = read(folder.path(), "staging");
    let past = history.of(7).unwrap();
    let usd = Currency::of("USD").unwrap();
    assert_eq!(past.expected(), Expected { tokens: Some(38), cost: [(usd, "0.01".parse().unwrap())].into() });
    assert_eq!((past.mean_tokens(), past.mean_seconds(), past.attempts()), (Some(20.5), Some(1.5), 40));
    assert_eq!(history.expected().len(), 1);
}

#[test]
fn targets_do_not_mix_nor_the_mock_with_what_is_live() {
    let folder = tempfile::tempdir().unwrap();
    journal(folder.path(), "1", "staging", &[attempt(0, 10, "1"), outcome(0, "s::a")]);
    journal(folder.path(), "2", "mock", &[attempt(0, 20, "1"), outcome(0, "s::a")]);
    journal(folder.path(), "3", "production", &[attempt(0, 30, "1"), outcome(0, "s::a")]);
    let tokens = |target| read(folder.path(), target).of(7).and_then(|past| past.expected().tokens);
    assert_eq!(["staging", "mock", "production", "other"].map(tokens), [Some(10), Some(20), Some(30), None]);
}

#[test]
fn what_ran_nothing_or_cannot_be_read_teaches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut replayed = attempt(0, 1, "1");
    replayed["attempt_finished"]["replayed"] = true.into();
    let mut refused = attempt(0, 1, "1");
    refused["attempt_finished"]["facts"]["status"] = "rejected".into();
    let mut unknown = attempt(0, 1, "1");
    unknown["attempt_finished"]["facts"] = json!({ "status": "succeeded" });
    let odd = json!({ "attempt_finished": { "case": -1 } });
    journal(
        folder.path(),
        "1",
        "staging",
        &[replayed, refused, unknown, odd, outcome(0, "s::a"), attempt(0, 5, "1")],
    );
    fs::create_dir_all(folder.path().join("runs/empty")).unwrap();
    fs::create_dir_all(folder.path().join("runs/2")).unwrap();
    fs::write(folder.path().join("runs/2/journal.jsonl"), [0xff_u8; 9]).unwrap();
    let history = read(folder.path(), "staging");
    let past = history.of(7).unwrap();
    assert_eq!(
        (past.attempts(), past.expected()),
        (1, Expected::default()),
        "it ran, and nobody knows what it used"
    );
    assert!(
        History::read(Path::new("/nowhere"), PastScope { target: "x", mock: false }, &HashMap::new())
            .of(0)
            .is_none()
    );
}
