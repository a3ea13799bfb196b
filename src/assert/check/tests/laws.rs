//! Laws that hold whatever the data: negation, groups, joins, bounds on what is recorded.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::base::origin::Place;
use crate::record::verdict::{Finding, Severity, Truth, Verdict, judge};
use crate::yaml::node::Node;
use crate::yaml::parse::parse_yaml;

use super::super::{expects_rejection, implicit_status, merge_assertions, needs_status};
use super::*;

const HELD: &str = "{ path: $.a, equals: 1 }";
const BROKEN: &str = "{ path: $.a, equals: 2 }";
const UNDECIDED: &str = "{ ttft: 1s }";
const TRUTHS: [(&str, Truth); 3] =
    [(HELD, Truth::Held), (BROKEN, Truth::Broken), (UNDECIDED, Truth::Undecided)];

fn small() -> Value {
    json!({"outputs": {"a": 1}})
}

/// One of two must hold, by De Morgan's law over `and` and `not`.
fn either(a: Truth, b: Truth) -> Truth {
    !(!a).and(!b)
}

#[test]
fn groups_follow_three_valued_logic() {
    for (a, truth_a) in TRUTHS {
        for (b, truth_b) in TRUTHS {
            let any = judge_yaml(&format!("any_of: [{a}, {b}]"), &small());
            assert_eq!(any.truth, either(truth_a, truth_b), "any {a} {b}");
            let all = judge_yaml(&format!("all_of: [{a}, {b}]"), &small());
            assert_eq!(all.truth, truth_a.and(truth_b), "all {a} {b}");
            assert_eq!(all.members.len(), 2);
            for (c, truth_c) in TRUTHS {
                let two = judge_yaml(&format!("at_least: {{ n: 2, of: [{a}, {b}, {c}] }}"), &small());
                let expected =
                    either(either(truth_a.and(truth_b), truth_a.and(truth_c)), truth_b.and(truth_c));
                assert_eq!(two.truth, expected, "two of {a} {b} {c}");
            }
        }
    }
}

#[test]
fn several_facts_in_one_assertion_join() {
    let node = json!({"nodes": [{"title": "N", "type": "llm", "tokens": 5, "elapsed": 1.0}]});
    for (yaml, truth) in [
        ("{ node: N, tokens: 5, latency: 3s }", Truth::Held),
        ("{ node: N, tokens: 4, latency: 3s }", Truth::Broken),
        ("{ node: N, tokens: 5, ttft: 3s }", Truth::Undecided),
        ("{ node: N, tokens: 4, ttft: 3s }", Truth::Broken),
        ("{ steps: 1, tokens: 5 }", Truth::Held),
    ] {
        assert_eq!(judge_yaml(yaml, &node).truth, truth, "{yaml}");
    }
}

#[test]
fn verdicts_join() {
    let finding = |truth, severity| {
        let mut finding = judge_yaml(HELD, &small());
        (finding.truth, finding.severity) = (truth, severity);
        finding
    };
    let error = |truth| finding(truth, Severity::Error);
    let warn = |truth| finding(truth, Severity::Warn);
    let cases: [(Vec<Finding>, Verdict); 8] = [
        (vec![], Verdict::Errored),
        (vec![warn(Truth::Held)], Verdict::Errored),
        (vec![error(Truth::Held), warn(Truth::Broken)], Verdict::Passed),
        (vec![error(Truth::Held), warn(Truth::Undecided)], Verdict::Passed),
        (vec![error(Truth::Held), error(Truth::Undecided)], Verdict::Errored),
        (vec![error(Truth::Undecided), error(Truth::Broken)], Verdict::Failed),
        (vec![error(Truth::Held), error(Truth::Broken)], Verdict::Failed),
        (vec![error(Truth::Held), error(Truth::Held)], Verdict::Passed),
    ];
    for (findings, verdict) in cases {
        assert_eq!(judge(&findings), verdict);
    }
}

