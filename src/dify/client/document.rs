//! An answer that is one document becomes a Transcript: a blocking run, an error, or something else entirely; pure.

use serde_json::Value;

use crate::base::borrowed_json::BorrowedValue;
use crate::base::json_path::{PathStep, show_place};
use crate::dify::transcript::{AnswerIds, Ending, Flaw, FlawKind, MessageResult, ReadableText, Transcript};
use crate::dify::wire::answer;
use crate::dify::wire::error;

/// Reads an answer that is one document: a blocking run, an error, or something else entirely.
pub fn read_document(mut transcript: Transcript, content_type: &str, body: &[u8]) -> Transcript {
    let status = transcript.http_status.unwrap_or_default();
    let text = std::str::from_utf8(body).unwrap_or_default();
    let readable = ReadableText::of(text);
    let json = BorrowedValue::read_value(if text.is_empty() { body } else { readable.text.as_bytes() });
    let ending = match &json {
        Ok(json) if status == 202 && json["event"] == "workflow_maintenance_paused" => {
            // The run was taken, and goes on elsewhere.
            transcript.answer.ids.run = json["workflow_run_id"].as_str().map(str::to_owned);
            transcript.answer.ids.task = json["task_id"].as_str().map(str::to_owned);
            Ending::Rejected(error::classify_http(status, content_type, body))
        }
        _ if status != 200 => Ending::Rejected(error::classify_http(status, content_type, body)),
        _ if !is_json(content_type) => Ending::Unreadable { detail: describe_stranger(content_type, body) },
        Err(_) if body.is_empty() => Ending::Unreadable { detail: "HTTP 200 with an empty body".to_owned() },
        Err(error) => Ending::Unreadable { detail: format!("the answer is not JSON: {error}") },
        Ok(json) if json["event"] == "error" => Ending::ErrorEvent(error::classify_event(json)),
        Ok(json) => read_run(&mut transcript, (json, &readable)),
    };
    transcript.ending = ending;
    transcript.body =
        Some(json.unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned())));
    transcript
}

