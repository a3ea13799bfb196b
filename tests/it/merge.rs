//! Shards and re-runs become one run: in any order, twice the same, overlapping, with one missing, of different plans.

use std::collections::BTreeMap;
use std::fs;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::live::Live;
use crate::project::{GREEN, Project, RED, code, text};
use crate::server::{succeed, suite_of};
use crate::shards::{expect, many, names, report};

/// Runs all shards of a project and leaves each in a file; the last line is that of a run of nothing but those.
fn sharded(project: &Project, total: u32) -> Vec<String> {
    (1..=total)
        .map(|index| {
            project.run(&["run", "-q", "--shard", &format!("{index}/{total}")]);
            let file = format!("shards/{index}.jsonl");
            expect(&project.run(&["runs", "export", "latest", "-o", &file]), 0, &file);
            file
        })
        .collect()
}

fn merge(project: &Project, runs: &[&str]) -> Output {
    let args: Vec<&str> = ["merge"].iter().chain(runs).copied().collect();
    project.run(&args)
}

/// What a report says that does not depend on when it was made: verdicts, attempts and totals.
fn content(project: &Project) -> Value {
    let report = report(project);
    let cases: BTreeMap<&str, (&Value, usize)> = report["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            (case["name"].as_str().unwrap(), (&case["verdict"], case["attempts"].as_array().unwrap().len()))
        })
        .collect();
    serde_json::json!({ "cases": cases, "totals": report["totals"] })
}

