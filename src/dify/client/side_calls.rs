//! Keeps the answers to the calls that go with a run, a few of each kind, so that they can be compared with what is known.

use std::sync::Mutex;
use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::base::lock::lock;
use crate::dify::client::document;
use crate::dify::client::http_answer::HttpAnswer;
use crate::dify::client::message;
use crate::dify::transcript::{SideAnswer, SideCall};

/// Answers of one kind that are kept: the first ones, and the last.
const KEPT: usize = 4;
/// Longest answer that is kept, in bytes: these documents are short.
const LONGEST: usize = 4_000_000;

/// The answers of one attempt so far.
#[derive(Debug, Default)]
pub struct SideAnswers {
    heard: Mutex<Vec<SideAnswer>>,
    /// How long the last refusal asks to leave the app alone.
    wait: Mutex<Option<Duration>>,
}

/// The head of an answer whose body is still to come.
#[derive(Debug, Clone)]
pub struct ResponseHead {
    call: SideCall,
    status: u16,
    content_type: String,
    dify_version: Option<String>,
}

impl ResponseHead {
    /// Reads the head of an answer.
    pub fn of(call: SideCall, response: &HttpAnswer) -> Self {
        let headers = response.headers();
        let dify_version = version(headers);
        let content_type = message::content_type(headers);
        Self { call, status: response.status().as_u16(), content_type, dify_version }
    }
}

impl SideAnswers {
    /// Keeps an answer, if it is JSON and says so.
    pub fn hear(&self, head: ResponseHead, body: &[u8]) {
        if body.len() > LONGEST || !document::is_json(&head.content_type) {
            return;
        }
        let Ok(json) = serde_json::from_slice(body) else { return };
        let ResponseHead { call, status, dify_version, .. } = head;
        let aside = SideAnswer { call, status, dify_version, json };
        let mut heard = lock(&self.heard);
        let mut alike = heard.iter_mut().filter(|other| (other.call, other.status) == (call, status));
        match alike.nth(KEPT - 1) {
            Some(last) => *last = aside,
            None => heard.push(aside),
        }
    }

    /// Notes how long a refused call is asked to wait.
    pub fn refuse(&self, wait: Option<Duration>) {
        *lock(&self.wait) = wait;
    }

    /// How long the last call that was refused is asked to wait.
    pub fn wait(&self) -> Option<Duration> {
        *lock(&self.wait)
    }

    /// Gives away what was kept.
    pub fn take(&self) -> Vec<SideAnswer> {
        std::mem::take(&mut lock(&self.heard))
    }
}

/// Dify's version, by `X-Version`.
pub fn version(headers: &HeaderMap) -> Option<String> {
    Some(headers.get("x-version")?.to_str().ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn head(call: SideCall, status: u16, content_type: &str) -> ResponseHead {
        ResponseHead { call, status, content_type: content_type.to_owned(), dify_version: None }
    }

    #[test]
    fn the_first_answers_and_the_last_are_kept() {
        let asides = SideAnswers::default();
        for number in 0..100 {
            asides.hear(head(SideCall::Detail, 200, "application/json"), number.to_string().as_bytes());
        }
        asides.hear(head(SideCall::Detail, 404, "application/json; charset=utf-8"), b"{}");
        asides.hear(head(SideCall::Logs, 200, "text/html"), b"{}");
        asides.hear(head(SideCall::Logs, 200, "application/json"), b"{");
        let kept: Vec<_> = asides.take().into_iter().map(|aside| aside.json).collect();
        assert_eq!(kept, [json!(0), json!(1), json!(2), json!(99), json!({})]);
        assert!(asides.take().is_empty());
    }
}
