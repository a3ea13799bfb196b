//! What replaces a run: errors of Dify, pings, `error` events.
//!
//! Bodies, codes and headers are those of Dify 1.12.1 and 1.14.2 as recorded.

use serde_json::{Value, json};

use super::spec::Replacement;
use crate::dify::mock::answer::json::push_compact;
use crate::dify::mock::version::DifyVersion;
use crate::dify::transcript::ResponseMode;

/// What replaces a run: nothing runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseInstead {
    /// An error of Dify's.
    Refusal {
        /// HTTP status.
        status: u16,
        /// `code`.
        code: &'static str,
        /// `message`.
        message: String,
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// A ping, and nothing more.
    OnePing,
    /// An `error` event.
    ErrorEvent {
        /// Its frame.
        frame: Vec<u8>,
        /// What follows it.
        then: AfterError,
    },
}

/// What follows an `error` event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterError {
    /// The end.
    End,
    /// Nothing, until a silent stream is closed.
    Silence,
    /// Pings.
    Pings,
}

/// A request that gets no run.
#[derive(Debug, Clone, Copy)]
pub struct RefusedRequest<'a> {
    /// Streaming or blocking.
    pub mode: ResponseMode,
    /// The version of Dify.
    pub version: DifyVersion,
    /// The app's id.
    pub app: &'a str,
    /// A variable that may be missing.
    pub variable: &'a str,
}

/// The response to a request that gets no run.
pub fn response_instead(replacement: Replacement, request: RefusedRequest<'_>) -> ResponseInstead {
    let refusal =
        |status, code, message: String| ResponseInstead::Refusal { status, code, message, retry_after: None };
    let streamed = request.mode == ResponseMode::Streaming;
    match replacement {
        Replacement::Http500 => refusal(
            500,
            "internal_server_error",
            "The server encountered an internal error and was unable to complete your request. \
             Either the server is overloaded or there is an error in the application."
                .to_owned(),
        ),
        Replacement::TooManyRequests => refusal(400, "invalid_param", too_many(request.app)),
        Replacement::Http429(after) => ResponseInstead::Refusal {
            status: 429,
            code: "too_many_requests",
            message: too_many(request.app),
            retry_after: after.map(|after| after.as_millis().div_ceil(1000) as u64),
        },
        Replacement::RateLimitError => refusal(
            429,
            "rate_limit_error",
            "Workflow execution quota limit reached for this workspace.".to_owned(),
        ),
        Replacement::Unauthorized => refusal(401, "unauthorized", "Access token is invalid".to_owned()),
        Replacement::PingOnly if streamed && request.version == DifyVersion::V1_14 => {
            ResponseInstead::OnePing
        }
        Replacement::PingOnly => {
            refusal(400, "invalid_param", format!("{} is required in input form", request.variable))
        }
        Replacement::ErrorEvent | Replacement::ErrorThenPings if !streamed => {
            refusal(400, "invalid_param", broken_graph(request.version))
        }
        Replacement::ErrorEvent => error_event(request.version, AfterError::End),
        Replacement::ErrorThenPings => match request.version {
            DifyVersion::V1_12 => error_event(request.version, AfterError::Pings),
            // 1.14.2 sent nothing in the 15 s after its `error` event.
            DifyVersion::V1_14 => error_event(request.version, AfterError::Silence),
        },
    }
}

fn too_many(app: &str) -> String {
    format!(
        "Too many requests. Please try again later. The current maximum concurrent requests allowed for {app} is 2."
    )
}

/// The message of the API for a graph that cannot be built.
fn broken_graph(version: DifyVersion) -> String {
    let release = match version {
        DifyVersion::V1_12 => "2.11",
        DifyVersion::V1_14 => "2.12",
    };
    format!(
        "1 validation error for HttpRequestNodeData\nurl\n  Field required [type=missing, input_value={{'type': \
         'http-request', ... False, 'method': 'get'}}, input_type=dict]\n    For further information visit \
         https://errors.pydantic.dev/{release}/v/missing"
    )
}

fn error_event(version: DifyVersion, then: AfterError) -> ResponseInstead {
    let event: Value = json!({
        "event": "error", "workflow_run_id": null, "code": "invalid_param", "status": 400, "message": broken_graph(version),
    });
    let mut frame = b"data: ".to_vec();
    push_compact(&mut frame, &event);
    frame.extend_from_slice(b"\n\n");
    ResponseInstead::ErrorEvent { frame, then }
}
