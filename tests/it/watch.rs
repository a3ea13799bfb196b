//! What a run watches besides its tests: the version that runs.

use std::sync::Arc;
use std::sync::Barrier;

use serde_json::Value;

use crate::live::{Live, case, junit, report};
use crate::project::Project;
use crate::server::{Seen, Step, good, refusal, started, stream_head, succeed, suite_of};

const FIRST: &str = "wf-1";
const SECOND: &str = "wf-2";

/// The same answer from another version; both ids are of one length.
fn on(version: &str, mut steps: Vec<Step>) -> Vec<Step> {
    for step in &mut steps {
        if let Step::Send(bytes) = step {
            *bytes = String::from_utf8(std::mem::take(bytes)).unwrap().replace(FIRST, version).into_bytes();
        }
    }
    steps
}

/// Runs from number `from` on come from another version.
fn published_at(from: usize) -> impl Fn(&Seen) -> Vec<Step> {
    move |seen| on(if seen.number < from { FIRST } else { SECOND }, good(seen))
}

fn message(report: &Value, test: &str) -> String {
    case(report, test)["attempts"].as_array().unwrap().last().unwrap()["cause"]["message"].to_string()
}

fn suite_in(mode: &str, count: usize) -> String {
    suite_of(count).replace("    inputs:", &format!("    response_mode: {mode}\n    inputs:"))
}

// Versions.

#[test]
fn a_version_published_during_the_run_makes_later_tests_errored() {
    for mode in ["streaming", "blocking"] {
        let live = Live::new(&suite_in(mode, 4), "", published_at(1));
        let ran = live.expect(100, &["-j", "1"]);
        let verdicts: Vec<_> = (0..4).map(|number| live.verdict(&format!("t{number}"))).collect();
        assert_eq!(verdicts, ["passed", "errored", "errored", "errored"], "{mode}: {}", ran.text);
        assert!(
            message(&report(&live.project), "t1")
                .contains("published during the run: this test ran on version wf-2, `S::t0` on wf-1")
        );
        assert_eq!(live.server.runs().len(), 2, "the rest would meet the same and is not paid for");
        assert!(
            ran.text.contains("version wf-1 ran on") && ran.text.contains("version wf-2 ran on"),
            "{}",
            ran.text
        );
        junit(&live.project);
    }
}

#[test]
fn two_versions_at_once_are_never_green_whichever_answers_first() {
    // Both are asked before either is answered.
    let both = Arc::new(Barrier::new(2));
    let live = Live::new(&suite_of(2), "", move |seen: &Seen| {
        both.wait();
        published_at(1)(seen)
    });
    live.expect(100, &["-j", "2"]);
    let mut verdicts = [live.verdict("t0"), live.verdict("t1")];
    verdicts.sort();
    assert_eq!(verdicts, ["errored", "passed"]);
}

#[test]
fn repeats_and_retries_on_another_version_are_no_observation() {
    let live = Live::new(&suite_of(1), "", published_at(2));
    live.expect(3, &["--repeat", "5"]);
    assert_eq!(live.server.runs().len(), 3, "what is left of the repeats would meet the same");

    let live =
        Live::new(&suite_of(1), "retries: { count: 2, delay: 10ms, resend: true }", |seen: &Seen| match seen
            .number
        {
            0 => vec![Step::Send([stream_head(), started("task-1")].concat()), Step::Close],
            _ => on(SECOND, good(seen)),
        });
    live.expect(3, &[]);
    assert_eq!(live.verdict("t0"), "errored", "the run that was cut was on another version");
}

#[test]
fn a_broken_assertion_stays_broken_on_another_version() {
    let live = Live::new(&suite_of(2), "", |seen: &Seen| match seen.number {
        0 => good(seen),
        _ => on(SECOND, succeed(seen, r#"{"x":2}"#)),
    });
    live.expect(100, &["-j", "1"]);
    assert_eq!(live.verdict("t1"), "failed");
    assert!(message(&report(&live.project), "t1").contains("published during the run"));
}

#[test]
fn a_pinned_version_must_be_the_one_that_runs() {
    let good_for_any = |seen: &Seen| {
        assert!(seen.target.contains("/workflows/wf-1/run"), "{}", seen.target);
        good(seen)
    };
    Live::new(&suite_of(3), "workflow_id: wf-1", good_for_any).expect(0, &[]);
    Live::new(&suite_of(3), "", good_for_any).expect(0, &["--workflow-id", "wf-1"]);
    let live = Live::new(&suite_of(1), "workflow_id: wf-1", |seen| on(SECOND, good(seen)));
    let ran = live.expect(3, &[]);
    assert!(ran.text.contains("version wf-1 was asked for, and version wf-2 ran"), "{}", ran.text);
}

#[test]
fn what_ran_is_in_every_report() {
    let live = Live::new(&suite_of(2), "", good);
    let ran = live.expect(0, &[]);
    assert!(ran.text.contains("version wf-1 ran on Dify 1.14.2"), "{}", ran.text);
    let report = report(&live.project);
    assert_eq!(
        report["run"]["versions"],
        serde_json::json!([{ "app": "", "workflow_id": "wf-1", "dify_version": "1.14.2", "attempts": 2 }])
    );
    assert_eq!(case(&report, "t0")["attempts"][0]["facts"]["workflow_id"], "wf-1");
    let xml = live.project.read("reports/latest/junit.xml");
    assert!(xml.contains(r#"<property name="flowproof.ran" value="version wf-1 ran on"#), "{xml}");
    assert!(xml.contains(r#"<property name="workflow_id" value="wf-1""#), "{xml}");
}

#[test]
fn refusals_name_no_version_and_hold_none() {
    let live = Live::new(&suite_of(2), "", |seen: &Seen| match seen.number {
        0 => refusal(400, "invalid_param", "t is required in input form"),
        _ => good(seen),
    });
    live.expect(100, &["-j", "1"]);
    assert_eq!(live.verdict("t1"), "passed");
}

#[test]
fn the_mock_may_name_versions_on_purpose() {
    let suite = "
version: 1
name: S
tests:
  - { name: a, assert: [{ workflow_id: { equals: one } }], mock: { outputs: {}, workflow_id: one } }
  - { name: b, assert: [{ workflow_id: { equals: b } }], mock: { outputs: {}, workflow_id: \"{{ test.name }}\" } }
  - { name: c, assert: [{ status: succeeded }], mock: { outputs: {} } }
  - { name: d, assert: [{ status: succeeded }], mock: { outputs: {} } }
";
    let project = Project::with_suite(suite);
    let ran = project.run(&["run"]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    assert_eq!(report(&project)["run"]["versions"].as_array().unwrap().len(), 3);
}
