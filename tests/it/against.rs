//! `check --against`: what tests send compared with what apps take, and names of nodes against what ran.

use std::process::Output;

use crate::doors::dify;
use crate::human_input::Mock;
use crate::project::{GREEN, Project, code, text};
use crate::server::{KEY, Server, refusal, target};

fn run(project: &Project, args: &[&str]) -> Output {
    let said = project.command(args).env("TEST_KEY", KEY).output().unwrap();
    assert!(!text(&said).contains(KEY), "the key is told: {}", text(&said));
    said
}

/// Compares a suite with the recorded echo app, which takes `text` (required, 48), `para`, `num`, `sel`, `flag`, `obj`, `dflt`.
fn compared(suite: &str) -> (i32, String) {
    let server = dify("1.14.2", "echo");
    let project = Project::with_suite(suite);
    target(&project, &server.base_url(), "");
    let said = run(&project, &["check", "--against", "live"]);
    assert_eq!(server.runs().len(), 0, "nothing is run");
    (code(&said), text(&said))
}

fn suite(tests: &str) -> String {
    format!("version: 1\nname: S\ntests:\n{tests}")
}

#[test]
fn what_fits_is_told_so() {
    let (code, said) = compared(&suite(
        "  - { name: a, inputs: { text: x, sel: red, num: 7, flag: true, obj: { a: 1 } } }\n  - { name: b, inputs: { text: \"\" } }\n",
    ));
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("1 suite, 2 tests: what they send fits `live`"), "{said}");
}

#[test]
fn what_dify_would_drop_or_refuse_is_found_at_its_place() {
    let (code, said) = compared(&suite(
        "  - name: a
    inputs:
      texd: x
      sel: gren
      num: seven
      obj: text
      flag: maybe
      para: 5
",
    ));
    assert_eq!(code, 1, "{said}");
    for fact in [
        "the app has no input `texd`: Dify drops it without a word",
        "did you mean `text`?",
        "suites/s.yaml:6:7",
        "`gren` is no option of the input `sel`",
        "did you mean `green`?",
        "suites/s.yaml:7:12",
        "the input `num` takes a number, found text",
        "the input `obj` takes a mapping, found text",
        "Dify passes text on as it is",
        "write \"5\"",
        "the input `text` is required and not sent",
        "suites/s.yaml:4:11",
        "7 problems",
    ] {
        assert!(said.contains(fact), "{fact}: {said}");
    }
}

#[test]
fn rows_and_tests_that_share_a_fault_are_one_finding() {
    let long = "y".repeat(49);
    let (code, said) = compared(&format!(
        "version: 1\nname: S\ndefaults: {{ inputs: {{ color: red }} }}\ntests:\n  - name: a\n    each: [{{ id: p, t: x }}, {{ id: q, t: {long} }}, {{ id: r, t: {long} }}]\n    inputs: {{ text: \"{{{{ row.t }}}}\" }}\n  - {{ name: b, inputs: {{ text: x }} }}\n"
    ));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("at most 48 characters, found 49 (in `S::a[q]` and 1 more test)"), "{said}");
    assert!(
        said.contains("no input `color`: Dify drops it without a word (in `S::a[p]` and 3 more tests)"),
        "{said}"
    );
    assert!(said.contains("2 problems"), "{said}");
}

#[test]
fn a_test_may_want_what_dify_refuses_but_not_what_it_drops() {
    let rejected = "assert: [{ status: rejected }], mock: { reject: { message: no } }";
    let (code, said) = compared(&suite(&format!(
        "  - {{ name: a, inputs: {{ text: null, sel: pink }}, {rejected} }}\n  - {{ name: b, {rejected} }}\n"
    )));
    assert_eq!(code, 0, "{said}");
    let (code, said) = compared(&suite(&format!("  - {{ name: a, inputs: {{ texd: x }}, {rejected} }}\n")));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("no input `texd`"), "{said}");
    let (code, said) = compared(&suite("  - { name: a, assert: [{ status: [rejected, succeeded] }] }\n"));
    assert_eq!(code, 1, "{said}");
}

#[test]
fn inputs_of_later_repeats_and_of_the_environment_are_rendered() {
    let (code, said) = compared(&suite(
        "  - { name: a, repeat: 3, inputs: { text: x, sel: \"{{ ['red', 'blue', 'pink'][repeat.index] }}\" } }\n",
    ));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("`pink` is no option"), "{said}");
    let (code, said) = compared(&suite("  - { name: a, inputs: { text: \"{{ env.NO_SUCH_NAME }}\" } }\n"));
    assert_eq!(code, 1, "found before the app is asked: {said}");
    assert!(said.contains("`env.NO_SUCH_NAME` may not be read by suites"), "{said}");
}

