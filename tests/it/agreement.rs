//! One verdict through every door and in every document: for each exit code of `run`, whether it is green is read from the
//! terminal, each report, the summary and annotations of GitHub, `report --gate` and the harness, and none says otherwise.

use serde_json::Value;

use crate::harness::trials;
use crate::project::{GREEN, Project, RED, code, text};

/// A run, and the code it ends with.
struct Scenario {
    what: &'static str,
    suite: String,
    args: &'static [&'static str],
    code: i32,
}

fn scenario(what: &'static str, code: i32, suite: impl Into<String>) -> Scenario {
    Scenario { what, suite: suite.into(), args: &[], code }
}

/// A test with these keys whose replies pass or fail in turn, each with 100 tokens.
fn repeated(keys: &str, replies: &str) -> String {
    let reply = |mark: char| {
        let x = if mark == 'p' { 1 } else { 2 };
        format!("        - {{ outputs: {{ x: {x} }}, nodes: [{{ title: A, type: llm, tokens: 100 }}] }}\n")
    };
    let replies: String = replies.chars().map(reply).collect();
    format!(
        "version: 1\nname: S\ntests:\n  - name: a\n{keys}    assert: [{{ path: $.x, equals: 1 }}]\n    mock:\n      replies:\n{replies}"
    )
}

/// The same with a key of the suite.
fn with(key: &str, suite: &str) -> String {
    suite.replace("name: S\n", &format!("name: S\n{key}\n"))
}

fn scenarios() -> Vec<Scenario> {
    let skipped = GREEN.replace("tags: [smoke]", "skip: later");
    let undecided = "    repeat: { min: 1, max: 12 }\n    pass_rate: 0.9\n    fail_below: 0.7\n";
    let errored = "version: 1\nname: S\ntests:\n  - { name: a, assert: [{ path: $.x, equals: 1 }] }\n";
    let first = repeated("", "p");
    let two = format!("{first}{}", first[first.find("  - name: a").unwrap()..].replace("name: a", "name: b"));
    vec![
        scenario("all passed", 0, GREEN),
        scenario("a test is skipped", 0, RED.replace("name: bad\n", "name: bad\n    skip: later\n")),
        scenario(
            "undecided, which is a warning",
            0,
            repeated(&format!("{undecided}    on_inconclusive: warn\n"), "ppppf"),
        ),
        Scenario {
            args: &["--no-tests", "pass"],
            ..scenario("nothing ran, which is allowed", 0, skipped.as_str())
        },
        Scenario {
            args: &["-f", "nothing", "--no-tests", "pass"],
            ..scenario("nothing was selected, which is allowed", 0, GREEN)
        },
        scenario("nothing could be judged", 3, errored),
        scenario("nothing ran", 4, skipped.as_str()),
        Scenario { args: &["-f", "nothing"], ..scenario("nothing was selected", 4, GREEN) },
        scenario("undecided", 97, repeated(undecided, "ppppf")),
        scenario(
            "an undecided threshold",
            97,
            with("thresholds: { latency: { p95: 15s } }", &repeated("", "p")),
        ),
        scenario("a budget", 98, with("budget: { tokens: 150, per_test: { tokens: 150 } }", &two)),
        scenario("a threshold", 99, with("thresholds: { tokens: { mean: 99 } }", &repeated("", "p"))),
        scenario("a failed test", 100, RED),
    ]
}