#[test]
fn nothing_holds_of_an_exchange_that_cannot_be_judged() {
    let assertions = [
        "{ status: succeeded }",
        "{ status: rejected }",
        "{ status: failed }",
        "{ status: stopped }",
        "{ tokens: 10 }",
        "{ cost: 1 USD }",
        "{ latency: 1h }",
        "{ server_latency: 1h }",
        "{ ttft: 1h }",
        "{ max_gap: 1h }",
        "{ steps: 100 }",
        "{ exceptions: 0 }",
        "{ workflow_id: w-1 }",
        "{ error: { exists: false } }",
        "{ error: { contains: reset } }",
        "{ error_code: { exists: false } }",
        "{ path: $.a, exists: false }",
        "{ path: '$.a[*]', count: 0 }",
        "{ path: $.a, not: { equals: 1 } }",
        "{ from: text, not: { contains: x } }",
        "{ from: inputs, path: $, not: { contains: x } }",
        "{ from: response, path: $.status, equals: 200 }",
        "{ from: events, path: '$[*]', count: 0 }",
        "{ nodes: { absent: [X] } }",
        "{ nodes: { exactly: [] } }",
        "{ nodes: { visited: [X] } }",
        "{ node: X, path: $.a, exists: false }",
    ];
    for kind in [
        "stalled",
        "idle",
        "cut",
        "unreadable",
        "timed_out",
        "stopped",
        "paused",
        "not_sent",
        "config",
        "quota",
        "transport",
        "event",
    ] {
        let ending = match kind {
            "config" | "quota" | "transport" => json!({"kind": "rejected", "class": kind, "message": "no"}),
            "event" => json!({"kind": "error_event", "class": "transport", "message": "no"}),
            plain => json!({"kind": plain}),
        };
        for mode in ["streaming", "blocking"] {
            let spec = json!({"ending": ending, "mode": mode, "text": "abc"});
            let CheckResult { cause, facts, .. } = look_at(&transcript::build(&spec), UsageAudit::Audit);
            assert!(cause.is_some(), "{kind}");
            for yaml in assertions {
                let finding = judge_yaml(yaml, &spec);
                assert_eq!(finding.truth, Truth::Undecided, "{kind} {mode} {yaml}: {}", finding.message);
            }
            assert_eq!((facts.tokens, facts.latency_ms, facts.cost.len()), (None, None, 0), "{kind}");
        }
    }
}

#[test]
fn a_hundred_megabytes_never_enter_a_finding() {
    let huge = "é".repeat(5 << 20);
    for output in [
        json!(huge),
        json!([huge, huge]),
        json!({"k": huge, "list": vec![1; 100_000]}),
        json!(vec!["x"; 200_000]),
    ] {
        for yaml in [
            "{ path: $.a, equals: [b] }",
            "{ path: $.a, equals: b }",
            "{ path: $.a, includes: { k: 1 } }",
            "{ path: $.a, contains: zz }",
            "{ path: $.a, not: { type: array }, empty: true }",
        ] {
            let finding = judge_yaml(yaml, &json!({"outputs": {"a": output}}));
            assert_eq!(finding.truth, Truth::Broken);
            assert!(serde_json::to_vec(&finding).unwrap().len() < 300 << 10, "{yaml}");
            assert!(finding.message.len() < 2000, "{yaml}");
        }
    }
}

#[test]
fn a_likeness_is_exact_at_its_bound_and_undecided_where_it_was_not_measured() {
    let truth = |yaml: &str, text: &str| judge_yaml(yaml, &json!({"outputs": {"a": text}})).truth;
    let similar = |to: &str, min: &str, method: &str| {
        format!("{{ path: $.a, similar: {{ to: \"{to}\", min: {min}, method: {method} }} }}")
    };
    let ten = "a b c d e f g h i j";
    for (min, expected) in
        [("0.9", Truth::Held), ("0.91", Truth::Broken), ("0.9000000000000001", Truth::Broken)]
    {
        assert_eq!(truth(&similar(ten, min, "ratio"), "a b c d e f g h i x"), expected, "{min}");
    }
    let chinese = "您的退款正在处理中请耐心等待三个工作日";
    assert_eq!(
        truth(&similar(chinese, "0.8", "ratio"), "您的退款正在处理中请耐心等待五个工作日"),
        Truth::Held
    );
    let long = |word: &str| format!("{word} ").repeat(100_001);
    for method in ["ratio", "levenshtein"] {
        let plain = similar(&long("a"), "0.5", method);
        let inner = plain.trim_start_matches("{ path: $.a, ").trim_end_matches(" }");
        let negated = format!("{{ path: $.a, not: {{ {inner} }} }} }}");
        for yaml in [&plain, &negated] {
            assert_eq!(truth(yaml, &long("b")), Truth::Undecided, "{}", &yaml[..60]);
        }
        assert_eq!(truth(&plain, &long("a")), Truth::Held);
    }
}

