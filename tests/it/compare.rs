//! `compare`: what differs between recorded runs and between live sides, which gate decides, and what is never green.

use std::process::{Child, Stdio};

use serde_json::Value;

use crate::project::{Project, code, text};
use crate::shards::expect;
use crate::wire;

/// A suite of tests named t0, t1, …, each with its answer and tokens.
fn suite(tests: &[(&str, u64)]) -> String {
    let mut suite = String::from("version: 1\nname: S\napp: one\ntests:\n");
    for (number, (answer, tokens)) in tests.iter().enumerate() {
        suite.push_str(&format!(
            "  - name: t{number}\n    inputs: {{ n: {number} }}\n    assert: [{{ path: $.x, contains: a }}]\n    mock: {{ outputs: {{ x: {answer} }}, tokens: {tokens} }}\n"
        ));
    }
    suite
}

fn compared(project: &Project) -> Value {
    serde_json::from_str(&project.read("reports/compare/compare.json")).unwrap()
}

/// A project that ran these tests, then those; the first run is `a.jsonl`.
fn two_runs(a: &[(&str, u64)], b: &[(&str, u64)]) -> Project {
    let project = Project::with_suite(&suite(a));
    project.run(&["run", "-q"]);
    expect(&project.run(&["runs", "export", "latest", "-o", "a.jsonl"]), 0, "wrote");
    project.write("suites/s.yaml", suite(b));
    project.run(&["run", "-q"]);
    project
}

#[test]
fn two_recorded_difys_differ_where_they_do_and_nowhere_else() {
    let project = Project::empty();
    for (name, journal) in ["old.jsonl", "new.jsonl"].iter().zip(wire::journals()) {
        project.write(name, journal);
    }
    expect(&project.run(&["compare", "old.jsonl", "new.jsonl"]), 0, "no test regressed");
    let compared = compared(&project);
    let cases = compared["cases"].as_array().unwrap();
    let changed: Vec<&str> = cases
        .iter()
        .filter(|case| case["kind"] == "changed")
        .map(|case| case["name"].as_str().unwrap())
        .collect();
    // File objects lost and won keys, the HTTP node has another user agent, and of two ends that race another one won.
    let known = [
        "wire::file.docs_empty",
        "wire::file.docs_null",
        "wire::file.ok.blocking",
        "wire::file.ok.streaming",
        "wire::http_ok.image.blocking",
        "wire::http_ok.streaming",
        "wire::http_post.blocking",
        "wire::http_post.streaming",
        "wire::same_out_two_ends.blocking",
        "wire::scope.same_app_same_user",
    ];
    let unknown: Vec<&&str> = changed.iter().filter(|name| !known.contains(name)).collect();
    assert!(unknown.is_empty(), "false differences: {unknown:?}");
    assert!(changed.len() >= 9, "{changed:?}");
    let case = |name: &str| cases.iter().find(|case| case["name"] == name).unwrap();
    let paths: Vec<&str> = case("wire::file.ok.streaming")["detail"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["path"].as_str().unwrap())
        .collect();
    assert!(
        paths.contains(&"$['doc']['tenant_id']") && paths.contains(&"$['doc']['reference']"),
        "{paths:?}"
    );
    assert_eq!(case("wire::llm.streaming")["kind"], "unchanged");
    assert!(
        case("wire::parallel.streaming")["way"]["regrouped"].as_u64().unwrap() > 0,
        "one after the other, then at once"
    );
    let remarks = compared["remarks"].to_string();
    assert!(
        remarks.contains("only Dify of B sends") && remarks.contains("workflow_started.reason"),
        "{remarks}"
    );
    assert_eq!(compared["counts"]["regressed"], 0);
}

#[test]
fn a_run_and_itself_do_not_differ() {
    let project = two_runs(&[("a", 10)], &[("a", 10)]);
    let same =
        project.run(&["compare", "latest", "latest", "--max-changed", "0", "--min-similarity", "100%"]);
    expect(&same, 0, "all 2 gates hold");
    assert!(text(&same).contains("A and B are the same run"), "{}", text(&same));
}

