//! Recordings, scripts and servers for tests.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::base::bindings::Bindings;
use crate::base::template::{Template, Templates};
use crate::dify::mock::answer::MockRun;
use crate::dify::mock::answer::graph::Graph;
use crate::dify::mock::book::{BookEntry, ScriptBook};
use crate::dify::mock::options::{MockOptions, compile_options};
use crate::dify::mock::script::{Rule, Script, ScriptScope, compile_rules, compile_script};
use crate::dify::mock::server::MockServer;
use crate::dify::mock::version::DifyVersion;
use crate::yaml::names::KnownNames;
use crate::yaml::parse::parse_yaml;
use crate::yaml::problem::Problem;
use crate::yaml::reader::Reader;

pub const VERSIONS: [(&str, DifyVersion); 2] =
    [("1.12.1", DifyVersion::V1_12), ("1.14.2", DifyVersion::V1_14)];

pub fn data(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

/// All recordings of a version, by name.
pub fn recordings(version: &str) -> Vec<(String, Value)> {
    let folder = data("wire").join(version);
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let read = |name: String| {
        // One request holds a bare NaN, which is no JSON.
        let text =
            std::fs::read_to_string(folder.join(&name)).unwrap().replace("\"num\": NaN", "\"num\": \"NaN\"");
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name.trim_end_matches(".json").to_owned(), json)
    };
    names.into_iter().map(read).collect()
}

pub fn recording(version: &str, name: &str) -> Value {
    let text = std::fs::read_to_string(data("wire").join(version).join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The data events of a stream.
pub fn events(body: &str) -> Vec<Value> {
    body.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|json| serde_json::from_str(json).unwrap())
        .collect()
}

pub fn compile_script_text(yaml: &str) -> (Option<Script>, Templates, Vec<Problem>) {
    let (mut problems, mut templates) = (Vec::new(), Templates::new());
    let document = parse_yaml("suites/a.yaml", yaml.as_bytes().to_vec(), &mut problems);
    let known = KnownNames {
        vars: vec!["shop".to_owned()],
        row: Some(vec!["city".to_owned(), "n".to_owned()]),
        ..KnownNames::default()
    };
    let mut reader = Reader { source: document.source, problems: &mut problems };
    let root = document.root.expect("a document");
    let mut scope = ScriptScope { templates: &mut templates, known: &known };
    let script = compile_script(&mut reader, &root, Vec::new(), &mut scope);
    (script, templates, problems)
}

pub fn compile_rules_text(yaml: &str) -> (Vec<Rule>, Templates, Vec<Problem>) {
    let (mut problems, mut templates) = (Vec::new(), Templates::new());
    let document = parse_yaml("suites/a.yaml", yaml.as_bytes().to_vec(), &mut problems);
    let mut reader = Reader { source: document.source, problems: &mut problems };
    let known = KnownNames::default();
    let mut scope = ScriptScope { templates: &mut templates, known: &known };
    let rules = compile_rules(&mut reader, &document.root.expect("a document"), &mut scope);
    (rules, templates, problems)
}

pub fn options(yaml: &str) -> MockOptions {
    let mut problems = Vec::new();
    let document = parse_yaml("flowproof.yaml", yaml.as_bytes().to_vec(), &mut problems);
    let mut reader = Reader { source: document.source, problems: &mut problems };
    let options = compile_options(&mut reader, &document.root.expect("a document"));
    assert_eq!(problems, []);
    options
}

/// A run of a graph with these inputs.
pub fn run_of(graph: Graph, version: DifyVersion, inputs: Value) -> MockRun {
    let Value::Object(inputs) = inputs else { panic!("inputs are a mapping") };
    MockRun {
        id: "11111111-1111-4111-8111-111111111111".to_owned(),
        task: "22222222-2222-4222-8222-222222222222".to_owned(),
        workflow: "33333333-3333-4333-8333-333333333333".to_owned(),
        app: "44444444-4444-4444-8444-444444444444".to_owned(),
        user: "user-1".to_owned(),
        user_id: "55555555-5555-4555-8555-555555555555".to_owned(),
        inputs: Arc::new(inputs),
        created_at: 1_795_459_090,
        version,
        graph: Arc::new(graph),
        seed: 7,
        restarts: 0.into(),
    }
}

/// A book entry that answers one script whatever its inputs are.
pub fn entry(app: &str, inputs: Value, script: Option<Script>) -> BookEntry {
    BookEntry {
        app: Arc::from(app),
        test: Arc::from("test"),
        script: script.map(Arc::new),
        inputs: Template::Literal(inputs),
        bindings: Arc::new(Bindings::default()),
        row: None,
    }
}

/// A server that gives one answer to everyone.
pub fn serve(yaml: &str, options: MockOptions) -> MockServer {
    let (script, templates, problems) = compile_script_text(yaml);
    assert_eq!(problems, []);
    let book = ScriptBook::new(vec![entry("", serde_json::json!({}), script)], Vec::new());
    MockServer::start(book, options, Arc::new(templates), "run-1").unwrap()
}

pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}
