//! Planted changes are found, in every event that was recorded, and nothing else is.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Value, json};

use super::*;

/// Every event and blocking answer recorded of a version, with what it is.
fn recorded(version: &str) -> Vec<(Option<WatchedAnswer>, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/wire").join(version);
    let mut all = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let Ok(json) = serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()) else { continue };
        let (body, asked) = (&json["response"]["body"], json["request"]["path"].as_str().unwrap());
        let body = body.as_str().unwrap_or_default();
        if path.to_string_lossy().contains("chatflow") {
            continue;
        }
        let lines = body.split('\n').filter_map(|line| line.strip_prefix("data: "));
        all.extend(lines.map(|line| (None, serde_json::from_str(line).unwrap())));
        if asked.ends_with("/workflows/run")
            && json["response"]["status"] == 200
            && let Ok(answer) = serde_json::from_str::<Value>(body)
        {
            let kind =
                if answer["data"]["status"] == "paused" { WatchedAnswer::Paused } else { WatchedAnswer::Run };
            all.push((Some(kind), answer));
        }
        let status = json["response"]["status"].as_u64().unwrap();
        let kind = match (json["request"]["method"].as_str().unwrap(), asked.split('?').next().unwrap()) {
            (_, _) if status >= 400 && body.starts_with('{') => Some(WatchedAnswer::Refusal),
            ("GET", path) if path.contains("/workflows/run/") && status == 200 => Some(WatchedAnswer::Detail),
            ("GET", path) if path.ends_with("/workflows/logs") && status == 200 => Some(WatchedAnswer::Logs),
            ("GET", path) if path.contains("/form/human_input/") && status == 200 => {
                Some(WatchedAnswer::Form)
            }
            ("POST", path) if path.ends_with("/files/upload") && status == 201 => Some(WatchedAnswer::Upload),
            _ => None,
        };
        if let Some(kind) = kind {
            all.push((Some(kind), serde_json::from_str(body).unwrap()));
        }
    }
    all
}

fn deviations(contract: &VersionContract, (answer, json): (Option<WatchedAnswer>, &Value)) -> Vec<Deviation> {
    let mut found = Vec::new();
    match answer {
        None => contract.check_event(&BorrowedValue::of(json), &mut found),
        Some(answer) => contract.check_answer(answer, json, &mut found),
    }
    found
}

#[test]
fn recordings_have_no_deviation_and_each_planted_change_is_found() {
    let contracts = Contracts::new();
    let mut planted = 0;
    for version in ["1.12.1", "1.14.2"] {
        let contract = contracts.of(Some(version));
        let all = recorded(version);
        assert!(all.len() > 500, "{version}: {}", all.len());
        for (answer, json) in &all {
            assert_eq!(deviations(contract, (*answer, json)), [], "{json}");
            let Some(data) = json["data"].as_object() else { continue };
            for key in data.keys() {
                let mut lacks = json.clone();
                lacks["data"].as_object_mut().unwrap().remove(key);
                let found = deviations(contract, (*answer, &lacks));
                assert!(
                    matches!(&found[..], [Deviation::MissingField { .. }]),
                    "without {key}: {found:?} in {json}"
                );
                let mut changed = json.clone();
                changed["data"][key] = if data[key].is_array() { json!({}) } else { json!([[1]]) };
                let found = deviations(contract, (*answer, &changed));
                assert!(
                    matches!(&found[..], [] | [Deviation::ChangedType { .. }]),
                    "{key} changed: {found:?} in {json}"
                );
                planted += found.len();
            }
            let mut new = json.clone();
            new["data"]["surprise"] = json!(1);
            new["more"] = json!(null);
            let found = deviations(contract, (*answer, &new));
            assert!(
                matches!(&found[..], [Deviation::NewField { .. }, Deviation::NewField { .. }]),
                "{found:?}"
            );
        }
    }
    assert!(planted > 10_000, "{planted} changed types were found");
}