#[test]
fn gates_of_the_project_and_of_the_command_line_decide() {
    let a: Vec<(&str, u64)> = vec![("a", 100); 8];
    let b: Vec<(&str, u64)> = vec![("a", 150); 8];
    let project = two_runs(&a, &b);
    expect(&project.run(&["compare", "a.jsonl", "latest"]), 0, "no gate was set");
    project.write("flowproof.yaml", "version: 1\ncompare: { tokens: { worse_by: 10% } }\n");
    let failed = project.run(&["compare", "a.jsonl", "latest"]);
    expect(&failed, 99, "exit 99: gate tokens: +50 %, allowed is +10 %");
    expect(&project.run(&["compare", "a.jsonl", "latest", "--worse-by", "tokens=60%"]), 0, "the gate holds");
    let few = two_runs(&a[..2], &b[..2]);
    expect(&few.run(&["compare", "a.jsonl", "latest", "--worse-by", "tokens=10%"]), 97, "--repeat 3");
    expect(&few.run(&["compare", "a.jsonl", "latest", "--worse-by", "cost=10%"]), 97, "no test has it");
    project.write("flowproof.yaml", "version: 1\ncompare: { tokens: { alpha: 0.1 } }\n");
    expect(&project.run(&["compare", "a.jsonl", "latest"]), 2, "needs `worse_by`");
    project.write("flowproof.yaml", "version: 1\ncompare: { max_changed: 0.5 }\n");
    expect(&project.run(&["compare", "a.jsonl", "latest"]), 2, "neither a number of tests");
}

#[test]
fn what_changed_is_told_and_counted() {
    let project = two_runs(&[("a cat", 1), ("a dog", 1), ("a", 1)], &[("a cow", 1), ("dog", 1), ("a", 1)]);
    let red = project.run(&["compare", "a.jsonl", "latest", "-o", "out/c.md", "-o", "out/c.html"]);
    expect(&red, 100, "1 regressed, 1 changed, 1 unchanged");
    assert!(text(&red).contains("[-cat-]") && text(&red).contains("{+cow+}"), "{}", text(&red));
    assert!(
        project.read("out/c.md").contains("<details>") && project.read("out/c.html").contains("id=\"rows\"")
    );
    expect(
        &project.run(&["compare", "a.jsonl", "latest", "-o", "c.xml"]),
        2,
        "is written as .md, .json or .html",
    );
    let json = project.run(&["compare", "a.jsonl", "latest", "--format", "json"]);
    let printed: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(printed["counts"]["regressed"], 1);
}

#[test]
fn sides_that_cannot_be_compared_are_never_green() {
    let project = two_runs(&[("a", 1)], &[("a", 1)]);
    project.write("suites/s.yaml", suite(&[("a", 1)]).replace("name: S", "name: other"));
    project.run(&["run", "-q"]);
    expect(&project.run(&["compare", "a.jsonl", "latest"]), 4, "nothing to compare");
    expect(&project.run(&["compare", "nowhere", "latest"]), 2, "it names no target either");
    expect(&project.run(&["compare", "latest", "latest", "--repeat", "3"]), 2, "--repeat is for live sides");
    expect(&project.run(&["compare", "mock@1", "latest"]), 2, "the mock has no versions");
    let gone = two_runs(&[("a", 1), ("a", 1)], &[("a", 1)]);
    expect(&gone.run(&["compare", "a.jsonl", "latest"]), 97, "1 test could not be compared: `S::t1`");
    expect(&gone.run(&["compare", "latest", "a.jsonl"]), 0, "no test regressed");
    let journal = gone.read("a.jsonl");
    let lines = journal.lines().filter(|line| !line.contains("run_finished"));
    let killed: String = lines.map(|line| format!("{line}\n")).collect();
    gone.write("killed.jsonl", killed);
    expect(&gone.run(&["compare", "a.jsonl", "killed.jsonl"]), 100, "has not run to its end");
    gone.write("no.jsonl", "{}\n");
    expect(&gone.run(&["compare", "a.jsonl", "no.jsonl"]), 2, "is not a journal");
}

#[test]
fn a_gate_that_could_never_fail_is_refused() {
    let project = two_runs(&[("a", 1)], &[("a", 1)]);
    for (words, said) in [
        (["--worse-by", "pass_rate=100%"], "could never fail"),
        (["--max-changed", "100%"], "could never fail"),
        (["--min-similarity", "0"], "could never fail"),
        (["--alpha", "0.01"], "--alpha is for gates of measures, and none is set"),
    ] {
        expect(&project.run(&[&["compare", "a.jsonl", "latest"], &words[..]].concat()), 2, said);
    }
    project.write(
        "flowproof.yaml",
        "version: 1\ncompare: { pass_rate: { worse_by: 100% }, min_similarity: 0, max_changed: 100% }\n",
    );
    let refused = project.run(&["compare", "a.jsonl", "latest"]);
    expect(&refused, 2, "could never fail");
    assert_eq!(text(&refused).matches("could never fail").count(), 3, "{}", text(&refused));
}

