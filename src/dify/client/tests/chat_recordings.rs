//! Recorded traffic of chat apps, decoded into transcripts: no app is asked, and nothing above `dify` is needed.

use std::time::Duration;

use serde_json::Value;

use crate::dify::client::assemble::{BodyEnd, StreamReader};
use crate::dify::client::begin;
use crate::dify::client::document::{is_stream, read_document};
use crate::dify::transcript::{Answer, Ending, PostedRequest, ReportedStatus, ResponseMode, Transcript};
use crate::dify::wire::app_mode::AppMode;

/// What a recording must become.
#[derive(Debug, PartialEq)]
struct Summary {
    /// The kind of the ending, and how the answer says it ended.
    end: String,
    text: String,
    /// Tokens of the run, and tokens and price of the message; `-` where there is none.
    usage: String,
    nodes: usize,
    sources: usize,
    thoughts: usize,
}

/// Read off the recordings by hand.
const EXPECTED: [(&str, &str, &str, &str, [usize; 3]); 17] = [
    ("1.14.2/cf-branch.t1", "finished succeeded", "Hello to you.", "0 0 -", [3, 0, 0]),
    (
        "1.14.2/cf-branch.t2",
        "finished succeeded",
        "Bye: Echo: goodbye then — done ✓",
        "19 19 0.0000056",
        [4, 0, 0],
    ),
    ("1.14.2/cf-code-fail.t2", "finished failed", "Code says ", "0 - -", [2, 0, 0]),
    ("1.14.2/cf-stop.t2", "finished stopped", "Echo: SLOW w0 w1 w2 ", "0 - -", [2, 0, 0]),
    ("1.14.2/cf-human-follow.t1", "paused paused", "", "19 - -", [3, 0, 0]),
    (
        "1.14.2/cf-modout.t2",
        "finished succeeded",
        "Output replaced by moderation.",
        "21 21 0.0000063",
        [3, 0, 0],
    ),
    ("1.14.2/hang-cf-mod.t1", "finished succeeded", "Input refused by moderation.", "- 0 -", [0, 0, 0]),
    (
        "1.14.2/ch-kb.t1",
        "finished succeeded",
        "Echo: What is the capital of Freedonia? — done ✓",
        "- 106 0.0000204",
        [0, 1, 0],
    ),
    (
        "1.14.2/ch-kb.t2",
        "finished succeeded",
        "Seen: system=Use the following context as your learned",
        "- 167 0.0000458",
        [0, 1, 0],
    ),
    (
        "1.14.2/ag-fc.t2",
        "finished succeeded",
        "The tool said: 2026-12-01 00:55:03",
        "- 80 0.0000174",
        [0, 0, 2],
    ),
    (
        "1.14.2/co-query.t1",
        "finished succeeded",
        "Echo: Summarize: hello there é漢😀\n — done ✓",
        "- 16 0.0000060",
        [0, 0, 0],
    ),
    ("1.14.2/co-query.t5", "error completion_request_error", "This is the beginning ", "- - -", [0, 0, 0]),
    ("1.14.2/cf-fast-blocking.t2", "finished succeeded", "Echo: q1 — done ✓", "- 36 0.0000076", [0, 0, 0]),
    ("1.14.2/cf-human-blocking.t1", "paused paused", "", "19 - -", [0, 0, 0]),
    (
        "1.14.2/co-vars-query_in_inputs-blocking.t1",
        "finished succeeded",
        "Echo: Translate a to None. from inputs\n — done ✓",
        "- 20 0.0000075",
        [0, 0, 0],
    ),
    (
        "main-2026-06-12/cf-think-sep.t1",
        "finished succeeded",
        "Echo: THINK hello — done ✓ [reasoning here]",
        "20 20 0.0000062",
        [3, 0, 0],
    ),
    ("main-2026-06-12/cf-inputs-only-first.t2", "rejected invalid_param", "", "- - -", [0, 0, 0]),
];

