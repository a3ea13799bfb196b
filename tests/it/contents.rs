//! Fingerprints look into the files that tests upload and that their schemas are read from: a test whose file changed runs anew.

use crate::project::{Project, code, text};
use crate::shards::expect;

const SUITE: &str = "
version: 1
name: S
tests:
  - name: upload
    files: { invoice: _data/invoice.txt }
    assert: [{ path: $.x, equals: 1 }]
    mock: { outputs: { x: 1 } }
  - name: rows
    each: [{ id: a, file: a.txt }, { id: b, file: b.txt }]
    files: { all: ['_data/{{ row.file }}', { path: '_data/invoice.txt', type: custom }] }
    assert: [{ path: $.x, equals: 1 }]
    mock: { outputs: { x: 1 } }
  - name: schema
    assert: [{ path: $.x, schema: _data/number.json }]
    mock: { outputs: { x: 1 } }
  - name: refers
    assert: [{ any_of: [{ path: $.x, not: { schema: { $ref: _data/other.json } } }] }]
    mock: { outputs: { x: 1 } }
  - name: plain
    assert: [{ path: $.x, equals: 1 }]
    mock: { outputs: { x: 1 } }
";

fn project() -> Project {
    let project = Project::with_suite(SUITE);
    for (name, content) in [
        ("invoice.txt", "total 12"),
        ("a.txt", "a"),
        ("b.txt", "b"),
        ("number.json", r#"{ "$ref": "whole.json" }"#),
        ("whole.json", r#"{ "type": "integer" }"#),
        ("other.json", r#"{ "type": "string" }"#),
    ] {
        project.write(&format!("suites/_data/{name}"), content);
    }
    expect(&project.run(&["run"]), 0, "6 passed");
    project
}

/// What `--resume` says after a file changed.
fn resumed(project: &Project, file: &str, content: &str) -> String {
    project.write(&format!("suites/_data/{file}"), content);
    let ran = project.run(&["run", "--resume", "latest"]);
    assert_eq!(code(&ran), 0, "{}", text(&ran));
    text(&ran)
}

#[test]
fn a_test_whose_file_has_changed_runs_anew() {
    let project = project();
    for (file, content, says) in [
        ("whole.json", r#"{ "type": "number" }"#, "1 test has changed since and runs anew: S::schema\n"),
        ("number.json", r#"{ "type": "number" }"#, "1 test has changed since and runs anew: S::schema\n"),
        ("other.json", r#"{ "type": "array" }"#, "1 test has changed since and runs anew: S::refers\n"),
        ("b.txt", "c", "1 test has changed since and runs anew: S::rows[b]\n"),
        (
            "invoice.txt",
            "total 13",
            "3 tests have changed since and run anew: S::upload, S::rows[a], S::rows[b]\n",
        ),
        ("invoice.txt", "total 13", "6 results to keep; 0 to run now"),
    ] {
        let said = resumed(&project, file, content);
        assert!(said.contains(says), "{file}: {said}");
    }
}

#[test]
fn a_project_that_was_only_moved_keeps_its_tests() {
    let (one, other) = (project(), project());
    let export = one.path("run.jsonl").to_string_lossy().into_owned();
    expect(&one.run(&["runs", "export", "latest", "-o", &export]), 0, "wrote");
    expect(&other.run(&["run", "--resume", &export]), 0, "6 results to keep; 0 to run now");
}

#[test]
fn shards_that_sent_different_files_are_not_one_run() {
    let project = project();
    project.run(&["run", "-q", "--shard", "1/2", "--reports", "one"]);
    project.write("suites/_data/invoice.txt", "total 14");
    project.run(&["run", "-q", "--shard", "2/2", "--reports", "two"]);
    expect(&project.run(&["merge", "one", "two"]), 2, "they are of different plans");
}
