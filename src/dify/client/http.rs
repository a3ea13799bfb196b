//! Sends a run and follows it to its end, whatever that is: never an error, never a panic.
//!
//! A run given up by us is stopped on the server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::Url;
use reqwest::header::HeaderValue;
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::base::clock;
use crate::dify::client::assemble;
use crate::dify::client::connect::{self, ClientError};
use crate::dify::client::follow::SentRun;
use crate::dify::client::leave::{AFTER_STOP, Stopper, is_worth_a_look};
use crate::dify::client::message;
use crate::dify::client::pause::FormConnection;
use crate::dify::client::recover::loss;
use crate::dify::client::recover::{Caller, LostRun, RunSearch, Users};
use crate::dify::client::room::AllAnswers;
use crate::dify::client::side_calls::SideAnswers;
use crate::dify::client::upload::{UploadCache, Uploader};
use crate::dify::client::wait::{StopSignal, WaitEnd, Waiter};
use crate::dify::client::{Endpoint, Recover, Timeouts};
use crate::dify::transcript::{Ending, PostedRequest, Transcript, WorkflowRequest};
use crate::dify::wire::contract::Contracts;
use crate::dify::wire::request;

/// A connection pool to one endpoint.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    run_url: Url,
    upload_url: Url,
    max_body: u64,
    all: AllAnswers,
    recovery: Recover,
    uploads: UploadCache,
    users: Users,
    contracts: Option<Arc<Contracts>>,
}

/// One attempt: who asks for what, and where the answers to its other calls are kept.
#[derive(Clone, Copy)]
struct ClientAttempt<'a> {
    authorization: &'a HeaderValue,
    request: &'a WorkflowRequest,
    asides: &'a SideAnswers,
}

impl Client {
    /// Prepares the connections to an endpoint; sends nothing.
    pub fn new(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let base = connect::parse_base(endpoint)?;
        let headers = connect::parse_headers(endpoint)?;
        let http = connect::build(endpoint, &base, &headers)?;
        let run_url = message::join(&base, &request::run_path(None));
        let upload_url = message::join(&base, "/files/upload");
        Ok(Self {
            http,
            base,
            run_url,
            upload_url,
            max_body: endpoint.max_body,
            all: AllAnswers::of(endpoint.max_body),
            recovery: endpoint.recovery,
            uploads: UploadCache::default(),
            users: Users::default(),
            contracts: None,
        })
    }

    /// Notes of each event of a run's stream whether it is as Dify is known to send it.
    #[must_use]
    pub fn watching(self, contracts: Arc<Contracts>) -> Self {
        Self { contracts: Some(contracts), ..self }
    }

    /// Sends a run and follows it to its end; a word on `stop`, a timeout or too large an answer also stop it on the server.
    pub async fn run(
        &self,
        key: &SecretString,
        request: &WorkflowRequest,
        timeouts: &Timeouts,
        stop: &mut StopSignal,
    ) -> Transcript {
        let mut waiter = Waiter::new(clock::now(), timeouts.total, stop);
        let asides = SideAnswers::default();
        let transcript = match message::bearer(key) {
            Ok(authorization) => {
                let asked = ClientAttempt { authorization: &authorization, request, asides: &asides };
                match self.join_files(&asked, timeouts, &mut waiter).await {
                    Ok(inputs) => self.send(&asked, inputs, (timeouts, &mut waiter)).await,
                    Err(ending) => self.not_sent(request, ending),
                }
            }
            Err(failure) => self.not_sent(request, failure.into()),
        };
        Transcript { side_wait: asides.wait(), asides: asides.take(), ..transcript }
    }

    /// The inputs as they will be sent, files uploaded.
    async fn join_files(
        &self,
        asked: &ClientAttempt<'_>,
        timeouts: &Timeouts,
        waiter: &mut Waiter<'_>,
    ) -> Result<Map<String, Value>, Ending> {
        let mut inputs = asked.request.inputs.clone();
        let uploader = self.uploader(asked);
        for (name, variable) in &asked.request.files {
            let value = match waiter.wait(waiter.end, uploader.variable(variable)).await {
                Ok(value) => value?,
                Err(WaitEnd::Deadline) => return Err(Ending::TimedOut { after: timeouts.total }),
                Err(WaitEnd::Stopped(reason)) => return Err(Ending::Stopped { reason: reason.to_string() }),
            };
            inputs.insert(name.clone(), value);
        }
        Ok(inputs)
    }

    fn uploader<'a>(&'a self, asked: &ClientAttempt<'a>) -> Uploader<'a> {
        let (http, url, uploads) = (&self.http, &self.upload_url, &self.uploads);
        let ClientAttempt { authorization, request, asides } = *asked;
        Uploader { http, url, authorization, user: &request.user, uploads, asides }
    }

