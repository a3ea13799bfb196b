//! The small calls: detail, logs, stop, parameters, info, and the pages of the framework.

use std::sync::atomic::Ordering;

use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, Response};
use serde_json::{Map, Value, json};

use super::body::MockBody;
use super::call::MockCall;
use super::query::QueryParameters;
use super::refusal::MockRefusal;
use super::request::{pydantic, read_object, read_user, violation};
use super::respond::html;
use super::state::MockState;
use super::stored_run::StoredRun;
use super::timeline::RunPhase;
use crate::base::borrowed_json::BorrowedValue;
use crate::dify::mock::answer::json as style;
use crate::dify::mock::answer::{SystemInputs, id_of, log_facts};
use crate::dify::mock::reply::RunStatus;
use crate::dify::mock::version::DifyVersion;

/// Flask's page for unknown paths.
pub const NOT_FOUND: &str = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n\
    <p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>\n";
/// The proxy's page for bodies that are too large.
pub const TOO_LARGE: &str = "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n\
    <center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

/// Answers `OPTIONS`: which methods and headers a browser may send.
pub fn options(version: DifyVersion, method: &Method, headers: &HeaderMap) -> Response<MockBody> {
    let mut response = html(version, 200, String::new());
    let mut add = |name: &'static str, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            response.headers_mut().insert(name, value);
        }
    };
    let mut allowed = [method.as_str(), "OPTIONS"];
    if version == DifyVersion::V1_12 {
        allowed.sort_unstable();
    }
    add("allow", &allowed.join(", "));
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    add("access-control-allow-origin", text("origin").unwrap_or("*"));
    add("access-control-expose-headers", "X-Env, X-Trace-Id, X-Version");
    if let Some(wanted) = text("access-control-request-headers") {
        add("access-control-allow-headers", &wanted.replace(',', ", ").replace("  ", " "));
    }
    add("access-control-allow-methods", "DELETE, GET, OPTIONS, PATCH, POST, PUT");
    add("vary", if version == DifyVersion::V1_14 { "Origin, Cookie" } else { "Origin" });
    response
}

/// Sends `/v1` to `/v1/`.
pub fn redirect(state: &MockState, headers: &HeaderMap) -> Response<MockBody> {
    let own = state.address.to_string();
    let host = headers.get("host").and_then(|value| value.to_str().ok()).unwrap_or(&own);
    let to = format!("http://{host}/v1/");
    let page = format!(
        "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be redirected \
         automatically to the target URL: <a href=\"{to}\">{to}</a>. If not, click the link.\n"
    );
    let mut response = html(state.options.version, 308, page);
    if let Ok(location) = HeaderValue::from_str(&to) {
        response.headers_mut().insert("location", location);
    }
    response
}

/// `GET /v1/`.
pub fn root(version: DifyVersion) -> Vec<u8> {
    style::flask(
        &json!({ "welcome": "Dify OpenAPI", "api_version": "v1", "server_version": version.header() }),
    )
}

/// `GET /health`.
pub fn health(version: DifyVersion) -> Vec<u8> {
    style::flask(&json!({ "pid": std::process::id(), "status": "ok", "version": version.header() }))
}

/// `GET /info`.
pub fn info(app: &str) -> Value {
    json!({ "name": shown_name(app), "description": "answered by flowproof's mock", "tags": [], "mode": "workflow", "author_name": "flowproof" })
}

/// `GET /site`.
pub fn site(app: &str) -> Value {
    json!({
        "title": shown_name(app), "chat_color_theme": null, "chat_color_theme_inverted": false, "icon_type": "emoji", "icon": "🤖",
        "icon_background": "#FFEAD5", "description": null, "copyright": null, "privacy_policy": null, "custom_disclaimer": "",
        "default_language": "en-US", "show_workflow_steps": true, "use_icon_as_answer_icon": false, "icon_url": null,
    })
}

fn shown_name(app: &str) -> &str {
    if app.is_empty() { "mock" } else { app }
}

