//! Drafted suites load without a problem, whatever the app says, and send what the app takes.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::app::live_app::compare::compare;
use crate::app::live_app::draft_suite::{Draft, DraftedApp, draft};
use crate::app::live_app::mismatch::{NamedInput, SentInput};
use crate::base::template::{TemplateScope, Templates};
use crate::dify::wire::parameters::{Input, InputKind, decode_parameters};
use crate::suite::load::{LoadOptions, OutsidePaths, load};
use crate::yaml::names::KnownNames;
use crate::yaml::reader::Reader;

/// Loads a draft as a project would and returns the inputs it renders, without files.
fn inputs_of(draft: &Draft) -> Vec<NamedInput> {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in &draft.files {
        let path = folder.path().join("suites").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::create_dir_all(folder.path().join("suites")).unwrap();
    std::fs::write(folder.path().join("suites").join(format!("{}.yaml", draft.name)), &draft.suite).unwrap();
    let options = LoadOptions {
        working_dir: folder.path().to_path_buf(),
        paths: Vec::new(),
        outside: OutsidePaths::Refused,
        in_ci: true,
        only: None,
        formats: vec!["junit", "json", "html", "markdown", "tap", "csv"],
    };
    let mut loaded = load(&options);
    assert_eq!(loaded.problems, [], "{}", draft.suite);
    let suite = loaded.suites.pop().unwrap_or_else(|| panic!("{}", draft.suite));
    let test = &suite.tests[0];
    assert_eq!(test.skip.is_some(), draft.skip.is_some());
    let (mut templates, mut problems) = (Templates::new(), Vec::new());
    let mut reader = Reader { source: suite.source.clone(), problems: &mut problems };
    let mut render = |entry: &crate::yaml::node::MapEntry| {
        let template = reader.template(&entry.value, &mut templates, &KnownNames::default());
        let value = templates.render(&template, &TemplateScope::new()).unwrap();
        NamedInput { name: entry.key.clone(), sent: SentInput::Value(value) }
    };
    let sent = test.run.inputs.iter().map(&mut render).collect();
    assert_eq!(problems, [], "{}", draft.suite);
    sent
}

fn form(entries: Value) -> Vec<Input> {
    decode_parameters(&json!({ "user_input_form": entries })).unwrap()
}

#[test]
fn every_kind_of_input_gets_what_it_takes() {
    let form = form(json!([
        { "text-input": { "variable": "name", "required": true, "max_length": 3 } },
        { "paragraph": { "variable": "text", "required": true, "default": "a: {{ b }} # c\n- d" } },
        { "paragraph": { "variable": "long", "required": true, "default": "longer than that", "max_length": 4 } },
        { "select": { "variable": "lang", "required": true, "options": ["no", "{{ x }}"] } },
        { "select": { "variable": "tone", "required": false, "options": ["dry", "warm"], "default": "warm" } },
        { "number": { "variable": "n", "required": true, "default": "2.5" } },
        { "checkbox": { "variable": "on", "required": true } },
        { "json_object": { "variable": "obj", "required": true, "default": "{\"a\": [1, \"{{\"]}" } },
        { "text-input": { "variable": "free", "required": false } },
    ]));
    let drafted = draft(&DraftedApp { title: "Any App", app: "", form: &form });
    let sent = inputs_of(&drafted);
    assert_eq!(compare(&form, &sent), []);
    let value = |name: &str| {
        sent.iter().find(|input| input.name == name).map(|input| match &input.sent {
            SentInput::Value(value) => value.clone(),
            SentInput::File(_) | SentInput::Files(_) => panic!("no file"),
        })
    };
    assert_eq!(value("name"), Some(json!("Hel")));
    assert_eq!(value("text"), Some(json!("a: {{ b }} # c\n- d")));
    assert_eq!(value("long"), Some(json!("Hell")));
    assert_eq!(value("tone"), Some(json!("warm")));
    assert_eq!(value("n"), Some(json!(2.5)));
    assert_eq!(value("obj"), Some(json!({ "a": [1, "{{"] })));
    assert_eq!(value("free"), None, "what is optional is left to its author");
    assert!(drafted.suite.contains("# free: optional, text"), "{}", drafted.suite);
    assert_eq!((drafted.name.as_str(), drafted.skip), ("any-app", None));
}

#[test]
fn recorded_apps_get_suites_that_load() {
    for version in ["1.12.1", "1.14.2"] {
        for case in ["echo", "file", "file2"] {
            let path =
                format!("{}/tests/data/wire/{version}/parameters.{case}.json", env!("CARGO_MANIFEST_DIR"));
            let recording: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            let body = recording["response"]["body"].as_str().unwrap();
            let form = decode_parameters(&serde_json::from_str(body).unwrap()).unwrap();
            let drafted = draft(&DraftedApp { title: case, app: "one", form: &form });
            let sent = inputs_of(&drafted);
            let needs_file = form.iter().any(|input| {
                input.required && matches!(input.kind, InputKind::File(_) | InputKind::Files(_))
            });
            assert_eq!(!drafted.files.is_empty(), needs_file, "{}", drafted.suite);
            assert!(needs_file || compare(&form, &sent).is_empty(), "{}", drafted.suite);
            assert_eq!(drafted.skip, None);
        }
    }
}

#[test]
fn what_cannot_be_made_skips_the_test_with_its_reason() {
    let form = form(json!([
        { "file": { "variable": "clip", "required": true, "allowed_file_types": ["video"] } },
        { "select": { "variable": "empty", "required": true, "options": [] } },
        { "external_data_tool": { "variable": "odd", "required": true } },
        { "file": { "variable": "later", "required": false, "allowed_file_types": ["video"] } },
    ]));
    let drafted = draft(&DraftedApp { title: "", app: "", form: &form });
    inputs_of(&drafted);
    let reason = drafted.skip.unwrap();
    for word in ["`clip` takes only files", "`empty` is a choice without options", "`odd` is of the kind"] {
        assert!(reason.contains(word), "{word}: {reason}");
    }
    assert!(!reason.contains("later"), "{reason}");
    assert_eq!(drafted.name, "first");
}

#[test]
fn names_of_files_are_such_everywhere() {
    let name = |title: &str| draft(&DraftedApp { title, app: "", form: &[] }).name;
    assert_eq!(name("../../etc/passwd"), "etc-passwd");
    assert_eq!(name("CON"), "con-app");
    assert_eq!(name("客服 助手"), "客服-助手");
    assert_eq!(name("_private. "), "private");
    assert_eq!(name("...\u{0}"), "first");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_an_app_says_the_suite_loads(
        title in ".{0,20}",
        app in "\\PC{0,8}",
        name in r#"(\PC|[\{\}:#"'\n]){1,10}"#,
        default in r#"(\PC|[\{\}%#"':\n\t\\ -]|\{\{|\}\}){0,20}"#,
        option in r#"(\PC|[\{\}:#"'\n]){1,10}"#,
    ) {
        let form = form(json!([
            { "paragraph": { "variable": name, "required": true, "default": default } },
            { "select": { "variable": "s", "required": true, "options": [option] } },
            { default.as_str(): { "variable": option, "required": true, "options": [name] } },
        ]));
        let app = app.trim();
        let drafted = draft(&DraftedApp { title: &title, app, form: &form });
        inputs_of(&drafted);
    }
}

#[test]
fn names_that_no_key_can_hold_are_left_out_and_said_so() {
    let long = "v".repeat(1_100);
    let odd = [
        "yes", "<<", "&a", "*b", "a: b", "{{ x }}", "- x", "? y", "#z", "null", "12", "!t", "%d", "@e",
        "é\"\\",
    ];
    let input = |name: &str, required: bool| json!({ "text-input": { "variable": name, "label": "{{#x#}}: <<".repeat(100), "required": required, "default": "&a *b: <<" } });
    let entries: Vec<Value> = odd.iter().map(|name| input(name, true)).chain([input(&long, false)]).collect();
    let optional = form(Value::Array(entries.clone()));
    let drafted = draft(&DraftedApp { title: &"<<: *a {{ b }}".repeat(90), app: "", form: &optional });
    let sent: Vec<String> = inputs_of(&drafted).into_iter().map(|input| input.name).collect();
    assert_eq!((sent, drafted.skip), (odd.map(str::to_owned).to_vec(), None));
    let needed = form(json!([input(&long, true)]));
    let drafted = draft(&DraftedApp { title: "A", app: "", form: &needed });
    assert!(inputs_of(&drafted).is_empty());
    let skip = drafted.skip.unwrap();
    assert!(skip.contains("has a name that is too long for a key") && skip.len() < 300, "{skip}");
}
