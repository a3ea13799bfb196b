//! Dify's errors and what each proves: whether anything ran, and whose fault it is.
//!
//! Source: the error table of Dify's Service API as recorded from 1.12.1 and 1.14.2.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The input was refused before any node ran.
    Rejected,
    /// Address, key, app or version are wrong: every further test would fail alike.
    Config,
    /// A limit: too many requests, or a used-up plan.
    Quota,
    /// A proxy, a server bug or a broken connection: it proves nothing about the workflow.
    Transport,
}

/// An answer or event that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireError {
    /// HTTP status, or the `status` of an `error` event; 0 when there was no answer.
    pub status: u16,
    /// Dify's code, when it sent one.
    pub code: Option<String>,
    /// Dify's message, or a short text of what came instead (an HTML page's title, "empty body").
    pub message: String,
    /// Whose fault it is.
    pub class: ErrorClass,
    /// True when surely nothing ran, so that sending again costs nothing twice.
    pub not_started: bool,
    /// True when every further test of the app would meet the same error.
    pub stops_suite: bool,
}

/// An error without judgement: what was said.
struct Said<'a> {
    status: u16,
    code: &'a str,
    message: &'a str,
}

/// Whose fault, and what follows from it.
#[derive(Debug, Clone, Copy)]
struct Judgement {
    class: ErrorClass,
    not_started: bool,
    stops_suite: bool,
}

const REJECTED: Judgement = Judgement { class: ErrorClass::Rejected, not_started: false, stops_suite: false };
const TRANSPORT: Judgement =
    Judgement { class: ErrorClass::Transport, not_started: false, stops_suite: false };
const CONFIG: Judgement = Judgement { class: ErrorClass::Config, not_started: false, stops_suite: false };
const CONFIG_OF_ALL: Judgement =
    Judgement { class: ErrorClass::Config, not_started: false, stops_suite: true };
const BUSY: Judgement = Judgement { class: ErrorClass::Quota, not_started: true, stops_suite: false };
const USED_UP: Judgement = Judgement { class: ErrorClass::Quota, not_started: false, stops_suite: true };

/// Reads an HTTP answer that is an error: Dify's JSON, or whatever a proxy sent in its place.
pub fn classify_http(status: u16, content_type: &str, body: &[u8]) -> WireError {
    if let Ok(json @ Value::Object(_)) = serde_json::from_slice::<Value>(body) {
        let code = json["code"].as_str();
        if code.is_some() || json["message"].is_string() {
            let message = json["message"].as_str().unwrap_or_default();
            return judged(Said { status, code: code.unwrap_or_default(), message }, message.to_owned());
        }
        if json["event"] == "workflow_maintenance_paused" {
            return WireError::new(
                status,
                None,
                "the workflow is paused for maintenance".to_owned(),
                TRANSPORT,
            );
        }
    }
    let mut message = describe_body(content_type, body);
    if status == 404 {
        message.push_str("; does `base_url` end in `/v1`?");
    } else if (300..400).contains(&status) {
        message.push_str("; redirects are not followed: is `base_url` right, scheme and `/v1` included?");
    }
    judged(Said { status, code: "", message: "" }, message)
}

