//! An answer that is one document becomes a Transcript: a blocking run, an error, or something else entirely; pure.

use serde_json::Value;

use crate::base::borrowed_json::BorrowedValue;
use crate::base::json_path::{PathStep, show_place};
use crate::dify::transcript::{Ending, Flaw, FlawKind, ReadableText, Transcript};
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
            transcript.run_id = json["workflow_run_id"].as_str().map(str::to_owned);
            transcript.task_id = json["task_id"].as_str().map(str::to_owned);
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
    transcript.flaws = flaws.unwrap_or_default();
    if let Some(key) = transcript.flaws.iter().find(|flaw| decides(flaw)) {
        let key = show_place(&key.place);
        let detail = format!("the answer gives `{key}` twice: which value counts is not known");
        return Ending::Unreadable { detail };
    }
    let run = match answer::decode_run(json) {
        Ok(run) => run,
        Err(error) => return Ending::Unreadable { detail: error.to_string() },
    };
    transcript.run_id = run.run_id;
    transcript.task_id = run.task_id;
    transcript.workflow_id = run.data["workflow_id"].as_str().map(str::to_owned);
    let ending = match run.data["status"].as_str() {
        Some("paused") => Ending::Paused,
        Some("running" | "scheduled") => {
            return Ending::Unreadable {
                detail: "the answer says that the run is still going on".to_owned(),
            };
        }
        Some(_) | None => Ending::Finished,
    };
    transcript.run = Some(run.data.into());
    ending
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

/// Tells whether a `Content-Type` is that of a stream of events.
pub fn is_stream(content_type: &str) -> bool {
    media(content_type).eq_ignore_ascii_case("text/event-stream")
}

/// Tells whether a `Content-Type` is that of JSON.
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
