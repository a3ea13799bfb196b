//! Sends a run and follows it to its end, whatever that is: never an error, never a panic.
//!
//! Times are taken as bytes arrive, before anything is read from them. The parser is chosen by the `Content-Type` that
//! came, not by the mode that was asked for. A run given up by us is stopped on the server.

use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::base::clock;
use crate::client::assemble::{self, BodyEnd, StreamReader};
use crate::client::connect::{self, ClientError};
use crate::client::upload::{self, Uploader, Uploads};
use crate::client::wait::{GivenUp, StopSignal, Waiter, after};
use crate::client::{Endpoint, Timeouts, curl, failure};
use crate::exchange::{Ending, Request, ResponseMode, Transcript, Wait};
use crate::wire::request::{self, RunBody};

/// How long the server is given to acknowledge a stop.
const STOP_WAIT: Duration = Duration::from_secs(3);
/// How long a finished stream is given to end, so that its connection can be used again.
const REUSE_WAIT: Duration = Duration::from_millis(5);
/// Names an attempt to the built-in mock.
const ATTEMPT_HEADER: HeaderName = HeaderName::from_static("x-flowproof-attempt");

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

/// A run that was sent.
struct Sent<'a, 'b> {
    timeouts: &'a Timeouts,
    waiter: &'a mut Waiter<'b>,
    /// When it was sent.
    at: Instant,
    max_body: u64,
}

impl Client {
    /// Prepares the connections to an endpoint; sends nothing.
    pub fn new(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let base = connect::parse_base(endpoint)?;
        let headers = connect::parse_headers(endpoint)?;
        let http = connect::build(endpoint, &base, &headers)?;
        let run_url = join(&base, &request::run_path(None));
        let upload_url = join(&base, "/files/upload");
        Ok(Self { http, base, run_url, upload_url, max_body: endpoint.max_body, uploads: Uploads::default() })
    }

    /// Sends a run and follows it to its end; a word on `stop`, a timeout or too large an answer also stop it on the server.
    pub async fn run(&self, key: &SecretString, request: &Request, timeouts: &Timeouts, stop: &mut StopSignal) -> Transcript {
        let mut waiter = Waiter::new(clock::now(), timeouts.total, stop);
        let authorization = bearer(key);
        let inputs = match &authorization {
            Ok(authorization) => self.join_files(authorization, request, timeouts, &mut waiter).await,
            Err(ending) => Err(ending.clone()),
        };
        match (authorization, inputs) {
            (Ok(authorization), Ok(inputs)) => self.send(&authorization, request, inputs, (timeouts, &mut waiter)).await,
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
        let uploader =
            Uploader { http: &self.http, url: &self.upload_url, authorization, user: &request.user, uploads: &self.uploads };
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
        let body = RunBody { inputs: &inputs, response_mode: mode_name(request.mode), user: &request.user }.encode();
        let transcript = assemble::begin(request.mode, Value::Object(inputs), curl::render_curl(url.as_str(), &body));
        let mut message = reqwest::Request::new(Method::POST, url);
        *message.body_mut() = Some(body.into());
        if let Err(ending) = fill_headers(message.headers_mut(), authorization, request) {
            return Transcript { ending, ..transcript };
        }
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
        let body = RunBody { inputs: &request.inputs, response_mode: mode_name(request.mode), user: &request.user }.encode();
        let line = curl::render_curl(self.url_of(request).as_str(), &body);
        Transcript { ending, ..assemble::begin(request.mode, Value::Object(request.inputs.clone()), line) }
    }

    fn url_of(&self, request: &Request) -> Url {
        match &request.workflow_id {
            Some(id) => join(&self.base, &request::run_path(Some(id))),
            None => self.run_url.clone(),
        }
    }

    /// Asks the server to stop a task; its answer proves nothing and is not read.
    async fn stop_task(&self, authorization: &HeaderValue, task_id: &str, user: &str) {
        let mut message = reqwest::Request::new(Method::POST, join(&self.base, &request::stop_path(task_id)));
        message.headers_mut().insert(AUTHORIZATION, authorization.clone());
        message.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *message.body_mut() = Some(request::encode_stop(user).into());
        drop(tokio::time::timeout(STOP_WAIT, self.http.execute(message)).await);
    }
}

impl Sent<'_, '_> {
    /// Waits for the head of the answer, then reads what it announces.
    async fn follow(&mut self, http: &reqwest::Client, message: reqwest::Request, mut transcript: Transcript) -> Transcript {
        let url = message.url().clone();
        let deadline = after(self.at, self.timeouts.first_event);
        let response = match self.waiter.wait(deadline, http.execute(message)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                let ending = failure::describe_send(&error, &url);
                return Transcript { ending, elapsed: self.elapsed(), ..transcript };
            }
            Err(given_up) => {
                let ending = self.ending_of(given_up, Wait::FirstEvent);
                return Transcript { ending, elapsed: self.elapsed(), ..transcript };
            }
        };
        let content_type = upload::content_type(response.headers());
        note_head(&mut transcript, &response);
        if response.status().as_u16() == 200 && assemble::is_stream(&content_type) {
            self.read_stream(response, transcript).await
        } else {
            self.read_document(response, transcript, &content_type).await
        }
    }

