//! A run request, checked as Dify checks it before it reads the workflow.

use serde_json::{Map, Value};

use super::refusal::MockRefusal;
use crate::base::borrowed_json::BorrowedValue;
use crate::base::plural::plural;
use crate::dify::mock::answer::text::{QuoteRule, python};
use crate::dify::mock::version::DifyVersion;
use crate::dify::transcript::ResponseMode;

/// Longest end user that the database accepts, in characters.
const LONGEST_USER: usize = 255;

/// A run request that Dify would accept.
#[derive(Debug)]
pub struct RunRequest {
    /// As sent.
    pub inputs: Map<String, Value>,
    /// As text.
    pub user: String,
    /// Blocking by default.
    pub mode: ResponseMode,
}

/// The JSON object of a body.
pub fn read_object(content_type: Option<&str>, body: &[u8]) -> Result<Map<String, Value>, MockRefusal> {
    let is_json = content_type.is_some_and(|text| {
        let media = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
    });
    if !is_json {
        return Err(MockRefusal::not_json());
    }
    match BorrowedValue::read_value(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err(MockRefusal::unknown())
        }
        Err(_) => Err(MockRefusal::not_understood()),
    }
}

/// The end user of a body.
pub fn read_user(body: &Map<String, Value>) -> Result<String, MockRefusal> {
    let user = match body.get("user") {
        Some(Value::String(text)) => text.clone(),
        Some(other) if is_truthy(other) => python(other, QuoteRule::Bare),
        Some(_) | None => String::new(),
    };
    match user.chars().count() {
        0 => Err(MockRefusal::invalid("Arg user must be provided.")),
        1..=LONGEST_USER => Ok(user),
        _ => Err(MockRefusal::unknown()),
    }
}

/// What Python takes for true: everything except null, false, zero and empty values.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_true) => *is_true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// Reads the body of a run request.
pub fn read_run(mut body: Map<String, Value>, version: DifyVersion) -> Result<RunRequest, MockRefusal> {
    let user = read_user(&body)?;
    let mut errors = Vec::new();
    match body.get("inputs") {
        None => errors.push(violation("inputs", "Field required", "missing", &Value::Object(body.clone()))),
        Some(Value::Object(_)) => {}
        Some(other) => {
            errors.push(violation("inputs", "Input should be a valid dictionary", "dict_type", other))
        }
    }
    if let Some(other) = body.get("files").filter(|files| !files.is_null() && !files.is_array()) {
        errors.push(violation("files", "Input should be a valid list", "list_type", other));
    }
    let mode = match body.get("response_mode") {
        None | Some(Value::Null) => ResponseMode::Blocking,
        Some(Value::String(word)) if word == "blocking" => ResponseMode::Blocking,
        Some(Value::String(word)) if word == "streaming" => ResponseMode::Streaming,
        Some(other) => {
            errors.push(violation(
                "response_mode",
                "Input should be 'streaming' or 'blocking'",
                "literal_error",
                other,
            ));
            ResponseMode::Blocking
        }
    };
    if !errors.is_empty() {
        return Err(pydantic("WorkflowRunPayload", &errors, version));
    }
    match body.remove("inputs") {
        Some(Value::Object(inputs)) => Ok(RunRequest { inputs, user, mode }),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) | None => {
            Err(MockRefusal::unknown())
        }
    }
}

/// One error of Dify's validation library.
pub struct Violation {
    key: String,
    what: String,
    kind: &'static str,
    input: String,
}

/// An error about a member.
pub fn violation(key: &str, what: &str, kind: &'static str, input: &Value) -> Violation {
    let class = match input {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    };
    let input = format!("input_value={}, input_type={class}", cut_middle(&python(input, QuoteRule::Quoted)));
    Violation { key: key.to_owned(), what: what.to_owned(), kind, input }
}

/// The refusal for all errors, in the words of pydantic.
pub fn pydantic(model: &str, violations: &[Violation], version: DifyVersion) -> MockRefusal {
    let release = match version {
        DifyVersion::V1_12 => "2.11",
        DifyVersion::V1_14 => "2.12",
    };
    let errors = plural(violations.len(), "error", "errors");
    let mut message = format!("{} validation {errors} for {model}", violations.len());
    for Violation { key, what, kind, input } in violations {
        message.push_str(&format!("\n{key}\n  {what} [type={kind}, {input}]"));
        message.push_str(&format!(
            "\n    For further information visit https://errors.pydantic.dev/{release}/v/{kind}"
        ));
    }
    MockRefusal::invalid(message)
}

/// Pydantic shows 50 characters: the first 25 and the last 24.
fn cut_middle(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= 50 {
        return text.to_owned();
    }
    let (head, tail) = (&chars[..25], &chars[chars.len() - 24..]);
    head.iter().chain(&['.', '.', '.']).chain(tail).collect()
}