#[test]
fn what_cannot_be_compared_is_said() {
    let server = dify("1.14.2", "echo");
    let project = Project::with_suite(&suite(
        "  - { name: a, inputs: { text: x } }\n  - { name: b, skip: later, inputs: { texd: x } }\n",
    ));
    target(&project, &server.base_url(), "workflow_id: 7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345");
    let said = run(&project, &["check", "--against", "live"]);
    assert_eq!(code(&said), 0, "{}", text(&said));
    for fact in ["1 suite, 1 test: what", "1 skipped test was not compared", "is pinned to a version"] {
        assert!(text(&said).contains(fact), "{fact}: {}", text(&said));
    }
}

#[test]
fn a_secret_in_an_input_is_not_told() {
    let server = dify("1.14.2", "echo");
    let project =
        Project::with_suite(&suite("  - { name: a, inputs: { text: x, sel: \"{{ env.TEST_KEY }}\" } }\n"));
    target(&project, &server.base_url(), "");
    let file = project.read("flowproof.yaml");
    project.write("flowproof.yaml", format!("{file}env: [TEST_KEY]\n"));
    let output = run(&project, &["check", "--against", "live"]);
    let (code, said) = (code(&output), text(&output));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("is no option of the input `sel`"), "{said}");
}

#[test]
fn files_are_held_against_recorded_rules() {
    for version in ["1.12.1", "1.14.2"] {
        let server = dify(version, "file2");
        let project = Project::with_suite(&suite(
            "  - { name: good, files: { doc: _data/a.txt, docs: [_data/a.txt] } }
  - { name: wrong, files: { doc: _data/a.mp3, docs: [_data/a.txt, _data/a.txt, _data/a.txt, _data/a.txt] } }
  - { name: one, files: { doc: [_data/a.txt], docs: _data/a.txt } }
",
        ));
        project.write("suites/_data/a.txt", "a");
        project.write("suites/_data/a.mp3", "a");
        target(&project, &server.base_url(), "");
        let said = run(&project, &["check", "--against", "live"]);
        assert_eq!(code(&said), 1, "{}", text(&said));
        for fact in [
            "takes no file of the type `audio`, found `_data/a.mp3`",
            "takes at most 3 files, found 4",
            "the input `doc` takes a file, found a list of files",
            "write a list: [_data/a.txt]",
            "4 problems",
        ] {
            assert!(text(&said).contains(fact), "{fact}: {}", text(&said));
        }
    }
}

#[test]
fn an_app_that_cannot_be_asked_is_exit_3_and_suites_with_problems_come_first() {
    let good = suite("  - { name: a, inputs: { text: x } }\n");
    let asked = |base_url: &str| {
        let project = Project::with_suite(&good);
        target(&project, base_url, "");
        let said = run(&project, &["check", "--against", "live"]);
        (code(&said), text(&said))
    };
    for (app, word) in [("chatflow", "advanced-chat"), ("unpublished", "press Publish")] {
        let (code, said) = asked(&dify("1.14.2", app).base_url());
        assert_eq!(code, 3, "{said}");
        assert!(
            said.contains(word) && said.contains("nothing was compared") || said.contains(word),
            "{said}"
        );
    }
    assert_eq!(asked("http://127.0.0.1:1/v1").0, 3);
    let refusing = Server::start(|_| refusal(500, "internal", "oh"));
    assert_eq!(asked(&refusing.base_url()).0, 3);
    let project = Project::with_suite(&good.replace("inputs", "inptus"));
    target(&project, "http://127.0.0.1:1/v1", "");
    let said = run(&project, &["check", "--against", "live"]);
    assert_eq!(code(&said), 1, "{}", text(&said));
    assert!(text(&said).contains("`live` was not asked"), "{}", text(&said));
    let project = Project::with_suite(&good);
    assert_eq!(code(&run(&project, &["check", "--against", "nowhere"])), 3);
    target(&project, "http://127.0.0.1:1/v1", "");
    assert_eq!(code(&project.run(&["check", "--against", "live"])), 3, "the key is not set");
}

