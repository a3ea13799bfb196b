//! The calls of a recovery: one look at a time, each bounded by the recovery's end and by silence.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, DATE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use crate::base::clock;
use crate::dify::client::assemble::{self, BodyEnd, StreamReader};
use crate::dify::client::document;
use crate::dify::client::failure;
use crate::dify::client::failure::ReadFailure;
use crate::dify::client::http_answer::{HttpAnswer, execute};
use crate::dify::client::message;
use crate::dify::client::recover::sight::LookupAnswer;
use crate::dify::client::side_calls::{self, ResponseHead, SideAnswers};
use crate::dify::client::wait::{WaitEnd, Waiter, after};
use crate::dify::transcript::{PostedRequest, ResponseMode, SideCall, Transcript};

/// How the calls are made.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The connection pool.
    pub http: &'a reqwest::Client,
    /// The address below which the calls are.
    pub base: &'a Url,
    /// `Bearer …`.
    pub authorization: &'a HeaderValue,
    /// The longest silence.
    pub idle: Duration,
    /// Most bytes of an answer.
    pub max_body: u64,
    /// Keeps the answers.
    pub asides: &'a SideAnswers,
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// The word to stop came, or the attempt's time is up.
    GivenUp(WaitEnd),
    /// The call failed or took too long; another may not.
    Failed(String),
}

/// What a call for events came to.
#[derive(Debug)]
pub enum EventsReply {
    /// A stream, up to where it was read.
    Stream(Box<Transcript>),
    /// Some other answer.
    Other(LookupAnswer),
}

impl Caller<'_> {
    /// Asks for a document.
    pub async fn get(
        &self,
        (call, path, query): (SideCall, &str, &[(&str, &str)]),
        waiter: &mut Waiter<'_>,
        until: Instant,
    ) -> Result<LookupAnswer, NoAnswer> {
        let until = until.min(after(clock::now(), self.idle));
        let response = self.send((path, query), waiter, until).await?;
        self.read((call, response), waiter, until).await
    }

    /// Asks for a stream of events and reads it until it ends or the time is up.
    pub async fn events(
        &self,
        (path, query): (&str, &[(&str, &str)]),
        answered: &[String],
        waiter: &mut Waiter<'_>,
        until: Instant,
    ) -> Result<EventsReply, NoAnswer> {
        let head = until.min(after(clock::now(), self.idle));
        let mut response = self.send((path, query), waiter, head).await?;
        let is_stream = document::is_stream(&message::content_type(response.headers()));
        if response.status().as_u16() != 200 || !is_stream {
            return Ok(EventsReply::Other(self.read((SideCall::Events, response), waiter, head).await?));
        }
        let blank = assemble::begin(ResponseMode::Streaming, Value::Null, PostedRequest::default());
        let mut reader = StreamReader::new(blank, self.max_body).of_any_run().beyond(answered);
        let mut bytes = 0;
        loop {
            let quiet = until.min(after(clock::now(), self.idle));
            let flow = match waiter.wait(quiet, response.piece()).await {
                Ok(Ok(Some(piece))) => {
                    bytes += piece.len() as u64;
                    reader.take(&piece, Duration::ZERO)
                }
                Ok(Ok(None) | Err(ReadFailure::Broken(_))) => ControlFlow::Break(()),
                Ok(Err(ReadFailure::Unreadable(why))) => return Err(NoAnswer::Failed(why)),
                Err(given_up) if is_whole(&given_up, waiter) => return Err(NoAnswer::GivenUp(given_up)),
                Err(_) => ControlFlow::Break(()),
            };
            if flow.is_break() || bytes > self.max_body {
                break;
            }
        }
        Ok(EventsReply::Stream(Box::new(reader.finish(&BodyEnd::Clean))))
    }

    async fn send(
        &self,
        (path, query): (&str, &[(&str, &str)]),
        waiter: &mut Waiter<'_>,
        until: Instant,
    ) -> Result<HttpAnswer, NoAnswer> {
        let mut url = message::join(self.base, path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = reqwest::Request::new(Method::GET, url.clone());
        request.headers_mut().insert(AUTHORIZATION, self.authorization.clone());
        match waiter.wait(until, execute(self.http, request)).await {
            Ok(Ok(response)) => match response.unreadable() {
                None => Ok(response),
                Some(why) => Err(NoAnswer::Failed(format!("the answer cannot be read: {why}"))),
            },
            Ok(Err(error)) => Err(NoAnswer::Failed(failure::describe_send(&error, &url).detail())),
            Err(given_up) => Err(no_answer(given_up, waiter)),
        }
    }

    async fn read(
        &self,
        (call, mut response): (SideCall, HttpAnswer),
        waiter: &mut Waiter<'_>,
        until: Instant,
    ) -> Result<LookupAnswer, NoAnswer> {
        let head = ResponseHead::of(call, &response);
        let mut answer = LookupAnswer {
            status: response.status().as_u16(),
            content_type: message::content_type(response.headers()),
            dify_version: side_calls::version(response.headers()),
            date: text(response.headers(), DATE.as_str()).and_then(|date| read_date(&date)),
            body: Vec::new(),
        };
        loop {
            match waiter.wait(until, response.piece()).await {
                Ok(Ok(Some(piece))) if answer.body.len() as u64 + piece.len() as u64 > self.max_body => {
                    return Err(NoAnswer::Failed("the answer is too large".to_owned()));
                }
                Ok(Ok(Some(piece))) => answer.body.extend_from_slice(&piece),
                Ok(Ok(None)) => {
                    self.asides.hear(head, &answer.body);
                    return Ok(answer);
                }
                Ok(Err(error)) => return Err(NoAnswer::Failed(error.reason())),
                Err(given_up) => return Err(no_answer(given_up, waiter)),
            }
        }
    }
}

/// True where the whole attempt is over, not only this look.
fn is_whole(given_up: &WaitEnd, waiter: &Waiter<'_>) -> bool {
    match given_up {
        WaitEnd::Stopped(_) => true,
        WaitEnd::Deadline => waiter.is_over(clock::now()),
    }
}

fn no_answer(given_up: WaitEnd, waiter: &Waiter<'_>) -> NoAnswer {
    if is_whole(&given_up, waiter) {
        NoAnswer::GivenUp(given_up)
    } else {
        NoAnswer::Failed("no answer came in time".to_owned())
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// Reads a `Date`: RFC 9110, 5.6.7, in the one form that servers send.
fn read_date(text: &str) -> Option<i64> {
    jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        assert_eq!(read_date("Mon, 23 Nov 2026 18:42:00 GMT"), Some(1_795_459_320));
        assert_eq!(read_date("yesterday"), None);
    }
}
