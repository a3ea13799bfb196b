//! Live sides of a comparison: which request comes when, what their budgets leave out, sides that cannot be judged.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::live::{signal, spawn, until, wait};
use crate::project::{Project, text};
use crate::server::{Seen, Server, Step, document, good, refusal, started, stream_head, succeed, suite_of};
use crate::shards::expect;

/// A project with two targets at one server, told apart by their keys.
fn two_sides(server: &Server, tests: usize, keys: &str) -> Project {
    let project = Project::with_suite(&suite_of(tests));
    let target = |name: &str| {
        format!(
            "  {name}: {{ base_url: \"{}\", api_key: app-side-{name}, retries: 0, {keys} }}\n",
            server.base_url()
        )
    };
    project.write("flowproof.yaml", format!("version: 1\ntargets:\n{}{}", target("a"), target("b")));
    project
}

fn side(seen: &Seen) -> char {
    if seen.head.contains("app-side-a") { 'a' } else { 'b' }
}

/// The sides in the order in which the server was asked to run each test.
fn orders(server: &Server, from: usize) -> BTreeMap<String, String> {
    let mut orders = BTreeMap::<String, String>::new();
    for seen in server.runs().iter().skip(from) {
        orders.entry(seen.input("t").to_owned()).or_default().push(side(seen));
    }
    orders
}

#[test]
fn the_repeats_of_both_sides_alternate_a_b_b_a_in_an_order_that_the_seed_tells() {
    let server = Server::start(good);
    let project = two_sides(&server, 12, "concurrency: 1");
    let mut sent = 0;
    let mut run = |repeats: &str, seed: &str| {
        expect(
            &project.run(&["compare", "a", "b", "--repeat", repeats, "--seed", seed]),
            0,
            "no test regressed",
        );
        let found = orders(&server, sent);
        sent = server.runs().len();
        assert_eq!(found.len(), 12, "every test ran");
        found
    };
    for (repeats, either) in [
        ("1", ["ab", "ba"]),
        ("2", ["abba", "baab"]),
        ("3", ["abbaab", "baabba"]),
        ("5", ["abbaabbaab", "baabbaabba"]),
    ] {
        let found = run(repeats, "7");
        for (test, order) in &found {
            assert!(either.contains(&order.as_str()), "{repeats} repeats of {test} came as {order}");
        }
        for order in either {
            assert!(found.values().any(|seen| seen == order), "no test began so: {order} in {found:?}");
        }
    }
    let first =
        |found: BTreeMap<String, String>| -> String { found.values().map(|order| &order[..1]).collect() };
    let seven = first(run("2", "7"));
    assert_eq!(seven, first(run("2", "7")), "the same seed, the same order");
    assert_ne!(seven, first(run("2", "8")), "another seed, another order");
}

#[test]
fn one_test_at_a_time_runs_to_its_end_on_both_sides() {
    let server = Server::start(good);
    let project = two_sides(&server, 3, "concurrency: 1");
    expect(&project.run(&["compare", "a", "b", "--repeat", "2"]), 0, "no test regressed");
    let tests: Vec<String> = server.runs().iter().map(|seen| seen.input("t").to_owned()).collect();
    assert_eq!(
        tests,
        ["t0"; 4].into_iter().chain(["t1"; 4]).chain(["t2"; 4]).collect::<Vec<_>>(),
        "a test's repeats are next to each other in time"
    );
    assert!(server.most_in_flight() <= 1, "neither side runs ahead");
}

/// A project of two sides with one test that sends the number of its repeat.
fn repeating(server: &Server, keys: &str) -> Project {
    let project = two_sides(server, 1, "concurrency: 9");
    let inputs = format!("{keys}    inputs: {{ t: \"r{{{{ repeat.index }}}}\" }}\n");
    project.write("suites/s.yaml", suite_of(1).replace("    inputs: { t: t0 }\n", &inputs));
    project
}