fn recording(name: &str) -> Value {
    let path = format!("{}/tests/data/wire-chat/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Decodes a recorded answer as the client does once its bytes are there.
fn decode(recording: &Value) -> Transcript {
    let response = &recording["response"];
    let body = response["body"].as_str().unwrap();
    let headers = response["headers"].as_array().unwrap();
    let kind = headers.iter().find(|header| header[0].as_str().unwrap().eq_ignore_ascii_case("content-type"));
    let kind = kind.unwrap()[1].as_str().unwrap();
    let is_stream = is_stream(kind);
    let mode = if is_stream { ResponseMode::Streaming } else { ResponseMode::Blocking };
    let begun = Transcript {
        app: AppMode::of(recording["mode"].as_str().unwrap()),
        http_status: response["status"].as_u64().map(|status| status as u16),
        ..begin(mode, recording["request"]["body"]["inputs"].clone(), PostedRequest::default())
    };
    if !is_stream {
        return read_document(begun, kind, body.as_bytes());
    }
    let mut reader = StreamReader::new(begun, u64::MAX);
    for (at, byte) in body.bytes().enumerate() {
        if reader.take(&[byte], Duration::from_millis(at as u64)).is_break() {
            break;
        }
    }
    reader.finish(&BodyEnd::Clean)
}

fn summary(transcript: &Transcript) -> Summary {
    let answer = &transcript.answer;
    let status = answer.status().map(|status| status.word().to_owned());
    let end = match &transcript.ending {
        Ending::Finished => format!("finished {}", status.unwrap()),
        Ending::Paused => format!("paused {}", status.unwrap()),
        Ending::ErrorEvent(error) => format!("error {}", error.code.as_ref().unwrap()),
        Ending::Rejected(error) => format!("rejected {}", error.code.as_ref().unwrap()),
        other => format!("{other:?}"),
    };
    let told = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
    let usage = answer.message.as_ref().map(|message| &message.usage);
    let price = usage.and_then(|usage| usage.total_price).filter(|price| !price.is_zero());
    Summary {
        end,
        text: answer.text.clone(),
        usage: format!(
            "{} {} {}",
            told(answer.run.as_ref().and_then(|run| run.tokens())),
            told(usage.and_then(|usage| usage.total_tokens)),
            price.map_or("-".to_owned(), |price| price.to_string())
        ),
        nodes: answer.nodes.len(),
        sources: answer.message.as_ref().map_or(0, |message| message.sources.len()),
        thoughts: answer.thoughts.len(),
    }
}

#[test]
fn every_recording_of_a_chat_app_becomes_its_named_fields() {
    for (name, end, text, usage, [nodes, sources, thoughts]) in EXPECTED {
        let mut found = summary(&decode(&recording(name)));
        if found.text.starts_with(text) && name == "1.14.2/ch-kb.t2" {
            // It repeats its whole prompt.
            text.clone_into(&mut found.text);
        }
        let (end, text, usage) = (end.to_owned(), text.to_owned(), usage.to_owned());
        assert_eq!(found, Summary { end, text, usage, nodes, sources, thoughts }, "{name}");
    }
}

#[test]
fn ids_are_those_of_the_message_its_conversation_and_its_run() {
    for (name, ..) in EXPECTED.iter().filter(|(_, end, ..)| !end.starts_with("rejected")) {
        let recording = recording(name);
        let ids = decode(&recording).answer.ids;
        let body = recording["response"]["body"].as_str().unwrap();
        let names = |key: &str, id: &Option<String>| match id {
            Some(id) => {
                body.contains(&format!("\"{key}\":\"{id}\""))
                    || body.contains(&format!("\"{key}\": \"{id}\""))
            }
            None => !body.contains(&format!("\"{key}\"")),
        };
        assert!(names("message_id", &ids.message) && ids.message.is_some(), "{name}: {ids:?}");
        assert!(names("conversation_id", &ids.conversation), "{name}: {ids:?}");
        assert!(names("workflow_run_id", &ids.run), "{name}: {ids:?}");
        assert!(names("task_id", &ids.task) && ids.task.is_some(), "{name}: {ids:?}");
        let (mode, is_completion) = (&recording["mode"], recording["mode"] == "completion");
        assert_eq!(ids.conversation.is_none(), is_completion, "{name}: {mode}");
    }
}

#[test]
fn turns_of_a_conversation_have_its_id_and_each_has_its_own_run() {
    let [first, second] =
        ["1.14.2/cf-branch.t1", "1.14.2/cf-branch.t2"].map(|name| decode(&recording(name)).answer.ids);
    assert_eq!(first.conversation, second.conversation);
    assert!(first.message != second.message && first.run != second.run && first.run.is_some());
    assert_eq!(first.workflow, second.workflow);
}

#[test]
fn sources_and_thoughts_keep_what_has_no_name() {
    let Answer { message, .. } = decode(&recording("1.14.2/ch-kb.t1")).answer;
    let source = message.unwrap().sources.remove(0);
    assert_eq!((source.position, source.document.as_deref()), (Some(1), Some("facts.txt")));
    assert!(source.content.unwrap().contains("Fredville") && source.score.is_some());
    assert_eq!(source.data["retriever_from"], "api");
    let thoughts = decode(&recording("1.14.2/ag-fc.t2")).answer.thoughts;
    let told =
        |at: usize| (thoughts[at].position, thoughts[at].tool.as_str(), thoughts[at].tool_input.as_str());
    assert_eq!(told(0), (Some(1), "current_time", r#"{"current_time": {}}"#));
    assert_eq!(told(1), (Some(2), "", ""));
    assert!(thoughts[0].observation.contains("2026-12-01 00:55:03"), "the last event of a thought counts");
    assert_eq!(thoughts[1].thought, "The tool said: 2026-12-01 00:55:03");
}

#[test]
fn an_app_that_sends_no_messages_says_nothing_by_their_events() {
    let mut recording = recording("1.14.2/cf-branch.t1");
    recording["mode"] = "workflow".into();
    let answer = decode(&recording).answer;
    assert_eq!((answer.text.as_str(), &answer.message, &answer.ids.message), ("", &None, &None));
    assert_eq!((answer.status(), answer.nodes.len()), (Some(ReportedStatus::Succeeded), 3));
}

#[test]
fn an_event_of_another_message_or_conversation_is_not_believed() {
    let recording = recording("1.14.2/ag-fc.t2");
    let body = recording["response"]["body"].as_str().unwrap();
    for key in ["message_id", "conversation_id"] {
        let id = decode(&recording).answer.ids;
        let id = if key == "message_id" { id.message } else { id.conversation }.unwrap();
        let last = body.rfind(&format!("\"{key}\":\"{id}")).unwrap() + key.len() + 4;
        let mut other = recording.clone();
        other["response"]["body"] = format!("{}x{}", &body[..last], &body[last + 1..]).into();
        assert!(matches!(decode(&other).ending, Ending::Unreadable { .. }), "{key}");
    }
}