/// Reads an `error` event; Dify 1.15 and later may leave out its `code`.
pub fn classify_event(json: &Value) -> WireError {
    let status = json["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
    let message = json["message"].as_str().unwrap_or_default();
    let code = json["code"].as_str();
    if is_input_form_message(message) {
        return WireError::new(status, code, message.to_owned(), REJECTED);
    }
    judged(Said { status, code: code.unwrap_or_default(), message }, message.to_owned())
}

/// Tells whether a text is one with which Dify refuses inputs, so that a `failed` run of 0 steps is a rejection.
pub fn is_input_form_message(text: &str) -> bool {
    let text = text.trim();
    text.ends_with(" is required in input form")
        || text.contains(" in input form must be ")
        || text == "Invalid upload file"
        || text == "Invalid upload file id"
        || text == "transfer_method is required in file mapping"
        || text.starts_with("Detected file type does not match the specified type.")
}

impl WireError {
    fn new(status: u16, code: Option<&str>, message: String, judgement: Judgement) -> Self {
        Self {
            status,
            code: code.map(str::to_owned),
            message,
            class: judgement.class,
            not_started: judgement.not_started,
            stops_suite: judgement.stops_suite,
        }
    }
}

fn judged(said: Said<'_>, message: String) -> WireError {
    let judgement = judge_code(&said).unwrap_or_else(|| judge_status(said.status));
    let code = Some(said.code).filter(|code| !code.is_empty());
    WireError::new(said.status, code, message, judgement)
}

/// Judges by Dify's code; none for a code that is not in the table.
fn judge_code(said: &Said<'_>) -> Option<Judgement> {
    Some(match said.code {
        "invalid_param" => judge_invalid_param(said.message),
        "bad_request" => judge_bad_request(said.message),
        "not_found" if said.message.starts_with("Workflow not found") => CONFIG_OF_ALL,
        "not_found" => CONFIG,
        "rate_limit_error" | "provider_quota_exceeded" => USED_UP,
        "too_many_requests" => BUSY,
        "completion_request_error" => CONFIG,
        "unauthorized"
        | "forbidden"
        | "not_workflow_app"
        | "app_unavailable"
        | "provider_not_initialize"
        | "model_currently_not_support"
        | "workflow_version_execution_not_allowed" => CONFIG_OF_ALL,
        "no_file_uploaded"
        | "too_many_files"
        | "filename_not_exists_error"
        | "invalid_form_data"
        | "method_not_allowed"
        | "unsupported_media_type"
        | "file_too_large"
        | "unsupported_file_type"
        | "human_input_form_submitted"
        | "human_input_form_expired" => REJECTED,
        "internal_server_error" | "unknown" => TRANSPORT,
        _ => return None,
    })
}

/// `invalid_param` says everything from bad inputs to a broken graph: what is not known to be about the request is the
/// app's fault, so that a test which expects a rejection is never green by another error.
fn judge_invalid_param(message: &str) -> Judgement {
    let about_request = is_input_form_message(message)
        || message == "Arg user must be provided."
        || message == "Filename contains invalid characters"
        || message.starts_with("Reached maximum retries (3) for URL ")
        || is_request_validation(message);
    if message.starts_with("Too many requests.") {
        BUSY
    } else if about_request {
        REJECTED
    } else if message == "Workflow not published" || is_broken_graph(message) {
        CONFIG_OF_ALL
    } else {
        CONFIG
    }
}

fn judge_bad_request(message: &str) -> Judgement {
    if message.starts_with("The browser (or proxy) sent a request") {
        REJECTED
    } else if message.starts_with("Invalid workflow_id format")
        || message.starts_with("Cannot use draft workflow version")
    {
        CONFIG_OF_ALL
    } else {
        CONFIG
    }
}

/// Pydantic's complaint about a call's own fields: "1 validation error for WorkflowRunPayload".
fn is_request_validation(message: &str) -> bool {
    validated_model(message).is_some_and(|model| model.ends_with("Payload") || model.ends_with("Query"))
}

fn is_broken_graph(message: &str) -> bool {
    let unknown_part = (message.starts_with("Provider ") || message.starts_with("Model "))
        && message.ends_with("not exist.");
    unknown_part || validated_model(message).is_some_and(|model| model.ends_with("NodeData"))
}

fn validated_model(message: &str) -> Option<&str> {
    let first = message.lines().next()?;
    let (_, model) =
        first.split_once(" validation error for ").or_else(|| first.split_once(" validation errors for "))?;
    Some(model.trim())
}

/// Judges by the status alone: proxies, and codes nobody recorded.
fn judge_status(status: u16) -> Judgement {
    match status {
        401 | 403 | 404 | 407 | 300..=399 => CONFIG_OF_ALL,
        405 | 412 | 413 | 415 => REJECTED,
        429 => BUSY,
        400..=499 if status != 408 => CONFIG,
        _ => TRANSPORT,
    }
}

/// Says in a few words what stands where Dify's JSON should.
pub fn describe_body(content_type: &str, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(2000)]);
    let text = text.trim();
    if text.is_empty() {
        return "empty body".to_owned();
    }
    if content_type.starts_with("text/html")
        || text.starts_with("<!")
        || text.to_ascii_lowercase().starts_with("<html")
    {
        return format!("an HTML page: {}", title(text));
    }
    cut(text, 200)
}

fn title(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let between = lower.find("<title>").and_then(|start| {
        let start = start + "<title>".len();
        let end = start + lower[start..].find("</title>")?;
        Some(html[start..end].trim())
    });
    cut(between.filter(|title| !title.is_empty()).unwrap_or(html), 200)
}

/// The first characters of a text, in one line.
fn cut(text: &str, most: usize) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= most { flat } else { flat.chars().take(most).chain("…".chars()).collect() }
}