/// The later the repeat, the sooner its answer; on one side some of the answers are wrong.
fn last_first(seen: &Seen) -> Vec<Step> {
    let repeat: u64 = seen.input("t").trim_start_matches('r').parse().unwrap();
    let x = if side(seen) == 'b' && repeat % 3 == 2 { repeat } else { 1 };
    let wait = Step::Sleep(Duration::from_millis(50 + 400_u64.saturating_sub(60 * repeat)));
    [vec![wait], succeed(seen, &format!("{{\"x\":{x}}}"))].concat()
}

#[test]
fn repeats_of_a_pair_run_side_by_side_and_the_sides_of_one_take_turns() {
    let server = Server::start(last_first);
    let project = repeating(&server, "    repeat: 6\n");
    // What is not a matter of time, and the attempts of both runs by their places in the reports.
    let told = |at_once: &str| {
        let from = server.runs().len();
        expect(&project.run(&["compare", "a", "b", "--seed", "7", "-j", at_once]), 100, "regressed");
        let found: Value = serde_json::from_str(&project.read("reports/compare/compare.json")).unwrap();
        let attempts = ["a", "b"].map(|side| {
            let run = found[side]["run"].as_str().unwrap();
            expect(&project.run(&["report", run, "-o", "side.json"]), 0, "");
            let report: Value = serde_json::from_str(&project.read("side.json")).unwrap();
            let attempts = report["cases"][0]["attempts"].as_array().unwrap();
            attempts
                .iter()
                .map(|found| format!("{} {}", found["repeat"], found["verdict"]))
                .collect::<Vec<_>>()
        });
        let pass_rate = found["changes"][0].clone();
        assert_eq!(pass_rate["pairs"], 6, "{found}");
        let users: BTreeSet<String> =
            server.runs()[from..].iter().map(|seen| seen.body["user"].to_string()).collect();
        assert_eq!(users.len(), 12, "each has a user of its own");
        (attempts, pass_rate, found["outputs_p"].clone(), orders(&server, from))
    };
    let one_by_one = told("1");
    assert_eq!(server.most_in_flight(), 1);
    let side_by_side = told("4");
    // Four lanes, and in each of them one side at a time.
    assert_eq!(server.most_in_flight(), 4);
    assert_eq!(one_by_one, side_by_side, "whichever ended first");
    let orders: Vec<&str> = side_by_side.3.values().map(String::as_str).collect();
    assert!(
        [["ab", "ba", "ab", "ba", "ab", "ba"], ["ba", "ab", "ba", "ab", "ba", "ab"]]
            .contains(&orders[..].try_into().unwrap()),
        "{orders:?}"
    );
}

#[test]
fn a_range_is_decided_by_the_same_repeats_of_each_side_however_many_run_at_once() {
    let range = "    repeat: { min: 4, max: 60 }\n    pass_rate: 0.9\n    fail_below: 0.5\n";
    let ran = |at_once: &str| {
        let server = Server::start(last_first);
        let project = repeating(&server, range);
        project.run(&["compare", "a", "b", "-j", at_once]);
        let of_side = |wanted| server.runs().iter().filter(|seen| side(seen) == wanted).count();
        (of_side('a'), of_side('b'), server.most_in_flight())
    };
    let (one_by_one, side_by_side) = (ran("1"), ran("9"));
    assert_eq!((one_by_one.0, one_by_one.1), (side_by_side.0, side_by_side.1));
    assert!(one_by_one.0 < one_by_one.1, "the side without a wrong answer is decided first: {one_by_one:?}");
    assert_eq!(one_by_one.2, 1);
    assert!((4..=9).contains(&side_by_side.2), "the first `min` at least: {side_by_side:?}");
}

#[test]
fn a_ctrl_c_ends_all_repeats_of_a_pair() {
    let server = Server::start(|seen| match seen.is_run() {
        true => vec![Step::Send([stream_head(), started("task-1")].concat()), Step::Hang],
        false => vec![Step::Send(document("200 OK", "application/json", b"{\"result\":\"success\"}"))],
    });
    let project = repeating(&server, "    repeat: 6\n");
    let child = spawn(&project, project.command(&["compare", "a", "b", "-j", "3"]));
    until("three are in flight", || server.runs().len() == 3);
    std::thread::sleep(Duration::from_millis(300));
    signal(&child, "INT");
    let ran = wait(&project, child);
    assert_eq!((ran.code, server.runs().len(), server.stops().len()), (Some(130), 3, 3), "{}", ran.text);
    assert!(ran.text.contains("interrupted: nothing was compared"), "{}", ran.text);
}

