//! Every exit code that this version can end with, provoked in a child process.

use std::io::Read;
use std::process::Stdio;

use crate::live::{end, signal, until};
use crate::project::{GREEN, Project, RED, code, text};

const SLOW: &str = "
version: 1
name: S
tests:
  - name: quick
    assert: [{ path: $.x, equals: 1 }]
    mock: { outputs: { x: 1 } }
  - name: slow
    assert: [{ path: $.x, equals: 1 }]
    mock: { outputs: { x: 1 }, latency: 60s }
";

#[test]
fn a_green_run_exits_0() {
    let project = Project::with_suite(GREEN);
    let output = project.run(&["run"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    assert!(text(&output).contains("on the mock: no live workflow was tested"), "{}", text(&output));
}

#[test]
fn a_failed_test_exits_100() {
    let output = Project::with_suite(RED).run(&["run"]);
    assert_eq!(code(&output), 100, "{}", text(&output));
}

#[test]
fn an_errored_test_beside_a_passed_one_exits_100() {
    let suite = format!("{GREEN}  - name: b\n    assert: [{{ path: $.x, equals: 1 }}]\n");
    let output = Project::with_suite(&suite).run(&["run"]);
    assert_eq!(code(&output), 100, "{}", text(&output));
    assert!(text(&output).contains("no mock answer"), "{}", text(&output));
}

#[test]
fn a_usage_error_exits_2() {
    let output = Project::with_suite(GREEN).run(&["run", "--no-such-flag"]);
    assert_eq!(code(&output), 2, "{}", text(&output));
}

#[test]
fn a_suite_with_a_problem_exits_2_and_sends_nothing() {
    let project = Project::with_suite(&GREEN.replace("assert:", "asert:"));
    let output = project.run(&["run"]);
    assert_eq!(code(&output), 2, "{}", text(&output));
    assert!(text(&output).contains("did you mean `assert`?"), "{}", text(&output));
    assert!(!project.path("reports").exists(), "nothing ran, so nothing is recorded");
}

#[test]
fn check_exits_0_without_and_1_with_problems() {
    assert_eq!(code(&Project::with_suite(GREEN).run(&["check"])), 0);
    assert_eq!(code(&Project::with_suite(&GREEN.replace("assert:", "asert:")).run(&["check"])), 1);
    assert_eq!(code(&Project::with_suite(GREEN).run(&["check", "--no-such-flag"])), 2);
}

#[test]
fn a_target_that_nobody_answers_exits_3() {
    let project = Project::with_suite(GREEN);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    project.write(
        "flowproof.yaml",
        format!(
            "version: 1\ntargets:\n  dead:\n    base_url: http://127.0.0.1:{closed}/v1\n    api_key: app-0123456789\n    retries: 0\n"
        ),
    );
    let output = project.run(&["run", "--target", "dead"]);
    assert_eq!(code(&output), 3, "{}", text(&output));
}

#[test]
fn a_named_target_without_its_key_exits_3() {
    let project = Project::with_suite(GREEN);
    project.write(
        "flowproof.yaml",
        "version: 1\ntargets:\n  live:\n    base_url: http://127.0.0.1:9/v1\n    api_key: \"{{ env.NO_SUCH_KEY_IS_SET }}\"\n",
    );
    let output = project.run(&["run", "--target", "live"]);
    assert_eq!(code(&output), 3, "{}", text(&output));
    assert!(text(&output).contains("NO_SUCH_KEY_IS_SET"), "{}", text(&output));
}

#[test]
fn no_selected_test_exits_4_unless_allowed() {
    let project = Project::with_suite(GREEN);
    assert_eq!(code(&project.run(&["run", "-f", "nothing-is-called-so"])), 4);
    assert_eq!(code(&project.run(&["run", "-f", "nothing-is-called-so", "--no-tests", "pass"])), 0);
    assert_eq!(code(&project.run(&["run", "--skip-tag", "smoke"])), 4);
}

#[test]
fn a_run_that_skips_everything_is_not_green() {
    let project = Project::with_suite(&GREEN.replace("tags: [smoke]", "skip: later"));
    let output = project.run(&["run"]);
    assert_eq!(code(&output), 4, "{}", text(&output));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_exits_130_with_reports_of_what_finished() {
    let project = Project::with_suite(SLOW);
    let mut child =
        project.command(&["run", "-j", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("a case is finished", || journal_text(&project).contains("case_finished"));
    signal(&child, "INT");
    assert_eq!(end(&mut child), Some(130));
    let junit = project.read("reports/latest/junit.xml");
    assert!(junit.contains("quick"), "{junit}");
    let report: serde_json::Value =
        serde_json::from_str(&project.read("reports/latest/report.json")).unwrap();
    assert_eq!(report["run"]["interrupted"], true, "{report}");
}

#[test]
fn a_run_whose_record_lost_a_verdict_is_not_green() {
    let project = Project::with_suite(&SLOW.replace("60s", "4s"));
    let child = project.command(&["run", "-j", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    lose_a_verdict(&project);
    let output = child.unwrap().wait_with_output().unwrap();
    assert_eq!(code(&output), 100, "{}", text(&output));
    assert!(text(&output).contains("2 tests: 1 passed, 1 not finished"), "{}", text(&output));
    assert!(text(&output).contains("exit 100: not every selected test has a verdict"), "{}", text(&output));
}

#[test]
fn a_seed_is_never_taken_from_the_paths() {
    let project = Project::with_suite(GREEN);
    assert_eq!(code(&project.run(&["run", "--shuffle", "suites/s.yaml"])), 0);
    let seeded = project.run(&["run", "--shuffle=7", "suites"]);
    assert!(code(&seeded) == 0 && text(&seeded).contains("seed 7"), "{}", text(&seeded));
    assert_eq!(code(&project.run(&["run", "--shuffle=suites"])), 2);
    let path = project.run(&["run", "--shuffle", "7"]);
    assert!(code(&path) == 2 && text(&path).contains('7'), "{}", text(&path));
}

#[test]
fn list_and_check_show_the_same_problems() {
    let project = Project::with_suite(
        "version: 1\nname: S\ntests:\n  - name: a\n    asert: []\n  - name: b\n    assert: [{ path: $.x, regex: '(' }]\n",
    );
    let (listed, checked) = (project.run(&["list"]), project.run(&["check"]));
    assert_eq!((code(&listed), code(&checked)), (2, 1));
    assert!(text(&checked).contains("did you mean `assert`?"), "{}", text(&checked));
    assert!(text(&checked).contains("is not a regex"), "{}", text(&checked));
    assert!(text(&listed).starts_with(text(&checked).trim_end()), "{}", text(&listed));
    assert!(text(&listed).contains("nothing is listed"), "{}", text(&listed));
}

#[cfg(unix)]
#[test]
fn the_mock_command_ends_with_0_on_a_signal() {
    let project = Project::with_suite(GREEN);
    let mut child = project.command(&["mock"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut first = [0u8; 7];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"http://");
    signal(&child, "TERM");
    assert_eq!(end(&mut child), Some(0));
}

/// Damages the line of the first verdict while the run goes on, as a failing disk would, and makes the file longer: what the
/// writer knows of its file is no longer true.
pub fn lose_a_verdict(project: &Project) {
    use std::io::{Seek, SeekFrom, Write};
    until("a verdict in the journal", || journal_text(project).contains("case_finished"));
    let run = std::fs::read_dir(project.path("reports/runs")).unwrap().next().unwrap().unwrap();
    let path = run.path().join("journal.jsonl");
    let at = std::fs::read_to_string(&path).unwrap().find("case_finished").unwrap();
    let mut journal = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    journal.seek(SeekFrom::Start(at as u64)).unwrap();
    journal.write_all(b"case_damaged!").unwrap();
    let mut end = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    end.write_all(&[b'x'; 64 << 10]).unwrap();
}

fn journal_text(project: &Project) -> String {
    let Ok(runs) = std::fs::read_dir(project.path("reports/runs")) else { return String::new() };
    runs.filter_map(|run| std::fs::read_to_string(run.ok()?.path().join("journal.jsonl")).ok()).collect()
}