#[test]
fn the_mock_is_compared_offline_where_it_declares_inputs() {
    let project = Project::with_suite(
        &suite("  - { name: a, inputs: { txt: x }, mock: { outputs: {} } }\n")
            .replace("name: S", "name: S\napp: one"),
    );
    let said = project.run(&["check", "--against", "mock"]);
    assert_eq!(code(&said), 2, "{}", text(&said));
    assert!(text(&said).contains("the mock declares no inputs to compare with"), "{}", text(&said));
    project.write(
        "flowproof.yaml",
        "version: 1\nmock: { apps: { one: { parameters: [{ text-input: { variable: text, required: true } }] } } }\n",
    );
    let said = project.run(&["check", "--against", "mock"]);
    assert_eq!(code(&said), 1, "{}", text(&said));
    assert!(
        text(&said).contains("did you mean `text`?") && text(&said).contains("2 problems"),
        "{}",
        text(&said)
    );
    project.write("suites/t.yaml", GREEN.replace("name: S", "name: T"));
    let said = project.run(&["check", "--against", "mock"]);
    assert!(text(&said).contains("the mock declares no inputs of the target's app"), "{}", text(&said));
}

#[test]
fn apps_that_grade_have_room_for_what_a_judge_sends() {
    let project = Project::with_suite(&suite("  - { name: a, mock: { outputs: { x: 1 } } }\n"));
    let long = |name: &str| format!("{{ paragraph: {{ variable: {name}, max_length: 20000 }} }}");
    let with = |parameters: &str| {
        let file = format!(
            "version: 1\njudges: {{ tone: {{ app: grader }} }}\nmock: {{ apps: {{ grader: {{ parameters: [{parameters}] }} }} }}\n"
        );
        project.write("flowproof.yaml", file);
        let output = project.run(&["check", "--against", "mock"]);
        (code(&output), text(&output))
    };
    let complete = format!("{}, {}, {}", long("rubric"), long("output"), long("context"));
    let (code, output) = with(&complete);
    assert_eq!(code, 0, "{output}");
    let (code, output) = with(&format!(
        "{}, {{ text-input: {{ variable: output, max_length: 48 }} }}, {{ number: {{ variable: extra, required: true }} }}",
        long("rubric")
    ));
    assert_eq!(code, 1, "{output}");
    for fact in [
        "has no input `context`",
        "the input `output` of the app `grader` takes at most 48 characters",
        "requires the input `extra`",
        "flowproof.yaml:2:24",
        "3 problems",
    ] {
        assert!(output.contains(fact), "{fact}: {output}");
    }
}

#[test]
fn names_of_nodes_are_held_against_the_last_run_of_the_target() {
    let nodes = "nodes: [{ id: n1, title: Classify, type: llm }, { title: Answer }]";
    let played = suite(&format!("  - name: a\n    mock: {{ outputs: {{ x: 1 }}, {nodes} }}\n"));
    let served = Project::with_suite(&played);
    let mock = Mock::start(&served);
    let project = Project::with_suite(&suite(
        "  - name: a
    assert:
      - { node: Classify, status: succeeded }
      - { node: n1, status: succeeded }
      - nodes: { visited: [Answer], absent: [Escalate] }
    mock: { outputs: { x: 1 }, nodes: [{ title: Clasify }] }
",
    ));
    target(&project, &mock.1, "");
    let against = |expected: i32| {
        let said = run(&project, &["check", "--against", "live"]);
        assert_eq!(code(&said), expected, "{}", text(&said));
        text(&said)
    };
    let said = against(0);
    assert!(said.contains("names of nodes were not compared: no run on `live` is recorded"), "{said}");
    let ran = run(&project, &["run"]);
    assert_eq!(code(&ran), 100, "on the mock: {}", text(&ran));
    assert!(against(0).contains("no run on `live` is recorded"), "a run on the mock is none on the target");
    let ran = run(&project, &["run", "--target", "live"]);
    assert_eq!(code(&ran), 0, "{}", text(&ran));
    let said = against(0);
    assert!(said.contains("names of nodes were compared with those that ran in the run 2"), "{said}");
    let slips = project
        .read("suites/s.yaml")
        .replace("[Escalate]", "[Clasify]")
        .replace("[Answer]", "[Anwser, Other]");
    project.write("suites/s.yaml", slips);
    let said = against(1);
    for fact in [
        "no node `Clasify` ran in the last recorded run",
        "did you mean `Classify`?",
        "no node `Anwser` ran in the last recorded run",
        "no node `Other` ran in the last recorded run",
        "where it is new in the app, run the suite once",
        "suites/s.yaml:8:28",
        "3 problems",
    ] {
        assert!(said.contains(fact), "{fact}: {said}");
    }
}
