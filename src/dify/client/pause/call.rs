//! The calls around a form: its page, uploads, the answer; each bounded in time and size.

use reqwest::Url;
use reqwest::header::HeaderValue;
use serde_json::{Map, Value};

use super::{ReadyAnswer, quiet};
use crate::base::borrowed_json::BorrowedValue;
use crate::base::units::{format_duration, format_size};
use crate::dify::client::Recover;
use crate::dify::client::failure;
use crate::dify::client::follow::SentRun;
use crate::dify::client::http_answer::{HttpAnswer, execute};
use crate::dify::client::message;
use crate::dify::client::recover::{Caller, Users};
use crate::dify::client::side_calls::ResponseHead;
use crate::dify::client::upload::Uploader;
use crate::dify::transcript::{Ending, FileVariable, SideCall, StallKind, WorkflowRequest};
use crate::dify::wire::error::{self, WireError};
use crate::dify::wire::gateway::{GatewayReach, reach};

/// How the calls are made.
pub struct FormConnection<'a> {
    /// The connection pool.
    pub http: &'a reqwest::Client,
    /// The address below which the calls are.
    pub base: &'a Url,
    /// `Bearer …`.
    pub authorization: &'a HeaderValue,
    /// Dify's end user: the run's own.
    pub user: &'a str,
    /// Sends files.
    pub uploader: Uploader<'a>,
    /// How a run is looked for that was answered and then lost.
    pub caller: Caller<'a>,
    /// How long and how often.
    pub waits: Recover,
    /// What was sent.
    pub request: &'a WorkflowRequest,
    /// Users under which something was sent.
    pub users: &'a Users,
}

/// What is known of an answer that was sent.
pub(super) enum FormReply {
    /// Dify took it.
    Taken,
    /// Whether Dify took it is not known, and why: its reply was lost.
    Lost(String),
}

impl FormConnection<'_> {
    /// The form's own page.
    pub(super) async fn fetch(
        &self,
        sent: &mut SentRun<'_, '_>,
        name: &str,
        token: &str,
    ) -> Result<Value, Ending> {
        let what = format!("the form of `{name}` cannot be fetched");
        let request = message::form(self.authorization, self.base, token);
        let response = self.send(sent, &what, request).await?;
        if response.status().as_u16() != 200 {
            return Err(self.refused(sent, &what, (SideCall::Form, response)).await);
        }
        let body = self.read(sent, &what, (SideCall::Form, response)).await?;
        BorrowedValue::read_value(&body).map_err(|error| Ending::Unreadable {
            detail: format!("{what}: the answer is not JSON: {error}"),
        })
    }

    /// The inputs with the files among them, uploaded by the run's user.
    pub(super) async fn upload(
        &self,
        sent: &mut SentRun<'_, '_>,
        mut inputs: Map<String, Value>,
        files: &[(String, FileVariable)],
    ) -> Result<Map<String, Value>, Ending> {
        for (name, variable) in files {
            let end = sent.waiter.end;
            let value = match sent.waiter.wait(end, self.uploader.variable(variable)).await {
                Ok(Ok(value)) => value,
                Ok(Err(ending)) => return Err(not_uploaded(ending)),
                Err(given_up) => return Err(sent.ending_of(given_up, StallKind::Idle)),
            };
            inputs.insert(name.clone(), value);
        }
        Ok(inputs)
    }

    /// Sends the answer, once; a reply that is lost is no refusal.
    pub(super) async fn submit(
        &self,
        sent: &mut SentRun<'_, '_>,
        ready: &ReadyAnswer,
    ) -> Result<FormReply, Ending> {
        let what = format!("the answer to the form of `{}` was not taken", ready.name);
        let request = message::submit(self.authorization, self.base, &ready.token, ready.body.to_string());
        let deadline = quiet(sent);
        let response = match sent.waiter.wait(deadline, execute(self.http, request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_connect() || error.is_builder() => {
                return Err(unsent(&what, &error));
            }
            Ok(Err(error)) => return Ok(FormReply::Lost(failure::reason(&error))),
            Err(given_up) => match sent.ending_of(given_up, StallKind::Idle) {
                Ending::Stalled { after, .. } => {
                    return Ok(FormReply::Lost(format!("none came for {}", format_duration(after))));
                }
                ending => return Err(ending),
            },
        };
        let status = response.status().as_u16();
        match reach(status) {
            Some(GatewayReach::Perhaps | GatewayReach::Likely) => {
                return Ok(FormReply::Lost(format!("HTTP {status}")));
            }
            // A bug of the server's may come after the answer was kept.
            _ if status == 500 => return Ok(FormReply::Lost(format!("HTTP {status}"))),
            Some(GatewayReach::Never) | None => {}
        }
        if !response.status().is_success() {
            return Err(self.refused(sent, &what, (SideCall::Submit, response)).await);
        }
        // Its head says that it was taken; the rest says nothing.
        match self.read(sent, &what, (SideCall::Submit, response)).await {
            Err(ending @ (Ending::TimedOut { .. } | Ending::Stopped { .. })) => Err(ending),
            Ok(_) | Err(_) => Ok(FormReply::Taken),
        }
    }

    async fn send(
        &self,
        sent: &mut SentRun<'_, '_>,
        what: &str,
        request: reqwest::Request,
    ) -> Result<HttpAnswer, Ending> {
        let deadline = quiet(sent);
        match sent.waiter.wait(deadline, execute(self.http, request)).await {
            Ok(Ok(response)) => match response.unreadable() {
                None => Ok(response),
                Some(why) => Err(Ending::Unreadable { detail: format!("{what}: {why}") }),
            },
            Ok(Err(error)) => Err(unsent(what, &error)),
            Err(given_up) => Err(sent.ending_of(given_up, StallKind::Idle)),
        }
    }

    async fn read(
        &self,
        sent: &mut SentRun<'_, '_>,
        what: &str,
        (call, mut response): (SideCall, HttpAnswer),
    ) -> Result<Vec<u8>, Ending> {
        let head = ResponseHead::of(call, &response);
        let mut body = Vec::new();
        loop {
            let deadline = quiet(sent);
            match sent.waiter.wait(deadline, response.piece()).await {
                Ok(Ok(Some(piece))) if body.len() as u64 + piece.len() as u64 > sent.max_body => {
                    let detail = format!("{what}: the answer is larger than {}", format_size(sent.max_body));
                    return Err(Ending::Unreadable { detail });
                }
                Ok(Ok(Some(piece))) => body.extend_from_slice(&piece),
                Ok(Ok(None)) => {
                    self.uploader.asides.hear(head, &body);
                    return Ok(body);
                }
                Ok(Err(error)) => {
                    let detail = format!("{what}: {}", error.reason());
                    return Err(Ending::Unanswered { detail, hint: None });
                }
                Err(given_up) => return Err(sent.ending_of(given_up, StallKind::Idle)),
            }
        }
    }

    /// Dify's refusal in a sentence.
    pub(super) async fn refused(
        &self,
        sent: &mut SentRun<'_, '_>,
        what: &str,
        (call, response): (SideCall, HttpAnswer),
    ) -> Ending {
        let status = response.status().as_u16();
        let content_type = message::content_type(response.headers());
        match self.read(sent, what, (call, response)).await {
            Ok(_) if status == 200 => Ending::Unreadable {
                detail: format!("{what}: HTTP 200 of type {content_type}, which is no stream of events"),
            },
            Ok(body) => {
                let error = error::classify_http(status, &content_type, &body);
                Ending::Unanswered { detail: told(what, &error), hint: hint(&error) }
            }
            Err(ending) => ending,
        }
    }
}

