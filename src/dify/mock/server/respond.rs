//! Heads of answers: status, content type and the headers that Dify adds.

use bytes::Bytes;
use hyper::Response;
use hyper::header::{HeaderName, HeaderValue};

use super::body::MockBody;
use super::refusal::MockRefusal;
use crate::dify::mock::version::DifyVersion;

/// The kind of an answer, which decides its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentKind {
    /// Errors and small calls.
    Json,
    /// Blocking runs.
    RunJson,
    /// Streams.
    Events,
    /// Pages of the framework itself, without CORS.
    Html,
}

impl ContentKind {
    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::RunJson => "application/json; charset=utf-8",
            Self::Events => "text/event-stream; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
        }
    }
}

/// An answer with Dify's headers.
pub fn respond(
    version: DifyVersion,
    status: u16,
    content: ContentKind,
    answer: MockBody,
) -> Response<MockBody> {
    let mut response = Response::new(answer);
    *response.status_mut() =
        hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let mut add = |name: &'static str, value: &'static str| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    };
    add("server", "gunicorn");
    add("content-type", content.media_type());
    if content != ContentKind::Html {
        add("access-control-allow-origin", "*");
        add("access-control-expose-headers", "X-Env, X-Trace-Id, X-Version");
    }
    add("x-version", version.header());
    add("x-env", "PRODUCTION");
    if version == DifyVersion::V1_14 {
        add("vary", "Cookie");
    }
    response
}

/// A JSON answer that is sent at once.
pub fn json(version: DifyVersion, status: u16, body: Vec<u8>) -> Response<MockBody> {
    respond(version, status, ContentKind::Json, MockBody::Whole(Some(Bytes::from(body))))
}

/// An error.
pub fn refuse(version: DifyVersion, refusal: &MockRefusal) -> Response<MockBody> {
    let mut response = json(version, refusal.status, refusal.body());
    if refusal.status == 401 {
        let challenge = HeaderValue::from_static("Bearer realm=\"api\"");
        response.headers_mut().insert("www-authenticate", challenge);
    }
    response
}

/// An HTML page.
pub fn html(version: DifyVersion, status: u16, page: String) -> Response<MockBody> {
    respond(version, status, ContentKind::Html, MockBody::Whole(Some(Bytes::from(page))))
}
