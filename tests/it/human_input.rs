//! Runs that wait for people: answered from the suite, on the mock and on a live target; what cannot be green.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::live::{case, report, run};
use crate::project::Project;
use crate::server::{KEY, target};

/// Two pauses in one run: the second waits for two people at once, one form takes a file.
const GOOD: &str = r#"version: 1
name: S
tests:
  - name: approved
    inputs: { draft: Hello }
    human_input:
      - { node: tone, action: ok, files: { sketch: _data/a.png } }
      - { node: Review, action: "{{ 'approve' }}", inputs: { comment: "for {{ test.name }}" } }
      - { node: Legal, action: ok, inputs: { level: high } }
    assert:
      - { path: $.published, equals: true }
      - { node: Review, path: $.comment, equals: for approved }
      - { node: Review, path: $.__action_id, equals: approve }
      - { node: Legal, path: $.level, equals: high }
      - { node: Tone, path: $.sketch.filename, equals: a.png }
      - nodes: { order: [Review, Legal, End], absent: [Rewrite] }
      - { from: events, path: "$[?@.event == 'workflow_paused']", count: 3 }
      - { from: text, contains: "True" }
      - { latency: 60s, steps: 9 }
    mock: &mock
      outputs: { published: true }
      pause:
        - { node: Review, actions: [approve, reject], inputs: [comment] }
        - - { node: Legal, actions: [ok], inputs: [{ name: level, type: select, options: [low, high] }] }
          - { node: Tone, actions: [ok], inputs: [{ name: sketch, type: file }] }
  - name: blocking
    inputs: { draft: Hello, mode: blocking }
    response_mode: blocking
    human_input:
      - { node: Review, action: reject, inputs: { comment: x } }
      - { node: Legal, action: ok, inputs: { level: low } }
      - { node: Tone, action: ok, files: { sketch: { path: _data/a.png, type: image } } }
    assert: [{ path: $.published, equals: true }, { steps: 9 }]
    mock: *mock
  - name: waiting
    inputs: { draft: waiting }
    assert:
      - status: paused
      - nodes: { visited: [Review], absent: [Legal] }
      - { latency: 60s }
    mock: *mock
"#;

/// What can be wrong with an answer: the test's keys, its verdict, and words of what is reported.
const BAD: [(&str, &str, &str); 12] = [
    (
        "",
        "errored",
        "the run waits for a person: `Review` asks for `comment` (text), `note` (text, default \"fine\") and takes `approve` or `reject`",
    ),
    (
        "assert: [status: succeeded]",
        "errored",
        "answer it with `human_input: [{ node: Review, action: approve, inputs: { comment: …, note: … } }]`, or assert `status: paused`",
    ),
    (
        "human_input: [{ node: Revew, action: approve, inputs: { comment: x } }]",
        "errored",
        "did you mean `node: Review`?",
    ),
    (
        "human_input: [{ node: Review, action: aprove, inputs: { comment: x } }]",
        "errored",
        "it has no action `aprove`; did you mean `approve`?",
    ),
    (
        "human_input: [{ node: Review, action: approve, inputs: { coment: x } }]",
        "errored",
        "it has no field `coment`; did you mean `comment`?",
    ),
    (
        "human_input: [{ node: Review, action: approve }]",
        "errored",
        "it asks for `comment`, and neither the answer nor the form has a value for it",
    ),
    (
        "human_input: [{ node: Review, action: approve, inputs: { comment: 5 } }]",
        "errored",
        "its field `comment` takes text, not a number: put it in quotes",
    ),
    (
        "human_input: [{ node: Review, action: approve, inputs: { comment: x } }, { node: Review, action: approve }]",
        "errored",
        "the answer was not used: the run did not wait at `Review` again",
    ),
    (
        "human_input: [{ node: Review, action: nope, inputs: { comment: x } }], assert: [status: paused]",
        "errored",
        "it has no action `nope`",
    ),
    (
        "human_input: [{ node: Other, action: a }], assert: [status: paused]",
        "errored",
        "the answer was not used: the run never waited at `Other`",
    ),
    (
        "human_input: [{ node: Review, action: approve, inputs: { comment: x } }], assert: [status: paused]",
        "failed",
        "expected paused, found succeeded",
    ),
    (
        "human_input: [{ node: Review, action: approve, inputs: { comment: x } }], assert: [{ path: $.a, equals: 2 }]",
        "failed",
        "$.a equals 2",
    ),
];