fn unsent(what: &str, error: &reqwest::Error) -> Ending {
    let detail = format!("{what}: {}", failure::reason(error));
    Ending::Unanswered { detail, hint: Some("is Dify running?") }
}

fn told(what: &str, error: &WireError) -> String {
    let code = error.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
    // The framework's guesses about the address say nothing about the form.
    let message = error.message.split(" You have requested this URI").next().unwrap_or_default();
    format!("{what}: HTTP {}{code}: {}", error.status, message.trim())
}

fn hint(error: &WireError) -> Option<&'static str> {
    match (error.status, error.code.as_deref().unwrap_or_default()) {
        (_, "human_input_form_submitted") => {
            Some("somebody else was faster: a form under test must reach nobody but flowproof")
        }
        (_, "human_input_form_expired") => Some("its time was up: raise the timeout of the node in Dify"),
        (404, "not_found") => {
            Some("is it a form of this app, delivered by Web App? the API answers no other")
        }
        (404, _) => Some("forms are answered by the API since Dify 1.14"),
        (400, "invalid_form_data") => Some("the form in Dify takes other values than the answer gives"),
        (_, _) => None,
    }
}

/// An upload that failed did not keep the run from being sent: it waits.
fn not_uploaded(ending: Ending) -> Ending {
    let unanswered = |detail: String| Ending::Unanswered { detail, hint: None };
    match ending {
        Ending::Rejected(error) => unanswered(format!("a file of the answer was refused: {}", error.message)),
        Ending::NotSent { detail, .. } | Ending::Cut { detail } => {
            unanswered(format!("a file of the answer was not sent: {detail}"))
        }
        Ending::Finished
        | Ending::ErrorEvent(_)
        | Ending::Stalled { .. }
        | Ending::Unreadable { .. }
        | Ending::TimedOut { .. }
        | Ending::Stopped { .. }
        | Ending::Exceeded { .. }
        | Ending::Paused
        | Ending::Unanswered { .. } => ending,
    }
}
