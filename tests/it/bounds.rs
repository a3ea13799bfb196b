//! Suites that ask for work without end, or that libraries choke on: each door says where, and one test never ends the others.

use std::fmt::Write;

use crate::live::{Live, command, report, signal, spawn, until, wait};
use crate::project::Project;
use crate::server::succeed;

fn text(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

/// The verdict of a test in the `junit.xml` of the last run: its element holds `what`, and the test is there.
fn junit_of(project: &Project, test: &str) -> String {
    let junit = project.read("reports/latest/junit.xml");
    let name = format!("name=\"{test}\"");
    let from = junit.find(&name).unwrap_or_else(|| panic!("no {test} in {junit}"));
    let rest = &junit[from..];
    rest[..rest[1..].find("<testcase").map_or(rest.len(), |end| end + 1)].to_owned()
}

/// Outputs in which the paths of `long_checks` find very much.
fn nested() -> String {
    format!("{{ \"x\": {}1{} }}", "[".repeat(60), "]".repeat(60))
}

/// A suite of one test whose checks would go on for minutes.
fn long_checks(timeout: &str) -> String {
    let mut suite =
        format!("version: 1\nname: S\ntests:\n  - name: long\n    timeout: {timeout}\n    assert:\n");
    for _ in 0..200 {
        writeln!(suite, "      - {{ path: \"${}\", match: any, equals: zz }}", "..*".repeat(7)).unwrap();
    }
    writeln!(suite, "    mock: {{ outputs: {} }}", nested()).unwrap();
    suite
}

#[test]
fn checks_end_with_the_time_of_the_run() {
    let project = Project::with_suite(&long_checks("10m"));
    let ran = project.run(&["run", "--max-time", "1s"]);
    assert_ne!(ran.status.code(), Some(0), "{}", text(&ran));
    let told = "timed out: the checks were not done when the run's time of 1s was over";
    assert!(text(&ran).contains(told), "{}", text(&ran));
    let long = junit_of(&project, "long");
    assert!(long.contains("<error") && !long.contains("<failure"), "{long}");
}

#[test]
fn checks_end_with_a_signal_and_judge_nothing() {
    let live = Live::new(&long_checks("10m"), "", |seen| succeed(seen, &nested()));
    let child = spawn(&live.project, command(&live.project, &[]));
    until("the run was answered", || live.server.runs().len() == 1 && live.server.is_quiet());
    signal(&child, "INT");
    let ran = wait(&live.project, child);
    assert_eq!(ran.code, Some(130), "{}", ran.text);
    let report = report(&live.project);
    let totals = &report["totals"];
    assert_eq!((&totals["passed"], &totals["failed"]), (&0.into(), &0.into()), "{totals}");
}

#[test]
fn checks_end_with_the_limit_of_their_attempt() {
    let mut suite = long_checks("1s");
    suite.push_str(
        "  - name: other\n    assert: [{ path: $.a, equals: ok }]\n    mock: { outputs: { a: ok } }\n",
    );
    let project = Project::with_suite(&suite);
    let ran = project.run(&["run"]);
    assert_eq!(ran.status.code(), Some(100), "{}", text(&ran));
    assert!(text(&ran).contains("timed out: the checks were not done"), "{}", text(&ran));
    let (long, other) = (junit_of(&project, "long"), junit_of(&project, "other"));
    assert!(long.contains("<error") && !long.contains("<failure"), "{long}");
    assert!(!other.contains("<error") && !other.contains("<failure"), "{other}");
}

#[test]
fn one_row_that_makes_a_bad_path_leaves_the_others_alone() {
    let suite = "version: 1\nname: S\ntests:\n  - name: \"t {{ row.n }}\"\n    each: [{ n: 1, p: \"$.a\" }, { n: 2, p: \"$['\\\\u\" }, { n: 3, p: \"$.a\" }]\n    assert: [{ path: \"{{ row.p }}\", equals: ok }]\n    mock: { outputs: { a: ok } }\n";
    let suite = suite.replace("name: \"t {{ row.n }}\"", "name: t");
    let project = Project::with_suite(&suite);
    let ran = project.run(&["run"]);
    assert_eq!(ran.status.code(), Some(100), "{}", text(&ran));
    let junit = project.read("reports/latest/junit.xml");
    assert_eq!(junit.matches("<testcase").count(), 3, "{junit}");
    assert_eq!(junit.matches("<error").count(), 1, "{junit}");
    assert!(text(&ran).contains("four hexadecimal digits"), "{}", text(&ran));
}

#[test]
fn every_door_says_where_a_hostile_expression_is() {
    let hostile = [
        "path: \"$['\\\\u\", equals: 1".to_owned(),
        format!("path: $.a, equals: \"{{{{ {}1 }}}}\"", "-".repeat(60_000)),
        format!("path: $.a, equals: \"{{{{ a{} }}}}\"", ".a".repeat(60_000)),
        "path: $.a, schema: { $ref: \"#\" }".to_owned(),
    ];
    for assertion in hostile {
        let shown = assertion.chars().take(60).collect::<String>();
        let project = Project::with_suite(&format!(
            "version: 1\nname: S\ntests:\n  - name: t\n    assert: [{{ {assertion} }}]\n    mock: {{ outputs: {{ a: 1 }} }}\n"
        ));
        for (door, code) in [("check", 1), ("run", 2)] {
            let ran = project.run(&[door]);
            assert_eq!(ran.status.code(), Some(code), "{door} {shown}: {}", text(&ran));
            assert!(text(&ran).contains("s.yaml:5:"), "{door} {shown}: {}", text(&ran));
            assert!(!text(&ran).contains("panicked"), "{door} {shown}: {}", text(&ran));
        }
        // It reads no assertions, and must not end by them.
        assert_eq!(project.run(&["list"]).status.code(), Some(0), "list {shown}");
    }
}