/// The tests in order of the report.
fn order(project: &Project) -> Vec<String> {
    let report = report(project);
    report["cases"].as_array().unwrap().iter().map(|case| case["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn shards_become_the_run_that_one_machine_would_have_made() {
    let project = many(20, &[3, 11]);
    expect(&project.run(&["run"]), 100, "2 failed");
    let (whole, order_of_whole) = (content(&project), order(&project));
    let shards = sharded(&project, 4);
    let said = merge(&project, &["shards"]);
    expect(&said, 0, "merged 4 runs of 4 of 4 shards");
    expect(&said, 0, "`flowproof report latest --gate` ends with 100: a test failed or errored");
    assert_eq!(content(&project), whole);
    assert_eq!(order(&project), order_of_whole);
    assert_eq!(report(&project)["run"]["merged"].as_array().unwrap().len(), 4);
    expect(&project.run(&["report", "latest", "--gate"]), 100, "18 passed, 2 failed");
    let again: Vec<&str> = shards.iter().rev().chain(&shards).map(String::as_str).collect();
    expect(&merge(&project, &again), 0, "merged 4 runs");
    assert_eq!(content(&project), whole);
}

#[test]
fn merged_runs_are_merged_again_and_nothing_counts_twice() {
    let project = many(20, &[]);
    expect(&project.run(&["run"]), 0, "passed");
    let whole = content(&project);
    sharded(&project, 4);
    expect(
        &merge(&project, &["shards/1.jsonl", "shards/2.jsonl", "--partial"]),
        0,
        "warning: shards 3/4, 4/4 are missing",
    );
    expect(&project.run(&["runs", "export", "latest", "-o", "half.jsonl"]), 0, "half.jsonl");
    expect(
        &merge(&project, &["half.jsonl", "shards/3.jsonl", "shards/4.jsonl", "shards/2.jsonl"]),
        0,
        "merged 4 runs",
    );
    assert_eq!(content(&project), whole);
    expect(&project.run(&["report", "latest", "--gate"]), 0, "20 passed");
    // Everything there is: single runs, shards, and what was merged of them.
    expect(&merge(&project, &["reports", "half.jsonl", "shards"]), 0, "--gate` ends with 0");
    assert_eq!(report(&project)["totals"]["passed"], 20);
}

#[test]
fn a_missing_shard_is_named_and_never_green() {
    let project = many(20, &[]);
    sharded(&project, 3);
    let said = merge(&project, &["shards/1.jsonl", "shards/3.jsonl"]);
    expect(&said, 1, "shard 2/3 is missing: ");
    expect(&said, 1, "nothing was merged");
    let listed = project.run(&["runs", "list", "--format", "json"]).stdout;
    let runs: Vec<serde_json::Value> = serde_json::from_slice(&listed).unwrap();
    assert_eq!(runs.len(), 3);
    let said = merge(&project, &["shards/1.jsonl", "shards/3.jsonl", "--partial"]);
    expect(&said, 0, "warning: shard 2/3 is missing");
    expect(&said, 0, "ends with 100");
    expect(&project.run(&["report", "latest", "--gate"]), 100, "not finished");
    assert!(project.read("reports/latest/junit.xml").contains("<error"), "JUnit is not green either");
}

#[test]
fn a_shard_that_was_killed_is_named_with_its_tests() {
    let project = many(12, &[]);
    sharded(&project, 2);
    let whole = project.read("shards/2.jsonl");
    let mut lines: Vec<&str> = whole.lines().collect();
    lines.truncate(lines.len() - 3);
    project.write("shards/2.jsonl", lines.join("\n") + "\n{\"case_fin");
    let said = merge(&project, &["shards"]);
    expect(&said, 1, "shard 2/2 (run 2");
    expect(&said, 1, "did not finish: S::t");
    expect(&merge(&project, &["shards", "--partial"]), 0, "ends with 100");
    // A line in the middle that cannot be read is a fact that is lost.
    let damaged: Vec<String> =
        whole
            .lines()
            .enumerate()
            .map(|(number, line)| {
                if line.contains("attempt_finished") && number < 5 { "{".to_owned() } else { line.to_owned() }
            })
            .collect();
    project.write("shards/2.jsonl", damaged.join("\n") + "\n");
    expect(&merge(&project, &["shards"]), 1, "cannot be read");
    expect(&merge(&project, &["shards", "--partial"]), 0, "ends with 100");
}

#[test]
fn the_newest_result_counts_whatever_the_order() {
    let project = many(10, &[4]);
    sharded(&project, 2);
    project.write("suites/s.yaml", project.read("suites/s.yaml"));
    let of_red = if project.read("shards/1.jsonl").contains("\"verdict\":\"failed\"") { 1 } else { 2 };
    // The same plan, and now the answer is another: the mock is a Dify of its own.
    let red = format!("shards/{of_red}.jsonl");
    let later = project
        .read(&red)
        .replace("\"run\":\"2", "\"run\":\"3")
        .replace("\"started\":\"2", "\"started\":\"3")
        .replace("\"verdict\":\"failed\"", "\"verdict\":\"passed\"");
    project.write("shards/again.jsonl", &later);
    for runs in [&["shards"][..], &["shards/again.jsonl", "shards/1.jsonl", "shards/2.jsonl"]] {
        expect(&merge(&project, runs), 0, "merged 3 runs of 2 of 2 shards");
        expect(&project.run(&["report", "latest", "--gate"]), 0, "10 passed");
    }
    // The other way round an older pass hides no newer failure.
    let earlier = project
        .read(&red)
        .replace("\"run\":\"2", "\"run\":\"1")
        .replace("\"started\":\"2", "\"started\":\"1")
        .replace("\"verdict\":\"failed\"", "\"verdict\":\"passed\"");
    project.write("shards/again.jsonl", &earlier);
    expect(&merge(&project, &["shards"]), 0, "ends with 100");
}

#[test]
fn an_export_that_was_made_early_is_the_same_run() {
    let project = many(8, &[]);
    sharded(&project, 1);
    let whole = project.read("shards/1.jsonl");
    let early: Vec<&str> = whole.lines().take(4).collect();
    project.write("early.jsonl", early.join("\n") + "\n");
    for runs in [["early.jsonl", "shards/1.jsonl"], ["shards/1.jsonl", "early.jsonl"]] {
        expect(&merge(&project, &runs), 0, "merged 1 run of shard 1/1");
        assert_eq!(report(&project)["totals"]["attempts"], 8);
    }
    project.write("other.jsonl", whole.replace("\"verdict\":\"passed\"", "\"verdict\":\"flaky\""));
    expect(&merge(&project, &["other.jsonl", "shards/1.jsonl"]), 2, "record it differently");
}

#[test]
fn different_plans_are_refused() {
    let (one, other) = (many(10, &[]), many(10, &[]));
    sharded(&one, 2);
    other.write("suites/s.yaml", other.read("suites/s.yaml").replace("name: t3", "name: t3b"));
    sharded(&other, 2);
    one.write("other.jsonl", other.read("shards/2.jsonl"));
    expect(&merge(&one, &["shards/1.jsonl", "other.jsonl"]), 2, "they are of different plans");
    let three = many(10, &[]);
    three.write("suites/s.yaml", three.read("suites/s.yaml").replace("equals: 1", "equals: 2"));
    sharded(&three, 2);
    one.write("other.jsonl", three.read("shards/1.jsonl"));
    expect(&merge(&one, &["shards", "other.jsonl"]), 2, "send or assert something else");
    let elsewhere = one.read("shards/2.jsonl").replace("\"target\":\"mock\"", "\"target\":\"staging\"");
    one.write("other.jsonl", elsewhere);
    expect(&merge(&one, &["shards/1.jsonl", "other.jsonl"]), 2, "one ran on `mock`, the other on `staging`");
    for seed in ["1", "2"] {
        assert_eq!(code(&one.run(&["run", "-q", "--sample", "5", "--seed", seed])), 0);
        one.run(&["runs", "export", "latest", "-o", &format!("sample{seed}.jsonl")]);
    }
    expect(&merge(&one, &["sample1.jsonl", "sample2.jsonl"]), 2, "--sample");
}

#[test]
fn thresholds_are_judged_over_the_whole() {
    // A tenth of the tests may fail, and in the shard that has them more do.
    let project = many(30, &[3, 11]);
    let suite = project.read("suites/s.yaml");
    let lenient = suite.replace("name: S\n", "name: S\nthresholds: { tokens: { total: 100 } }\n");
    project.write(
        "suites/s.yaml",
        lenient
            .replace("x: 2", "x: 1")
            .replace("outputs: { x: 1 }", "outputs: { x: 1 }, nodes: [{ title: A, type: llm, tokens: 4 }]"),
    );
    for index in 1..=3 {
        let run = project.run(&["run", "-q", "--shard", &format!("{index}/3")]);
        expect(&run, 0, "passed");
        expect(
            &project.run(&["runs", "export", "latest", "-o", &format!("shards/{index}.jsonl")]),
            0,
            "wrote",
        );
    }
    // Each shard stays below 100 tokens; all of them together do not.
    expect(&merge(&project, &["shards"]), 0, "ends with 99: a threshold failed");
    expect(&project.run(&["report", "latest", "--gate"]), 99, "120");
    let other = suite.replace("name: S\n", "name: S\nthresholds: { tokens: { total: 500 } }\n");
    project.write(
        "suites/s.yaml",
        other
            .replace("x: 2", "x: 1")
            .replace("outputs: { x: 1 }", "outputs: { x: 1 }, nodes: [{ title: A, type: llm, tokens: 4 }]"),
    );
    project.run(&["run", "-q", "--shard", "1/3"]);
    expect(
        &merge(&project, &["shards/2.jsonl", "shards/3.jsonl", "latest"]),
        2,
        "`thresholds` of their suites differ",
    );
}

#[test]
fn what_holds_no_run_is_told_so() {
    let project = Project::with_suite(RED);
    std::fs::create_dir(project.path("empty")).unwrap();
    expect(&merge(&project, &["empty"]), 2, "there is no run in empty");
    project.write("empty/x.jsonl", "{}\n");
    expect(&merge(&project, &["empty"]), 2, "is not a journal of flowproof");
    expect(&merge(&project, &["nowhere"]), 2, "there is no run `nowhere`");
    expect(&merge(&project, &[]), 2, "RUN");
    project.write("empty/new.jsonl", "{\"run_started\":{\"schema\":99}}\n");
    expect(&merge(&project, &["empty"]), 2, "newer flowproof");
    let old = std::fs::read(format!("{}/tests/data/journal/1.jsonl", env!("CARGO_MANIFEST_DIR"))).unwrap();
    project.write("old.jsonl", old);
    expect(&merge(&project, &["old.jsonl"]), 2, "older flowproof");
    assert!(!project.path("reports/latest").exists());
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_run_and_hangs_nothing() {
    let project = Project::with_suite(GREEN);
    let made = std::process::Command::new("mkfifo").arg(project.path("p.jsonl")).status().unwrap();
    assert!(made.success());
    for args in [
        &["merge", "p.jsonl"][..],
        &["report", "p.jsonl"],
        &["run", "--resume", "p.jsonl"],
        &["compare", "latest", "p.jsonl"],
    ] {
        assert_eq!(code(&project.run(&["run", "-q"])), 0);
        expect(&project.run(args), 2, "p.jsonl is no file but a pipe or a device");
    }
}

#[test]
fn an_empty_shard_is_merged_with_the_others() {
    let project = Project::with_suite(GREEN);
    sharded(&project, 4);
    expect(&merge(&project, &["shards"]), 0, "ends with 0");
    let full = (1..=4)
        .find(|index| project.read(&format!("shards/{index}.jsonl")).contains("case_finished"))
        .unwrap();
    std::fs::remove_file(project.path(&format!("shards/{full}.jsonl"))).unwrap();
    expect(&merge(&project, &["shards"]), 1, &format!("shard {full}/4 is missing: 1 test has no verdict"));
}

#[test]
fn a_run_that_went_on_on_two_machines_is_one_run() {
    let project = many(6, &[2, 4]);
    project.run(&["run", "-q"]);
    project.run(&["runs", "export", "latest", "-o", "base.jsonl"]);
    for file in ["one.jsonl", "two.jsonl"] {
        project.write(file, project.read("base.jsonl"));
        expect(&project.run(&["run", "-q", "--rerun", file, "-f", "t2"]), 100, "4 passed, 2 failed");
    }
    for runs in [["one.jsonl", "two.jsonl", "base.jsonl"], ["base.jsonl", "two.jsonl", "one.jsonl"]] {
        expect(&merge(&project, &runs), 0, "merged 1 run");
        let report = report(&project);
        assert_eq!((&report["totals"]["tests"], &report["totals"]["attempts"]), (&6.into(), &8.into()));
    }
    // Two files that say different things of the same part are no forks.
    project.write(
        "one.jsonl",
        project.read("one.jsonl").replace("\"verdict\":\"failed\"", "\"verdict\":\"passed\""),
    );
    expect(&merge(&project, &["one.jsonl", "two.jsonl"]), 2, "record it differently");
}

#[test]
fn what_went_on_last_counts_whatever_the_clock_says() {
    let live = Live::new(&suite_of(2), "", {
        let sent = AtomicUsize::new(0);
        // All fail, but for the last one that is sent.
        move |seen| succeed(seen, if sent.fetch_add(1, Ordering::SeqCst) == 4 { r#"{"x":1}"# } else { "{}" })
    });
    live.expect(100, &[]);
    let first = live.project.read("reports/latest-run").trim().to_owned();
    live.expect(100, &[]);
    let second = live.project.read("reports/latest-run").trim().to_owned();
    // The second run began when the clock was a century ahead; then it was set right, and the first run goes on.
    let ahead = format!("2126{}", &second[4..]);
    let runs = live.project.path("reports/runs");
    let journal = fs::read_to_string(runs.join(&second).join("journal.jsonl")).unwrap();
    fs::rename(runs.join(&second), runs.join(&ahead)).unwrap();
    fs::write(runs.join(&ahead).join("journal.jsonl"), journal.replace(&second, &ahead)).unwrap();
    live.expect(100, &["--rerun", &first, "-f", "t0"]);
    expect(&merge(&live.project, &["reports/runs"]), 0, "merged 2 runs");
    let report = report(&live.project);
    assert_eq!((&report["totals"]["passed"], &report["totals"]["failed"]), (&1.into(), &1.into()));
}

#[test]
fn parts_of_several_builds_are_told_apart() {
    let project = many(8, &[]);
    let shard = |shard: &str, build: &str, file: &str| {
        let run = project.command(&["run", "-q", "--shard", shard]).env("GITHUB_RUN_ID", build).output();
        expect(&run.unwrap(), 0, "shard ");
        expect(&project.run(&["runs", "export", "latest", "-o", file]), 0, "wrote");
    };
    shard("1/2", "41", "monday.jsonl");
    shard("1/2", "42", "again.jsonl");
    shard("2/2", "42", "tuesday.jsonl");
    let said = merge(&project, &["monday.jsonl", "tuesday.jsonl"]);
    expect(&said, 0, "warning: the results come from 2 runs of the build server: shard 1/2 (run ");
    expect(&said, 0, ", GitHub Actions 41; shard 2/2 (run ");
    for runs in [&["again.jsonl", "tuesday.jsonl"][..], &["monday.jsonl", "again.jsonl", "tuesday.jsonl"]] {
        let said = text(&merge(&project, runs));
        assert!(!said.contains("warning"), "what was superseded does not count: {said}");
    }
    assert_eq!(report(&project)["run"]["merged"][0]["build"], "GitHub Actions 41");
    // Without a build server the time tells.
    let unnamed = |file: &str, from: &str, to: &str| {
        let text = project.read(file).replace(",\"build\":\"GitHub Actions 42\"", "");
        project.write(file, text.replace(from, to));
    };
    let start = |file: &str| {
        let first = project.read(file).lines().next().unwrap().to_owned();
        first.split_once("\"started\":\"").unwrap().1[..10].to_owned()
    };
    let today = start("again.jsonl");
    unnamed("again.jsonl", &today, "2020-01-02");
    unnamed("tuesday.jsonl", "never", "never");
    let said = merge(&project, &["again.jsonl", "tuesday.jsonl"]);
    expect(&said, 0, "warning: the results come from runs that began more than 12 hours apart: ");
}

#[test]
fn a_missing_shard_may_be_run_in_the_merged_record() {
    let project = many(20, &[]);
    sharded(&project, 3);
    merge(&project, &["shards/1.jsonl", "shards/3.jsonl", "--partial"]);
    project.run(&["runs", "export", "latest", "-o", "partial.jsonl"]);
    let first = names(&project).into_iter().next().unwrap();
    expect(&project.run(&["run", "--resume", "latest", "-f", &first]), 100, "20 tests: ");
    expect(&project.run(&["run", "--resume", "latest"]), 0, "20 tests: 20 passed");
    project.run(&["runs", "export", "latest", "-o", "whole.jsonl"]);
    expect(
        &merge(&project, &["whole.jsonl", "shards", "partial.jsonl"]),
        0,
        "`flowproof report latest --gate` ends with 0",
    );
    assert_eq!(report(&project)["totals"]["tests"], 20);
}

#[test]
fn what_is_damaged_is_named_with_its_place_and_its_mend() {
    let project = many(4, &[]);
    sharded(&project, 2);
    let two = project.read("shards/2.jsonl");
    let lines: Vec<&str> = two.lines().collect();
    let without = |damaged: usize| {
        let line = |(number, line): (usize, &&str)| {
            if number == damaged { line[..30].to_owned() } else { (*line).to_owned() }
        };
        lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\n") + "\n"
    };
    project.write("shards/2.jsonl", without(2));
    let said = merge(&project, &["shards"]);
    expect(&said, 1, "shards/2.jsonl: line 3 cannot be read");
    expect(&said, 1, "shards/2.jsonl` runs the affected tests again");
    // A run that cannot say which one it is may hold what is newest: it is not passed over.
    project.write("shards/2.jsonl", without(0));
    project.write("shards/3.jsonl", &two);
    expect(&merge(&project, &["shards"]), 2, "2.jsonl is a journal whose first line is damaged");
    project.write("shards/2.jsonl", b"\x1f\x8b\x08\x00\n");
    expect(&merge(&project, &["shards/2.jsonl"]), 2, "is compressed: unpack the file first");
    project.write("shards/2.jsonl", &two);
    expect(&merge(&project, &["shards"]), 0, "merged 2 runs");
    // What was repaired is merged as whole, also with what was merged of it before.
    project.write("shards/2.jsonl", without(2));
    expect(&project.run(&["run", "--resume", "shards/2.jsonl"]), 0, "passed");
    fs::remove_file(project.path("shards/3.jsonl")).unwrap();
    expect(&merge(&project, &["shards"]), 0, "merged 2 runs");
    project.run(&["runs", "export", "latest", "-o", "merged.jsonl"]);
    for runs in [["shards", "merged.jsonl"], ["merged.jsonl", "shards"]] {
        expect(&merge(&project, &runs), 0, "`flowproof report latest --gate` ends with 0");
    }
}