fn read_run(transcript: &mut Transcript, (json, readable): (&Value, &ReadableText<'_>)) -> Ending {
    let flaws = BorrowedValue::read(&readable.text).map(|json| readable.flaws(&json, None));
    transcript.answer.flaws = flaws.unwrap_or_default();
    if let Some(key) = transcript.answer.flaws.iter().find(|flaw| decides(flaw)) {
        let key = show_place(&key.place);
        let detail = format!("the answer gives `{key}` twice: which value counts is not known");
        return Ending::Unreadable { detail };
    }
    if transcript.app.sends_messages() {
        return read_message(transcript, json);
    }
    let run = match answer::decode_run(json) {
        Ok(run) => run,
        Err(error) => return Ending::Unreadable { detail: error.to_string() },
    };
    transcript.answer.ids.run = run.run_id;
    transcript.answer.ids.task = run.task_id;
    transcript.answer.ids.workflow = run.data["workflow_id"].as_str().map(str::to_owned);
    let ending = match run.data["status"].as_str() {
        Some("paused") => Ending::Paused,
        Some("running" | "scheduled") => {
            return Ending::Unreadable {
                detail: "the answer says that the run is still going on".to_owned(),
            };
        }
        Some(_) | None => Ending::Finished,
    };
    transcript.answer.run = Some(run.data.into());
    ending
}

/// Reads the answer of a chat app: a message, or a run that waits for a person.
fn read_message(transcript: &mut Transcript, json: &Value) -> Ending {
    let message = match answer::decode_message(json) {
        Ok(message) => message,
        Err(error) => return Ending::Unreadable { detail: error.to_string() },
    };
    let answer = &mut transcript.answer;
    answer.ids = AnswerIds {
        run: message.run_id,
        task: message.task_id,
        workflow: None,
        message: Some(message.message_id),
        conversation: message.conversation_id,
    };
    answer.text = message.text;
    if json["event"] == "workflow_paused" {
        answer.run = Some(json["data"].clone().into());
        return Ending::Paused;
    }
    answer.message = Some(MessageResult::of(json.clone()));
    Ending::Finished
}

/// True for a key that says whose run it is or how it ended: where it is given twice, nothing else is sure.
fn decides(flaw: &Flaw) -> bool {
    match flaw.in_data() {
        _ if flaw.kind != FlawKind::Repeated => false,
        Some([PathStep::Name(name)]) => ["id", "workflow_id", "status"].contains(&name.as_str()),
        Some(_) => false,
        None => true,
    }
}

/// Returns whether a `Content-Type` is that of a stream of events.
pub fn is_stream(content_type: &str) -> bool {
    media(content_type).eq_ignore_ascii_case("text/event-stream")
}

/// Returns whether a `Content-Type` is that of JSON.
pub fn is_json(content_type: &str) -> bool {
    let media = media(content_type).to_ascii_lowercase();
    media == "application/json" || media.ends_with("+json")
}

fn media(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn describe_stranger(content_type: &str, body: &[u8]) -> String {
    let kind = if content_type.is_empty() {
        "without a Content-Type".to_owned()
    } else {
        format!("of type {content_type}")
    };
    let what = error::describe_body(content_type, body);
    format!(
        "HTTP 200 {kind}, neither JSON nor a stream of events ({what}); is `base_url` that of Dify's API, `/v1` included?"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{PostedRequest, ResponseMode, RunResult};

    fn read(status: u16, content_type: &str, body: &str) -> Transcript {
        let begun = begin(ResponseMode::Blocking, json!({}), PostedRequest::default());
        read_document(Transcript { http_status: Some(status), ..begun }, content_type, body.as_bytes())
    }

    fn run(status: &str) -> String {
        let data = json!({ "id": "r", "workflow_id": "w", "status": status, "outputs": { "x": 1 } });
        json!({ "task_id": "t", "workflow_run_id": "r", "data": data }).to_string()
    }

    #[test]
    fn a_run_is_read_with_its_ids_and_its_end() {
        for (status, ending) in [
            ("succeeded", Ending::Finished),
            ("failed", Ending::Finished),
            ("stopped", Ending::Finished),
            ("paused", Ending::Paused),
        ] {
            let found = read(200, "application/json; charset=utf-8", &run(status));
            assert_eq!(found.ending, ending, "{status}");
            let ids = [&found.answer.ids.run, &found.answer.ids.task, &found.answer.ids.workflow]
                .map(|id| id.as_deref());
            assert_eq!(ids, [Some("r"), Some("t"), Some("w")], "{status}");
            let outputs = found.answer.run.as_ref().and_then(RunResult::outputs);
            assert_eq!(outputs, Some(&json!({ "x": 1 })), "{status}");
            assert_eq!(found.body.unwrap()["data"]["status"], status);
        }
        for status in ["running", "scheduled"] {
            let found = read(200, "application/json", &run(status));
            let detail = "the answer says that the run is still going on".to_owned();
            assert_eq!((found.ending, found.answer.run), (Ending::Unreadable { detail }, None), "{status}");
        }
    }

    #[test]
    fn what_is_no_run_is_told_as_what_it_is() {
        let unreadable =
            |status, content_type: &str, body: &str| match read(status, content_type, body).ending {
                Ending::Unreadable { detail } => detail,
                other => panic!("{body}: {other:?}"),
            };
        assert_eq!(unreadable(200, "application/json", ""), "HTTP 200 with an empty body");
        assert!(unreadable(200, "application/json", "{").starts_with("the answer is not JSON: "));
        let page = unreadable(200, "text/html", "<html><title>Log in</title>");
        assert!(
            page.starts_with("HTTP 200 of type text/html, neither JSON nor a stream of events"),
            "{page}"
        );
        assert!(unreadable(200, "", &run("succeeded")).starts_with("HTTP 200 without a Content-Type"));
        let twice = |key: &str, value: &str| {
            unreadable(200, "application/json", &run("succeeded").replacen(key, &format!("{value},{key}"), 1))
        };
        assert_eq!(
            twice("\"status\"", "\"status\":\"failed\""),
            "the answer gives `$.data.status` twice: which value counts is not known"
        );
        assert!(twice("\"task_id\"", "\"task_id\":\"u\"").contains("task_id"), "whose run it is");
        let outputs = run("succeeded").replacen("\"x\"", "\"x\":2,\"x\"", 1);
        let doubted = read(200, "application/json", &outputs);
        assert_eq!(
            (doubted.ending, doubted.answer.flaws.len()),
            (Ending::Finished, 1),
            "only what is asserted of it is open"
        );
        let event =
            read(200, "application/json", r#"{"event":"error","status":400,"code":"x","message":"no"}"#);
        assert!(matches!(event.ending, Ending::ErrorEvent(_)), "{:?}", event.ending);
        for status in [202, 301, 400, 502] {
            assert!(
                matches!(read(status, "application/json", &run("succeeded")).ending, Ending::Rejected(_)),
                "{status}"
            );
        }
    }

    #[test]
    fn a_run_that_goes_on_elsewhere_is_known_by_its_ids() {
        let paused = r#"{"event":"workflow_maintenance_paused","task_id":"t","workflow_run_id":"r"}"#;
        let ids = |status, body| {
            let found = read(status, "application/json", body);
            assert!(matches!(found.ending, Ending::Rejected(_)), "{:?}", found.ending);
            (found.answer.ids.run, found.answer.ids.task)
        };
        assert_eq!(ids(202, paused), (Some("r".to_owned()), Some("t".to_owned())));
        assert_eq!(ids(503, paused), (None, None), "only where it was taken");
        assert_eq!(ids(202, &paused.replace("maintenance_", "")), (None, None));
    }

    #[test]
    fn types_of_content_are_known_by_their_names() {
        for (content_type, stream, json) in [
            ("text/event-stream", true, false),
            ("Text/Event-Stream; charset=utf-8", true, false),
            ("application/json", false, true),
            ("APPLICATION/JSON;charset=utf-8", false, true),
            ("application/problem+json", false, true),
            ("application/jsonp", false, false),
            ("text/html", false, false),
            ("", false, false),
        ] {
            assert_eq!((is_stream(content_type), is_json(content_type)), (stream, json), "{content_type}");
        }
    }
}
