//! Numbers of any length: written, sent, answered, compared and stored by their exact value, whichever way they come.

use crate::live::{case, report};
use crate::project::{Project, code, text};

/// Two numbers that are the same double.
const LONG: &str = "0.1000000000000000000001";

fn run(project: &Project) -> (i32, String) {
    let output = project.run(&["run"]);
    (code(&output), text(&output))
}

fn verdict(project: &Project, test: &str) -> String {
    case(&report(project), test)["verdict"].as_str().unwrap().to_owned()
}

/// A suite with one test for each of these lines, all with these outputs.
fn suite(outputs: &str, asserts: &[String]) -> String {
    let tests = asserts.iter().enumerate().map(|(index, assert)| {
        format!(
            "  - name: t{index}\n    assert: [{{ {assert} }}]\n    mock: {{ outputs: {{ {outputs} }} }}\n"
        )
    });
    format!("version: 1\nname: S\ntests:\n{}", tests.collect::<String>())
}

/// Runs one test for each assertion, and counts those that passed.
fn verdicts(outputs: &str, asserts: &[String]) -> Vec<bool> {
    let project = Project::with_suite(&suite(outputs, asserts));
    let (_, text) = run(&project);
    let passed = |index: usize| {
        let verdict = verdict(&project, &format!("t{index}"));
        assert!(["passed", "failed"].contains(&verdict.as_str()), "{verdict}: {text}");
        verdict == "passed"
    };
    (0..asserts.len()).map(passed).collect()
}

fn on(asserts: &[&str]) -> Vec<String> {
    asserts.iter().map(|assert| format!("path: $.x, {assert}")).collect()
}

#[test]
fn every_predicate_compares_the_exact_value() {
    let short = on(&[
        &format!("equals: {LONG}"),
        &format!("gte: {LONG}"),
        &format!("gt: 0.0999, gte: {LONG}"),
        &format!("between: [{LONG}, 1]"),
        &format!("one_of: [{LONG}]"),
        &format!("includes: {LONG}"),
        "approx: { value: 0.2, abs: 0.0999999999999999999999 }",
        &format!("schema: {{ const: {LONG} }}"),
        &format!("schema: {{ enum: [{LONG}] }}"),
        &format!("schema: {{ minimum: {LONG} }}"),
    ]);
    assert_eq!(verdicts("x: 0.1", &short), vec![false; short.len()]);
    let long = on(&[
        "equals: 0.1",
        "lte: 0.1",
        "between: [0, 0.1]",
        "one_of: [0.1, 0.2]",
        "includes: 0.1",
        "approx: { value: 0.2, abs: 0.1 }, lte: 0.1",
        "schema: { const: 0.1 }",
        "schema: { enum: [0.1] }",
        "schema: { maximum: 0.1 }",
        "schema: { multipleOf: 0.1 }",
    ]);
    assert_eq!(verdicts(&format!("x: {LONG}"), &long), vec![false; long.len()]);
    let held = on(&[
        &format!("equals: {LONG}0"),
        &format!("equals: 1000000000000000000001e-22, gt: 0.1, lt: 0.1000000000000000000002, lte: {LONG}"),
        &format!("one_of: [0.1, {LONG}], includes: {LONG}, not: {{ equals: 0.1 }}"),
        "approx: { value: 0.2, abs: 0.1 }, type: number",
        &format!("schema: {{ const: {LONG}, exclusiveMinimum: 0.1, multipleOf: 0.0000000000000000000001 }}"),
    ]);
    assert_eq!(verdicts(&format!("x: {LONG}"), &held), vec![true; held.len()]);
}

#[test]
fn paths_texts_and_spellings_are_exact_too() {
    let outputs = format!(
        "l: [0.1, {LONG}, 18446744073709551616], t: '{{\"n\": {LONG}, \"big\": 1e400}}', s: '18446744073709551616', h: 1e2, o: 1.0"
    );
    let holds = [
        format!("path: '$.l[?@ == {LONG}]', count: 1"),
        "path: '$.l[?@ > 0.1]', count: 2".to_owned(),
        "path: '$.l[?@ == 18446744073709551616]', count: 1".to_owned(),
        format!("path: $.t, transform: [json, {{ jsonpath: $.n }}], equals: {LONG}"),
        "path: $.t, transform: [json, { jsonpath: $.big }], equals: 10e399, type: integer".to_owned(),
        "path: $.s, transform: [to_number], equals: 18446744073709551616, gt: 18446744073709551615"
            .to_owned(),
        "path: '$.l[2]', equals: 18446744073709551616.0, type: integer".to_owned(),
        "path: $.h, equals: 100".to_owned(),
        "path: $.o, equals: 1, type: integer".to_owned(),
    ];
    assert_eq!(verdicts(&outputs, &holds), vec![true; holds.len()]);
    let broken = [
        "path: $.t, transform: [json, { jsonpath: $.n }], equals: 0.1".to_owned(),
        "path: $.s, transform: [to_number], equals: 18446744073709551615".to_owned(),
        "path: $.s, transform: [to_number], equals: 18446744073709551617".to_owned(),
        "path: '$.l[2]', equals: 18446744073709552000".to_owned(),
        "path: '$.l[1]', type: integer".to_owned(),
    ];
    assert_eq!(verdicts(&outputs, &broken), vec![false; broken.len()]);
}

