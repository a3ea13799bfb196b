//! Scripts as authors write them: what they yield, and what is wrong with bad ones.

use serde_json::{Value, json};

use super::support::{VERSIONS, compile_script_text, data, events, recordings, run_of};
use crate::base::template::{TemplateScope, Templates};
use crate::dify::mock::answer::graph::Graph;
use crate::dify::mock::answer::write_stream;
use crate::dify::mock::reply::ScriptedReply;
use crate::dify::mock::script::Script;
use crate::dify::mock::version::DifyVersion;

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

fn graph(script: &Script, templates: &Templates, scope: &TemplateScope, repeat: u32) -> Value {
    let graph = script.reply(templates, scope, repeat).unwrap();
    json!({ "outputs": graph.reply.outputs, "status": graph.status.word(), "tokens": graph.tokens, "steps": graph.steps })
}

#[test]
fn natural_scripts_run_as_recorded() {
    let cases: Vec<Value> = {
        let text = std::fs::read(data("mock/natural.yaml")).unwrap();
        let mut problems = Vec::new();
        let document = crate::yaml::parse::parse_yaml("natural.yaml", text, &mut problems);
        assert_eq!(problems, []);
        serde_json::from_value(document.root.unwrap().to_json()).unwrap()
    };
    let (mut named, mut compared) = (0, 0);
    for case in cases {
        named += case["recordings"].as_array().unwrap().len();
        for (folder, version) in VERSIONS {
            let (script, templates, problems) = compile_script_text(&case["mock"].to_string());
            assert_eq!(problems, [], "{case}");
            script.unwrap().reply(&templates, &TemplateScope::new(), 0).unwrap();
            let reply = crate::dify::mock::reply::decode_reply(&case["mock"]).unwrap();
            let run =
                run_of(crate::dify::mock::answer::graph::Graph::lay_out(reply), version, json!({ "q": "x" }));
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
                if !is_meant {
                    continue;
                }
                compared += 1;
                let recorded = events(recording["response"]["body"].as_str().unwrap());
                assert_eq!(recorded.is_empty(), name.ends_with(".blocking"), "{folder}/{name}");
                if !recorded.is_empty() {
                    let names = |events: &[Value]| {
                        events.iter().map(|event| event["event"].clone()).collect::<Vec<_>>()
                    };
                    assert_eq!(names(&recorded), names(&sent), "{folder}/{name}");
                }
            }
        }
    }
    assert!(named > 0);
    assert_eq!(compared, named, "each recording that a case names is there");
}

#[test]
fn replies_are_cycled_and_templates_keep_their_types() {
    let yaml = "replies:\n  - { outputs: { n: \"{{ row.n }}\", city: \"in {{ row.city }}\" }, tokens: \"{{ row.n }}\" }\n  - { outputs: { i: \"{{ repeat.index }}\" }, status: failed }";
    let (script, templates, problems) = compile_script_text(yaml);
    assert_eq!(problems, []);
    let script = script.unwrap();
    let scope = TemplateScope::new().with_row(Some(&json!({ "n": 7, "city": "Rome" }))).with_repeat(3);
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
    let needs = "2:8 `pause` needs a `node` and its `actions`; { node: Review, actions: [approve, reject] }";
    assert_eq!(problems("outputs: {}\npause: { node: x }"), [needs]);
    assert_eq!(
        problems("pause: { node: x, action: [a], actions: [] }"),
        [
            "1:19 unknown key `action` in `pause`; did you mean `actions`?",
            "1:41 `actions` must name an action: without one no form can be sent",
        ]
    );
    assert_eq!(
        problems("pause: [{ node: x, actions: [a], inputs: [{ name: n, type: slider }] }, []]"),
        [
            "1:42 `inputs` holds a field of type `slider`; one of: text-input, paragraph, select, file, file-list",
            "1:73 `pause` waits here for no form",
        ]
    );
    assert!(problems("pause: []")[0].contains("must be a mapping, or a list of them"));
    assert!(
        problems("{ pause: { node: L, actions: [a] }, nodes: [{ title: L, type: llm }] }")[0]
            .contains("is of another type than human-input")
    );
    let order = "{ pause: [{ node: B, actions: [a] }, { node: A, actions: [a] }], nodes: [{ title: A }, { title: B }] }";
    assert!(
        problems(
            &order
                .replace("title: A", "title: A, type: human-input")
                .replace("title: B", "title: B, type: human-input")
        )[0]
        .contains("must follow the order")
    );
    assert!(problems("status: paused")[0].contains("a run that waits is written `pause: { node, actions }`"));
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
        ["2:1 `outputs` cannot be combined with `reject`: nothing runs"]
    );
    assert!(problems("nodes: [{ type: llm }]")[0].ends_with("needs a `title` or an `id`"));
    assert!(problems("nodes: [{ title: a, parent: b }]")[0].contains("names no node"));
    assert!(problems("nodes: [{ title: a, iterations: 2 }]")[0].contains("belongs to a node of type"));
    assert!(problems("nodes: [{ title: a, elapsed: 3 }]")[0].contains("has no unit"));
    assert!(problems("reject: { http: 200 }")[0].contains("400 to 599"));
}

