//! Dify's errors and what each proves: whether anything ran, and whose fault it is.
//!
//! Source: the error table of Dify's Service API as recorded from 1.12.1 and 1.14.2.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::gateway::{GatewayReach, reach};
use super::input_refusal::is_input_refusal;

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

/// An error as it was received, without judgement.
struct ErrorText<'a> {
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
const NOT_REACHED: Judgement =
    Judgement { class: ErrorClass::Transport, not_started: true, stops_suite: false };
const TRANSPORT: Judgement =
    Judgement { class: ErrorClass::Transport, not_started: false, stops_suite: false };
const CONFIG: Judgement = Judgement { class: ErrorClass::Config, not_started: false, stops_suite: false };
const CONFIG_OF_ALL: Judgement =
    Judgement { class: ErrorClass::Config, not_started: false, stops_suite: true };
const BUSY: Judgement = Judgement { class: ErrorClass::Quota, not_started: true, stops_suite: false };
const USED_UP: Judgement = Judgement { class: ErrorClass::Quota, not_started: false, stops_suite: true };

/// Reads an HTTP answer that is an error: Dify's JSON, or what a proxy sent in its place.
pub fn classify_http(status: u16, content_type: &str, body: &[u8]) -> WireError {
    if let Ok(json @ Value::Object(_)) = serde_json::from_slice::<Value>(body) {
        let code = json["code"].as_str();
        if code.is_some() || json["message"].is_string() {
            let message = json["message"].as_str().unwrap_or_default();
            return judged(ErrorText { status, code: code.unwrap_or_default(), message }, message.to_owned());
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
    if matches!(status, 404 | 405) {
        message.push_str("; does `base_url` end in `/v1`?");
    } else if (300..400).contains(&status) {
        message.push_str("; redirects are not followed: is `base_url` right, scheme and `/v1` included?");
    }
    judged(ErrorText { status, code: "", message: "" }, message)
}

/// Reads an `error` event; Dify 1.15 and later may leave out its `code`.
pub fn classify_event(json: &Value) -> WireError {
    let status = json["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
    let message = json["message"].as_str().unwrap_or_default();
    let code = json["code"].as_str();
    if is_input_refusal(message) {
        return WireError::new(status, code, message.to_owned(), REJECTED);
    }
    judged(ErrorText { status, code: code.unwrap_or_default(), message }, message.to_owned())
}

impl WireError {
    /// True when certainly no run began, and nothing was paid: Dify refused the request, or it never reached Dify.
    ///
    /// An error about a model's provider may come after nodes have run.
    pub fn nothing_ran(&self) -> bool {
        let of_provider = matches!(
            self.code.as_deref(),
            Some(
                "provider_not_initialize"
                    | "provider_quota_exceeded"
                    | "model_currently_not_support"
                    | "completion_request_error"
            )
        );
        // A firewall may refuse the answer to a run with 403; Dify itself sends 403 only before a run.
        let refused = matches!(self.status, 300..=399 | 401 | 404 | 405 | 407 | 413 | 429)
            || (self.status == 403 && self.code.is_some())
            || (self.status == 400 && self.stops_suite);
        self.not_started || self.class == ErrorClass::Rejected || (refused && !of_provider)
    }

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

fn judged(said: ErrorText<'_>, message: String) -> WireError {
    let judgement = judge_code(&said).unwrap_or_else(|| judge_status(said.status));
    let code = Some(said.code).filter(|code| !code.is_empty());
    WireError::new(said.status, code, message, judgement)
}

/// Judges by Dify's code; `None` for a code that is not in the table.
fn judge_code(said: &ErrorText<'_>) -> Option<Judgement> {
    Some(match said.code {
        "invalid_param" => judge_invalid_param(said.message),
        "bad_request" => judge_bad_request(said.message),
        "forbidden" if !is_about_key(said.message) => CONFIG,
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
        | "file_too_large"
        | "unsupported_file_type"
        | "human_input_form_submitted"
        | "human_input_form_expired" => REJECTED,
        "method_not_allowed" | "unsupported_media_type" => CONFIG,
        "internal_server_error" | "unknown" => TRANSPORT,
        _ => return None,
    })
}

/// `invalid_param` means anything from bad inputs to a broken graph: a message that is not known to be about the request is the
/// app's fault, so that a test which expects a rejection is never green by another error.
fn judge_invalid_param(message: &str) -> Judgement {
    let about_request = is_input_refusal(message)
        || message == "Arg user must be provided."
        || message == "Filename contains invalid characters"
        || is_request_validation(message);
    if message.starts_with("Too many requests.") {
        BUSY
    } else if is_unreachable_file(message) {
        TRANSPORT
    } else if about_request {
        REJECTED
    } else if message == "Workflow not published" || is_broken_graph(message) {
        CONFIG_OF_ALL
    } else {
        CONFIG
    }
}

/// Dify could not fetch a file by its address: its network failed, which proves nothing about the input.
pub fn is_unreachable_file(message: &str) -> bool {
    message.starts_with("Reached maximum retries (") && message.contains(") for URL ")
}

/// Dify's reasons for a 403 that concern the key, the app or the workspace, and so every request of the app.
fn is_about_key(message: &str) -> bool {
    let subjects = ["The app", "The workspace", "Tenant ", "Access token", "App ", "Workspace "];
    subjects.iter().any(|subject| message.starts_with(subject))
}

/// A body that is not JSON was changed on the way: flowproof sends only JSON.
fn judge_bad_request(message: &str) -> Judgement {
    if message.starts_with("The browser (or proxy) sent a request") {
        TRANSPORT
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

/// Judges by the status alone: for proxies, and for codes that were never recorded. It never proves that inputs were refused.
///
/// A login in front of Dify, a redirect and a wrong address concern every request. A firewall, a gateway or a limit of size
/// may have refused this request alone.
fn judge_status(status: u16) -> Judgement {
    match reach(status) {
        Some(GatewayReach::Never) => return NOT_REACHED,
        Some(GatewayReach::Perhaps | GatewayReach::Likely) => return TRANSPORT,
        None => {}
    }
    match status {
        401 | 404 | 405 | 407 | 300..=399 => CONFIG_OF_ALL,
        429 => BUSY,
        400..=499 if status != 425 => CONFIG,
        _ => TRANSPORT,
    }
}

/// Describes in a few words what came in place of Dify's JSON.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Class, not started, stops the suite.
    type Row = (ErrorClass, bool, bool);

    const REFUSED: Row = (ErrorClass::Rejected, false, false);
    const WRONG: Row = (ErrorClass::Config, false, false);
    const WRONG_FOR_ALL: Row = (ErrorClass::Config, false, true);
    const TRY_LATER: Row = (ErrorClass::Quota, true, false);
    const PLAN_USED_UP: Row = (ErrorClass::Quota, false, true);
    const PROVES_NOTHING: Row = (ErrorClass::Transport, false, false);

    fn row(error: &WireError) -> Row {
        (error.class, error.not_started, error.stops_suite)
    }

    #[test]
    fn each_row_of_the_table_is_judged() {
        let cases = [
            (400, "invalid_param", "query is required in input form", REFUSED),
            (400, "invalid_param", "Arg user must be provided.", REFUSED),
            (400, "invalid_param", "1 validation error for WorkflowRunPayload\ninputs", REFUSED),
            (400, "invalid_param", "Too many requests. Please try again later. The current …", TRY_LATER),
            (400, "invalid_param", "Workflow not published", WRONG_FOR_ALL),
            (400, "invalid_param", "Provider langgenius/x/x does not exist.", WRONG_FOR_ALL),
            (400, "invalid_param", "4 validation errors for HttpRequestNodeData\nurl", WRONG_FOR_ALL),
            (400, "invalid_param", "something that nobody recorded", WRONG),
            (400, "bad_request", "The browser (or proxy) sent a request that …", PROVES_NOTHING),
            (400, "bad_request", "trace_session_id must be a string.", WRONG),
            (400, "invalid_param", "Reached maximum retries (3) for URL https://e.com/a.png", PROVES_NOTHING),
            (400, "invalid_param", "Reached maximum retries (5) for URL ftp://x/y", PROVES_NOTHING),
            (400, "invalid_param", "File validation failed for file: a.pdf", REFUSED),
            (400, "invalid_param", "Invalid upload file id format", REFUSED),
            (400, "invalid_param", "Run failed: query is required in input form", WRONG),
            (400, "invalid_param", "[openai] CredentialsValidateFailedError: x", WRONG),
            (403, "forbidden", "You don't have the permission to access the requested resource.", WRONG),
            (403, "forbidden", "The app no longer exists.", WRONG_FOR_ALL),
            (415, "unsupported_media_type", "Did not attempt to load JSON data", WRONG),
            (415, "unsupported_file_type", "File type not allowed.", REFUSED),
            (400, "bad_request", "Invalid workflow_id format: 'x'. ", WRONG_FOR_ALL),
            (400, "bad_request", "Cannot use draft workflow version. …", WRONG_FOR_ALL),
            (
                400,
                "not_workflow_app",
                "Please check if your app mode matches the right API route.",
                WRONG_FOR_ALL,
            ),
            (400, "app_unavailable", "App unavailable, …", WRONG_FOR_ALL),
            (400, "provider_not_initialize", "", WRONG_FOR_ALL),
            (400, "provider_quota_exceeded", "", PLAN_USED_UP),
            (400, "completion_request_error", "[openai] …", WRONG),
            (400, "no_file_uploaded", "Please upload your file.", REFUSED),
            (400, "a_new_code", "query is required in input form", WRONG),
            (401, "unauthorized", "Access token is invalid", WRONG_FOR_ALL),
            (403, "forbidden", "The app's API service has been disabled.", WRONG_FOR_ALL),
            (403, "workflow_version_execution_not_allowed", "", WRONG_FOR_ALL),
            (404, "not_found", "Workflow not found with id: x", WRONG_FOR_ALL),
            (404, "not_found", "no mock answer for this request", WRONG),
            (405, "method_not_allowed", "", WRONG),
            (412, "human_input_form_expired", "", REFUSED),
            (413, "file_too_large", "", REFUSED),
            (429, "too_many_requests", "", TRY_LATER),
            (429, "rate_limit_error", "Workflow execution quota limit reached…", PLAN_USED_UP),
            (500, "internal_server_error", "", PROVES_NOTHING),
            (500, "unknown", "Internal Server Error", PROVES_NOTHING),
        ];
        for (status, code, message, expected) in cases {
            let body = json!({ "code": code, "message": message, "status": status }).to_string();
            let error = classify_http(status, "application/json", body.as_bytes());
            assert_eq!(row(&error), expected, "{status} {code} {message}");
            assert_eq!((error.status, error.code.as_deref(), &*error.message), (status, Some(code), message));
        }
    }

    #[test]
    fn what_is_not_difys_is_judged_by_its_status() {
        let cases = [
            (
                404,
                "<title>404 Not Found</title>",
                WRONG_FOR_ALL,
                "an HTML page: 404 Not Found; does `base_url` end in `/v1`?",
            ),
            (429, "error code: 1015", TRY_LATER, "error code: 1015"),
            (
                502,
                "<html>\n<head><TITLE> 502 Bad\nGateway </TITLE>",
                PROVES_NOTHING,
                "an HTML page: 502 Bad Gateway",
            ),
            (503, "", PROVES_NOTHING, "empty body"),
            (504, "", PROVES_NOTHING, "empty body"),
            (524, "[1]", PROVES_NOTHING, "[1]"),
            (401, "{\"detail\": 1}", WRONG_FOR_ALL, "{\"detail\": 1}"),
            (
                405,
                "<title>405 Not Allowed</title>",
                WRONG_FOR_ALL,
                "an HTML page: 405 Not Allowed; does `base_url` end in `/v1`?",
            ),
            (412, "", WRONG, "empty body"),
            (415, "", WRONG, "empty body"),
            (413, "<title></title>", WRONG, "an HTML page: <title></title>"),
            (413, "{\"message\":\"too large\"}", WRONG, "too large"),
            (403, "<title>403 Forbidden</title>", WRONG, "an HTML page: 403 Forbidden"),
            (403, "{\"statusCode\":403,\"message\":\"quota\"}", WRONG, "quota"),
            (406, "", WRONG, "empty body"),
            (451, "", WRONG, "empty body"),
            (408, "", PROVES_NOTHING, "empty body"),
            (425, "", PROVES_NOTHING, "empty body"),
            (
                202,
                "{\"event\":\"workflow_maintenance_paused\"}",
                PROVES_NOTHING,
                "the workflow is paused for maintenance",
            ),
        ];
        for (status, body, expected, message) in cases {
            let kind = if body.starts_with('<') { "text/html; charset=utf-8" } else { "text/plain" };
            let error = classify_http(status, kind, body.as_bytes());
            assert_eq!(
                (row(&error), error.code.as_deref(), &*error.message),
                (expected, None, message),
                "{status}"
            );
        }
        let long = classify_http(502, "text/plain", "é".repeat(5000).as_bytes());
        assert_eq!(long.message.chars().count(), 201);
    }

    #[test]
    fn error_events_may_lack_a_code() {
        let refused = classify_event(
            &json!({ "event": "error", "status": 500, "message": "q is required in input form" }),
        );
        assert_eq!((row(&refused), refused.code), (REFUSED, None));
        let broken = classify_event(
            &json!({ "event": "error", "status": 400, "code": "invalid_param", "message": "Model x not exist." }),
        );
        assert_eq!((row(&broken), broken.status), (WRONG_FOR_ALL, 400));
        let bare = classify_event(&json!({ "event": "error" }));
        assert_eq!((row(&bare), bare.status, &*bare.message), (PROVES_NOTHING, 500, ""));
        let quota = classify_event(
            &json!({ "event": "error", "status": 400, "code": "provider_quota_exceeded", "message": "used up" }),
        );
        assert_eq!(row(&quota), PLAN_USED_UP);
    }

    #[test]
    fn a_code_counts_for_more_than_the_status_beside_it() {
        let of = |status: u16, code: &str| {
            row(&classify_event(&json!({ "event": "error", "status": status, "code": code, "message": "x" })))
        };
        assert_eq!(of(500, "too_many_requests"), TRY_LATER);
        assert_eq!(of(500, "completion_request_error"), WRONG);
        assert_eq!((of(400, "internal_server_error"), of(400, "unknown")), (PROVES_NOTHING, PROVES_NOTHING));
        assert_eq!((of(500, "unauthorized"), of(500, "not_found")), (WRONG_FOR_ALL, WRONG));
    }

    #[test]
    fn half_of_a_known_message_is_another() {
        for message in [
            "Model gpt-x is overloaded",
            "Provider x is busy",
            "The dataset does not exist.",
            "Reached maximum retries (3) of a node",
            "The answer was 404 (not found) for URL https://a.example",
        ] {
            let body = json!({ "code": "invalid_param", "message": message }).to_string();
            assert_eq!(row(&classify_http(400, "application/json", body.as_bytes())), WRONG, "{message}");
        }
    }

    #[test]
    fn what_was_refused_before_a_run_began_cost_nothing() {
        let bare = |status| classify_http(status, "text/plain", b"x").nothing_ran();
        for status in [300, 301, 399, 401, 404, 405, 407, 413, 429] {
            assert!(bare(status), "{status}");
        }
        // A firewall may refuse the answer to a run; a server may fail in the middle of one.
        for status in [400, 402, 403, 406, 408, 412, 425, 500, 502, 504] {
            assert!(!bare(status), "{status}");
        }
        let of = |status: u16, code: &str, message: &str| {
            let body = json!({ "code": code, "message": message }).to_string();
            classify_http(status, "application/json", body.as_bytes()).nothing_ran()
        };
        assert!(of(403, "forbidden", "You don't have the permission to access the requested resource."));
        assert!(!of(500, "forbidden", "x"));
        assert!(of(400, "invalid_param", "Workflow not published"), "it concerns the app");
        assert!(!of(500, "app_unavailable", "App unavailable"), "an error of any time");
        assert!(of(400, "invalid_param", "Too many requests. Please try again later."));
        assert!(of(400, "invalid_param", "q is required in input form"));
        assert!(!of(400, "invalid_param", "something that nobody recorded"));
        for code in [
            "provider_not_initialize",
            "provider_quota_exceeded",
            "model_currently_not_support",
            "completion_request_error",
        ] {
            assert!(!of(400, code, "x") && !of(401, code, "x"), "{code}: a node may have asked its model");
        }
        let event = json!({ "event": "error", "status": 500, "message": "q is required in input form" });
        assert!(classify_event(&event).nothing_ran());
        assert!(!classify_event(&json!({ "event": "error", "status": 500, "message": "x" })).nothing_ran());
    }

    #[test]
    fn a_page_is_known_by_its_type_or_by_how_it_begins() {
        for (kind, body) in
            [("text/html", "hello"), ("text/plain", "<!-- hello -->"), ("", "<HTML lang=en>hello</HTML>")]
        {
            let said = describe_body(kind, body.as_bytes());
            assert_eq!(said, format!("an HTML page: {body}"));
        }
        assert_eq!(describe_body("text/plain", b"hello <!-- x --> <html>"), "hello <!-- x --> <html>");
    }
}
