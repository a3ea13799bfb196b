//! The work of checks grows with what they look at, and not with its square.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::transcript;
use super::{UsageAudit, compile, parse_yaml, run};

/// The least time of three that an assertion takes.
fn least(yaml: &str, spec: &Value) -> Duration {
    let mut problems = Vec::new();
    let document = parse_yaml("t.yaml", yaml.as_bytes().to_vec(), &mut problems);
    let root = document.root.expect("YAML");
    let compiled = compile(&document.source, &[&root], &Value::Null);
    assert!(compiled.problems.is_empty(), "{yaml}: {:?}", compiled.problems);
    let transcript = transcript::build(spec);
    let times = (0..3).map(|_| {
        let began = Instant::now();
        let findings = run(&compiled, &transcript, (&Value::Null, &Value::Null), UsageAudit::Audit);
        assert_eq!(findings.len(), 1, "{yaml}");
        began.elapsed()
    });
    times.min().unwrap()
}

/// 32 times as much to look at takes about as many times the work: with its square, it would be 1,024 times.
fn grows_evenly(yaml: &str, few: usize, spec: impl Fn(usize) -> Value) {
    let (short, long) = (least(yaml, &spec(few)), least(yaml, &spec(32 * few)));
    let growth = long.as_secs_f64() / short.as_secs_f64();
    assert!(growth < 250.0, "{yaml}: 32 times as much takes {growth:.0} times the work");
}

#[test]
fn facts_of_many_executions_cost_a_step_each() {
    let nodes = |count: usize| {
        let of = |number: usize| {
            let inside = json!({ "title": "Step", "id": "s", "parent": format!("it{number}"), "price": "0.1",
                "currency": format!("C{number}"), "type": "llm", "tokens": 1 });
            let container = json!({ "title": "It", "id": format!("it{number}"), "type": "iteration" });
            [container, inside]
        };
        json!({ "nodes": (0..count).flat_map(of).collect::<Vec<_>>() })
    };
    for yaml in [
        "{ node: It, execution: all, tokens: 1 }",
        "{ node: It, execution: all, cost: 1 USD }",
        "{ node: Step, execution: all, status: succeeded, tokens: 1, cost: 1 USD }",
        "{ node: Step, execution: all, retries: 0 }",
        "{ cost: 1 USD }",
        "{ tokens: 1 }",
    ] {
        grows_evenly(yaml, 50, nodes);
    }
}

#[test]
fn checks_of_a_long_text_or_list_cost_a_step_for_each_part() {
    let text = |length: usize| json!({ "outputs": { "t": "ab ".repeat(length / 3) } });
    for yaml in [
        "{ path: $.t, contains: zz }",
        "{ path: $.t, regex: '(a|b|ab)*c$' }",
        "{ path: $.t, regex: '(.*a.*b){3}z' }",
        "{ path: $.t, equals: ab }",
        "{ path: $.t, similar: { to: ab ab ab, min: 0.9 } }",
        "{ path: $.t, schema: { type: string, pattern: '^(a|ab|b| )*z$' } }",
    ] {
        grows_evenly(yaml, 2_000, text);
    }
    let list = |length: usize| {
        let items: Vec<Value> = (0..length).map(|number| json!({ "n": number, "s": "x" })).collect();
        json!({ "outputs": { "items": items } })
    };
    for yaml in [
        "{ path: '$.items[*].n', match: all, gte: 0 }",
        "{ path: '$.items[?@.n > 3].s', match: all, equals: x }",
        "{ path: '$..n', match: all, gte: 0 }",
        "{ path: $.items, schema: { type: array, items: { type: object } } }",
        "{ path: $.items, length: 3 }",
    ] {
        grows_evenly(yaml, 100, list);
    }
}
