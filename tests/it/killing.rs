//! Runs killed at a hundred seeded moments: after they were taken up again every test has exactly one result, none that had
//! finished was sent again, and each kill cost at most one more request for each test that was in flight.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::live::{Live, command, end, report, signal, spawn, until};
use crate::server::{good, suite_of};

/// Tests of each run.
const TESTS: usize = 500;
/// Attempts at once.
const AT_ONCE: usize = 8;
/// Times that each run is killed; with four runs a signal and three signals, more than a hundred.
const KILLS: usize = 9;
/// Runs for each signal.
const RUNS: u64 = 4;

#[test]
fn a_run_that_is_killed_loses_nothing() {
    (0..RUNS).for_each(|seed| kill_and_resume("KILL", seed));
}

#[test]
fn a_run_that_is_terminated_loses_nothing() {
    (0..RUNS).for_each(|seed| kill_and_resume("TERM", 100 + seed));
}

#[test]
fn a_run_that_is_interrupted_loses_nothing() {
    (0..RUNS).for_each(|seed| kill_and_resume("INT", 200 + seed));
}

/// What a kill left: which tests had a result in the journal, and which had been sent without one.
struct Left {
    finished: BTreeSet<String>,
    in_flight: BTreeSet<String>,
    /// Runs asked for so far.
    sent: usize,
}

fn kill_and_resume(name: &str, seed: u64) {
    let live = Live::new(&suite_of(TESTS), &format!("concurrency: {AT_ONCE}"), good);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut left: Vec<Left> = Vec::new();
    let mut earlier = 0;
    for kill in 0..KILLS {
        let args: &[&str] = if kill == 0 { &["-q"] } else { &["-q", "--resume", "latest"] };
        let mut child = spawn(&live.project, command(&live.project, args));
        let moment = live.server.count() + random.usize(1..TESTS / KILLS);
        // A run that has nothing left to send ends by itself.
        while live.server.count() < moment && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(300));
        }
        std::thread::sleep(Duration::from_micros(random.u64(0..3000)));
        if child.try_wait().unwrap().is_none() {
            signal(&child, name);
        }
        let code = end(&mut child);
        let said = live.project.read("stderr.txt");
        assert!(matches!(code, None | Some(0 | 130)), "{name} {seed}.{kill}: {code:?} {said}");
        // What the process had sent may be read only after it was killed, from a connection not yet accepted.
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(5));
            until("the server has read everything", || live.server.is_quiet());
        }
        let sent: Vec<String> = sent(&live);
        let finished = finished(&live);
        let in_flight: BTreeSet<String> =
            sent[earlier..].iter().filter(|test| !finished.contains(*test)).cloned().collect();
        assert!(in_flight.len() <= AT_ONCE, "{name} {seed}.{kill}: {in_flight:?}");
        earlier = sent.len();
        left.push(Left { finished, in_flight, sent: sent.len() });
    }
    let last = live.run(&["--resume", "latest", "-q"]);
    assert_eq!(last.code, Some(0), "{name} {seed}: {}", last.text);
    let sent = sent(&live);
    for (kill, Left { finished, sent: before, .. }) in left.iter().enumerate() {
        let again: Vec<&String> = sent[*before..].iter().filter(|test| finished.contains(*test)).collect();
        assert!(again.is_empty(), "{name} {seed}.{kill}: sent again: {again:?}");
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    sent.iter().for_each(|test| *counts.entry(test).or_default() += 1);
    assert_eq!(counts.len(), TESTS);
    for (test, count) in counts {
        let lost = left.iter().filter(|left| left.in_flight.contains(test)).count();
        assert!(count <= 1 + lost, "{name} {seed}: {test} was sent {count} times, and lost {lost} times");
    }
    is_whole(&live);
    assert!(left.iter().any(|left| left.finished.len() < TESTS), "{name} {seed}: never killed in time");
}

/// The reports of the whole run: every test once, and green.
fn is_whole(live: &Live) {
    let report = report(&live.project);
    let cases = report["cases"].as_array().unwrap();
    let names: BTreeSet<&str> = cases.iter().map(|case| case["name"].as_str().unwrap()).collect();
    assert_eq!((cases.len(), names.len()), (TESTS, TESTS));
    assert!(cases.iter().all(|case| case["attempts"].as_array().unwrap().len() == 1));
    assert_eq!(report["totals"]["passed"], TESTS);
    assert_eq!(report["totals"]["unfinished"], 0);
    assert_eq!(report["run"]["complete"], true);
    ends_are_recorded_together(&journal(live));
    let junit = live.project.read("reports/latest/junit.xml");
    assert_eq!(junit.matches("<testcase ").count(), TESTS);
    assert!(junit.contains(&format!("tests=\"{TESTS}\" failures=\"0\" errors=\"0\"")), "{}", &junit[..400]);
}

/// Each end of an attempt is directly before that of its test: no kill comes between, after which the test would be sent again.
fn ends_are_recorded_together(journal: &str) {
    let lines: Vec<serde_json::Value> =
        journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut ends = 0;
    for (line, next) in lines.iter().zip(lines.iter().skip(1)) {
        let Some(attempt) = line.get("attempt_finished") else { continue };
        assert_eq!(attempt["key"], next["case_finished"]["key"], "{line}\n{next}");
        ends += 1;
    }
    assert_eq!(ends, TESTS);
}

/// The tests whose runs were asked for, in order.
fn sent(live: &Live) -> Vec<String> {
    live.server.runs().iter().map(|seen| seen.input("t").to_owned()).collect()
}

/// The journal of the newest run.
fn journal(live: &Live) -> String {
    let id = live.project.read("reports/latest-run");
    let path = live.project.path(&format!("reports/runs/{}/journal.jsonl", id.trim()));
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

/// The tests that have a result in the journal.
fn finished(live: &Live) -> BTreeSet<String> {
    let journal = journal(live);
    let whole = journal.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let outcomes = whole.filter(|line| line.starts_with("{\"case_finished\""));
    outcomes
        .map(|line| line.split("\"name\":\"S::").nth(1).unwrap().split('"').next().unwrap().to_owned())
        .collect()
}