#[test]
fn rows_pass_on_what_is_written() {
    let project = Project::with_suite(
        "version: 1\nname: S\ntests:\n\
         - { name: y, each: _data/r.yaml, inputs: { n: \"{{ row.n }}\" }, assert: [{ path: $.n, equals: \"{{ row.n }}\", not: { equals: 0.1 } }], mock: { outputs: { n: \"{{ row.n }}\" } } }\n\
         - { name: j, each: _data/r.json, assert: [{ path: $.n, equals: 0.1000000000000000000001 }], mock: { outputs: { n: \"{{ row.n }}\" } } }\n\
         - { name: l, each: _data/r.jsonl, assert: [{ path: $.t, equals: \"at 0.1000000000000000000001\" }], mock: { outputs: { t: \"at {{ row.n }}\" } } }\n\
         - { name: c, each: _data/r.csv, assert: [{ path: $.n, equals: 0.1000000000000000000001 }], mock: { outputs: { n: \"{{ row.n | float }}\" } } }\n\
         - { name: d, each: _data/r.csv, assert: [{ path: $.n, equals: 0.1 }], mock: { outputs: { n: \"{{ row.n | float }}\" } } }\n",
    );
    project.write("suites/_data/r.yaml", format!("- n: {LONG}\n"));
    project.write("suites/_data/r.json", format!("[{{\"n\": {LONG}}}]"));
    project.write("suites/_data/r.jsonl", format!("{{\"n\": {LONG}}}\n"));
    project.write("suites/_data/r.csv", format!("n\n{LONG}\n"));
    let (code, text) = run(&project);
    assert_eq!(code, 100, "{text}");
    for (test, expected) in
        [("y[1]", "passed"), ("j[1]", "passed"), ("l[1]", "passed"), ("c[1]", "passed"), ("d[1]", "failed")]
    {
        assert_eq!(verdict(&project, test), expected, "{test}: {text}");
    }
}

#[test]
fn templates_do_not_calculate_with_what_they_would_round() {
    for expression in
        ["row.n * 2", "row.n > 0.05", "[row.n] | sum", "row.n | tojson", "'x' if row.n else 'y'"]
    {
        let project = Project::with_suite(&format!(
            "version: 1\nname: S\ntests:\n- name: a\n  each: [{{ n: {LONG} }}]\n  inputs: {{ x: \"{{{{ {expression} }}}}\" }}\n  mock: {{ outputs: {{}} }}\n"
        ));
        let (code, text) = run(&project);
        assert_eq!(code, 2, "{expression}: {text}");
        assert!(text.contains("more digits than a template calculates with"), "{expression}: {text}");
    }
}

#[test]
fn snapshots_keep_all_digits_and_old_ones_still_match() {
    let of = |outputs: &str| {
        format!(
            "version: 1\nname: S\ntests:\n- name: a\n  assert: [{{ path: $, snapshot: true }}]\n  mock: {{ outputs: {{ {outputs} }} }}\n"
        )
    };
    let project = Project::with_suite(&of(&format!("x: {LONG}, y: 1e2, z: 1.50, b: 18446744073709551616")));
    assert_eq!(run(&project).0, 100, "nothing is approved yet");
    assert!(project.run(&["snapshot", "accept", "--all"]).status.success());
    let stored = project.read("suites/snapshots/s/a.json");
    assert!(stored.contains(LONG) && stored.contains("18446744073709551616"), "{stored}");
    assert_eq!(run(&project).0, 0);
    for other in [
        "x: 0.1, y: 1e2, z: 1.5, b: 18446744073709551616",
        &format!("x: {LONG}, y: 1e2, z: 1.5, b: 18446744073709551617"),
    ] {
        project.write("suites/s.yaml", of(other));
        assert_eq!(run(&project).0, 100, "{other}");
    }
    // As versions before this one wrote them.
    project.write("suites/snapshots/s/a.json", stored.replace("\"y\": 100.0", "\"y\": 100"));
    project.write("suites/s.yaml", of(&format!("x: {LONG}, y: 100, z: 1.50, b: 18446744073709551616.0")));
    let (code, text) = run(&project);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_comparison_tells_neighbours_apart_and_takes_equal_values_as_equal() {
    let kinds = |a: &str, b: &str| {
        let one = vec!["path: $.x, exists: true".to_owned()];
        let project = Project::with_suite(&suite(&format!("x: {a}"), &one));
        assert_eq!(code(&project.run(&["run", "-q"])), 0);
        project.run(&["runs", "export", "latest", "-o", "a.jsonl"]);
        project.write("suites/s.yaml", suite(&format!("x: {b}"), &one));
        assert_eq!(code(&project.run(&["run", "-q"])), 0);
        let compared = project.run(&["compare", "a.jsonl", "latest"]);
        assert_eq!(code(&compared), 0, "{}", text(&compared));
        let found: serde_json::Value =
            serde_json::from_str(&project.read("reports/compare/compare.json")).unwrap();
        let shown = found["cases"][0]["detail"]["changes"].to_string();
        (found["cases"][0]["kind"].as_str().unwrap().to_owned(), shown)
    };
    for (a, b) in [
        ("9007199254740993", "9007199254740992"),
        ("18446744073709551615", "18446744073709551614"),
        ("-9223372036854775808", "-9223372036854775807"),
        ("18446744073709551616", "18446744073709551617"),
        ("0.123456789012345678901234567891", "0.123456789012345678901234567892"),
        ("[1, 0.1]", "[1, 0.1000000000000000000001]"),
    ] {
        let (kind, shown) = kinds(a, b);
        assert_eq!(kind, "changed", "{a} and {b}");
        let digits = |text: &str| text.trim_start_matches("[1, ").trim_end_matches(']').to_owned();
        assert!(
            shown.contains(&digits(a)) && shown.contains(&digits(b)),
            "{shown}: all digits of {a} and {b}"
        );
    }
    for (a, b) in [
        ("1.0", "1"),
        ("1e2", "100"),
        ("0.123456789012345678901234567890", "0.12345678901234567890123456789"),
        ("18446744073709551616.0", "18446744073709551616"),
    ] {
        assert_eq!(kinds(a, b).0, "unchanged", "{a} and {b}");
    }
}
