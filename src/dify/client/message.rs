//! The request of a run as it goes on the wire: address, headers, body.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::base::clock;
use crate::dify::client::failure::SendFailure;
use crate::dify::transcript::{Ending, ResponseMode, WorkflowRequest};
use crate::dify::wire::request::{self, RunBody};
use crate::dify::wire::retry_after::decode_retry_after;

/// Names an attempt to the built-in mock.
const ATTEMPT_HEADER: HeaderName = HeaderName::from_static("x-flowproof-attempt");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Encodes the body of a run.
pub fn run_body(request: &WorkflowRequest, inputs: &Map<String, Value>) -> String {
    let response_mode = match request.mode {
        ResponseMode::Streaming => "streaming",
        ResponseMode::Blocking => "blocking",
    };
    RunBody { inputs, response_mode, user: &request.user }.encode()
}

/// The request of a run.
pub fn run(
    authorization: &HeaderValue,
    request: &WorkflowRequest,
    url: Url,
    body: Bytes,
) -> Result<reqwest::Request, Ending> {
    let mut message = post(authorization, url, body);
    if let Some(attempt) = &request.mock_attempt {
        let value = HeaderValue::from_str(attempt).map_err(|_| Ending::NotSent {
            detail: "the attempt's name has characters that no header may have".to_owned(),
            retryable: false,
        })?;
        message.headers_mut().insert(ATTEMPT_HEADER, value);
    }
    Ok(message)
}

/// How long an answer asks to be left alone.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    decode_retry_after(text("retry-after")?, text("date"), clock::wall())
}

/// The request that stops a task.
pub fn stop(authorization: &HeaderValue, base: &Url, task_id: &str, user: &str) -> reqwest::Request {
    post(authorization, join(base, &request::stop_path(task_id)), request::encode_stop(user).into())
}

/// The request for the events of a run, kept open past its pauses.
pub fn events(authorization: &HeaderValue, base: &Url, run_id: &str, user: &str) -> reqwest::Request {
    let mut url = join(base, &request::events_path(run_id));
    url.query_pairs_mut().extend_pairs(request::follow_query(user));
    get(authorization, url)
}

/// The request for a form's own page.
pub fn form(authorization: &HeaderValue, base: &Url, token: &str) -> reqwest::Request {
    get(authorization, join(base, &request::form_path(token)))
}

/// The request that answers a form.
pub fn submit(authorization: &HeaderValue, base: &Url, token: &str, body: String) -> reqwest::Request {
    post(authorization, join(base, &request::form_path(token)), body.into())
}

fn get(authorization: &HeaderValue, url: Url) -> reqwest::Request {
    let mut message = reqwest::Request::new(Method::GET, url);
    message.headers_mut().insert(AUTHORIZATION, authorization.clone());
    message
}

fn post(authorization: &HeaderValue, url: Url, body: Bytes) -> reqwest::Request {
    post_json(Some(authorization), url, body)
}

/// A request that brings JSON, with a key or without one.
pub fn post_json(authorization: Option<&HeaderValue>, url: Url, body: Bytes) -> reqwest::Request {
    let mut message = reqwest::Request::new(Method::POST, url);
    message.headers_mut().extend(authorization.map(|key| (AUTHORIZATION, key.clone())));
    message.headers_mut().insert(CONTENT_TYPE, JSON);
    *message.body_mut() = Some(body.into());
    message
}

/// The `Content-Type` of an answer; empty without one.
pub fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    value.unwrap_or_default()
}

/// The key as a header; its text is in no message.
pub fn bearer(key: &SecretString) -> Result<HeaderValue, SendFailure> {
    let key = key.expose_secret();
    let value = HeaderValue::from_str(&format!("Bearer {key}")).ok().filter(|_| key.is_ascii());
    let mut value = value.ok_or_else(|| SendFailure::NotSent {
        detail: "the API key has characters that no header may have, such as a line break".to_owned(),
        retryable: false,
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// An address below the base; paths are encoded before they come here.
pub fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}
