//! Scripts as authors write them: what they yield, and what is wrong with bad ones.

use serde_json::{Value, json};

use super::support::{VERSIONS, compile_script_text, data, events, recordings, run_of};
use crate::base::template::{Scope, Templates};
use crate::mock::answer::write_stream;
use crate::mock::script::Script;

fn problems(yaml: &str) -> Vec<String> {
    let (script, _, problems) = compile_script_text(yaml);
    assert_eq!(script.is_none(), !problems.is_empty());
    problems
        .iter()
        .map(|problem| {
            format!(
                "{}:{} {}{}",
                problem.place.line,
                problem.place.column,
                problem.message,
                problem.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default()
            )
        })
        .collect()
}

fn graph(script: &Script, templates: &Templates, scope: &Scope, repeat: u32) -> Value {
    let graph = script.reply(templates, scope, repeat).unwrap();
    json!({ "outputs": graph.reply.outputs, "status": graph.status.word(), "tokens": graph.tokens, "steps": graph.steps })
}

#[test]
fn natural_scripts_run_as_recorded() {
    let cases: Vec<Value> = {
        let text = std::fs::read(data("mock/natural.yaml")).unwrap();
        let mut problems = Vec::new();
        let document = crate::suite::yaml::parse_yaml("natural.yaml", text, &mut problems);
        assert_eq!(problems, []);
        serde_json::from_value(document.root.unwrap().to_json()).unwrap()
    };
    for case in cases {
        for (folder, version) in VERSIONS {
            let (script, templates, problems) = compile_script_text(&case["mock"].to_string());
            assert_eq!(problems, [], "{case}");
            script.unwrap().reply(&templates, &Scope::new(), 0).unwrap();
            let reply = crate::mock::reply::decode_reply(&case["mock"]).unwrap();
            let run = run_of(crate::mock::answer::graph::Graph::lay_out(reply), version, json!({ "q": "x" }));
            let sent = events(&String::from_utf8(write_stream(&run).bytes).unwrap());
            let starts = sent.iter().filter(|event| {
                matches!(event["event"].as_str(), Some("node_started" | "iteration_started" | "loop_started"))
            });
            assert_eq!(starts.map(|event| event["data"]["title"].clone()).collect::<Value>(), case["nodes"]);
            let last = &sent.last().unwrap()["data"];
            for (key, value) in case["run"].as_object().unwrap() {
                assert_eq!(last[key], *value, "{key} of {case}");
            }
            if let Some(names) = case["events"].as_array() {
                assert_eq!(sent.iter().map(|event| event["event"].clone()).collect::<Vec<_>>(), *names);
            }
            for (name, recording) in recordings(folder) {
                let is_meant =
                    case["recordings"].as_array().unwrap().contains(&json!(format!("{folder}/{name}")));
                let recorded = events(recording["response"]["body"].as_str().unwrap());
                if is_meant && !recorded.is_empty() {
                    let names = |events: &[Value]| {
                        events.iter().map(|event| event["event"].clone()).collect::<Vec<_>>()
                    };
                    assert_eq!(names(&recorded), names(&sent), "{folder}/{name}");
                }
            }
        }
    }
}

#[test]
fn replies_are_cycled_and_templates_keep_their_types() {
    let yaml = "replies:\n  - { outputs: { n: \"{{ row.n }}\", city: \"in {{ row.city }}\" }, tokens: \"{{ row.n }}\" }\n  - { outputs: { i: \"{{ repeat.index }}\" }, status: failed }";
    let (script, templates, problems) = compile_script_text(yaml);
    assert_eq!(problems, []);
    let script = script.unwrap();
    let scope = Scope::new().with_row(Some(&json!({ "n": 7, "city": "Rome" }))).with_repeat(3);
    assert_eq!(
        graph(&script, &templates, &scope, 0),
        json!({ "outputs": { "n": 7, "city": "in Rome" }, "status": "succeeded", "tokens": 7, "steps": 3 })
    );
    assert_eq!(graph(&script, &templates, &scope, 3)["outputs"], json!({ "i": 3 }));
    assert_eq!(graph(&script, &templates, &scope, 2)["outputs"]["n"], 7);
    let bad = scope.with_row(Some(&json!({ "n": -1, "city": 1 })));
    let error = script.reply(&templates, &bad, 0).unwrap_err().to_string();
    assert!(error.starts_with("`tokens`: "), "{error}");
}

#[test]
fn bad_scripts_are_told_where_and_how() {
    assert_eq!(
        problems("outputz: {}"),
        ["1:1 unknown key `outputz` in a mock reply; did you mean `outputs`?"]
    );
    assert_eq!(
        problems("outputs: {}\npause: { node: x }"),
        ["2:1 `pause` is not supported by this version of flowproof"]
    );
    assert_eq!(problems("replies: []"), ["1:10 `replies` must not be empty"]);
    assert_eq!(problems("replies: [{}]\ntokens: 3").len(), 1);
    assert_eq!(problems("tokens: many").len(), 1);
    assert_eq!(
        problems("status: suceeded")[0],
        "1:9 `status` cannot be `suceeded`; one of: succeeded, partial-succeeded, failed, stopped"
    );
    assert!(problems("outputs: { a: \"{{ vars.shpo }}\" }")[0].contains("did you mean `vars.shop`?"));
    assert_eq!(
        problems("reject: { message: no }\noutputs: {}"),
        ["2:1 `outputs` cannot stand beside `reject`: nothing runs"]
    );
    assert!(problems("nodes: [{ type: llm }]")[0].ends_with("needs a `title` or an `id`"));
    assert!(problems("nodes: [{ title: a, parent: b }]")[0].contains("names no node"));
    assert!(problems("nodes: [{ title: a, iterations: 2 }]")[0].contains("belongs to a node of type"));
    assert!(problems("nodes: [{ title: a, elapsed: 3 }]")[0].contains("has no unit"));
    assert!(problems("reject: { http: 200 }")[0].contains("400 to 599"));
}

#[test]
fn what_is_scripted_wins_over_what_follows_from_it() {
    let (script, templates, _) = compile_script_text(
        "{ outputs: { a: 1 }, tokens: 5, steps: 9, elapsed: 2s, nodes: [{ title: L, type: llm, tokens: 3 }] }",
    );
    let graph = script.unwrap().reply(&templates, &Scope::new(), 0).unwrap();
    assert_eq!((graph.tokens, graph.steps, graph.elapsed), (5, 9, 2.0));
}
