//! Runs whose forms were answered: recorded, and replayed to the same answers only.

use serde_json::Value;

use super::{CASSETTE, REPLAYED, alone, last_line};
use crate::human_input::{Mock, good};
use crate::live::{case, report, run};
use crate::project::Project;
use crate::server::{KEY, target};

const TESTS: [&str; 3] = ["approved", "blocking", "waiting"];

/// A project whose runs were recorded from a server that is gone.
fn recorded() -> Project {
    let mock = Mock::start(&good());
    let project = good();
    target(&project, &mock.1, "");
    let ran = run(&project, &["--record", "once"]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert!(ran.text.contains("recorded 3 exchanges"), "{}", ran.text);
    project
}

fn facts(project: &Project) -> Vec<Value> {
    let report = report(project);
    TESTS.iter().map(|name| case(&report, name)["attempts"][0]["facts"].clone()).collect()
}

/// Times as a cassette keeps them, to the microsecond.
fn rounded(mut value: Value) -> Value {
    match &mut value {
        Value::Number(number) => return Value::from((number.as_f64().unwrap() * 1000.0).round()),
        Value::Array(items) => items.iter_mut().for_each(|item| *item = rounded(item.take())),
        Value::Object(members) => members.values_mut().for_each(|member| *member = rounded(member.take())),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
    value
}

#[test]
fn a_run_whose_forms_were_answered_is_replayed_to_the_same_answers() {
    let project = recorded();
    let live = facts(&project);
    let cassette = project.read(CASSETTE);
    assert_eq!(cassette.lines().count(), 4, "{cassette}");
    assert!(!cassette.contains(KEY));
    let tokens: Vec<&str> = cassette.split("\"form_token\":").skip(1).collect();
    assert!(!tokens.is_empty() && tokens.iter().all(|after| after.starts_with("\"***\"")), "{cassette}");
    for speed in ["--replay", "--replay=realtime"] {
        let ran = alone(&project, &[speed, "--target", "live"]);
        assert_eq!((ran.code, last_line(&ran)), (Some(0), REPLAYED), "{speed}: {}", ran.text);
        for (live, replayed) in live.iter().zip(facts(&project)) {
            if speed == "--replay" {
                assert_eq!(rounded(live.clone()), rounded(replayed), "waits for people are in no time");
                continue;
            }
            for fact in ["status", "digest", "tokens", "steps", "run_id"] {
                assert_eq!(live.get(fact), replayed.get(fact), "{fact}: {live}\n{replayed}");
            }
        }
    }
    assert_eq!(project.read(CASSETTE), cassette, "a replay writes nothing");
}

#[test]
fn another_answer_is_never_answered_by_what_was_recorded() {
    let project = recorded();
    let suite = project.read("suites/s.yaml");
    for (old, new, words) in [
        ("action: reject,", "action: approve,", "human_input.Review.action is `approve`, recorded `reject`"),
        (
            "for {{ test.name }}",
            "against",
            "human_input.Review.inputs['comment'] is \"against\", recorded \"for approved\"",
        ),
        (
            "      - { node: Legal, action: ok, inputs: { level: high } }\n",
            "",
            "human_input does not answer `Legal`, recorded with an answer",
        ),
        (
            "{ node: Legal, action: ok, inputs: { level: low } }",
            "{ node: Other, action: ok }",
            "recorded an answer to `Legal`",
        ),
        (
            "    assert:\n      - status: paused",
            "    human_input: [{ node: Review, action: approve, inputs: { comment: x } }]\n    assert:\n      - status: paused",
            "human_input also answers `Review`, recorded without that answer",
        ),
    ] {
        assert!(suite.contains(old), "{old}");
        project.write("suites/s.yaml", suite.replacen(old, new, 1));
        let ran = alone(&project, &["--replay", "--target", "live"]);
        assert_eq!(ran.code, Some(100), "{new}: {}", ran.text);
        assert!(ran.text.contains(words), "{words}: {}", ran.text);
    }
    project.write("suites/s.yaml", &suite);
    project.write("suites/_data/a.png", b"\x89PNG of another");
    let ran = alone(&project, &["--replay", "--target", "live"]);
    assert!(ran.text.contains("files.sketch is `a.png` with another content or type"), "{}", ran.text);
}
