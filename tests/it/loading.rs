//! What is read while suites load: marks and line ends of editors, the environment, versions, and how much is too much.

use crate::project::{Project, code, text};

const PIN: &str = "5f1c2e1a-1111-4222-8333-000000000042";

fn with_mark(text: &str) -> Vec<u8> {
    [b"\xEF\xBB\xBF".as_slice(), text.replace('\n', "\r\n").as_bytes()].concat()
}

#[test]
fn files_that_an_editor_gave_a_byte_order_mark_and_cr_lf_are_read() {
    let project = Project::empty();
    project.write("flowproof.yaml", with_mark("version: 1\nenv: [REGION]\nenv_file: .env\n"));
    project.write(".env", with_mark("REGION=eu # where\n"));
    let test = |name: &str, file: &str| {
        format!(
            "  - name: {name}\n    each: _data/{file}\n    inputs: {{ q: \"{{{{ row.q }}}} {{{{ env.REGION }}}}\" }}\n    assert:\n      - {{ from: inputs, path: $.q, equals: hi eu }}\n      - {{ path: $.x, schema: _data/s.json }}\n    mock: {{ outputs: {{ x: 1 }} }}\n"
        )
    };
    let tests = ["a.csv", "b.jsonl", "c.json", "d.yaml"].map(|file| test(&file[..1], file)).concat();
    project.write("suites/s.yaml", with_mark(&format!("version: 1\ntests:\n{tests}")));
    project.write("suites/_data/a.csv", with_mark("id,q\none,hi\n"));
    project.write("suites/_data/b.jsonl", with_mark("{\"id\": \"one\", \"q\": \"hi\"}\n"));
    project.write("suites/_data/c.json", with_mark("[\n{\"id\": \"one\", \"q\": \"hi\"}\n]\n"));
    project.write("suites/_data/d.yaml", with_mark("- id: one\n  q: hi\n"));
    project.write("suites/_data/s.json", with_mark("{\n\"type\": \"integer\"\n}\n"));
    let ran = project.run(&["run"]);
    assert_eq!(code(&ran), 0, "{}", text(&ran));
    assert!(text(&ran).contains("4 passed"), "{}", text(&ran));
    let exported = project.run(&["runs", "export", "latest", "-o", "run.jsonl"]);
    assert_eq!(code(&exported), 0, "{}", text(&exported));
    project.write("run.jsonl", with_mark(&project.read("run.jsonl")));
    let reported = project.run(&["report", "run.jsonl", "-o", "again.json"]);
    assert_eq!(code(&reported), 0, "{}", text(&reported));
    let report: serde_json::Value = serde_json::from_str(&project.read("again.json")).unwrap();
    assert_eq!(report["damage"], serde_json::json!([]), "{report:#}");
    assert_eq!(report["totals"]["passed"], 4, "{report:#}");
}

#[test]
fn a_spreadsheet_in_utf_16_is_read() {
    let project = Project::with_suite(
        "version: 1\ntests:\n  - name: t\n    each: _data/rows.csv\n    inputs: { q: \"{{ row.q }}\" }\n    assert: [{ from: inputs, path: $.q, equals: grüße }]\n    mock: { outputs: {} }\n",
    );
    let units: Vec<u16> = "\u{feff}id\tq\r\none\tgrüße\r\n".encode_utf16().collect();
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        project
            .write("suites/_data/rows.csv", units.iter().flat_map(|unit| bytes(*unit)).collect::<Vec<u8>>());
        let ran = project.run(&["run"]);
        assert_eq!(code(&ran), 0, "{}", text(&ran));
    }
}

