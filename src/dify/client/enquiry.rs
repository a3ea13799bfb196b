//! Small questions to an app: one GET, one answer, bounded in time and size; runs nothing and costs nothing.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, DATE, HeaderMap, LOCATION};
use reqwest::{Method, Url};
use secrecy::SecretString;
use serde_json::Value;

use crate::base::borrowed_json::BorrowedValue;
use crate::base::clock;
use crate::dify::client::Endpoint;
use crate::dify::client::connect::{self, ClientError};
use crate::dify::client::document;
use crate::dify::client::failure;
use crate::dify::client::failure::SendFailure;
use crate::dify::client::http_answer::execute;
use crate::dify::client::message;
use crate::dify::wire::parameters::{AppIdentity, Input, decode_info, decode_parameters};
use crate::dify::wire::refusal::RefusalBody;

/// Most bytes of an answer to a question.
const MAX_ANSWER: usize = 4_000_000;

/// Asks an endpoint about itself.
#[derive(Debug)]
pub struct EndpointEnquiry {
    http: reqwest::Client,
    base: Url,
    wait: Duration,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct EnquiryReply {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`; empty without one.
    pub content_type: String,
    /// `X-Version`.
    pub dify_version: Option<String>,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// `Date`, in seconds since 1970.
    pub date: Option<i64>,
    /// When it came, by our clock.
    pub at: Timestamp,
    /// The body.
    pub body: Vec<u8>,
}

impl EnquiryReply {
    /// What the body says of an app.
    pub fn info(&self) -> AppIdentity {
        decode_info(&self.json())
    }

    /// The inputs that an app declares; `None` where the body has no form that can be understood.
    pub fn inputs(&self) -> Option<Vec<Input>> {
        decode_parameters(&self.json())
    }

    /// What the body says in place of an answer.
    pub fn refusal(&self) -> RefusalBody {
        RefusalBody::decode(&self.json())
    }

    /// The body where it is JSON and says so; null elsewhere.
    fn json(&self) -> Value {
        let json = document::is_json(&self.content_type).then(|| BorrowedValue::read_value(&self.body).ok());
        json.flatten().unwrap_or_default()
    }
}

impl EndpointEnquiry {
    /// Prepares the connection; sends nothing.
    pub fn new(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let base = connect::parse_base(endpoint)?;
        let http = connect::build(endpoint, &base, &connect::parse_headers(endpoint)?)?;
        Ok(Self { http, base, wait: endpoint.timeouts.connect + endpoint.timeouts.idle })
    }

    /// Asks for a path below the base address; without a key, none is sent.
    pub async fn get(&self, key: Option<&SecretString>, path: &str) -> Result<EnquiryReply, String> {
        let url = message::join(&self.base, path);
        let mut request = reqwest::Request::new(Method::GET, url.clone());
        if let Some(key) = key {
            request.headers_mut().insert(AUTHORIZATION, message::bearer(key).map_err(SendFailure::detail)?);
        }
        match tokio::time::timeout(self.wait, self.ask(request, &url)).await {
            Ok(reply) => reply,
            Err(_) => Err(format!("no answer from {url} within {} s", self.wait.as_secs())),
        }
    }

    async fn ask(&self, request: reqwest::Request, url: &Url) -> Result<EnquiryReply, String> {
        let sent = execute(&self.http, request).await;
        let mut response = sent.map_err(|error| failure::describe_send(&error, url).detail())?;
        let headers = response.headers();
        if let Some(why) = response.unreadable() {
            return Err(format!("the answer of {url} cannot be read: {why}"));
        }
        let mut reply = EnquiryReply {
            status: response.status().as_u16(),
            content_type: message::content_type(headers),
            dify_version: text(headers, "x-version"),
            location: text(headers, LOCATION.as_str()),
            date: text(headers, DATE.as_str()).and_then(|date| seconds_of(&date)),
            at: clock::wall(),
            body: Vec::new(),
        };
        while let Some(piece) = response.piece().await.map_err(|failure| failure.reason())? {
            if reply.body.len() + piece.len() > MAX_ANSWER {
                return Err(format!("the answer of {url} is larger than 4 MB"));
            }
            reply.body.extend_from_slice(&piece);
        }
        Ok(reply)
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// Reads a `Date`: RFC 9110, 5.6.7.
fn seconds_of(date: &str) -> Option<i64> {
    jiff::fmt::rfc2822::parse(date).ok().map(|date| date.timestamp().as_second())
}
