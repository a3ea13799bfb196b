//! What Dify refuses or drops is found, and what it takes is not: against forms that were recorded.

use serde_json::{Value, json};

use crate::app::live_app::compare::compare;
use crate::app::live_app::mismatch::{FaultKind, NamedInput, SentFile, SentInput};
use crate::dify::wire::parameters::{FileRules, Input, InputKind, decode_parameters};

fn form(case: &str) -> Vec<Input> {
    let path = format!("{}/tests/data/wire/1.14.2/parameters.{case}.json", env!("CARGO_MANIFEST_DIR"));
    let recording: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let body = recording["response"]["body"].as_str().unwrap();
    decode_parameters(&serde_json::from_str(body).unwrap()).unwrap()
}

fn values(inputs: Value) -> Vec<NamedInput> {
    let inputs = inputs.as_object().unwrap().clone();
    inputs.into_iter().map(|(name, value)| NamedInput { name, sent: SentInput::Value(value) }).collect()
}

/// The faults of inputs sent to the recorded echo app, which needs `text`.
fn faults(inputs: Value) -> Vec<(String, FaultKind)> {
    let found = compare(&form("echo"), &values(inputs));
    found.into_iter().map(|fault| (fault.input, fault.kind)).collect()
}

/// The one fault of an input beside a good `text`.
fn one(name: &str, value: Value) -> Option<FaultKind> {
    let found = faults(json!({ "text": "x", name: value }));
    assert!(found.len() <= 1 && found.iter().all(|(input, _)| input == name), "{found:?}");
    found.first().map(|(_, kind)| *kind)
}

#[test]
fn what_dify_takes_is_no_fault() {
    for (name, value) in [
        ("text", json!("")),
        ("text", json!("ä".repeat(48))),
        ("num", json!(1e21)),
        ("num", json!(true)),
        ("num", json!("7.0")),
        ("num", json!(" -7 ")),
        ("num", json!("")),
        ("sel", json!("green")),
        ("flag", json!("YES")),
        ("flag", json!(0)),
        ("obj", json!({})),
        ("dflt", json!(null)),
        ("para", json!(null)),
    ] {
        assert_eq!(one(name, value.clone()), None, "{name}: {value}");
    }
}

#[test]
fn what_dify_refuses_or_drops_is_a_fault() {
    use FaultKind::{NotAnOption, Strange, TooLong, Unknown, WrongType};
    for (name, value, kind) in [
        ("text", json!("ä".repeat(49)), TooLong),
        ("text", json!(5), WrongType),
        ("num", json!("abc"), WrongType),
        ("num", json!("1e5"), WrongType),
        ("num", json!("."), WrongType),
        ("num", json!([1]), WrongType),
        ("num", json!({}), WrongType),
        ("sel", json!(""), NotAnOption),
        ("sel", json!("Green"), NotAnOption),
        ("sel", json!(1), WrongType),
        ("flag", json!("maybe"), Strange),
        ("flag", json!(2), Strange),
        ("obj", json!("{}"), WrongType),
        ("obj", json!([]), WrongType),
        ("txet", json!("x"), Unknown),
    ] {
        assert_eq!(one(name, value.clone()), Some(kind), "{name}: {value}");
    }
    for inputs in [json!({}), json!({ "text": null })] {
        assert_eq!(faults(inputs), [("text".to_owned(), FaultKind::Missing)]);
    }
}

#[test]
fn slips_are_told_with_what_was_meant() {
    let found = compare(&form("echo"), &values(json!({ "txet": "x", "text": "x", "sel": "gren" })));
    let helps: Vec<&str> = found.iter().filter_map(|fault| fault.help.as_deref()).collect();
    assert_eq!(helps, ["did you mean `text`?", "did you mean `green`?"]);
}

fn file(name: &str, kind: &str, method: &'static str) -> SentFile {
    SentFile { name: name.to_owned(), kind: kind.to_owned(), method }
}

#[test]
fn files_are_held_against_types_endings_ways_and_number() {
    use FaultKind::{TooMany, WrongFile, WrongType};
    let form = form("file2");
    let judged = |name: &str, sent: SentInput| {
        let mut all = vec![NamedInput { name: name.to_owned(), sent }];
        if name != "doc" {
            let sent = SentInput::File(file("a.pdf", "document", "local_file"));
            all.push(NamedInput { name: "doc".to_owned(), sent });
        }
        compare(&form, &all).first().map(|fault| fault.kind)
    };
    let pdf = || file("a.pdf", "document", "local_file");
    assert_eq!(judged("doc", SentInput::File(pdf())), None);
    assert_eq!(judged("doc", SentInput::File(file("a.mp3", "audio", "local_file"))), Some(WrongFile));
    assert_eq!(judged("doc", SentInput::File(file("a.bin", "custom", "local_file"))), Some(WrongFile));
    assert_eq!(judged("doc", SentInput::Files(vec![pdf()])), Some(WrongType));
    assert_eq!(judged("doc", SentInput::Value(json!("a.pdf"))), Some(WrongType));
    assert_eq!(judged("docs", SentInput::Files(vec![pdf(), pdf(), pdf()])), None);
    assert_eq!(judged("docs", SentInput::Files(vec![pdf(); 4])), Some(TooMany));
    assert_eq!(judged("docs", SentInput::File(pdf())), Some(WrongType));
    assert_eq!(judged("docs", SentInput::Value(json!([]))), None, "an empty list satisfies Dify");
    assert_eq!(judged("docs", SentInput::Value(json!(["a.pdf"]))), Some(WrongType));
    assert_eq!(compare(&form, &[])[0].kind, FaultKind::Missing);
}

#[test]
fn endings_of_custom_files_and_ways_are_held() {
    let custom = FileRules {
        types: vec!["custom".to_owned()],
        extensions: vec![".PDF".to_owned()],
        methods: vec!["remote_url".to_owned()],
    };
    let form = [Input {
        name: "f".to_owned(),
        kind: InputKind::File(custom),
        required: true,
        max_length: None,
        default: None,
    }];
    let judged = |sent| compare(&form, &[NamedInput { name: "f".to_owned(), sent: SentInput::File(sent) }]);
    assert_eq!(judged(file("https://a.example/b.pdf?c=d", "custom", "remote_url")), []);
    assert!(judged(file("a.pdf", "custom", "local_file"))[0].message.contains("uploaded"));
    assert!(judged(file("https://a.example/b.txt", "custom", "remote_url"))[0].message.contains("custom"));
    let help = judged(file("https://a.example/b.pdf", "document", "remote_url"))[0].help.clone().unwrap();
    assert!(help.contains("type: custom"), "{help}");
}

#[test]
fn only_what_dify_itself_refuses_may_be_wanted() {
    use FaultKind::{Missing, NotAnOption, Strange, TooLong, TooMany, Unknown, WrongFile, WrongType};
    assert!(
        [Missing, NotAnOption, TooLong, TooMany, WrongFile, WrongType].iter().all(|kind| kind.is_refused())
    );
    assert!(![Unknown, Strange].iter().any(|kind| kind.is_refused()));
}
