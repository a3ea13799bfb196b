//! Comparisons as documents.

use serde_json::{Value, json};

use super::*;
use crate::record::compare::{CompareGates, RunComparison};
use crate::record::event::{Event, RunEnd};
use crate::record::journal::RunRecord;
use crate::record::journal::sample;
use crate::record::verdict::Verdict;
use crate::report::markdown::COMMENT;
use crate::suite::read_compare::{BoundSpec, CompareSpec, MostTests};

/// A test of a made-up run.
struct Test {
    name: &'static str,
    verdict: Verdict,
    outputs: Value,
    tokens: u64,
}

fn test(name: &'static str, verdict: Verdict, outputs: Value, tokens: u64) -> Test {
    Test { name, verdict, outputs, tokens }
}

fn run(folder: &Path, tests: &[Test]) -> RunRecord {
    let mut events = vec![Event::RunStarted(sample::start(u32::try_from(tests.len()).unwrap()))];
    for (case, test) in (0..).zip(tests) {
        let mut attempt = match test.verdict {
            Verdict::Errored => sample::errored(case, "connection refused"),
            _ => sample::attempt(case, test.verdict, Vec::new()),
        };
        if test.verdict != Verdict::Errored {
            attempt.facts.digest = Some(test.outputs.to_string());
            attempt.outputs = Some(test.outputs.clone());
            attempt.facts.tokens = Some(test.tokens);
            attempt.facts.nodes[1].digest = Some(test.outputs.to_string());
        }
        events.extend(sample::pair(attempt, sample::outcome(case, "s", test.name, test.verdict)));
    }
    events.push(Event::RunFinished(RunEnd { duration_ms: 1.0, ..RunEnd::default() }));
    sample::record(folder, &events)
}

/// The terminal's text, and the three documents.
struct Shown {
    text: String,
    markdown: String,
    json: Value,
    html: String,
}

fn show(a: &[Test], b: &[Test], spec: &CompareSpec) -> Shown {
    let (one, other, out) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, b) = (run(one.path(), a), run(other.path(), b));
    let compared = RunComparison::of(&a, &b, &CompareGates::of(spec), 7).unwrap();
    let ruling = compared.ruling();
    let files = ComparisonDocument::ALL.map(|(document, name)| {
        let (path, fence) = (out.path().join(name), Fence::around(out.path()));
        WantedDocument { document, path, fence }
    });
    let end = ComparisonEnd { code: 99, reports: Some("reports/compare") };
    let text = write((&compared, &ruling), &files, &end, ColorUse::Plain).unwrap().text;
    let read = |name: &str| fs::read_to_string(out.path().join(name)).unwrap();
    let json = serde_json::from_str(&read("compare.json")).unwrap();
    Shown { text, markdown: read("compare.md"), json, html: read("compare.html") }
}

fn is_valid(json: &Value) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(json).map(|error| format!("{} {error}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn the_last_line_says_which_gate_decided_and_by_how_much() {
    use Verdict::Passed;
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let side = |tokens| names.map(|name| test(name, Passed, json!({"reply": "x"}), tokens));
    let bound = BoundSpec { measure: "tokens", worse_by: rust_decimal::Decimal::new(1, 1), alpha: None };
    let spec = CompareSpec { bounds: vec![bound], ..CompareSpec::default() };
    let shown = show(&side(100), &side(130), &spec);
    let last = shown.text.lines().last().unwrap();
    assert_eq!(last, "exit 99: gate tokens: +30 %, allowed is +10 %; p 0.004 of alpha 0.05");
    assert!(shown.text.contains("8 tests: 8 unchanged"), "{}", shown.text);
    assert_eq!(shown.json["verdict"], "gate_failed");
    is_valid(&shown.json);
    let few = show(&side(100)[..2], &side(130)[..2], &spec);
    let last = few.text.lines().last().unwrap();
    assert!(last.contains("--repeat 3"), "{last}");
    is_valid(&few.json);
    let same = show(&side(100), &side(100), &spec);
    assert!(same.text.ends_with("the gate holds\n"), "{}", same.text);
}

#[test]
fn a_changed_test_shows_its_words_its_node_and_its_figures() {
    use Verdict::{Failed, Passed};
    let a = [
        test("said", Passed, json!({"reply": "refund within 30 days"}), 100),
        test("broke", Passed, json!({"reply": "x"}), 100),
    ];
    let b = [
        test("said", Passed, json!({"reply": "refund within 14 days"}), 150),
        test("broke", Failed, json!({"reply": "y"}), 100),
    ];
    let shown =
        show(&a, &b, &CompareSpec { max_changed: Some(MostTests::Tests(1)), ..CompareSpec::default() });
    for expected in [
        "✗ regressed  s::broke  passed → failed",
        "~ changed  s::said  passed",
        "- $.reply: refund within [-30-] days",
        "+ $.reply: refund within {+14+} days",
        "first node whose output differs: `Classify` (llm)",
        "tokens 100 → 150 (+50 %)",
        "2 tests: 1 regressed, 1 changed",
        "gate failed  max_changed: 2 of 2 tests changed, at most 1 may",
    ] {
        assert!(shown.text.contains(expected), "{expected}\n{}", shown.text);
    }
    assert!(
        shown.text.lines().last().unwrap().contains("1 test red on B and not on A: `s::broke`"),
        "{}",
        shown.text
    );
    assert!(
        shown.markdown.contains("<details><summary>✗ regressed: <code>s::broke</code>"),
        "{}",
        shown.markdown
    );
    assert_eq!(shown.json["cases"][1]["detail"]["changes"][0]["path"], "$['reply']");
    is_valid(&shown.json);
    assert!(shown.html.contains("id=\"case-0\"") && shown.html.contains("id=\"rows\""));
}

#[test]
fn hostile_texts_are_shown_and_never_live() {
    use Verdict::Passed;
    let evil = format!("{} @someone <img src=x onerror=1>", sample::HOSTILE);
    let a = [test("t", Passed, json!({ "reply": evil }), 1)];
    let b = [test("t", Passed, json!({"reply": "```\n</details>\n"}), 1)];
    let shown = show(&a, &b, &CompareSpec::default());
    assert!(!shown.text.contains('\u{1b}') && !shown.markdown.contains('\u{202e}'));
    let after = shown.html.split("id=\"head\"").nth(1).unwrap();
    assert!(!after.contains("<img") && !after.contains("</details>"), "data is escaped");
    is_valid(&shown.json);
}

#[test]
fn a_comment_stays_within_what_github_takes() {
    let names: Vec<&'static str> = (0..400).map(|n| -> &'static str { format!("test {n}").leak() }).collect();
    let side = |word: &str| -> Vec<Test> {
        names.iter().map(|name| test(name, Verdict::Passed, json!({"reply": word.repeat(300)}), 1)).collect()
    };
    let shown = show(&side("one "), &side("two "), &CompareSpec::default());
    assert!(shown.markdown.len() <= COMMENT, "{}", shown.markdown.len());
    assert!(shown.markdown.contains("more that differ: see `compare.html`"));
    assert!(shown.text.contains("370 tests more that differ"), "{}", &shown.text[shown.text.len() - 600..]);
}