    async fn send(
        &self,
        asked: &ClientAttempt<'_>,
        inputs: Map<String, Value>,
        (timeouts, waiter): (&Timeouts, &mut Waiter<'_>),
    ) -> Transcript {
        let ClientAttempt { authorization, request, asides: _ } = *asked;
        let url = self.url_of(request);
        let body = Bytes::from(message::run_body(request, &inputs));
        let posted = PostedRequest { url: url.as_str().to_owned(), body: body.clone() };
        let transcript = assemble::begin(request.mode, Value::Object(inputs), posted);
        let message = match message::run(authorization, request, url, body) {
            Ok(message) => message,
            Err(ending) => return Transcript { ending, ..transcript },
        };
        self.users.note(authorization, &request.user, request.user_scope);
        let sent_at = clock::now();
        let stopper = Stopper { http: &self.http, base: &self.base, authorization, user: &request.user };
        let mut sent = SentRun {
            timeouts,
            waiter,
            at: sent_at,
            max_body: self.max_body,
            cap: &request.cap,
            contracts: self.contracts.as_deref(),
            all: &self.all,
            stopper,
        };
        let transcript = sent.follow(&self.http, message, transcript).await;
        if transcript.ending.nothing_ran() {
            self.users.release(authorization, &request.user);
        }
        let transcript = self.recover(asked, &mut sent, transcript).await;
        let line = FormConnection {
            http: &self.http,
            base: &self.base,
            authorization,
            user: &request.user,
            uploader: self.uploader(asked),
            caller: self.caller(asked, timeouts),
            waits: self.recovery,
            request,
            users: &self.users,
        };
        let transcript = line.go_on(&mut sent, &request.answers, transcript).await;
        let transcript = stopper.stop_left(transcript).await;
        if is_worth_a_look(&transcript) {
            return self.look_once(asked, (timeouts, sent_at), transcript).await;
        }
        transcript
    }

    /// Looks for the run if its answer broke off.
    async fn recover(
        &self,
        asked: &ClientAttempt<'_>,
        sent: &mut SentRun<'_, '_>,
        transcript: Transcript,
    ) -> Transcript {
        let Some(loss) = loss(&transcript, &self.recovery) else { return transcript };
        let search = RunSearch {
            caller: self.caller(asked, sent.timeouts),
            sent_at: sent.at,
            waits: self.recovery,
            timeouts: sent.timeouts,
            request: asked.request,
            users: &self.users,
            answered: &[],
            waiter: &mut *sent.waiter,
        };
        search.run(transcript, loss).await
    }

    /// Looks for the run of a request that was sent so long ago by a process that was killed; sends no run.
    pub async fn find(
        &self,
        key: &SecretString,
        request: &WorkflowRequest,
        (timeouts, ago): (&Timeouts, Duration),
        stop: &mut StopSignal,
    ) -> Transcript {
        let mut waiter = Waiter::new(clock::now(), timeouts.total, stop);
        let authorization = match message::bearer(key) {
            Ok(authorization) => authorization,
            Err(failure) => return self.not_sent(request, failure.into()),
        };
        let asides = SideAnswers::default();
        let asked = ClientAttempt { authorization: &authorization, request, asides: &asides };
        let (loss, lost) = LostRun::by_kill(&self.recovery, ago);
        let transcript = self.not_sent(request, Ending::Cut { detail: lost });
        let search = RunSearch {
            caller: self.caller(&asked, timeouts),
            waiter: &mut waiter,
            waits: self.recovery,
            timeouts,
            request,
            sent_at: clock::now().checked_sub(ago).unwrap_or_else(clock::now),
            users: &self.users,
            answered: &[],
        };
        let transcript = search.run(transcript, loss).await;
        Transcript { asides: asides.take(), ..transcript }
    }

    /// Looks once at a run that was given up: whether it has ended, and what it used.
    async fn look_once(
        &self,
        asked: &ClientAttempt<'_>,
        (timeouts, sent_at): (&Timeouts, Instant),
        transcript: Transcript,
    ) -> Transcript {
        let (_nobody, mut stop) = watch::channel(None);
        let mut waiter = Waiter::new(clock::now(), AFTER_STOP, &mut stop);
        let (request, waits) = (asked.request, self.recovery);
        let caller = self.caller(asked, timeouts);
        let (users, answered) = (&self.users, &[][..]);
        let search =
            RunSearch { caller, waiter: &mut waiter, waits, timeouts, request, sent_at, users, answered };
        search.glance(transcript).await
    }

    fn caller<'a>(&'a self, asked: &ClientAttempt<'a>, timeouts: &Timeouts) -> Caller<'a> {
        let (http, base, max_body) = (&self.http, &self.base, self.max_body);
        let ClientAttempt { authorization, asides, request: _ } = *asked;
        Caller { http, base, authorization, idle: timeouts.idle, max_body, asides }
    }

    fn not_sent(&self, request: &WorkflowRequest, ending: Ending) -> Transcript {
        let body = Bytes::from(message::run_body(request, &request.inputs));
        let posted = PostedRequest { url: self.url_of(request).into(), body };
        Transcript { ending, ..assemble::begin(request.mode, Value::Object(request.inputs.clone()), posted) }
    }

    fn url_of(&self, request: &WorkflowRequest) -> Url {
        match &request.workflow_id {
            Some(id) => message::join(&self.base, &request::run_path(Some(id))),
            None => self.run_url.clone(),
        }
    }
}