    async fn read_stream(&mut self, mut response: Response, transcript: Transcript) -> Transcript {
        let mut reader = StreamReader::new(transcript, self.max_body);
        let mut bytes = 0;
        let mut deadline = after(self.at, self.timeouts.first_event);
        let mut wait = Wait::FirstEvent;
        let (mut transcript, elapsed) = loop {
            let piece = self.waiter.wait(deadline, response.chunk()).await;
            let now = clock::now();
            let at = now.saturating_duration_since(self.at);
            match piece {
                Ok(Ok(Some(piece))) => {
                    bytes += piece.len() as u64;
                    if reader.take(&piece, at).is_break() {
                        self.finish_body(&mut response).await;
                        break (reader.finish(&BodyEnd::Clean), at);
                    }
                    if bytes > self.max_body {
                        break (reader.give_up(too_large(self.max_body)), at);
                    }
                    if reader.has_events() {
                        wait = Wait::Idle;
                        deadline = after(now, self.timeouts.idle);
                    }
                }
                Ok(Ok(None)) => break (reader.finish(&BodyEnd::Clean), at),
                Ok(Err(error)) => {
                    let ended = match failure::describe_body(&error) {
                        Ok(end) => reader.finish(&end),
                        Err(ending) => reader.give_up(ending),
                    };
                    break (ended, at);
                }
                Err(given_up) => break (reader.give_up(self.ending_of(given_up, wait)), at),
            }
        };
        transcript.bytes = bytes;
        transcript.elapsed = elapsed;
        transcript
    }

    /// Reads a finished stream's last bytes if they come at once: only then can the connection be used again.
    async fn finish_body(&self, response: &mut Response) {
        let rest = async { while let Ok(Some(_)) = response.chunk().await {} };
        drop(tokio::time::timeout(REUSE_WAIT, rest).await);
    }

    async fn read_document(&mut self, mut response: Response, transcript: Transcript, content_type: &str) -> Transcript {
        let mut body = Vec::new();
        let ended = loop {
            let deadline = after(clock::now(), self.timeouts.idle);
            match self.waiter.wait(deadline, response.chunk()).await {
                Ok(Ok(Some(piece))) if body.len() as u64 + piece.len() as u64 > self.max_body => break Some(too_large(self.max_body)),
                Ok(Ok(Some(piece))) => body.extend_from_slice(&piece),
                Ok(Ok(None)) => break None,
                Ok(Err(error)) => break Some(cut_body(&error, body.len())),
                Err(given_up) => break Some(self.ending_of(given_up, Wait::Idle)),
            }
        };
        let elapsed = self.elapsed();
        let bytes = body.len() as u64;
        let transcript = match ended {
            None => assemble::read_document(transcript, content_type, &body),
            Some(ending) => Transcript { ending, ..transcript },
        };
        Transcript { elapsed, bytes, ..transcript }
    }

    fn elapsed(&self) -> Duration {
        clock::now().saturating_duration_since(self.at)
    }

    fn ending_of(&self, given_up: GivenUp, wait: Wait) -> Ending {
        match given_up {
            GivenUp::Stopped(reason) => Ending::Stopped { reason: reason.to_string() },
            GivenUp::Deadline if self.waiter.is_over(clock::now()) => Ending::TimedOut { after: self.timeouts.total },
            GivenUp::Deadline => {
                let after = match wait {
                    Wait::FirstEvent => self.timeouts.first_event,
                    Wait::Idle => self.timeouts.idle,
                };
                Ending::Stalled { wait, after }
            }
        }
    }
}

/// True when the run may go on although nobody listens any more.
fn is_left_running(ending: &Ending) -> bool {
    match ending {
        Ending::Stalled { .. } | Ending::TimedOut { .. } | Ending::Stopped { .. } | Ending::Unreadable { .. } => true,
        Ending::Finished
        | Ending::Rejected(_)
        | Ending::ErrorEvent(_)
        | Ending::Cut { .. }
        | Ending::Paused
        | Ending::NotSent { .. } => false,
    }
}

fn cut_body(error: &reqwest::Error, received: usize) -> Ending {
    match failure::describe_body(error) {
        Ok(BodyEnd::Broken(how)) => Ending::Cut { detail: format!("{how} after {received} bytes of the answer") },
        Ok(BodyEnd::Clean) => Ending::Cut { detail: format!("the answer ended after {received} bytes") },
        Err(ending) => ending,
    }
}

fn too_large(limit: u64) -> Ending {
    Ending::Unreadable { detail: format!("the answer is larger than {limit} bytes, the most that is read; it may have no end") }
}

fn note_head(transcript: &mut Transcript, response: &Response) {
    transcript.http_status = Some(response.status().as_u16());
    let headers = response.headers().iter();
    transcript.headers =
        headers.map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect();
    let version = transcript.headers.iter().find(|(name, _)| name == "x-version");
    transcript.dify_version = version.map(|(_, version)| version.clone());
}

fn fill_headers(headers: &mut HeaderMap, authorization: &HeaderValue, request: &Request) -> Result<(), Ending> {
    headers.insert(AUTHORIZATION, authorization.clone());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(attempt) = &request.mock_attempt {
        let value = HeaderValue::from_str(attempt).map_err(|_| Ending::NotSent {
            detail: "the attempt's name has characters that no header may have".to_owned(),
            retryable: false,
        })?;
        headers.insert(ATTEMPT_HEADER, value);
    }
    Ok(())
}

/// The key as a header; its text is in no message.
fn bearer(key: &SecretString) -> Result<HeaderValue, Ending> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret())).map_err(|_| Ending::NotSent {
        detail: "the API key has characters that no header may have, such as a line break".to_owned(),
        retryable: false,
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn mode_name(mode: ResponseMode) -> &'static str {
    match mode {
        ResponseMode::Streaming => "streaming",
        ResponseMode::Blocking => "blocking",
    }
}

/// An address below the base; paths are encoded before they come here.
fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}