#[test]
fn documents_of_other_calls_are_known_field_by_field() {
    let contracts = Contracts::new();
    for (version, kinds) in [("1.12.1", 4), ("1.14.2", 5)] {
        let contract = contracts.of(Some(version));
        let all = recorded(version);
        let mut met = HashSet::new();
        for (answer, json) in all.iter().filter_map(|(answer, json)| Some(((*answer)?, json))) {
            if matches!(answer, WatchedAnswer::Run | WatchedAnswer::Paused) {
                continue;
            }
            met.insert(answer.word());
            for key in json.as_object().unwrap().keys() {
                if key == "id" && answer == WatchedAnswer::Detail {
                    continue;
                }
                let mut lacks = json.clone();
                lacks.as_object_mut().unwrap().remove(key);
                let found = deviations(contract, (Some(answer), &lacks));
                assert!(matches!(&found[..], [Deviation::MissingField { .. }]), "without {key}: {found:?}");
            }
            let mut new = json.clone();
            new["surprise"] = json!(1);
            let found = deviations(contract, (Some(answer), &new));
            assert!(matches!(&found[..], [Deviation::NewField { .. }]), "{found:?}");
        }
        assert_eq!(met.len(), kinds, "{met:?}");
    }
}

#[test]
fn every_recorded_answer_tells_its_version_in_the_head() {
    for version in ["1.12.1", "1.14.2"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/wire").join(version);
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let Ok(json) = serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()) else { continue };
            let headers = json["response"]["headers"].as_array().unwrap();
            let header = headers.iter().find(|header| header[0] == "X-Version");
            let mut found = Vec::new();
            check_head(WatchedAnswer::Stream, header.and_then(|header| header[1].as_str()), &mut found);
            assert_eq!(found, [], "{}", path.display());
        }
    }
    for (version, said) in [
        (None, "the run's detail lacks the header `X-Version`"),
        (Some("main"), "the run's detail: the header `X-Version` is no version's number"),
        (Some("1"), "the run's detail: the header `X-Version` is no version's number"),
    ] {
        let mut found = Vec::new();
        check_head(WatchedAnswer::Detail, version, &mut found);
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [said]);
    }
}

#[test]
fn a_detail_of_nulls_is_known_up_to_1_12_only() {
    let contracts = Contracts::new();
    let nulls = json!({
        "id": null, "workflow_id": null, "status": null, "inputs": null, "outputs": null, "error": null, "total_steps": null,
        "total_tokens": null, "created_at": null, "finished_at": null, "elapsed_time": null,
    });
    assert_eq!(deviations(contracts.of(Some("1.12.1")), (Some(WatchedAnswer::Detail), &nulls)), []);
    assert!(!deviations(contracts.of(Some("1.14.2")), (Some(WatchedAnswer::Detail), &nulls)).is_empty());
}

#[test]
fn deviations_are_told_in_a_few_words() {
    let contracts = Contracts::new();
    let contract = contracts.of(Some("1.14.2"));
    let told = |answer, json: Value| -> Vec<String> {
        deviations(contract, (answer, &json)).iter().map(ToString::to_string).collect()
    };
    assert_eq!(told(None, json!({ "event": "agent_note", "data": {} })), ["unknown event `agent_note`"]);
    assert_eq!(
        told(None, json!({ "event": "agent_log", "data": {} })),
        [""; 0],
        "it stands in Dify's sources"
    );
    assert_eq!(told(None, json!({ "no": 1 })), ["unknown event ``"]);
    assert_eq!(told(None, json!({ "event": "refusal" })), ["unknown event `refusal`"]);
    assert_eq!(
        told(Some(WatchedAnswer::Refusal), json!({ "code": 5, "status": 400, "params": "q" })),
        [
            "the error answer lacks `message`",
            "the error answer: `code` is integer, known as string",
            "the error answer has a new field `params` (string)",
        ]
    );
}

#[test]
fn a_version_that_was_not_recorded_is_held_against_the_nearest() {
    let contracts = Contracts::new();
    for (version, known) in [
        (Some("1.12.1"), "1.12"),
        (Some("1.9.0"), "1.12"),
        (Some("0.15.3"), "1.12"),
        (Some("1.13.0"), "1.14"),
        (Some("1.16.1-rc1"), "1.14"),
        (Some("2.0"), "1.14"),
        (Some("main"), "1.14"),
        (None, "1.14"),
    ] {
        assert_eq!(contracts.of(version).version, known, "{version:?}");
    }
}

#[test]
fn what_is_told_of_one_event_is_bounded() {
    let contracts = Contracts::new();
    let mut event = json!({ "event": "e".repeat(5000) });
    let Some(Deviation::UnknownEvent(name)) =
        deviations(contracts.of(None), (None, &event)).into_iter().next()
    else {
        panic!()
    };
    assert_eq!(name.len(), 120);
    event["event"] = json!("node_started");
    for number in 0..1000 {
        event[format!("field {number}")] = json!(number);
    }
    assert!(deviations(contracts.of(None), (None, &event)).len() <= 40);
}