#[test]
fn repeats_at_once_never_spend_more_than_the_budget_of_their_side() {
    let suite = |budget: &str| {
        format!(
            "version: 1\nname: S\n{budget}tests:\n  - name: t\n    repeat: 8\n    assert: [{{ path: $.x, equals: 1 }}]\n    mock: {{ outputs: {{ x: 1 }}, tokens: 10 }}\n"
        )
    };
    let project = Project::with_suite(&suite("budget: { tokens: 50, per_test: { tokens: 10 } }\n"));
    expect(&project.run(&["compare", "mock", "mock", "-j", "8"]), 98, "skipped for a budget");
    let found: Value = serde_json::from_str(&project.read("reports/compare/compare.json")).unwrap();
    for side in ["a", "b"] {
        assert_eq!((&found[side]["tokens"], &found[side]["attempts"]), (&50.into(), &5.into()), "{found}");
    }
}

#[test]
fn a_side_that_breaks_takes_no_turn_from_the_other_and_is_never_green() {
    let broken = |seen: &Seen| {
        if side(seen) == 'b' { refusal(500, "internal_server_error", "oops") } else { good(seen) }
    };
    let server = Server::start(broken);
    let project = two_sides(&server, 3, "concurrency: 1");
    let compare = |a: &str, b: &str| project.run(&["compare", a, b, "--repeat", "2", "--max-changed", "0"]);
    expect(&compare("a", "b"), 3, "no test was judged on both sides");
    for (test, order) in orders(&server, 0) {
        assert!(["abba", "baab"].contains(&order.as_str()), "{test}: {order}");
    }
    expect(&compare("b", "a"), 3, "no test was judged on both sides");
    expect(&compare("b", "b"), 3, "no test was judged on both sides");
    // One test of three breaks: on B that is red, on A nothing can be said of it.
    let one = |seen: &Seen| {
        if side(seen) == 'b' && seen.input("t") == "t1" {
            refusal(500, "internal_server_error", "oops")
        } else {
            good(seen)
        }
    };
    let server = Server::start(one);
    let project = two_sides(&server, 3, "concurrency: 2");
    expect(&project.run(&["compare", "a", "b"]), 100, "1 test could not be judged on B: `S::t1`");
    expect(&project.run(&["compare", "b", "a"]), 97, "1 test could not be compared: `S::t1`");
}

#[test]
fn a_finished_run_is_compared_with_a_side_that_cannot_be_reached() {
    let server = Server::start(good);
    let project = two_sides(&server, 2, "concurrency: 1");
    expect(&project.run(&["run", "--target", "a", "-q"]), 0, "");
    expect(&project.run(&["compare", "latest", "a", "--max-changed", "0"]), 0, "the gate holds");
    drop(server);
    expect(
        &project.run(&["compare", "latest", "b", "--max-changed", "0"]),
        3,
        "no test was judged on both sides",
    );
}

/// Four tests of ten tokens each, of which a budget lets through some.
fn frugal(budget: &str) -> String {
    let test = |number: usize| {
        format!(
            "  - name: t{number}\n    assert: [{{ path: $.x, equals: 1 }}]\n    mock: {{ outputs: {{ x: 1 }}, tokens: 10 }}\n"
        )
    };
    format!("version: 1\nname: S\n{budget}tests:\n{}", (0..4).map(test).collect::<String>())
}