#[test]
fn defaults_are_replaced_by_subject() {
    let list = |yaml: &str| -> Vec<Node> {
        let mut problems = Vec::new();
        let document = parse_yaml("t.yaml", yaml.as_bytes().to_vec(), &mut problems);
        assert!(problems.is_empty());
        document.root.unwrap().as_list().unwrap().to_vec()
    };
    let shown = |nodes: &[std::borrow::Cow<'_, Node>]| -> Vec<String> {
        nodes.iter().map(|node| node.to_json().to_string()).collect()
    };
    let defaults = list(
        "[{ status: succeeded }, { tokens: 3000, latency: 20s, label: both }, { node: A, tokens: 1 }, { any_of: [{ tokens: 1 }] }, { ttft: 1s, label: gone }]",
    );
    let own =
        list("[{ latency: 5s, ttft: 2s }, { node: B, status: failed }, { any_of: [{ status: failed }] }]");
    let merged = merge_assertions(&defaults, &own);
    assert_eq!(
        shown(&merged)[..4],
        [
            r#"{"status":"succeeded"}"#.to_owned(),
            r#"{"tokens":3000,"label":"both"}"#.to_owned(),
            r#"{"node":"A","tokens":1}"#.to_owned(),
            r#"{"any_of":[{"tokens":1}]}"#.to_owned(),
        ]
    );
    assert_eq!(merged.len(), 7);
    assert!(!needs_status(&merged));
    assert!(needs_status(&merge_assertions(&[], &own)));
    assert!(needs_status(&merge_assertions(&defaults, &list("[{ status: failed, severity: warn }]"))));
    assert!(expects_rejection(&list("[{ status: rejected }]")));
    assert!(expects_rejection(&list("[{ status: [rejected] }]")));
    for other in [
        "[{ status: [rejected, failed] }]",
        "[{ any_of: [{ status: rejected }] }]",
        "[{ node: A, status: rejected }]",
        "[{ status: failed }]",
    ] {
        assert!(!expects_rejection(&list(other)), "{other}");
    }
}

#[test]
fn the_implied_status_is_broken_by_every_other() {
    let check = implicit_status(Arc::new(Place::file("t.yaml")));
    let templates = Templates::new();
    let compiled = Compiled { checks: vec![check], problems: Vec::new(), templates };
    for (status, truth) in [
        ("succeeded", Truth::Held),
        ("partial-succeeded", Truth::Broken),
        ("failed", Truth::Broken),
        ("stopped", Truth::Broken),
        ("strange", Truth::Broken),
        ("running", Truth::Undecided),
    ] {
        let spec = json!({"run": {"status": status}});
        let findings =
            super::run(&compiled, &transcript::build(&spec), (&Value::Null, &Value::Null), UsageAudit::Audit);
        assert_eq!(findings[0].truth, truth, "{status}");
    }
}

#[test]
fn facts_are_known_or_left_out() {
    let spec = json!({"nodes": [{"title": "L", "type": "llm", "tokens": 7, "price": "0.0000056"}], "ttft": 0.25, "elapsed": 2.0});
    let known = look_at(&transcript::build(&spec), UsageAudit::Audit).facts;
    assert_eq!((known.tokens, known.steps, known.status.as_deref()), (Some(7), Some(1), Some("succeeded")));
    assert_eq!((known.latency_ms, known.ttft_ms, known.server_ms), (Some(2000.0), Some(250.0), Some(1500.0)));
    assert_eq!(known.cost[0].amount, "0.0000056");
    let doubled = json!({"nodes": [{"title": "L", "type": "llm", "tokens": 7}], "run": {"total_tokens": 14}});
    assert_eq!(look_at(&transcript::build(&doubled), UsageAudit::Audit).facts.tokens, None);
    assert_eq!(look_at(&transcript::build(&doubled), UsageAudit::Trust).facts.tokens, Some(14));
}

proptest! {
    #[test]
    fn a_negation_never_holds_on_something_absent(
        word in prop::sample::select(vec!["equals: 1", "contains: x", "regex: x", "type: string", "one_of: [1]", "empty: true", "gt: 1", "includes: { a: 1 }", "length: 2", "format: uuid", "schema: { type: string }"]),
        matching in prop::sample::select(vec!["one", "any", "all", "none"]),
        path in prop::sample::select(vec!["$.b", "$.a[*].x", "$..nope", "$.a[7]", "$.n.x"]),
        plain in any::<bool>(),
    ) {
        let predicate = if plain { word.to_owned() } else { format!("not: {{ {word} }}") };
        let yaml = format!("{{ path: '{path}', match: {matching}, {predicate} }}");
        let finding = judge_yaml(&yaml, &json!({"outputs": {"a": [1, "x", null], "n": null}}));
        prop_assert_eq!(finding.truth, Truth::Broken, "{}: {}", yaml, finding.message);
    }

    #[test]
    fn a_predicate_and_its_negation_never_both_hold(
        word in prop::sample::select(vec!["equals: 1", "contains: x", "regex: x", "type: string", "one_of: [1, x]", "empty: true", "gt: 1", "includes: { a: 1 }", "length: 1", "format: json"]),
        value in prop::sample::select(vec![json!(null), json!(1), json!(2.5), json!("x"), json!(""), json!([]), json!(["x"]), json!({}), json!({"a": 1}), json!(true)]),
    ) {
        let spec = json!({"outputs": {"v": value}});
        let plain = judge_yaml(&format!("{{ path: $.v, {word} }}"), &spec);
        let negated = judge_yaml(&format!("{{ path: $.v, not: {{ {word} }} }}"), &spec);
        prop_assert!(!(plain.truth == Truth::Held && negated.truth == Truth::Held));
        prop_assert!(plain.truth != Truth::Undecided && negated.truth != Truth::Undecided);
    }
}