/// Whether each document of the newest run is green.
fn documents(project: &Project) -> Vec<(&'static str, bool)> {
    let read = |name: &str| project.read(&format!("reports/latest/{name}"));
    let junit = read("junit.xml");
    let report: Value = serde_json::from_str(&read("report.json")).unwrap();
    let [summary, step] = [read("summary.md"), project.read("step.md")].map(|text| !text.starts_with("## ✗"));
    vec![
        ("junit.xml", !junit.contains("<failure") && !junit.contains("<error")),
        (
            "the counts of junit.xml",
            junit
                .lines()
                .find(|line| line.contains("<testsuites"))
                .is_some_and(|all| all.contains("failures=\"0\" errors=\"0\"")),
        ),
        ("report.json", report["conclusion"]["green"] == true),
        ("the code in report.json", report["conclusion"]["exit_code"] == 0),
        ("report.html", !read("report.html").contains("<title>✗")),
        ("summary.md", summary),
        ("the summary of the job", step),
        ("report.tap", !project.read("r.tap").lines().any(|line| line.starts_with("not ok"))),
    ]
}

#[test]
fn every_door_and_every_document_agree_on_what_is_green() {
    for Scenario { what, suite, args, code: expected } in scenarios() {
        let project = Project::with_suite(&suite);
        let mut command = project.command(&[&["run", "-j", "1", "-o", "r.tap"], args].concat());
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", project.path("step.md"));
        let output = command.output().unwrap();
        let said = text(&output);
        assert_eq!(code(&output), expected, "{what}: {said}");
        let is_green = expected == 0;
        assert_eq!(!said.contains(&format!("\nexit {expected}: ")), is_green, "{what}: {said}");
        assert_eq!(!said.contains("::error"), is_green, "{what}, annotations: {said}");
        for (document, green) in documents(&project) {
            assert_eq!(green, is_green, "{what}: {document}");
        }
        let gate = project.run(&["report", "latest", "--gate"]);
        assert_eq!(code(&gate), expected, "{what}: {}", text(&gate));
        if args.is_empty() {
            let harness = trials(&project, &[]).env("CI", "true").output().unwrap();
            let expected = if is_green { 0 } else { 101 };
            assert_eq!(harness.status.code(), Some(expected), "{what}: {}", text(&harness));
        }
    }
}

#[test]
fn a_test_that_was_not_decided_is_nowhere_called_passed() {
    let keys = "    repeat: { min: 1, max: 12 }\n    pass_rate: 0.9\n    fail_below: 0.7\n    on_inconclusive: warn\n";
    let project = Project::with_suite(&repeated(keys, "ppppf"));
    let output = project.run(&["run", "-o", "r.tap"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    assert!(text(&output).contains("1 test: 1 inconclusive (a warning)"), "{}", text(&output));
    let summary = project.read("reports/latest/summary.md");
    assert!(
        summary.starts_with("## – flowproof: no test passed; 1 not decided, which is a warning"),
        "{summary}"
    );
    assert!(
        !summary.contains("Red tests") && summary.contains("Not decided, which is a warning"),
        "{summary}"
    );
    assert!(project.read("r.tap").contains("ok 1 - S::a # SKIP inconclusive, which the suite tolerates"));
    let junit = project.read("reports/latest/junit.xml");
    assert!(junit.contains("<skipped message=\"inconclusive, which the suite tolerates"), "{junit}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_green_nowhere() {
    use crate::live::{end, signal, until};
    let slow = GREEN.replace("x: 1 } }\n", "x: 1 } }\n  - name: slow\n    assert: [{ path: $.x, equals: 1 }]\n    mock: { outputs: { x: 1 }, latency: 60s }\n");
    let project = Project::with_suite(&slow);
    let mut command = project.command(&["run", "-j", "1", "-o", "r.tap"]);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", project.path("step.md"));
    let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    until("a test is finished", || {
        let runs = std::fs::read_dir(project.path("reports/runs")).into_iter().flatten().flatten();
        runs.map(|run| std::fs::read_to_string(run.path().join("journal.jsonl")).unwrap_or_default())
            .any(|journal| journal.contains("case_finished"))
    });
    signal(&child, "INT");
    assert_eq!(end(&mut child), Some(130));
    for (document, green) in documents(&project) {
        assert!(!green, "{document}");
    }
    assert_eq!(code(&project.run(&["report", "latest", "--gate"])), 130);
}