#[test]
fn what_a_budget_left_out_is_not_green() {
    let project = Project::with_suite(&frugal("budget: { tokens: 25 }\n"));
    let both = project.run(&["compare", "mock", "mock", "--max-changed", "0", "-j", "1"]);
    expect(&both, 98, "2 tests skipped for a budget that was used up: `S::t2` and 1 more");
    let found: Value = serde_json::from_str(&project.read("reports/compare/compare.json")).unwrap();
    assert_eq!((&found["verdict"], &found["exit"]), (&"over_budget".into(), &98.into()));
    assert_eq!(found["counts"]["not_compared"], 2);
    // One at a time: which tests fit a budget is otherwise a matter of who comes first.
    project.run(&["run", "-q", "-j", "1"]);
    project.run(&["runs", "export", "latest", "-o", "half.jsonl"]);
    project.write("suites/s.yaml", frugal(""));
    project.run(&["run", "-q", "-j", "1"]);
    expect(&project.run(&["compare", "latest", "half.jsonl"]), 98, "2 tests skipped for a budget");
    expect(&project.run(&["compare", "half.jsonl", "latest"]), 98, "2 tests skipped for a budget");
    expect(&project.run(&["compare", "half.jsonl", "half.jsonl"]), 98, "2 tests skipped for a budget");
    // A gate that failed comes first, and a test that is red before it.
    project.write("suites/s.yaml", frugal("").replace("x: 1 }, t", "x: 2 }, t"));
    project.run(&["run", "-q", "-j", "1"]);
    expect(&project.run(&["compare", "half.jsonl", "latest"]), 100, "red on B and not on A");
    project
        .write("suites/s.yaml", frugal("budget: { tokens: 25 }\n").replace("x: 1 }, t", "x: 1, y: 2 }, t"));
    project.run(&["run", "-q", "-j", "1"]);
    expect(
        &project.run(&["compare", "half.jsonl", "latest", "--max-changed", "0"]),
        99,
        "2 of 2 tests changed",
    );
    project.write("suites/s.yaml", frugal("budget: { tokens: 5 }\n"));
    project.run(&["run", "-q", "-j", "1"]);
    let none = project.run(&["compare", "latest", "latest"]);
    assert!([98, 100].contains(&none.status.code().unwrap()), "{}", text(&none));
}

#[test]
fn tests_that_are_written_otherwise_are_told() {
    let server = Server::start(good);
    let project = two_sides(&server, 2, "concurrency: 1");
    let run = |file: &str| {
        expect(&project.run(&["run", "--target", "a", "-q"]), 0, "");
        expect(&project.run(&["runs", "export", "latest", "-o", file]), 0, "wrote");
    };
    run("a.jsonl");
    project.write("suites/s.yaml", suite_of(2).replacen("equals: 1", "exists: true", 1));
    run("b.jsonl");
    let told = project.run(&["compare", "a.jsonl", "b.jsonl"]);
    expect(&told, 0, "1 test with other inputs, assertions or repeats on B than on A, such as `S::t0`");
    let same = project.run(&["compare", "a.jsonl", "a.jsonl"]);
    assert!(!text(&same).contains("with other inputs"), "{}", text(&same));
}

#[test]
fn github_shows_the_comparison_in_the_summary_of_the_job() {
    let project = Project::with_suite(&frugal(""));
    project.run(&["run", "-q"]);
    let summary = project.path("step-summary");
    let compare = |file: &std::path::Path| {
        let mut command = project.command(&["compare", "latest", "latest"]);
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", file).output().unwrap()
    };
    expect(&compare(&summary), 0, "no test regressed");
    expect(&compare(&summary), 0, "no test regressed");
    let written = project.read("step-summary");
    assert_eq!(written.matches("## ✓ flowproof compare: no test regressed").count(), 2, "{written}");
    let nowhere = compare(&project.path("step-summary/below-a-file"));
    expect(&nowhere, 0, "note: the summary of the job was not written");
    let quiet = project
        .command(&["compare", "latest", "latest"])
        .env("GITHUB_STEP_SUMMARY", project.path("other"))
        .output()
        .unwrap();
    expect(&quiet, 0, "no test regressed");
    assert!(!project.path("other").exists(), "only in GitHub Actions");
}