#[test]
fn what_could_not_be_compared_is_never_green() {
    use Verdict::{Errored, Failed, Inconclusive, Passed, Skipped};
    let one = |verdict| test("t", verdict, json!({"reply": "x"}), 1);
    let fine = || test("u", Passed, json!({"reply": "x"}), 1);
    for (a, b, expected) in [
        (vec![one(Passed), fine()], vec![one(Errored), fine()], "errored"),
        (vec![one(Errored), fine()], vec![one(Passed), fine()], "undecided"),
        (vec![one(Errored), fine()], vec![one(Errored), fine()], "errored"),
        (vec![one(Passed), fine()], vec![one(Failed), fine()], "regressed"),
        (vec![one(Failed), fine()], vec![one(Failed), fine()], "holds"),
        (vec![one(Failed), fine()], vec![one(Passed), fine()], "holds"),
        (vec![one(Passed), fine()], vec![one(Inconclusive), fine()], "regressed"),
        (vec![one(Passed), fine()], vec![one(Skipped), fine()], "regressed"),
        (vec![one(Skipped), fine()], vec![one(Skipped), fine()], "holds"),
        (vec![one(Passed), fine()], vec![fine()], "undecided"),
        (vec![fine()], vec![one(Passed), fine()], "holds"),
        (vec![fine()], vec![one(Failed), fine()], "regressed"),
        (vec![one(Passed)], vec![fine()], "nothing_in_common"),
        (vec![one(Errored)], vec![one(Errored)], "unjudged"),
        (vec![one(Passed)], vec![one(Errored)], "unjudged"),
        (vec![], vec![], "nothing_in_common"),
    ] {
        let words: Vec<&str> = a.iter().chain(&b).map(|test| test.verdict.word()).collect();
        let shown = show(&a, &b, &CompareSpec::default());
        assert_eq!(shown.json["verdict"], expected, "{words:?}");
        is_valid(&shown.json);
    }
}

#[test]
fn a_gate_on_the_pass_rate_judges_what_failed_and_not_what_could_not_be_judged() {
    use Verdict::{Errored, Failed, Passed};
    let bound = BoundSpec { measure: "pass_rate", worse_by: rust_decimal::Decimal::new(5, 1), alpha: None };
    let spec = CompareSpec { bounds: vec![bound], ..CompareSpec::default() };
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let passed = || names.map(|name| test(name, Passed, json!({"reply": "x"}), 1));
    let with = |verdict| {
        let mut tests = passed();
        tests[0].verdict = verdict;
        tests
    };
    assert_eq!(show(&passed(), &with(Failed), &spec).json["verdict"], "holds");
    assert_eq!(show(&passed(), &with(Errored), &spec).json["verdict"], "errored");
    let failed = names.map(|name| test(name, Failed, json!({"reply": "x"}), 1));
    assert_eq!(show(&passed(), &failed, &spec).json["verdict"], "gate_failed");
}