/// `GET /parameters`.
pub fn parameters(state: &MockState, app: &str) -> Value {
    let off = || json!({ "enabled": false });
    json!({
        "opening_statement": "", "suggested_questions": [], "suggested_questions_after_answer": off(), "speech_to_text": off(),
        "text_to_speech": { "enabled": false, "language": "", "voice": "" }, "retriever_resource": { "enabled": true },
        "annotation_reply": off(), "more_like_this": off(), "user_input_form": state.declared(app), "sensitive_word_avoidance": off(),
        "file_upload": {
            "enabled": false, "allowed_file_types": ["image"], "allowed_file_extensions": [".JPG", ".PNG"],
            "allowed_file_upload_methods": ["local_file", "remote_url"], "number_limits": 3,
            "image": { "enabled": false, "number_limits": 3, "transfer_methods": ["local_file", "remote_url"] },
        },
        "system_parameters": {
            "image_file_size_limit": 10, "video_file_size_limit": 100, "audio_file_size_limit": 50, "file_size_limit": 15,
            "workflow_file_upload_limit": 10,
        },
    })
}

/// `POST /workflows/tasks/{id}/stop`: success for any id.
pub fn stop(state: &MockState, call: &MockCall, task: &str) -> Result<Value, MockRefusal> {
    let body = read_object(call.content_type.as_deref(), &call.body)?;
    read_user(&body)?;
    state.stop(task);
    Ok(json!({ "result": "success" }))
}

/// `GET /workflows/run/{id}`.
pub fn detail(state: &MockState, call: &MockCall, id: &str) -> Result<Value, MockRefusal> {
    const KEYS: [&str; 11] = [
        "id",
        "workflow_id",
        "status",
        "inputs",
        "outputs",
        "error",
        "total_steps",
        "total_tokens",
        "created_at",
        "finished_at",
        "elapsed_time",
    ];
    if uuid::Uuid::parse_str(id).is_err() {
        return Err(MockRefusal::unknown());
    }
    match (state.run(&call.app, id), state.options.version) {
        (Some(stored), version) => Ok(detail_of(&stored, version)),
        (None, DifyVersion::V1_12) => {
            Ok(Value::Object(KEYS.iter().map(|key| ((*key).to_owned(), Value::Null)).collect()))
        }
        (None, DifyVersion::V1_14) => Err(MockRefusal::new(404, "not_found", "Workflow run not found.")),
    }
}

fn detail_of(stored: &StoredRun, version: DifyVersion) -> Value {
    let run = &stored.run;
    let mut inputs = Vec::new();
    run.push_inputs(&mut inputs, SystemInputs::WithTimestamp);
    let inputs = BorrowedValue::read_value(&inputs).unwrap_or_default();
    // In the recordings, the detail of a stopped run never leaves `running`.
    let is_stopped = stored.is_stopped.load(Ordering::Relaxed) || run.graph.status == RunStatus::Stopped;
    let phase = if is_stopped { RunPhase::Running } else { stored.look_up() };
    let is_open = phase != RunPhase::Ended;
    let outputs = if is_open { &Map::new() } else { &run.graph.reply.outputs };
    let outputs = match version {
        DifyVersion::V1_12 => Value::from(spaced(outputs)),
        DifyVersion::V1_14 => Value::Object(outputs.clone()),
    };
    let (status, error, steps, tokens) = match phase {
        RunPhase::Running => ("running", None, 0, 0),
        RunPhase::Paused => {
            let so_far = stored.waiting();
            ("paused", None, so_far.steps, so_far.tokens)
        }
        RunPhase::Ended => {
            (run.graph.status.word(), run.graph.error.as_deref(), run.steps(), run.graph.tokens)
        }
    };
    json!({
        "id": run.id, "workflow_id": run.workflow, "status": status, "inputs": spaced(&inputs), "outputs": outputs, "error": error,
        "total_steps": steps, "total_tokens": tokens, "created_at": run.created_at,
        "finished_at": if is_open { Value::Null } else { Value::from(run.finished_at()) },
        "elapsed_time": if is_open { 0.0 } else { run.graph.elapsed },
    })
}

fn spaced<T: serde::Serialize>(value: &T) -> String {
    let mut out = Vec::new();
    style::push_spaced(&mut out, value);
    String::from_utf8(out).unwrap_or_default()
}