#[test]
fn a_measure_that_one_side_hides_leaves_its_gate_undecided() {
    let tests = |last: &str| -> String {
        let test = |number: usize, tokens: &str| {
            format!(
                "  - name: t{number}\n    assert: [{{ path: $.x, equals: a }}]\n    mock: {{ outputs: {{ x: a }}{tokens} }}\n"
            )
        };
        let whole: String = (0..8).map(|number| test(number, ", tokens: 100")).collect();
        format!("version: 1\nname: S\ntests:\n{whole}{}", test(8, last))
    };
    let project = Project::with_suite(&tests(", tokens: 100"));
    project.run(&["run", "-q"]);
    project.run(&["runs", "export", "latest", "-o", "a.jsonl"]);
    // A model ran, and Dify counted nothing: eight tests that hold do not speak for the ninth.
    project
        .write("suites/s.yaml", tests(", nodes: [{ title: A, type: llm, tokens: 100 }], fault: zero_usage"));
    project.run(&["run", "-q"]);
    let gate = ["--worse-by", "tokens=10%"];
    let hidden = project.run(&[&["compare", "a.jsonl", "latest"], &gate[..]].concat());
    expect(&hidden, 97, "of 9 pairs it is not known for 1 on B, which could change the decision");
    expect(&project.run(&[&["compare", "a.jsonl", "a.jsonl"], &gate[..]].concat()), 0, "the gate holds");
}

#[test]
fn every_repeat_must_be_as_alike_as_is_asked() {
    let suite = |last: &str| {
        format!(
            "version: 1\nname: S\ntests:\n  - name: t\n    repeat: 3\n    assert: [{{ path: $.x, contains: a }}]\n    mock: {{ replies: [{{ outputs: {{ x: a b c d }} }}, {{ outputs: {{ x: a b c e }} }}, {{ outputs: {{ x: {last} }} }}] }}\n"
        )
    };
    let project = Project::with_suite(&suite("a b c d"));
    project.run(&["run", "-q"]);
    project.run(&["runs", "export", "latest", "-o", "a.jsonl"]);
    project.write("suites/s.yaml", suite("a w x y"));
    project.run(&["run", "-q"]);
    let alike = |share: &str| project.run(&["compare", "a.jsonl", "latest", "--min-similarity", share]);
    expect(&alike("60%"), 99, "the outputs of `S::t` are 25 % alike");
    expect(&alike("20%"), 0, "the gate holds");
}

#[test]
fn two_runs_that_gave_the_same_do_not_differ() {
    let project = two_runs(&[("a cat", 10), ("a dog", 20)], &[("a cat", 10), ("a dog", 20)]);
    let same =
        project.run(&["compare", "a.jsonl", "latest", "--max-changed", "0", "--min-similarity", "100%"]);
    expect(&same, 0, "all 2 gates hold");
    assert!(!text(&same).contains("the same run"), "{}", text(&same));
    assert_eq!(compared(&project)["counts"]["unchanged"], 2);
}

#[test]
fn a_side_on_which_nothing_was_judged_or_ran_is_never_green() {
    let project = two_runs(&[("a", 1), ("a", 1)], &[("a", 1), ("a", 1)]);
    let whole = suite(&[("a", 1), ("a", 1)]);
    let side = |change: &dyn Fn(&str) -> String, name: &str| {
        project.write("suites/s.yaml", change(&whole));
        project.run(&["run", "-q"]);
        project.run(&["runs", "export", "latest", "-o", name]);
    };
    side(
        &|suite| suite.replace("mock: { outputs", "retries: 0\n    mock: { fault: http_500, outputs"),
        "errored.jsonl",
    );
    side(&|suite| suite.replace("    inputs", "    skip: not today\n    inputs"), "skipped.jsonl");
    let compare = |a: &str, b: &str| project.run(&["compare", a, b, "--max-changed", "0"]);
    for (one, other) in
        [("a.jsonl", "errored.jsonl"), ("errored.jsonl", "a.jsonl"), ("errored.jsonl", "errored.jsonl")]
    {
        expect(&compare(one, other), 3, "no test was judged on both sides");
    }
    for (one, other) in
        [("a.jsonl", "skipped.jsonl"), ("skipped.jsonl", "a.jsonl"), ("skipped.jsonl", "errored.jsonl")]
    {
        expect(&compare(one, other), 3, "no test was judged on both sides");
    }
    expect(&compare("skipped.jsonl", "skipped.jsonl"), 4, "no test ran on both sides");
}