#[test]
fn the_environment_that_suites_read_is_listed_and_limited() {
    let suite = "version: 1\ntests:\n  - name: t\n    inputs: { q: \"{{ env.REGION | default('none') }}\" }\n    assert: [{ from: inputs, path: $.q, equals: \"VALUE\" }]\n    mock: { outputs: {} }\n";
    let run = |project_file: Option<&str>, value: &str, flags: &[&str], limit: Option<&str>| {
        let project = Project::with_suite(&suite.replace("VALUE", value));
        if let Some(keys) = project_file {
            project.write("flowproof.yaml", format!("version: 1\nx-note: {{ any: thing }}\n{keys}"));
        }
        let mut command = project.command(&[&["run"], flags].concat());
        command.env("REGION", "us");
        command.envs(limit.map(|names| ("FLOWPROOF_ENV_NAMES", names)));
        let ran = command.output().unwrap();
        (code(&ran), text(&ran))
    };
    assert_eq!(run(Some("env: [REGION]\n"), "us", &[], None).0, 0);
    for (file, help) in [
        (Some("env: [OTHER]\n"), "add `REGION` to `env: […]` in flowproof.yaml"),
        (Some(""), "add `env: [REGION]` to flowproof.yaml"),
        (None, "`env: [REGION]`"),
    ] {
        let (code, said) = run(file, "us", &[], None);
        assert!(code == 2 && said.contains(help), "{said}");
    }
    assert_eq!(run(Some("env: [REGION]\n"), "us", &["--env-names", "A,REGION"], None).0, 0);
    assert_eq!(run(Some("env: [REGION]\n"), "none", &["--env-names", "A"], None).0, 0);
    assert_eq!(run(Some("env: [REGION]\n"), "none", &["--env-names", ""], None).0, 0);
    assert_eq!(run(Some("env: [REGION]\n"), "none", &[], Some("A, B")).0, 0);
    assert_eq!(run(Some("env: [REGION]\n"), "us", &["--env-names", "REGION"], Some("A")).0, 0);
}

#[test]
fn a_version_that_is_no_uuid_is_refused_before_anything_is_sent() {
    let project = Project::with_suite(crate::project::GREEN);
    let named = project.run(&["run", "--workflow-id", "v2"]);
    assert!(code(&named) == 2 && text(&named).contains("is no id of a version"), "{}", text(&named));
    let mut command = project.command(&["run"]);
    let told = command.env("FLOWPROOF_WORKFLOW_ID", "v2").output().unwrap();
    assert!(code(&told) == 2 && text(&told).contains("FLOWPROOF_WORKFLOW_ID: `v2`"), "{}", text(&told));
    let keys = "version: 1\ntargets:\n  live: { base_url: \"http://127.0.0.1:9/v1\", api_key: \"{{ env.KEY }}\", workflow_id: \"{{ env.PINNED }}\" }\nprofiles: { default: { target: live } }\n";
    project.write("flowproof.yaml", keys);
    let with = |pinned: Option<&str>, args: &[&str]| {
        let mut command = project.command(args);
        command.env("KEY", "app-0123456789").envs(pinned.map(|id| ("PINNED", id)));
        let ran = command.output().unwrap();
        (code(&ran), text(&ran))
    };
    let dry = ["run", "--dry-run"];
    assert_eq!(with(Some(PIN), &dry).0, 0, "{}", with(Some(PIN), &dry).1);
    for (pinned, expected) in
        [(Some("v2"), "`workflow_id`: `v2` is no id"), (None, "`env.PINNED` is not defined")]
    {
        let (code, said) = with(pinned, &dry);
        assert!(code == 2 && said.contains(expected) && said.contains("flowproof.yaml:3:"), "{said}");
    }
    for sides in [["live@v2", "live"], ["live", "live@v2"]] {
        let (code, said) = with(Some(PIN), &["compare", sides[0], sides[1]]);
        assert!(code == 2 && said.contains("`v2` is no id of a version"), "{said}");
    }
}

#[test]
fn all_suites_together_have_a_limit_on_tests_that_is_told_at_its_place() {
    let project = Project::empty();
    let matrix: String = (0..5).map(|key| format!("m{key}: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], ")).collect();
    let test =
        |name: usize| format!("  - {{ name: t{name}, matrix: {{ {matrix} }}, mock: {{ outputs: {{}} }} }}\n");
    let tests: String = (0..6).map(test).collect();
    project.write("suites/s.yaml", format!("version: 1\ntests:\n{tests}"));
    for args in [["check", "suites"].as_slice(), &["list", "suites"], &["run", "--dry-run"], &["run"]] {
        let ran = project.run(args);
        let said = text(&ran);
        assert!([1, 2].contains(&code(&ran)) && said.contains("more than 500000 tests"), "{args:?}: {said}");
        assert!(said.contains("suites/s.yaml:8:"), "the sixth of them: {said}");
    }
}
