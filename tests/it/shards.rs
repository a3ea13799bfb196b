//! Shares of a run on several machines, and runs that are read again: `--shard`, `report`, `runs`.

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;

use crate::project::{GREEN, Project, RED, code, text};

/// A project of tests `S::t0`, `S::t1`, …; those whose number is in `red` fail.
pub fn many(count: usize, red: &[usize]) -> Project {
    let mut suite = String::from("version: 1\nname: S\ntests:\n");
    for number in 0..count {
        let found = if red.contains(&number) { 2 } else { 1 };
        suite.push_str(&format!(
            "  - name: t{number}\n    assert: [{{ path: $.x, equals: 1 }}]\n    mock: {{ outputs: {{ x: {found} }} }}\n"
        ));
    }
    Project::with_suite(&suite)
}

/// The report of the newest run.
pub fn report(project: &Project) -> Value {
    serde_json::from_str(&project.read("reports/latest/report.json")).unwrap()
}

/// The names of the tests in the newest report.
pub fn names(project: &Project) -> BTreeSet<String> {
    let report = report(project);
    let cases = report["cases"].as_array().unwrap();
    cases.iter().map(|case| case["name"].as_str().unwrap().to_owned()).collect()
}

/// Holds an exit code, and that something was said.
pub fn expect(output: &Output, exit: i32, says: &str) {
    assert_eq!(code(output), exit, "{}", text(output));
    assert!(text(output).contains(says), "no `{says}` in: {}", text(output));
}

#[test]
fn shards_are_disjoint_and_complete_and_stay_when_tests_go() {
    let project = many(24, &[]);
    let (mut seen, mut of) = (BTreeSet::new(), Vec::new());
    for shard in ["1/3", "2/3", "3/3"] {
        let run = project.run(&["run", "--shard", shard]);
        expect(&run, 0, &format!("shard {shard}: "));
        let names = names(&project);
        assert!(names.is_disjoint(&seen), "{shard}: {names:?}");
        assert_eq!(report(&project)["run"]["shard"]["cases"], 24);
        seen.extend(names.iter().cloned());
        of.push(names);
    }
    assert_eq!(seen.len(), 24);
    let fewer = many(12, &[]);
    expect(&fewer.run(&["run", "--shard", "2/3"]), 0, "of 12 tests");
    let left: BTreeSet<String> =
        of[1].iter().filter(|name| self::names(&many_run(12)).contains(*name)).cloned().collect();
    assert_eq!(self::names(&fewer), left);
}

/// A project of this many tests that ran.
fn many_run(count: usize) -> Project {
    let project = many(count, &[]);
    expect(&project.run(&["run", "-q"]), 0, "passed");
    project
}

#[test]
fn what_is_no_shard_is_refused() {
    let project = Project::with_suite(GREEN);
    for (shard, says) in
        [("5/4", "shards count from 1 to 4"), ("0/4", "shards count from 1 to 4"), ("x", "write I/N")]
    {
        expect(&project.run(&["run", "--shard", shard]), 2, says);
    }
    expect(&project.run(&["run", "--shard", "auto"]), 2, "nothing here says which shard this is");
    expect(&project.run(&["run", "--shard-by", "latest"]), 2, "--shard");
    expect(&project.run(&["run", "--shard", "1/2", "--sample", "1"]), 2, "needs --seed");
    expect(&project.run(&["run", "--shard", "1/2", "--shard-by", "latest"]), 2, "no run was recorded");
    expect(&project.run(&["run", "--shard", "1/2", "--shard-by", "suites/s.yaml"]), 2, "is not a journal");
    assert!(!project.path("reports").exists(), "nothing was run");
}

#[test]
fn a_build_server_names_the_shard() {
    let project = many(12, &[]);
    let pairs = [
        ("CI_NODE_INDEX", "2", "CI_NODE_TOTAL", "3"),
        ("CIRCLE_NODE_INDEX", "1", "CIRCLE_NODE_TOTAL", "3"),
        ("BUILDKITE_PARALLEL_JOB", "1", "BUILDKITE_PARALLEL_JOB_COUNT", "3"),
        ("SYSTEM_JOBPOSITIONINPHASE", "2", "SYSTEM_TOTALJOBSINPHASE", "3"),
        ("JOB_COMPLETION_INDEX", "1", "FLOWPROOF_SHARD_TOTAL", "3"),
    ];
    for (index, position, total, count) in pairs {
        let mut command = project.command(&["run", "--shard", "auto"]);
        let run = command.env(index, position).env(total, count).output().unwrap();
        expect(&run, 0, "shard 2/3: ");
        let run = project.command(&["run", "--shard", "auto"]).env(index, position).output().unwrap();
        expect(&run, 2, total);
    }
}

