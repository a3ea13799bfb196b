//! One exchange with an endpoint: what was asked, and everything that came back, judged by nobody yet.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::origin::Place;
use crate::base::redact::Redactor;
use crate::dify::wire::app_mode::AppMode;
use crate::dify::wire::curl::render_curl;
use crate::dify::wire::error::WireError;
use crate::dify::wire::form::HumanForm;

mod agent_thought;
mod answer;
mod arrival;
mod aside;
mod asked;
mod ending;
mod event_fields;
mod field;
mod flaw;
mod message_result;
mod node;
mod recovery;
mod round;
mod run_result;
mod spent;
mod status;
mod stopping;
mod varying;
mod watched;

pub use self::agent_thought::AgentThought;
pub use self::answer::{Answer, AnswerIds};
pub use self::arrival::Arrival;
pub use self::aside::{SideAnswer, SideCall};
pub use self::asked::{FileInput, FileVariable, HumanAnswer, UserScope, WorkflowRequest};
pub use self::field::AnswerField;
pub use self::flaw::{Flaw, FlawKind, ReadableText};
pub use self::message_result::MessageResult;
pub use self::node::{NodeEnd, NodeRun, NodeSummary};
pub use self::recovery::{RecoveredBy, Recovery, Trace};
pub use self::round::NodeRound;
pub use self::run_result::RunResult;
pub use self::spent::{NodesUsage, RunCap};
pub use self::status::ReportedStatus;
pub use self::stopping::StopOutcome;
pub use self::varying::varying_of;

/// How Dify is asked to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// Server-sent events while the run goes on.
    Streaming,
    /// One JSON answer at the end.
    Blocking,
}

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// The terminal event, or a blocking answer with a run in it.
    Finished,
    /// An HTTP answer that is an error and no run.
    Rejected(WireError),
    /// An `error` event under HTTP 200.
    ErrorEvent(WireError),
    /// Nothing that counts came for too long.
    Stalled {
        /// Which wait was given up.
        wait: StallKind,
        /// How long it lasted.
        after: Duration,
    },
    /// The connection ended before the run did.
    Cut {
        /// What was seen: reset, clean end, half an event.
        detail: String,
    },
    /// What came cannot be read as what it claims to be.
    Unreadable {
        /// What and where: "event 4 is not JSON: …".
        detail: String,
    },
    /// The overall time was up.
    TimedOut {
        /// The limit.
        after: Duration,
    },
    /// We gave it up: interrupted, or no longer wanted.
    Stopped {
        /// Why.
        reason: String,
    },
    /// We gave it up: it used more than it may.
    Exceeded {
        /// Of what, and how much it may: "9,000 tokens, and …".
        detail: String,
    },
    /// The run waits for a person.
    Paused,
    /// The run waits for a person, and the answer it has cannot be given.
    Unanswered {
        /// Which form, and why not.
        detail: String,
        /// What to do next, where we know.
        hint: Option<&'static str>,
    },
    /// The request never reached the endpoint: nothing ran.
    NotSent {
        /// What failed: "connect to 127.0.0.1:9: connection refused".
        detail: String,
        /// True when trying again may help (connect, DNS), false when not (unreadable file, bad address).
        retryable: bool,
    },
}

/// The two waits that can stall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StallKind {
    /// For the first data event of a stream, or the head of a blocking answer; pings do not count.
    FirstEvent,
    /// For any bytes after that.
    Idle,
}

/// What a run sent once one of its forms was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Continuation {
    /// When the answer was given; the clock stops from the pause until then.
    pub answered_at: Duration,
    /// The events to the next pause or the end.
    pub events: Vec<Arrival>,
}

/// The request of a run as it was posted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PostedRequest {
    /// The address.
    pub url: String,
    /// The JSON.
    pub body: Bytes,
}

/// What a run asked of people, and what became of the answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pauses {
    /// The forms that wait, if the run does.
    pub waiting: Vec<HumanForm>,
    /// The answers that were given, in their order.
    pub answered: Vec<FormAnswerTime>,
    /// How often Dify began a node again after an answer: each is one of its steps.
    pub restarts: u64,
    /// From the pauses to the answers, in sum; no other time of the transcript has a part of it.
    pub lasted: Duration,
    /// The answers that no form asked for.
    pub unused: Vec<UnusedAnswer>,
    /// True when events after an answer were missed: the stream does not contain everything.
    pub is_torn: bool,
    /// What is said of an answer whose reply was lost, so that nobody knows at once whether Dify took it.
    pub unsure: Option<String>,
}

