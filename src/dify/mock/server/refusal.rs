//! Dify's error answers.

use serde_json::{Value, json};

use crate::dify::mock::answer::json::{flask, push_compact};

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MockRefusal {
    /// HTTP status.
    pub status: u16,
    /// `code`.
    pub code: String,
    /// `message`.
    pub message: String,
}

impl MockRefusal {
    /// Any error.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    /// 400 `invalid_param`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_param", message)
    }

    /// 400 for a body that is not JSON.
    pub fn not_understood() -> Self {
        Self::new(
            400,
            "bad_request",
            "The browser (or proxy) sent a request that this server could not understand.",
        )
    }

    /// 415 for a body whose content type is not JSON.
    pub fn not_json() -> Self {
        let message =
            "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.";
        Self::new(415, "unsupported_media_type", message)
    }

    /// 401.
    pub fn unauthorized(message: &str) -> Self {
        Self::new(401, "unauthorized", message)
    }

    /// 500 for a bug in Dify's own code.
    pub fn internal() -> Self {
        let message = "The server encountered an internal error and was unable to complete your request. \
                       Either the server is overloaded or there is an error in the application.";
        Self::new(500, "internal_server_error", message)
    }

    /// 500 for an uncaught exception.
    pub fn unknown() -> Self {
        Self::new(500, "unknown", "Internal Server Error")
    }

    /// The event that reports it on a stream that has begun.
    pub fn event(&self) -> Vec<u8> {
        let Self { status, code, message } = self;
        let value = json!({
            "event": "error", "workflow_run_id": null, "code": code, "status": status, "message": message
        });
        let mut out = b"data: ".to_vec();
        push_compact(&mut out, &value);
        out.extend_from_slice(b"\n\n");
        out
    }

    /// The JSON body, in the order Dify writes its keys.
    pub fn body(&self) -> Vec<u8> {
        let Self { status, code, message } = self;
        let value: Value = match code.as_str() {
            "unknown" => json!({ "message": message, "code": code, "status": status }),
            _ => json!({ "code": code, "message": message, "status": status }),
        };
        flask(&value)
    }
}
