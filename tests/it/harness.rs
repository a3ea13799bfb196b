//! The libtest harness as another crate uses it: `examples/workflow-tests` is built, and its test binary run in projects that are
//! green, red and broken, by itself, under `cargo test` and under `cargo nextest`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::exit_codes::lose_a_verdict;
use crate::project::{GREEN, Project, RED, text};

/// A test that is skipped, to follow others.
const LEFT_OUT: &str = "  - { name: left-out, skip: not today, assert: [{ path: $.x, equals: 1 }] }\n";

const BROKEN: &str = "version: 1\nname: S\ntests:\n  - name: a\n    asert: []\n";

#[test]
fn the_example_crate_is_green_under_cargo_test() {
    let output = cargo(&["test", "--test", "workflows"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(said(&output).contains("test Greeting::greets-by-name ... ok"), "{}", text(&output));
}

#[test]
fn a_green_project_exits_0_and_says_what_is_ignored() {
    let output = harness(&Project::with_suite(&format!("{GREEN}{LEFT_OUT}")), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("1 passed; 0 failed; 1 ignored"), "{}", text(&output));
}

#[test]
fn ignored_tests_are_in_the_reports_as_skipped() {
    for args in [&[][..], &["--include-ignored"]] {
        let project = Project::with_suite(&format!("{GREEN}{LEFT_OUT}"));
        let output = harness(&project, args);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        let report: serde_json::Value =
            serde_json::from_str(&project.read("reports/latest/report.json")).unwrap();
        let totals = &report["totals"];
        assert_eq!(
            (&totals["passed"], &totals["skipped"], &totals["unfinished"]),
            (&1.into(), &1.into(), &0.into())
        );
        let junit = project.read("reports/latest/junit.xml");
        assert!(!junit.contains("<error") && junit.contains("<skipped message=\"not today\"/>"), "{junit}");
    }
}

#[test]
fn a_record_that_lost_a_verdict_exits_101() {
    let slow = "  - name: slow\n    assert: [{ path: $.x, equals: 1 }]\n    mock: { outputs: { x: 1 }, latency: 4s }\n";
    let project = Project::with_suite(&format!("{GREEN}{slow}"));
    binary();
    let child =
        trials(&project, &["--test-threads", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    lose_a_verdict(&project);
    let output = child.unwrap().wait_with_output().unwrap();
    assert!(text(&output).contains("2 passed; 0 failed"), "{}", text(&output));
    assert!(text(&output).contains("1 test has no verdict in the record"), "{}", text(&output));
    assert_eq!(output.status.code(), Some(101), "{}", text(&output));
}

#[test]
fn a_failed_assertion_exits_101_and_shows_its_place() {
    let project = Project::with_suite(RED);
    let output = harness(&project, &[]);
    assert_eq!(output.status.code(), Some(101), "{}", text(&output));
    assert!(text(&output).contains("suites/s.yaml:9:"), "{}", text(&output));
    assert!(
        project.read("reports/latest/junit.xml").contains("failure"),
        "reports are written when tests fail"
    );
}

#[test]
fn thresholds_and_undecided_repeats_are_red_though_every_trial_passed() {
    let gate = |bound: &str| GREEN.replace("name: S\n", &format!("name: S\nthresholds: {bound}\n"));
    let output = harness(&Project::with_suite(&gate("{ latency: { max: 1ms, mean: { gte: 1h } } }")), &[]);
    assert_eq!(output.status.code(), Some(101), "{}", text(&output));
    assert!(text(&output).contains("1 passed; 0 failed"), "{}", text(&output));
    assert!(
        text(&output).contains("error: S: latency mean must be at least 1h 00m: it is "),
        "{}",
        text(&output)
    );
    let output = harness(&Project::with_suite(&gate("{ latency: { p95: 1h } }")), &[]);
    assert_eq!(output.status.code(), Some(101), "{}", text(&output));
    assert!(text(&output).contains("a p95 takes 20 finished attempts"), "{}", text(&output));
    let mixed = GREEN.replace(
        "    mock: { outputs: { x: 1 } }\n",
        "    repeat: { max: 13 }\n    pass_rate: 0.9\n    mock: { replies: [{ outputs: { x: 1 } }, { outputs: { x: 1 } }, { outputs: { x: 1 } }, { outputs: { x: 2 } }] }\n",
    );
    let output = harness(&Project::with_suite(&mixed), &[]);
    assert_eq!(output.status.code(), Some(101), "{}", text(&output));
    assert!(text(&output).contains("inconclusive"), "{}", text(&output));
    let warned = mixed.replace("repeat:", "on_inconclusive: warn\n    repeat:");
    let output = harness(&Project::with_suite(&warned), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("1 ignored"), "{}", text(&output));
}

#[test]
fn filters_and_exact_names_work_as_in_libtest() {
    let project = Project::with_suite(RED);
    let output = harness(&project, &["good"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(
        text(&output).contains("1 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out"),
        "{}",
        text(&output)
    );
    let output = harness(&project, &["--exact", "S::bad"]);
    assert_eq!(output.status.code(), Some(101), "{}", text(&output));
}

#[test]
fn a_broken_suite_is_one_failing_trial_and_listing_never_fails() {
    let project = Project::with_suite(BROKEN);
    project.write("suites/good.yaml", GREEN.replace("name: S", "name: T"));
    let listed = harness(&project, &["--list", "--format", "terse"]);
    assert_eq!(listed.status.code(), Some(0), "{}", text(&listed));
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(names.contains("suites/s.yaml::loads: test"), "{names}");
    assert!(names.contains("T::a: test"), "{names}");
    assert_eq!(String::from_utf8_lossy(&listed.stderr), "", "listing is silent");
    let output = harness(&project, &[]);
    assert_eq!(output.status.code(), Some(101), "{}", text(&output));
    assert!(text(&output).contains("did you mean `assert`?"), "{}", text(&output));
    assert!(said(&output).contains("test T::a ... ok"), "{}", text(&output));
}

#[test]
fn a_project_without_suites_is_not_green() {
    let output = harness(&Project::empty(), &[]);
    assert_eq!(output.status.code(), Some(101), "{}", text(&output));
    assert_eq!(harness(&Project::empty(), &["--list"]).status.code(), Some(0), "listing never fails");
}

#[test]
fn a_project_that_skips_everything_is_not_green() {
    let project = Project::with_suite(&RED.replace("    assert:", "    skip: later\n    assert:"));
    for args in [&[][..], &["good"]] {
        for name in ["CI", "FLOWPROOF_TARGET", "FLOWPROOF_PROFILE"] {
            let value = if name == "FLOWPROOF_TARGET" { "mock" } else { "default" };
            let output = trials(&project, args).env(name, value).output().unwrap();
            assert_eq!(output.status.code(), Some(101), "{name}: {}", text(&output));
            assert!(text(&output).contains("judged nothing"), "{name}: {}", text(&output));
        }
        let output = harness(&project, args);
        assert_eq!(output.status.code(), Some(0), "nobody asked for a verdict: {}", text(&output));
    }
}

#[test]
fn a_list_under_a_filter_names_what_would_run() {
    let more =
        GREEN.split_once("  - ").map(|(_, test)| format!("  - {}", test.replacen("name: a", "name: b", 1)));
    let project = Project::with_suite(&format!("{GREEN}{}", more.unwrap()));
    let all = listed(&project, &[]);
    assert_eq!(all, ["S::a", "S::b"]);
    for (args, is_listed) in [
        (&["S::a"][..], (|name: &str| name.contains("S::a")) as fn(&str) -> bool),
        (&["--exact", "S::a"], |name| name == "S::a"),
        (&["--skip", "S::a"], |name| !name.contains("S::a")),
        (&["no-such-test"], |_| false),
    ] {
        let expected: Vec<&String> = all.iter().filter(|name| is_listed(name)).collect();
        let found = listed(&project, args);
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{args:?}");
    }
}

/// The names that `--list` gives.
fn listed(project: &Project, args: &[&str]) -> Vec<String> {
    let output = harness(project, &[args, &["--list", "--format", "terse"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    names.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

#[test]
fn what_cannot_be_loaded_is_red_whatever_the_filter() {
    let loads = Project::with_suite(GREEN);
    let broken = Project::with_suite(BROKEN);
    broken.write("suites/good.yaml", GREEN.replace("name: S", "name: T"));
    let keyless = Project::with_suite(GREEN);
    keyless.write(
        "flowproof.yaml",
        "version: 1\ntargets: { staging: { base_url: \"http://127.0.0.1:9/v1\", api_key: \"{{ env.NO_SUCH_KEY }}\" } }\n",
    );
    let spoilt = Project::with_suite(GREEN);
    spoilt.write("flowproof.yaml", "version: 1\nno_such_key: 1\n");
    let cases = [
        ("all loads", &loads, "mock", 0),
        ("a suite has a problem", &broken, "mock", 101),
        ("the key is not set", &keyless, "staging", 101),
        ("there is no such target", &loads, "staging", 101),
        ("the project file has a problem", &spoilt, "mock", 101),
        ("there is no suite", &Project::empty(), "mock", 101),
    ];
    for (what, project, target, expected) in cases {
        for args in [&["a"][..], &["no-such-test"], &["--skip", "a"], &["--exact", "S::a"], &["--ignored"]] {
            let output = trials(project, args).env("FLOWPROOF_TARGET", target).output().unwrap();
            assert_eq!(output.status.code(), Some(expected), "{what}, {args:?}: {}", text(&output));
            if expected != 0 {
                assert!(
                    text(&output).contains("error: ") || text(&output).contains("FAILED"),
                    "{what}, {args:?}"
                );
            }
            let listed = trials(project, &[args, &["--list"]].concat())
                .env("FLOWPROOF_TARGET", target)
                .output()
                .unwrap();
            assert_eq!(listed.status.code(), Some(0), "listing never fails: {}", text(&listed));
            assert_eq!(String::from_utf8_lossy(&listed.stderr), "", "listing is silent");
        }
    }
}

#[test]
fn nextest_lists_each_test_runs_it_in_a_process_and_fails_what_fails() {
    install_nextest();
    let green = cargo(&["nextest", "run", "--test", "workflows"]);
    assert!(green.status.success(), "{}", text(&green));
    assert!(text(&green).contains("2 passed"), "{}", text(&green));
    let project = Project::with_suite(RED);
    let suites = project.path("suites");
    let red = command(&["nextest", "run", "--no-fail-fast", "--test", "workflows"])
        .env("FLOWPROOF_SUITES", &suites)
        .env("FLOWPROOF_REPORTS", project.path("reports"))
        .output()
        .unwrap();
    assert_eq!(red.status.code(), Some(100), "nextest's code for failed tests: {}", text(&red));
    assert!(text(&red).contains("1 passed, 1 failed"), "{}", text(&red));
    let gate = project.run(&["report", "latest", "--gate", "-o", "all.xml"]);
    assert_eq!(gate.status.code(), Some(100), "{}", text(&gate));
    assert!(text(&gate).contains("2 tests: 1 passed, 1 failed"), "{}", text(&gate));
    assert!(project.read("all.xml").contains("tests=\"2\""), "{}", project.read("all.xml"));
}

/// One test as nextest runs it: in a process of its own, by its full name.
fn as_nextest(project: &Project, run: &str, name: &str) -> Output {
    trials(project, &["--exact", name, "--nocapture"]).env("NEXTEST_RUN_ID", run).output().unwrap()
}

#[test]
fn processes_of_nextest_share_one_record() {
    let project = Project::with_suite(RED);
    project.write("suites/other.yaml", GREEN.replace("name: S", "name: Other"));
    let run = "5f0c1d2e-0000-4000-8000-000000000001";
    for (name, exit) in [("S::good", 0), ("S::bad", 101), ("Other::a", 0)] {
        assert_eq!(as_nextest(&project, run, name).status.code(), Some(exit), "{name}");
    }
    assert!(project.path(&format!("reports/runs/nextest-{run}/journal.jsonl")).exists());
    assert!(!project.path("reports/latest").exists(), "no process knows when the last has ended");
    let gate = project.run(&["report", "latest", "--gate", "-o", "r.json"]);
    assert_eq!(gate.status.code(), Some(100), "{}", text(&gate));
    assert!(text(&gate).contains("3 tests: 2 passed, 1 failed"), "{}", text(&gate));
    assert!(text(&gate).contains("on the mock"), "{}", text(&gate));
    let green = "5f0c1d2e-0000-4000-8000-000000000002";
    for name in ["S::good", "Other::a"] {
        assert_eq!(as_nextest(&project, green, name).status.code(), Some(0), "{name}");
    }
    let gate = project.run(&["report", "latest", "--gate"]);
    assert_eq!(gate.status.code(), Some(0), "{}", text(&gate));
    let merged = project.run(&["merge", &format!("nextest-{green}")]);
    assert_eq!(merged.status.code(), Some(2), "{}", text(&merged));
    assert!(text(&merged).contains("nextest"), "{}", text(&merged));
}

#[test]
fn thresholds_of_every_suite_are_judged_after_nextest() {
    let with = |name: &str, most: u32| {
        let head = format!("name: {name}\nthresholds: {{ tokens: {{ total: {most} }} }}\n");
        let reply = "outputs: { x: 1 }, nodes: [{ title: A, type: llm, tokens: 4 }]";
        GREEN.replace("name: S\n", &head).replace("outputs: { x: 1 }", reply)
    };
    let project = Project::with_suite(GREEN);
    project.write("suites/s.yaml", with("S", 5));
    project.write("suites/other.yaml", with("Other", 3));
    for name in ["S::a", "Other::a"] {
        assert_eq!(as_nextest(&project, "t", name).status.code(), Some(0), "{name}");
    }
    let gate = project.run(&["report", "latest", "--gate"]);
    assert_eq!(gate.status.code(), Some(99), "{}", text(&gate));
    assert!(text(&gate).contains("Other: tokens total"), "{}", text(&gate));
}

#[test]
fn what_no_process_of_nextest_could_judge_is_not_green() {
    let judged = |project: &Project, run: &str, name: &str| {
        let process = as_nextest(project, run, name);
        assert_eq!(process.status.code(), Some(101), "{name}: {}", text(&process));
        let gate = project.run(&["report", "latest", "--gate"]);
        assert_eq!(gate.status.code(), Some(100), "{name}: {}", text(&gate));
        assert!(text(&gate).contains("1 not finished"), "{name}: {}", text(&gate));
    };
    let project = Project::with_suite(GREEN);
    assert_eq!(as_nextest(&project, "a", "S::a").status.code(), Some(0));
    // Gone since it was listed; a suite that broke; a project that broke; a target without its key.
    judged(&project, "b", "S::gone");
    project.write("suites/broken.yaml", BROKEN);
    judged(&project, "c", "suites/broken.yaml::loads");
    project.write("flowproof.yaml", "version: 1\nnonsense: true\n");
    judged(&project, "d", "S::a");
    let live = "version: 1\ntargets:\n  t: { base_url: 'http://127.0.0.1:9/v1', api_key: '{{ env.NO_SUCH_KEY }}' }\n";
    project.write("flowproof.yaml", format!("{live}profiles:\n  default: {{ target: t }}\n"));
    let process =
        trials(&project, &["--exact", "S::a"]).env("NEXTEST_RUN_ID", "e").env("CI", "1").output().unwrap();
    assert_eq!(process.status.code(), Some(101), "{}", text(&process));
    assert_eq!(project.run(&["report", "latest", "--gate"]).status.code(), Some(100));
}

/// Runs the example's test binary in a project's folder.
fn harness(project: &Project, args: &[&str]) -> Output {
    trials(project, args).output().unwrap()
}

/// The example's test binary, to be run in a project's folder.
pub fn trials(project: &Project, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(args).current_dir(project.path(""));
    quiet(&mut command);
    command
}

/// The example's test binary, built once.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let output = cargo(&["test", "--no-run", "--test", "workflows", "--message-format", "json"]);
        assert!(output.status.success(), "{}", text(&output));
        let messages = String::from_utf8(output.stdout).unwrap();
        let executable = messages.lines().rev().find_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            (message["target"]["name"] == "workflows")
                .then(|| message["executable"].as_str().map(PathBuf::from))?
        });
        executable.expect("cargo names the test binary it built")
    })
}

fn cargo(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

/// cargo in the example's folder, with the dependencies that are built already.
fn command(args: &[&str]) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = Path::new(env!("CARGO_BIN_EXE_flowproof")).ancestors().nth(2).unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(args).current_dir(root.join("examples/workflow-tests")).env("CARGO_TARGET_DIR", target);
    quiet(&mut command);
    command
}

/// Removes what the outer test run says to flowproof, cargo and nextest.
fn quiet(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let speaks = ["FLOWPROOF_", "NEXTEST", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST"];
        if name == "CI" || name == "GITHUB_ACTIONS" || speaks.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
}

/// A machine without nextest gets it: its absence is skipped nowhere.
fn install_nextest() {
    let present = Command::new(env!("CARGO")).args(["nextest", "--version"]).output().unwrap();
    if !present.status.success() {
        let installed =
            Command::new(env!("CARGO")).args(["install", "--locked", "cargo-nextest"]).status().unwrap();
        assert!(installed.success(), "cargo-nextest cannot be installed");
    }
}

/// The text with columns closed up: libtest-mimic aligns names.
fn said(output: &Output) -> String {
    text(output)
        .split_inclusive('\n')
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n")
        .collect()
}
