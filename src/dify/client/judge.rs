//! The way to a judge's endpoint: one POST, one answer, bounded in time and size; nothing is followed elsewhere.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use secrecy::SecretString;

use crate::dify::client::Endpoint;
use crate::dify::client::connect::{self, ClientError};
use crate::dify::client::failure;
use crate::dify::client::failure::SendFailure;
use crate::dify::client::http_answer::{HttpAnswer, execute};
use crate::dify::client::message;

/// A connection pool to one judge.
#[derive(Debug)]
pub struct JudgeClient {
    http: reqwest::Client,
    base: Url,
    authorization: Option<HeaderValue>,
    wait: Duration,
    max_body: u64,
}

/// What came back from a judge.
#[derive(Debug, Clone)]
pub struct JudgeReply {
    /// HTTP status.
    pub status: u16,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoJudgeReply {
    /// It was surely not asked; another try may succeed.
    NotSent(String),
    /// It may have been asked, and another try may cost again.
    Lost(String),
}

impl JudgeClient {
    /// Prepares the connections; sends nothing.
    pub fn new(endpoint: &Endpoint, key: Option<&SecretString>) -> Result<Self, ClientError> {
        let base = connect::parse_base(endpoint)?;
        let http = connect::build(endpoint, &base, &connect::parse_headers(endpoint)?)?;
        let wrong = |_| ClientError::Header {
            name: "Authorization".to_owned(),
            reason: "the key has characters that no header may have",
        };
        let authorization = key.map(message::bearer).transpose().map_err(wrong)?;
        Ok(Self { http, base, authorization, wait: endpoint.timeouts.total, max_body: endpoint.max_body })
    }

    /// Posts JSON to a path below the address.
    pub async fn post(&self, path: &str, body: String) -> Result<JudgeReply, NoJudgeReply> {
        let url = message::join(&self.base, path);
        let request = message::post_json(self.authorization.as_ref(), url.clone(), body.into());
        match tokio::time::timeout(self.wait, self.send(request, &url)).await {
            Ok(told) => told,
            Err(_) => {
                Err(NoJudgeReply::Lost(format!("it did not answer within {} s", self.wait.as_secs_f64())))
            }
        }
    }

    async fn send(&self, request: reqwest::Request, url: &Url) -> Result<JudgeReply, NoJudgeReply> {
        let mut response = execute(&self.http, request)
            .await
            .map_err(|error| untold(failure::describe_send(&error, url)))?;
        let (status, retry_after) = (response.status().as_u16(), message::retry_after(response.headers()));
        if response.status().is_redirection() {
            let to = response
                .headers()
                .get("location")
                .map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
            let to =
                to.and_then(|to| url.join(&to).ok()).map(|to| failure::authority(&to)).unwrap_or_default();
            return Err(NoJudgeReply::Lost(format!(
                "it answers HTTP {status} and sends elsewhere ({to}), where nothing is sent"
            )));
        }
        if let Some(why) = response.unreadable() {
            return Err(NoJudgeReply::Lost(format!("its answer cannot be read: {why}")));
        }
        let body = self.read(&mut response).await?;
        Ok(JudgeReply { status, retry_after, body })
    }

    async fn read(&self, response: &mut HttpAnswer) -> Result<Vec<u8>, NoJudgeReply> {
        let mut body = Vec::new();
        loop {
            match response.piece().await {
                Ok(Some(piece)) if body.len() as u64 + piece.len() as u64 > self.max_body => {
                    let most = self.max_body / 1_000_000;
                    return Err(NoJudgeReply::Lost(format!("its answer is larger than {most} MB")));
                }
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => return Ok(body),
                Err(error) => {
                    return Err(NoJudgeReply::Lost(format!("its answer broke off: {}", error.reason())));
                }
            }
        }
    }
}

fn untold(failure: SendFailure) -> NoJudgeReply {
    match failure {
        SendFailure::NotSent { detail, retryable: true } => NoJudgeReply::NotSent(detail),
        SendFailure::NotSent { detail, retryable: false }
        | SendFailure::Cut(detail)
        | SendFailure::Unreadable(detail) => NoJudgeReply::Lost(detail),
    }
}