/// `GET /workflows/logs`.
pub fn logs(state: &MockState, call: &MockCall) -> Result<Value, MockRefusal> {
    let query = QueryParameters::decode(&call.query);
    let get = |key: &str| query.get(key);
    let page = number(get("page"), "page", 99_999, state.options.version)?.unwrap_or(1);
    let limit = number(get("limit"), "limit", 100, state.options.version)?.unwrap_or(20);
    check_status(get("status"), state.options.version)?;
    if let Some(account) = get("created_by_account") {
        return Err(MockRefusal::invalid(format!("Account not found: {account}")));
    }
    let seconds = |key: &str| {
        get(key).and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(jiff::Timestamp::as_second)
    };
    let (before, after) = (seconds("created_at__before"), seconds("created_at__after"));
    let found = state.runs(&call.app, |stored| {
        let run = &stored.run;
        get("created_by_end_user_session_id").is_none_or(|user| user == run.user)
            && get("status").is_none_or(|status| status == stored.status())
            && before.is_none_or(|before| run.created_at <= before)
            && after.is_none_or(|after| run.created_at >= after)
            && get("keyword").is_none_or(|word| has_keyword(stored, word))
    });
    let from = (page - 1).saturating_mul(limit) as usize;
    let rows: Vec<Value> =
        found.iter().skip(from).take(limit as usize).map(|stored| log_row(stored)).collect();
    let has_more = found.len() > from.saturating_add(limit as usize);
    Ok(json!({ "page": page, "limit": limit, "total": found.len(), "has_more": has_more, "data": rows }))
}

/// Whether Dify finds a keyword: it searches the stored JSON text, in which characters beyond ASCII are escaped.
fn has_keyword(stored: &StoredRun, word: &str) -> bool {
    let run = &stored.run;
    spaced(&*run.inputs).contains(word)
        || spaced(&run.graph.reply.outputs).contains(word)
        || run.id == word
        || run.user.contains(word)
}

/// The run of a log row; the row exists from the run's start on.
fn facts_of(stored: &StoredRun) -> Value {
    let mut facts = log_facts(&stored.run);
    let phase = stored.timeline.phase();
    facts["status"] = Value::from(stored.status());
    if phase != RunPhase::Ended {
        (facts["finished_at"], facts["error"]) = (Value::Null, Value::Null);
    }
    if phase == RunPhase::Running {
        for key in ["total_tokens", "total_steps", "exceptions_count"] {
            facts[key] = Value::from(0);
        }
        facts["elapsed_time"] = Value::from(0.0);
        stored.look_up();
    }
    if stored.is_stopped.load(Ordering::Relaxed) {
        facts["error"] = Value::from("Stopped by user.");
    }
    facts
}

fn log_row(stored: &StoredRun) -> Value {
    let run = &stored.run;
    json!({
        "id": id_of("log", &run.id), "workflow_run": facts_of(stored), "details": null, "created_from": "service-api",
        "created_by_role": "end_user", "created_by_account": null,
        "created_by_end_user": { "id": run.user_id, "type": "service-api", "is_anonymous": false, "session_id": run.user },
        "created_at": run.finished_at(),
    })
}

/// Checks the status that is filtered by: only three of them are accepted.
fn check_status(status: Option<&str>, version: DifyVersion) -> Result<(), MockRefusal> {
    let Some(status) = status.filter(|status| !matches!(*status, "succeeded" | "failed" | "stopped")) else {
        return Ok(());
    };
    let what = "Input should be 'succeeded', 'failed' or 'stopped'";
    let found = violation("status", what, "literal_error", &Value::from(status));
    Err(pydantic("WorkflowLogQuery", &[found], version))
}

fn number(
    text: Option<&str>,
    key: &str,
    most: u64,
    version: DifyVersion,
) -> Result<Option<u64>, MockRefusal> {
    let Some(text) = text else { return Ok(None) };
    let (what, kind) = match text.parse::<i64>() {
        Ok(value) if value >= 1 && value as u64 <= most => return Ok(Some(value as u64)),
        Ok(value) if value < 1 => {
            ("Input should be greater than or equal to 1".to_owned(), "greater_than_equal")
        }
        Ok(_) => (format!("Input should be less than or equal to {most}"), "less_than_equal"),
        Err(_) => (
            "Input should be a valid integer, unable to parse string as an integer".to_owned(),
            "int_parsing",
        ),
    };
    Err(pydantic("WorkflowLogQuery", &[violation(key, &what, kind, &Value::from(text))], version))
}