#[test]
fn an_empty_shard_is_green_only_where_another_has_tests() {
    let project = Project::with_suite(GREEN);
    let runs: Vec<Output> =
        ["1/4", "2/4", "3/4", "4/4"].map(|shard| project.run(&["run", "--shard", shard])).into();
    assert!(runs.iter().all(|run| code(run) == 0), "{runs:?}");
    let empty =
        runs.iter().filter(|run| text(run).contains("has none of the 1 test, which other shards run"));
    assert_eq!(empty.count(), 3);
    for shard in ["1/2", "2/2"] {
        expect(&project.run(&["run", "--shard", shard, "-f", "nowhere"]), 4, "no test was selected");
    }
    let skipped = Project::with_suite(&GREEN.replace("    assert", "    skip: later\n    assert"));
    for shard in ["1/2", "2/2"] {
        assert_eq!(code(&skipped.run(&["run", "--shard", shard])), 4, "no shard judges anything");
    }
}

#[test]
fn shards_are_balanced_by_an_earlier_run() {
    let project = many(9, &[]);
    assert_eq!(code(&project.run(&["run"])), 0);
    let id = report(&project)["run"]["id"].as_str().unwrap().to_owned();
    let journal = format!("reports/runs/{id}/journal.jsonl");
    // One test took as long as all others together.
    let slow: String = project
        .read(&journal)
        .lines()
        .map(|line| {
            let mut value: Value = serde_json::from_str(line).unwrap();
            if let Some(outcome) = value.get_mut("case_finished") {
                outcome["duration_ms"] =
                    if outcome["name"] == "S::t4" { 8000.0.into() } else { 1000.0.into() };
            }
            format!("{value}\n")
        })
        .collect();
    project.write("slow.jsonl", slow);
    let mut seen = BTreeSet::new();
    let mut sizes = Vec::new();
    for shard in ["1/2", "2/2"] {
        assert_eq!(code(&project.run(&["run", "--shard", shard, "--shard-by", "slow.jsonl"])), 0);
        let names = names(&project);
        sizes.push(names.len());
        seen.extend(names);
    }
    assert_eq!((seen.len(), sizes), (9, vec![1, 8]));
}

#[test]
fn a_run_is_reported_again_from_wherever_it_lies() {
    let project = Project::with_suite(RED);
    assert_eq!(code(&project.run(&["run"])), 100);
    let id = report(&project)["run"]["id"].as_str().unwrap().to_owned();
    let (folder, journal) = (format!("reports/runs/{id}"), format!("reports/runs/{id}/journal.jsonl"));
    expect(
        &project.run(&["runs", "export", "latest", "-o", "away/run.jsonl"]),
        0,
        "2 of 2 tests with a verdict",
    );
    for run in ["latest", &id, &folder, &journal, "away/run.jsonl"] {
        expect(
            &project.run(&["report", run, "-o", "again.xml", "-o", "new/again.json"]),
            0,
            "wrote again.xml",
        );
        assert_eq!(project.read("again.xml"), project.read("reports/latest/junit.xml"), "{run}");
        assert_eq!(project.read("new/again.json"), project.read("reports/latest/report.json"), "{run}");
        expect(&project.run(&["report", run, "--gate"]), 100, "exit 100: a test failed or errored");
        expect(&project.run(&["report", run, "--gate", "-o", "again.xml"]), 100, "S::bad");
    }
    let whole = project.read(&journal);
    project.write("torn.jsonl", &whole[..whole.len() - 9]);
    expect(
        &project.run(&["report", "torn.jsonl", "-o", "torn.xml"]),
        0,
        "torn.jsonl is torn: the run was killed",
    );
    expect(&project.run(&["report", "latest"]), 0, "1 passed, 1 failed");
    expect(&project.run(&["report", "latest", "-o", "x.pdf"]), 2, ".pdf");
    expect(&project.run(&["report", "nowhere"]), 2, "there is no run `nowhere`");
    expect(&project.run(&["report", "suites/s.yaml"]), 2, "is not a journal");
    expect(&project.run(&["report", "reports"]), 2, "a folder without");
    let annotated =
        project.command(&["report", "latest", "--gate"]).env("GITHUB_ACTIONS", "true").output().unwrap();
    expect(&annotated, 100, "::error file=suites/s.yaml");
}

