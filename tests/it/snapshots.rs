//! Snapshots: what is missing or differs is red everywhere and waits; only `accept` and `review` change an approved file.

use std::process::Stdio;

use serde_json::Value;

use crate::project::{Project, code, text};

const SUITE: &str = "
version: 1
name: support
tests:
  - name: refund
    assert:
      - { path: $.reply, snapshot: true }
      - { path: $.total, snapshot: { compare: { numeric: { rel: 0.1 } } } }
    mock: { outputs: { reply: A refund of 20 EUR., total: 20 } }
";
const APPROVED: &str = "suites/snapshots/s/refund.json";
const WAITS: &str = "suites/snapshots/s/refund.json.new";

/// A project whose snapshots are approved.
fn approved(suite: &str) -> Project {
    let project = Project::with_suite(suite);
    assert_eq!(code(&project.run(&["run"])), 100);
    let output = project.run(&["snapshot", "accept", "--all"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    assert_eq!(code(&project.run(&["run"])), 0);
    project
}

fn entries(project: &Project, file: &str) -> Value {
    serde_json::from_str::<Value>(&project.read(file)).unwrap()["entries"].take()
}

#[test]
fn a_missing_snapshot_is_red_until_it_is_accepted() {
    let project = Project::with_suite(SUITE);
    let output = project.run(&["run"]);
    assert_eq!(code(&output), 100, "{}", text(&output));
    assert!(text(&output).contains("no snapshot `$.reply` was approved yet"), "{}", text(&output));
    assert!(text(&output).contains("2 snapshots wait for approval"), "{}", text(&output));
    assert!(!project.path(APPROVED).exists(), "a run approves nothing");
    assert_eq!(entries(&project, WAITS)["$.total"], 20);
    assert_eq!(code(&project.run(&["run"])), 100, "what waits is not approved");

    let listed = project.run(&["snapshot", "list"]);
    assert_eq!(code(&listed), 1, "{}", text(&listed));
    assert!(text(&listed).contains("support::refund"), "{}", text(&listed));
    let accepted = project.run(&["snapshot", "accept", "support::refund"]);
    assert_eq!(code(&accepted), 0, "{}", text(&accepted));
    assert!(!project.path(WAITS).exists());
    assert_eq!(code(&project.run(&["run"])), 0);
    let listed = project.run(&["snapshot", "list"]);
    assert_eq!((code(&listed), text(&listed).trim()), (0, "no snapshot waits for approval"));
}

#[test]
fn a_difference_is_red_waits_and_leaves_the_approved_file_alone() {
    let project = approved(SUITE);
    let before = project.read(APPROVED);
    project.write("suites/s.yaml", SUITE.replace("20 EUR", "200 EUR").replace("total: 20", "total: 21"));
    let output = project.run(&["run"]);
    assert_eq!(code(&output), 100, "{}", text(&output));
    for said in [
        "A refund of [-20-] EUR",
        "A refund of {+200+} EUR",
        "differs from the approved snapshot in suites/snapshots/s/refund.json",
    ] {
        assert!(text(&output).contains(said), "{said}: {}", text(&output));
    }
    assert_eq!(project.read(APPROVED), before, "a failing run changes no approved file");
    assert_eq!(entries(&project, WAITS).as_object().unwrap().keys().collect::<Vec<_>>(), ["$.reply"]);
    let junit = project.read("reports/latest/junit.xml");
    assert!(junit.contains("differs from the approved snapshot"), "{junit}");

    let rejected = project.run(&["snapshot", "reject", "support"]);
    assert_eq!(code(&rejected), 0, "{}", text(&rejected));
    assert!(!project.path(WAITS).exists());
    assert_eq!(project.read(APPROVED), before);
    assert_eq!(code(&project.run(&["run"])), 100, "a rejected change is as red as before");
}

#[test]
fn an_assertion_that_holds_again_waits_no_more() {
    let project = approved(SUITE);
    project.write("suites/s.yaml", SUITE.replace("20 EUR", "200 EUR"));
    project.run(&["run"]);
    assert!(project.path(WAITS).exists());
    project.write("suites/s.yaml", SUITE);
    assert_eq!(code(&project.run(&["run"])), 0);
    assert!(!project.path(WAITS).exists());
}

#[test]
fn with_ci_nothing_is_written_beside_the_suites() {
    let project = Project::with_suite(SUITE);
    let output = project.command(&["run"]).env("CI", "true").output().unwrap();
    assert_eq!(code(&output), 100, "{}", text(&output));
    assert!(!project.path("suites/snapshots").exists());
    assert!(project.path(&format!("reports/snapshots/{WAITS}")).exists());
    assert!(text(&output).contains("reports/snapshots"), "{}", text(&output));
}

#[test]
fn of_several_repeats_the_first_that_differs_waits() {
    let suite = "
version: 1
name: support
tests:
  - name: refund
    repeat: 3
    pass_rate: 0.1
    assert: [{ path: $.x, snapshot: true }]
    mock: { replies: [{ outputs: { x: a } }, { outputs: { x: b } }, { outputs: { x: c } }] }
";
    let project = Project::with_suite(suite);
    let one_by_one = ["run", "-j", "1"];
    assert_eq!(code(&project.run(&one_by_one)), 100);
    assert_eq!(entries(&project, WAITS)["$.x"], "a");
    project.run(&["snapshot", "accept", "--all"]);
    assert_eq!(code(&project.run(&one_by_one)), 0, "one of three passes, which is enough");
    assert_eq!(entries(&project, WAITS)["$.x"], "b", "what differed waits, though the test is green");
}

#[test]
fn what_varies_by_itself_is_no_difference_and_what_the_workflow_says_is() {
    let suite = r#"
version: 1
name: support
tests:
  - name: refund
    assert:
      - { path: $, snapshot: true, label: all }
      - { path: $.file.id, snapshot: true }
      - { path: "$['sys.user_id']", snapshot: true }
      - { path: $.json, transform: [json], snapshot: true }
    mock:
      outputs:
        sys.user_id: "u-{{ run.id }}"
        sys.timestamp: 17
        order: "ORDER"
        json: '{"sys.app_id": "{{ run.id }}", "amount": 3}'
        link: "see http://dify/files/1/file-preview?timestamp=17&nonce={{ run.id }}&sign={{ run.id }} now"
        file: { dify_model_identity: __dify__file__, id: "f-{{ run.id }}", filename: a.txt, size: 20, url: "http://dify/files/1/file-preview?sign={{ run.id }}" }
"#;
    let project = Project::with_suite(suite);
    project.run(&["run"]);
    project.run(&["snapshot", "accept", "--all"]);
    let output = project.run(&["run"]);
    // The text of `json` as a whole holds the run's own word; only what is read from it is settled.
    assert_eq!(code(&output), 100, "{}", text(&output));
    let waits = entries(&project, WAITS);
    assert_eq!(waits.as_object().unwrap().keys().collect::<Vec<_>>(), ["all"], "{waits}");
    let approved = entries(&project, APPROVED);
    assert_eq!(approved["$['sys.user_id']"], "[sys.user_id]");
    assert_eq!(approved["$.file.id"], "[file id]");
    assert_eq!(approved["$.json"]["sys.app_id"], "[sys.app_id]");
    assert_eq!(approved["all"]["link"], "see [file url] now");
    assert_eq!(approved["all"]["file"]["size"], 20);

    let steady = suite.replace(r#""sys.app_id": "{{ run.id }}", "#, "");
    project.write("suites/s.yaml", &steady);
    project.run(&["run"]);
    project.run(&["snapshot", "accept", "--all"]);
    assert_eq!(code(&project.run(&["run"])), 0);
    for (from, to) in [
        ("ORDER", "ORDEF"),
        ("size: 20", "size: 21"),
        ("see http", "saw http"),
        ("\"amount\": 3", "\"amount\": 4"),
        ("a.txt", "b.txt"),
    ] {
        project.write("suites/s.yaml", steady.replace(from, to));
        assert_eq!(code(&project.run(&["run"])), 100, "{from} became {to}, and nobody saw it");
    }
}

#[test]
fn secrets_reach_no_snapshot() {
    let project = Project::with_suite(
        "
version: 1
name: support
tests:
  - name: refund
    assert: [{ path: $, snapshot: true }]
    mock: { outputs: { reply: 'the key is hunter2-hunter2', amount: 3 } }
",
    );
    project.write("flowproof.yaml", "version: 1\nsecrets: [SOME_KEY]\n");
    let run = || project.command(&["run"]).env("SOME_KEY", "hunter2-hunter2").output().unwrap();
    assert_eq!(code(&run()), 100);
    assert!(!project.read(WAITS).contains("hunter2"), "{}", project.read(WAITS));
    let accepted = project
        .command(&["snapshot", "accept", "--all"])
        .env("SOME_KEY", "hunter2-hunter2")
        .output()
        .unwrap();
    assert_eq!(code(&accepted), 0, "{}", text(&accepted));
    assert_eq!(code(&run()), 0, "the masked value is compared with the masked one");
}

#[test]
fn files_that_cannot_be_read_stop_the_run_before_anything_is_sent() {
    let project = approved(SUITE);
    let whole = project.read(APPROVED);
    for (broken, said) in [
        (whole[..whole.len() / 2].to_owned(), "its rest is missing"),
        (whole.replace("    \"$.total\"", "<<<<<<< HEAD\n    \"$.total\""), "merge conflict"),
        (whole.replace("\"snapshot\": 1", "\"snapshot\": 9"), "newer flowproof"),
        (
            whole.replace("\"test\": \"refund\"", "\"test\": \"tone\""),
            "the snapshots of `tone`, not of `refund`",
        ),
    ] {
        project.write(APPROVED, &broken);
        let output = project.run(&["run"]);
        assert_eq!(code(&output), 2, "{said}: {}", text(&output));
        assert!(text(&output).contains(said), "{said}: {}", text(&output));
        assert!(text(&output).contains(APPROVED), "{}", text(&output));
        assert_eq!(code(&project.run(&["check"])), 1);
        for command in ["accept", "reject"] {
            assert_eq!(code(&project.run(&["snapshot", command, "--all"])), 2);
        }
        assert_eq!(code(&project.run(&["snapshot", "prune"])), 2);
        assert_eq!(project.read(APPROVED), broken, "nobody touches what nobody can read");
    }
    project.write(APPROVED, &whole);
    project.write(WAITS, &whole[..40]);
    let output = project.run(&["snapshot", "list"]);
    assert_eq!(code(&output), 2, "{}", text(&output));
    assert!(text(&output).contains("delete the file: the next run writes it again"), "{}", text(&output));
    assert_eq!(code(&project.run(&["run"])), 0, "what waits unread is judged by nobody");
}

#[test]
fn names_choose_and_unknown_ones_are_refused() {
    let project = Project::with_suite(SUITE);
    project.run(&["run"]);
    for (words, said) in [
        (&["accept"][..], "--all"),
        (&["accept", "support::refnd"], "did you mean `support::refund`?"),
        (&["accept", "supp"], "nothing of `supp` waits"),
        (&["accept", "support", "--key", "$.replay"], "did you mean `$.reply`?"),
        (&["accept", "support", "--all"], "cannot be used with"),
        (&["review", "--accept", "support", "--reject", "support::refund"], "accepted and rejected"),
    ] {
        let output = project.run(&[&["snapshot"], words].concat());
        assert_eq!(code(&output), 2, "{words:?}: {}", text(&output));
        assert!(text(&output).contains(said), "{words:?}: {}", text(&output));
        assert!(!project.path(APPROVED).exists());
    }
    let output = project.run(&["snapshot", "accept", "support", "--key", "$.reply"]);
    assert_eq!(text(&output).trim(), "accepted 1 snapshot");
    assert_eq!(entries(&project, APPROVED).as_object().unwrap().len(), 1);
    assert_eq!(entries(&project, WAITS).as_object().unwrap().len(), 1);
}

#[test]
fn review_without_a_terminal_decides_by_flags_only() {
    let project = Project::with_suite(SUITE);
    let review = |words: &[&str]| {
        let mut command = project.command(&[&["snapshot", "review"], words].concat());
        command.stdin(Stdio::null()).output().unwrap()
    };
    assert_eq!(code(&review(&[])), 0, "nothing waits");
    project.run(&["run"]);
    let output = review(&[]);
    assert_eq!(code(&output), 1, "{}", text(&output));
    for said in ["+ A refund of 20 EUR.", "no terminal to ask at", "--all"] {
        assert!(text(&output).contains(said), "{said}: {}", text(&output));
    }
    assert!(!project.path(APPROVED).exists(), "silence approves nothing");
    assert_eq!(code(&review(&["--all"])), 0);
    assert_eq!(code(&project.run(&["run"])), 0);

    project.write("suites/s.yaml", SUITE.replace("20 EUR", "21 EUR"));
    project.run(&["run"]);
    let output = review(&["--reject", "support"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    assert!(text(&output).contains("[-20-]"), "{}", text(&output));
    assert!(project.read(APPROVED).contains("20 EUR"));
}

#[test]
fn prune_removes_what_no_test_asks_for_and_nothing_else() {
    let two = format!(
        "{SUITE}  - name: gone\n    assert: [{{ path: $.x, snapshot: true }}]\n    mock: {{ outputs: {{ x: 1 }} }}\n"
    );
    let project = approved(&two);
    // `gone` waits for approval of a change, and goes itself; `$.total` is asked for no more.
    project.write("suites/s.yaml", two.replace("x: 1", "x: 2"));
    project.run(&["run"]);
    let one =
        SUITE.replace("      - { path: $.total, snapshot: { compare: { numeric: { rel: 0.1 } } } }\n", "");
    project.write("suites/s.yaml", &one);
    assert_eq!(code(&project.run(&["run"])), 0);
    let listed = project.run(&["snapshot", "list"]);
    assert_eq!(code(&listed), 0, "{}", text(&listed));
    assert!(text(&listed).contains("no test asks for 3 snapshots"), "{}", text(&listed));
    assert_eq!(code(&project.run(&["snapshot", "accept", "--all"])), 0);
    assert!(project.read("suites/snapshots/s/gone.json").contains('1'), "nothing is approved for nobody");

    let dry = project.run(&["snapshot", "prune", "--dry-run"]);
    assert!(text(&dry).contains("would remove 3 snapshots"), "{}", text(&dry));
    assert!(project.path("suites/snapshots/s/gone.json.new").exists());
    // A suite that cannot be read is no reason to take its snapshots for unused.
    project.write("suites/s.yaml", one.replace("assert:", "asert:"));
    assert_eq!(code(&project.run(&["snapshot", "prune"])), 2);
    assert!(project.path("suites/snapshots/s/gone.json").exists());

    project.write("suites/s.yaml", &one);
    let pruned = project.run(&["snapshot", "prune"]);
    assert!(text(&pruned).contains("removed 3 snapshots"), "{}", text(&pruned));
    assert!(!project.path("suites/snapshots/s/gone.json").exists());
    assert!(!project.path("suites/snapshots/s/gone.json.new").exists());
    assert_eq!(entries(&project, APPROVED).as_object().unwrap().keys().collect::<Vec<_>>(), ["$.reply"]);
    assert_eq!(code(&project.run(&["run"])), 0);
}

#[test]
fn prune_spares_tests_that_are_not_selected_and_keys_that_a_run_renders() {
    let suite = "
version: 1
name: support
tests:
  - name: only-this
    only: true
    assert: [{ path: $.x, equals: 1 }]
    mock: { outputs: { x: 1 } }
  - name: Row
    each: [{ id: a }, { id: b }]
    skip: SKIP
    assert: [{ path: $.x, snapshot: true, label: 'of {{ row.id }}' }]
    mock: { outputs: { x: 1 } }
";
    let project = approved(&suite.replace("    only: true\n", "").replace("    skip: SKIP\n", ""));
    project.write("suites/s.yaml", suite);
    let pruned = project.run(&["snapshot", "prune"]);
    assert!(text(&pruned).contains("nothing to remove"), "{}", text(&pruned));
    assert!(project.path("suites/snapshots/s/Row%5Ba%5D.json").exists());
    // A suite that is gone altogether leaves its folder behind, until it is pruned.
    std::fs::rename(project.path("suites/s.yaml"), project.path("suites/t.yaml")).unwrap();
    let pruned = project.run(&["snapshot", "prune"]);
    assert!(text(&pruned).contains("removed 2 snapshots"), "{}", text(&pruned));
    assert!(!project.path("suites/snapshots/s").exists());
}

#[test]
fn two_snapshots_of_one_key_are_a_problem() {
    let project = Project::with_suite(&SUITE.replace("path: $.total", "path: $.reply"));
    let output = project.run(&["run"]);
    assert_eq!(code(&output), 2, "{}", text(&output));
    assert!(
        text(&output).contains("two snapshots of this test have the same key, `$.reply`"),
        "{}",
        text(&output)
    );
}

#[test]
fn tests_whose_names_differ_in_case_only_do_not_share_a_file() {
    let other =
        "  - name: Refund\n    assert: [{ path: $.x, snapshot: true }]\n    mock: { outputs: { x: 1 } }\n";
    let project = approved(SUITE);
    project.write("suites/s.yaml", format!("{SUITE}{other}"));
    let output = project.run(&["run"]);
    assert!(text(&output).contains("1 passed, 1 failed"), "the first keeps its file: {}", text(&output));
    project.run(&["snapshot", "accept", "--all"]);
    assert_eq!(code(&project.run(&["run"])), 0);
    let names: Vec<String> = std::fs::read_dir(project.path("suites/snapshots/s"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().to_lowercase())
        .collect();
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
}

#[test]
fn a_group_that_holds_leaves_nothing_to_approve() {
    let project = Project::with_suite(
        "
version: 1
name: support
tests:
  - name: refund
    assert: [{ any_of: [{ path: $.x, snapshot: true }, { path: $.x, equals: 1 }] }]
    mock: { outputs: { x: 1 } }
",
    );
    assert_eq!(code(&project.run(&["run"])), 0);
    assert!(!project.path(WAITS).exists());
}

#[test]
fn a_file_in_the_place_of_the_folder_is_a_problem() {
    let project = Project::with_suite(SUITE);
    project.write("suites/snapshots", "in the way");
    let output = project.run(&["run"]);
    assert_eq!(code(&output), 2, "{}", text(&output));
    assert!(text(&output).contains("the snapshots cannot be read"), "{}", text(&output));
}

#[test]
fn runs_and_people_at_once_leave_whole_files() {
    let tests: String = (0..6)
        .map(|number| {
            format!(
                "  - name: t{number}\n    assert: [{{ path: $.x, snapshot: true }}, {{ path: $.y, snapshot: true }}]\n    mock: {{ outputs: {{ x: {number}, y: [1, 2] }} }}\n"
            )
        })
        .collect();
    let project = Project::with_suite(&format!("version: 1\nname: many\ntests:\n{tests}"));
    let at_once = |arguments: &[&[&str]]| {
        let spawn = |words: &&[&str]| {
            project.command(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let children: Vec<_> = arguments.iter().map(spawn).collect();
        children.into_iter().map(|mut child| child.wait().unwrap().code().unwrap()).collect::<Vec<_>>()
    };
    let run: &[&str] = &["run", "--reports", "r1"];
    assert_eq!(at_once(&[run, &["run", "--reports", "r2"], &["run", "--reports", "r3"]]), [100, 100, 100]);
    let accept: &[&str] = &["snapshot", "accept", "--all"];
    let codes = at_once(&[accept, accept, accept]);
    assert!(codes.iter().all(|code| [0, 1].contains(code)), "{codes:?}");
    let output = project.run(run);
    assert_eq!(code(&output), 0, "{}", text(&output));
    assert_eq!(code(&project.run(&["snapshot", "list"])), 0);
}

#[test]
fn what_nobody_sees_is_named_before_it_is_approved() {
    let suite = |reply: &str| {
        format!(
            "version: 1\nname: s\ntests:\n  - name: t\n    assert: [{{ path: $.reply, snapshot: true }}]\n    mock: {{ outputs: {{ reply: \"{reply}\" }} }}\n"
        )
    };
    let project = approved(&suite("a Café refund"));
    project.write("suites/s.yaml", suite("a Cafe\\u0301 re\\u00adfund"));
    assert_eq!(code(&project.run(&["run"])), 100);
    let listed = project.run(&["snapshot", "review"]);
    for output in [project.run(&["run"]), listed] {
        let shown = text(&output);
        assert!(shown.contains("Cafe\\u{301}") && shown.contains("re\\u{ad}fund"), "{shown}");
    }
}