#[test]
fn what_runs_at_once_is_checked_where_it_stands() {
    assert!(
        problems("nodes: [{ title: a, beside: true }]")[0].ends_with("has no node before it to run beside")
    );
    assert!(problems("nodes: [{ title: a }, { title: b, beside: 3 }]")[0].contains("`true`, or a duration"));
    assert!(
        problems("nodes: [{ title: a }, { title: e, type: end, beside: true }]")[0]
            .contains("a start or an end")
    );
    assert!(
        problems("nodes: [{ title: a, type: iteration }, { title: b, parent: a, beside: true }]")[0]
            .contains("inside a container")
    );
    assert!(problems("nodes: [{ title: a, parallel: 2 }]")[0].contains("type `iteration`"));
    assert!(problems("nodes: [{ title: a, type: iteration, parallel: 0 }]")[0].contains("at least 1"));
    assert_eq!(problems("nodes: [{ title: a }, { title: b, beside: 5ms }]"), [""; 0]);
}

/// The starts and ends of a reply's nodes, in order: `+a -a`; rounds with their index: `-r1`.
fn course(yaml: &str) -> String {
    let (script, templates, problems) = compile_script_text(yaml);
    assert_eq!(problems, []);
    let mut run = run_of(Graph::lay_out(ScriptedReply::default()), DifyVersion::V1_14, json!({}));
    run.graph = script.unwrap().reply(&templates, &TemplateScope::new(), 0).unwrap();
    let bytes = write_stream(&run).bytes;
    let words = events(std::str::from_utf8(&bytes).unwrap()).into_iter().filter_map(|event| {
        let data = &event["data"];
        let title = data["title"].as_str().filter(|title| !matches!(*title, "Start" | "End"))?;
        match event["event"].as_str()? {
            "node_started" => Some(format!("+{title}")),
            "node_finished" => match data["execution_metadata"]["iteration_index"].as_u64() {
                Some(index) => Some(format!("-{title}{index}")),
                None => Some(format!("-{title}")),
            },
            _ => None,
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_runs_at_once_ends_by_its_time() {
    let nodes =
        |a, b| format!("nodes: [{{ title: a, {a} }}, {{ title: b, beside: true, {b} }}, {{ title: c }}]");
    assert_eq!(course(&nodes("elapsed: 20ms", "elapsed: 10ms")), "+a +b -b -a +c -c");
    assert_eq!(course(&nodes("elapsed: 10ms", "elapsed: 20ms")), "+a +b -a -b +c -c");
    assert_eq!(
        course("nodes: [{ title: a, elapsed: 5ms }, { title: b, beside: 6ms, elapsed: 1ms }]"),
        "+a -a +b -b"
    );
    // The slower branch never ends, and nothing comes after: the run is over.
    assert_eq!(course(&nodes("elapsed: 10ms, status: failed", "elapsed: 20ms")), "+a +b -a");
    assert_eq!(course(&nodes("elapsed: 20ms, status: failed", "elapsed: 10ms")), "+a +b -b -a");
    assert_eq!(course(&nodes("elapsed: 20ms", "elapsed: 10ms, status: failed")), "+a +b -b");
    let rounds = |more: &str| {
        course(&format!(
            "nodes: [{{ title: i, type: iteration, iterations: 3{more} }}, \
             {{ title: r, parent: i, elapsed: [30ms, 10ms, 10ms] }}]"
        ))
    };
    assert_eq!(rounds(""), "+r -r0 +r -r1 +r -r2");
    assert_eq!(rounds(", parallel: 2"), "+r -r1 +r -r2 +r -r0");
    assert_eq!(rounds(", parallel: 1"), "+r -r0 +r -r1 +r -r2");
}

#[test]
fn what_is_scripted_wins_over_what_follows_from_it() {
    let (script, templates, _) = compile_script_text(
        "{ outputs: { a: 1 }, tokens: 5, steps: 9, elapsed: 2s, nodes: [{ title: L, type: llm, tokens: 3 }] }",
    );
    let graph = script.unwrap().reply(&templates, &TemplateScope::new(), 0).unwrap();
    assert_eq!((graph.tokens, graph.steps, graph.elapsed), (5, 9, 2.0));
}