#[test]
fn a_journal_of_the_first_schema_is_compared_as_far_as_it_tells() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/journal/1.jsonl");
    let project = Project::empty();
    let same = project.run(&["compare", data, data]);
    assert!([3, 97, 100].contains(&code(&same)), "it has tests that were not judged: {}", text(&same));
    assert!(!text(&same).contains("panicked"), "{}", text(&same));
}

#[test]
fn outputs_of_ten_megabytes_are_compared() {
    let big = "b ".repeat(5_000_000);
    let answer = |end: &str| format!("\"a {big}{end}\"");
    let (one, other) = (answer("x"), answer("y"));
    let project = two_runs(&[(&one, 1)], &[(&other, 1)]);
    let differ = project.run(&["compare", "a.jsonl", "latest", "--max-changed", "0"]);
    expect(&differ, 99, "max_changed: 1 of 1 test changed");
}

/// `flowproof mock` on a project's suites; killed when dropped.
struct Mock(Child, String);

impl Mock {
    fn serve(project: &Project) -> Self {
        use std::io::{BufRead, BufReader};
        let mut child =
            project.command(&["mock"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = regex::Regex::new(r"http://127\.0\.0\.1:\d+").unwrap();
        let found =
            lines.map_while(Result::ok).find_map(|line| Some(address.find(&line)?.as_str().to_owned()));
        Self(child, found.unwrap())
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn live_sides_run_next_to_each_other_and_leave_their_runs() {
    let tests = |answer| vec![(answer, 100); 3];
    let (old, new) =
        (Project::with_suite(&suite(&tests("a cat"))), Project::with_suite(&suite(&tests("a cow"))));
    let (a, b) = (Mock::serve(&old), Mock::serve(&new));
    let target =
        |mock: &Mock| format!("{{ base_url: \"{}/v1\", apps: {{ one: {{ api_key: app-one }} }} }}", mock.1);
    old.write(
        "flowproof.yaml",
        format!("version: 1\ntargets:\n  old: {}\n  new: {}\n", target(&a), target(&b)),
    );
    let same = old.run(&["compare", "old", "old", "--repeat", "4", "--max-changed", "0"]);
    expect(&same, 0, "the gate holds");
    let differ = old.run(&["compare", "old", "new", "--repeat", "4", "--max-changed", "0"]);
    expect(&differ, 99, "3 of 3 tests changed");
    let compared = compared(&old);
    assert_eq!((&compared["a"]["attempts"], &compared["b"]["attempts"]), (&12.into(), &12.into()));
    assert_eq!(compared["cases"][0]["outputs"]["drift"], "drifted");
    // The attempts of both sides alternate: A B B A A B B A, or B first.
    let sent = |run: &Value| -> Vec<f64> {
        let journal = old.read(&format!("reports/runs/{}/journal.jsonl", run["run"].as_str().unwrap()));
        let lines = journal.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter_map(|line| line["attempt_finished"]["repeat"].as_f64()).collect()
    };
    assert_eq!(sent(&compared["a"]).len(), 12);
    assert_eq!(sent(&compared["b"]).len(), 12);
    let runs = std::fs::read_dir(old.path("reports/runs")).unwrap();
    assert!(runs.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count() >= 4);
    expect(&old.run(&["compare", "latest", "new"]), 0, "no test regressed");
    expect(&old.run(&["compare", "old@", "new"]), 2, "names no version");
}

#[test]
fn the_schema_of_comparisons_is_printed() {
    let project = Project::empty();
    let schema = project.run(&["schema", "compare"]);
    assert_eq!(code(&schema), 0);
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let project = two_runs(&[("a", 1)], &[("a b", 1)]);
    project.run(&["compare", "a.jsonl", "latest"]);
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&compared(&project)));
}
