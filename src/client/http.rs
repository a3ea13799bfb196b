//! Sends a run and follows it to its end, whatever that is: never an error, never a panic.
//!
//! A run given up by us is stopped on the server.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Url;
use reqwest::header::HeaderValue;
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::base::clock;
use crate::client::assemble;
use crate::client::connect::{self, ClientError};
use crate::client::follow::Sent;
use crate::client::upload::{Uploader, Uploads};
use crate::client::wait::{GivenUp, StopSignal, Waiter};
use crate::client::{Endpoint, Timeouts, message};
use crate::exchange::{Ending, Posted, Request, Transcript};
use crate::wire::request;

/// How long the server is given to acknowledge a stop.
const STOP_WAIT: Duration = Duration::from_secs(3);

/// A connection pool to one endpoint.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    run_url: Url,
    upload_url: Url,
    max_body: u64,
    uploads: Uploads,
}

impl Client {
    /// Prepares the connections to an endpoint; sends nothing.
    pub fn new(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let base = connect::parse_base(endpoint)?;
        let headers = connect::parse_headers(endpoint)?;
        let http = connect::build(endpoint, &base, &headers)?;
        let run_url = message::join(&base, &request::run_path(None));
        let upload_url = message::join(&base, "/files/upload");
        Ok(Self { http, base, run_url, upload_url, max_body: endpoint.max_body, uploads: Uploads::default() })
    }

    /// Sends a run and follows it to its end; a word on `stop`, a timeout or too large an answer also stop it on the server.
    pub async fn run(
        &self,
        key: &SecretString,
        request: &Request,
        timeouts: &Timeouts,
        stop: &mut StopSignal,
    ) -> Transcript {
        let mut waiter = Waiter::new(clock::now(), timeouts.total, stop);
        let authorization = message::bearer(key);
        let inputs = match &authorization {
            Ok(authorization) => self.join_files(authorization, request, timeouts, &mut waiter).await,
            Err(ending) => Err(ending.clone()),
        };
        match (authorization, inputs) {
            (Ok(authorization), Ok(inputs)) => {
                self.send(&authorization, request, inputs, (timeouts, &mut waiter)).await
            }
            (Err(ending), _) | (Ok(_), Err(ending)) => self.not_sent(request, ending),
        }
    }

    /// The inputs as they will be sent, files uploaded.
    async fn join_files(
        &self,
        authorization: &HeaderValue,
        request: &Request,
        timeouts: &Timeouts,
        waiter: &mut Waiter<'_>,
    ) -> Result<Map<String, Value>, Ending> {
        let mut inputs = request.inputs.clone();
        let uploader = Uploader {
            http: &self.http,
            url: &self.upload_url,
            authorization,
            user: &request.user,
            uploads: &self.uploads,
        };
        for (name, variable) in &request.files {
            let value = match waiter.wait(waiter.end, uploader.variable(variable)).await {
                Ok(value) => value?,
                Err(GivenUp::Deadline) => return Err(Ending::TimedOut { after: timeouts.total }),
                Err(GivenUp::Stopped(reason)) => return Err(Ending::Stopped { reason: reason.to_string() }),
            };
            inputs.insert(name.clone(), value);
        }
        Ok(inputs)
    }

    async fn send(
        &self,
        authorization: &HeaderValue,
        request: &Request,
        inputs: Map<String, Value>,
        (timeouts, waiter): (&Timeouts, &mut Waiter<'_>),
    ) -> Transcript {
        let url = self.url_of(request);
        let body = Bytes::from(message::run_body(request, &inputs));
        let posted = Posted { url: url.as_str().to_owned(), body: body.clone() };
        let transcript = assemble::begin(request.mode, Value::Object(inputs), posted);
        let message = match message::run(authorization, request, url, body) {
            Ok(message) => message,
            Err(ending) => return Transcript { ending, ..transcript },
        };
        let mut sent = Sent { timeouts, waiter, at: clock::now(), max_body: self.max_body };
        let transcript = sent.follow(&self.http, message, transcript).await;
        if is_left_running(&transcript.ending)
            && let Some(task_id) = &transcript.task_id
        {
            self.stop_task(authorization, task_id, &request.user).await;
        }
        transcript
    }

    fn not_sent(&self, request: &Request, ending: Ending) -> Transcript {
        let body = Bytes::from(message::run_body(request, &request.inputs));
        let posted = Posted { url: self.url_of(request).into(), body };
        Transcript { ending, ..assemble::begin(request.mode, Value::Object(request.inputs.clone()), posted) }
    }

    fn url_of(&self, request: &Request) -> Url {
        match &request.workflow_id {
            Some(id) => message::join(&self.base, &request::run_path(Some(id))),
            None => self.run_url.clone(),
        }
    }

    /// Asks the server to stop a task; its answer proves nothing and is not read.
    async fn stop_task(&self, authorization: &HeaderValue, task_id: &str, user: &str) {
        let message = message::stop(authorization, &self.base, task_id, user);
        drop(tokio::time::timeout(STOP_WAIT, self.http.execute(message)).await);
    }
}

/// True when the run may go on although nobody listens any more.
fn is_left_running(ending: &Ending) -> bool {
    match ending {
        Ending::Stalled { .. }
        | Ending::TimedOut { .. }
        | Ending::Stopped { .. }
        | Ending::Unreadable { .. } => true,
        Ending::Finished
        | Ending::Rejected(_)
        | Ending::ErrorEvent(_)
        | Ending::Cut { .. }
        | Ending::Paused
        | Ending::NotSent { .. } => false,
    }
}