/// Where in a run an answer was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormAnswerTime {
    /// Events that came before it.
    pub events: usize,
    /// When, by the clock of the transcript.
    pub at: Duration,
}

/// An answer that no form asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct UnusedAnswer {
    /// The node it names.
    pub node: String,
    /// Where it is written.
    pub place: Arc<Place>,
    /// How many answers for this node were used before.
    pub used_before: usize,
}

/// Everything that came back for one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    /// How it ended.
    pub ending: Ending,
    /// What kind of app was asked.
    pub app: AppMode,
    /// How it was asked to answer.
    pub mode: ResponseMode,
    /// HTTP status, when an answer began.
    pub http_status: Option<u16>,
    /// HTTP headers in wire order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body of an answer that is no stream: JSON where it is JSON, else text.
    pub body: Option<Value>,
    /// The data events of a stream, in order.
    pub events: Vec<Arrival>,
    /// How many pings came.
    pub pings: u32,
    /// What it answered, as named fields.
    pub answer: Answer,
    /// `X-Version`: Dify's version.
    pub dify_version: Option<String>,
    /// Request sent to ending.
    pub elapsed: Duration,
    /// The inputs as sent, files joined in.
    pub inputs: Value,
    /// Bytes of body received.
    pub bytes: u64,
    /// What was posted; bytes are shared with the request, so that keeping them costs nothing.
    pub posted: PostedRequest,
    /// What the run asked of people; times leave these pauses out.
    pub pauses: Pauses,
    /// What became of the run if its answer broke off; `None` where it did not.
    pub recovery: Option<Recovery>,
    /// What became of the wish to end it; `None` where nobody had it.
    pub stopping: Option<StopOutcome>,
    /// The run's final `data` if it came after the run had been given up: it says what was used, and is not judged.
    pub told_after: Option<RunResult>,
    /// The answers to its other calls, as far as they were kept.
    pub asides: Vec<SideAnswer>,
    /// How long an upload that was refused is asked to wait.
    pub side_wait: Option<Duration>,
}

impl Transcript {
    /// The `curl` line that repeats the request, key replaced by `$DIFY_API_KEY`; secrets are masked before they are quoted.
    pub fn curl(&self, redactor: &Redactor) -> String {
        let body = String::from_utf8_lossy(&self.posted.body);
        let masked = match serde_json::from_str::<Value>(&body) {
            Ok(mut json) if redactor.contains_secret(&body) => {
                redactor.json(&mut json);
                json.to_string().into()
            }
            Ok(_) => body,
            Err(_) => redactor.text(&body).into_owned().into(),
        };
        render_curl(&redactor.text(&self.posted.url), &masked)
    }

    /// True where the run ended by itself after all, whatever was asked for.
    pub fn ended_by_itself(&self) -> bool {
        self.told_after.as_ref().is_some_and(RunResult::ended_by_itself)
    }

    /// The fields of a run in its document that Dify marks as cut short.
    pub fn truncated_in_body(&self) -> impl Iterator<Item = AnswerField> {
        self.body.as_ref().map(|body| AnswerField::truncated_in(&body["data"])).into_iter().flatten()
    }

    /// How a lost run became known again, and how it had been lost.
    pub fn recovered(&self) -> Option<(RecoveredBy, &str)> {
        match &self.recovery {
            Some(Recovery::Recovered { by, lost }) => Some((*by, lost)),
            Some(Recovery::Lost { .. }) | None => None,
        }
    }

    /// True when every node event of the run was received: a stream that reached its terminal event, or its pause.
    ///
    /// A run that was answered is followed from before its answer: nothing falls between.
    pub fn nodes_complete(&self) -> bool {
        self.mode == ResponseMode::Streaming
            && !self.events.is_empty()
            && matches!(self.ending, Ending::Finished | Ending::Paused)
            && !self.pauses.is_torn
            && self.recovery.is_none()
    }
}