#[test]
fn a_gate_is_never_green_where_a_result_is_missing() {
    let project = many(6, &[]);
    assert_eq!(code(&project.run(&["run"])), 0);
    expect(&project.run(&["report", "latest", "--gate"]), 0, "6 passed");
    let id = report(&project)["run"]["id"].as_str().unwrap().to_owned();
    let whole = project.read(&format!("reports/runs/{id}/journal.jsonl"));
    let lines: Vec<&str> = whole.lines().collect();
    for cut in 1..lines.len() {
        project.write("cut.jsonl", lines[..cut].join("\n") + "\n");
        expect(&project.run(&["report", "cut.jsonl", "--gate"]), 100, "exit 100");
    }
    for missing in lines.iter().filter(|line| line.contains("case_finished")) {
        project.write("cut.jsonl", whole.replace(&format!("{missing}\n"), ""));
        expect(&project.run(&["report", "cut.jsonl", "--gate"]), 100, "1 not finished");
    }
}

#[test]
fn runs_are_listed_shown_and_pruned() {
    let project = Project::with_suite(RED);
    expect(&project.run(&["runs", "list"]), 0, "no run was recorded in");
    for filter in ["good", "bad", "good", "S::"] {
        project.run(&["run", "-q", "-f", filter]);
    }
    let listed = project.run(&["runs", "list", "--format", "json"]);
    let listed: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    let verdicts: Vec<(&str, u64)> =
        listed.iter().map(|run| (run["verdict"].as_str().unwrap(), run["tests"].as_u64().unwrap())).collect();
    assert_eq!(verdicts.last(), Some(&("red", 2)));
    assert_eq!(verdicts.len(), 4);
    let newest = listed[3]["id"].as_str().unwrap();
    expect(&project.run(&["runs", "list"]), 0, "2 tests: 1 passed, 1 failed");
    expect(&project.run(&["runs", "show", newest]), 0, "1 passed, 1 failed");
    expect(&project.run(&["runs", "prune"]), 2, "--keep");
    expect(&project.run(&["runs", "prune", "--older-than", "1d"]), 0, "0 runs removed, 4 kept");
    expect(
        &project.run(&["runs", "prune", "--keep", "2", "--dry-run"]),
        0,
        "2 runs would be removed, 2 kept",
    );
    project.write("reports/runs/mine/notes.txt", "not a run");
    project.write("reports/runs/broken/journal.jsonl", "{");
    expect(&project.run(&["runs", "prune", "--keep", "2"]), 0, "2 runs removed, 3 kept");
    expect(&project.run(&["runs", "prune", "--keep", "0"]), 0, "1 run removed, 2 kept");
    assert!(
        project.path("reports/runs/mine/notes.txt").exists() && project.path("reports/runs/broken").exists()
    );
    expect(&project.run(&["runs", "list"]), 0, newest);
    expect(&project.run(&["runs", "list"]), 0, "unreadable");
    let journal = project.path(&format!("reports/runs/{newest}/journal.jsonl"));
    let older = project.path("reports/runs/20200101T000000Z-aaaaaa");
    std::fs::create_dir_all(&older).unwrap();
    let old = std::fs::read_to_string(&journal).unwrap().replace("\"started\":\"20", "\"started\":\"19");
    std::fs::write(older.join("journal.jsonl"), old).unwrap();
    let held = std::fs::File::open(older.join("journal.jsonl")).unwrap();
    held.lock().unwrap();
    expect(&project.run(&["runs", "prune", "--keep", "1"]), 0, "is being written: kept");
    drop(held);
    expect(&project.run(&["runs", "prune", "--older-than", "30d"]), 0, "1 run removed");
}