/// A project of tests that answer all their forms, and one that leaves its run waiting.
pub fn good() -> Project {
    let project = Project::with_suite(GOOD);
    project.write("suites/_data/a.png", b"\x89PNG");
    project
}

#[test]
fn forms_are_answered_on_the_mock() {
    let project = good();
    let output = project.run(&["run"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let report = report(&project);
    assert_eq!(case(&report, "waiting")["verdict"], "passed");
    let status = &case(&report, "waiting")["attempts"][0]["facts"]["status"];
    assert_eq!(status, "paused", "{report}");
}

/// The mock as a process of its own, and the address it serves.
pub struct Mock(Child, pub String);

impl Mock {
    /// Serves a project's suites.
    pub fn start(project: &Project) -> Self {
        let mut child =
            project.command(&["mock"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self(child, line.trim().to_owned())
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn forms_are_answered_on_a_live_target() {
    let mock = Mock::start(&good());
    let project = good();
    target(&project, &mock.1, "contract: watch");
    let ran = run(&project, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert!(!ran.text.contains(KEY));
    assert!(!ran.text.contains("contract:"), "{}", ran.text);
}

#[test]
fn what_was_not_answered_as_written_is_never_green() {
    let mut suite = "version: 1\nname: S\ntests:\n".to_owned();
    for (number, (keys, _, _)) in BAD.iter().enumerate() {
        let comma = if keys.is_empty() { "" } else { ", " };
        suite.push_str(&format!(
            "  - {{ name: t{number}, inputs: {{ n: {number} }}{comma}{keys}, mock: {{ outputs: {{ a: 1 }}, pause: {{ node: Review, \
             actions: [approve, reject], inputs: [comment, {{ name: note, default: fine }}] }} }} }}\n"
        ));
    }
    let project = Project::with_suite(&suite);
    let output = project.run(&["run"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(100), "{text}");
    let report = report(&project);
    for (number, (keys, verdict, words)) in BAD.iter().enumerate() {
        let case = case(&report, &format!("t{number}"));
        assert_eq!(case["verdict"], *verdict, "{keys}: {case}");
        assert!(told(case).contains(words), "{keys}: {words} in {}", told(case));
    }
}

#[test]
fn answers_nobody_asked_for_and_forms_nobody_can_answer_are_errors() {
    let suite = "version: 1
name: S
tests:
  - { name: never, inputs: { n: 1 }, human_input: [{ node: Review, action: ok }], assert: [{ path: $.a, equals: 1 }], mock: { outputs: { a: 1 } } }
  - { name: rejected, inputs: { n: 2 }, human_input: [{ node: Review, action: ok }], assert: [status: rejected], mock: { reject: { message: q is required in input form } } }
  - { name: expired, inputs: { n: 3 }, human_input: [{ node: R, action: a }], mock: { pause: { node: R, actions: [a], expires: 0s } } }
  - { name: mail, inputs: { n: 4 }, human_input: [{ node: R, action: a }], mock: { pause: { node: R, actions: [a], delivery: email } } }
";
    let project = Project::with_suite(suite);
    assert_eq!(project.run(&["run"]).status.code(), Some(3));
    let report = report(&project);
    for (name, words) in [
        ("never", "the answer was not used: the run never waited at `Review`"),
        ("rejected", "the answer was not used: the run never waited at `Review`"),
        ("expired", "HTTP 412 human_input_form_expired"),
        ("mail", "the form of `R` has no token: it goes out by e-mail only"),
    ] {
        let case = case(&report, name);
        assert_eq!(case["verdict"], "errored", "{case}");
        assert!(told(case).contains(words), "{words} in {}", told(case));
    }
}

#[test]
fn dify_1_12_has_no_pause() {
    let project = Project::with_suite(
        "version: 1\nname: S\ntests:\n  - { name: t, assert: [status: paused], mock: { pause: { node: R, actions: [a] } } }\n",
    );
    project.write("flowproof.yaml", "version: 1\nmock: { dify_version: \"1.12\" }\n");
    assert_eq!(project.run(&["run"]).status.code(), Some(3));
    let report = report(&project);
    assert!(told(case(&report, "t")).contains("`pause` needs Dify 1.14, and this mock plays 1.12"));
}

/// Everything a case says, escapes undone.
fn told(case: &Value) -> String {
    case.to_string().replace("\\\"", "\"")
}
