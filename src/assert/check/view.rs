//! A transcript as facts: known, absent, or unknown with the reason. Every family asks here, so that none guesses.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;

use serde_json::{Value, json};

use crate::dify::transcript::{
    AnswerField, Arrival, Ending, NodeRun, ReportedStatus, ResponseMode, RunResult, Transcript,
};
use crate::dify::wire::error::{ErrorClass, WireError};
use crate::dify::wire::input_refusal::is_input_refusal;
use crate::record::attempt::Cause;

use super::UsageAudit;
use super::cause::cause;
use super::doubt::UnknownReason;
use super::gap::replayed;
use super::model::PathRoot;
use super::steps::{BEGINNING_LOST, SilentSteps};
use super::usage::run_tokens;

/// Something about a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fact<T> {
    /// It is so.
    Known(T),
    /// There surely is none.
    Absent,
    /// It cannot be known, for this reason.
    Unknown(Cow<'static, str>),
}

/// What kind of end the exchange came to.
#[derive(Debug)]
pub(super) enum ExchangeEnd<'t> {
    /// A run with a final `data`.
    Ran(&'t RunResult),
    /// Refused before any node ran.
    Rejected {
        /// Dify's words.
        message: &'t str,
        /// Dify's code, where it sent one.
        code: Option<&'t str>,
        /// The final `data`, where this version of Dify makes a failed run of it.
        run: Option<&'t RunResult>,
    },
    /// Nothing can be judged.
    Unjudged(Cause),
}

/// What is known of the nodes that ran.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NodeFacts<'t> {
    /// All of them.
    Complete(&'t [NodeRun]),
    /// These ran, and perhaps others, for this reason.
    Partial(&'t [NodeRun], String),
    /// These ran, but events are missing since the answer broke off, for this reason: neither how often nor in which
    /// order is known.
    Gap(&'t [NodeRun], String),
    /// These ran, and so many steps of which Dify sends no event.
    Silent(&'t [NodeRun], SilentSteps),
    /// Nothing, for this reason.
    Unknown(Cow<'static, str>),
}

/// A transcript, looked at; what is built on demand is built once.
pub(super) struct View<'t> {
    pub(super) transcript: &'t Transcript,
    pub(super) usage: UsageAudit,
    pub(super) state: ExchangeEnd<'t>,
    response: OnceCell<Value>,
    text: OnceCell<Value>,
    events: OnceCell<Value>,
    tokens: OnceCell<Fact<u64>>,
    nodes: OnceCell<NodeFacts<'t>>,
    /// Containers in which a node ran that may use a model, by their ids.
    pub(super) model_containers: OnceCell<HashSet<&'t str>>,
    pub(super) lost_beginning: OnceCell<bool>,
}

impl<'t> View<'t> {
    pub(super) fn new(transcript: &'t Transcript, usage: UsageAudit) -> Self {
        let state = state(transcript);
        Self {
            transcript,
            usage,
            state,
            response: OnceCell::new(),
            text: OnceCell::new(),
            events: OnceCell::new(),
            tokens: OnceCell::new(),
            nodes: OnceCell::new(),
            model_containers: OnceCell::new(),
            lost_beginning: OnceCell::new(),
        }
    }

    /// Dify's total of tokens, if its nodes do not contradict it.
    pub(super) fn tokens(&self) -> Fact<u64> {
        self.tokens.get_or_init(|| run_tokens(self)).clone()
    }

    /// The nodes that ran, as far as that is known.
    pub(super) fn nodes(&self) -> NodeFacts<'t> {
        self.nodes.get_or_init(|| self.seen_nodes()).clone()
    }

    /// Looks at a run that is meant to wait: what it did so far is known, as of a run that has ended.
    pub(super) fn of_pause(transcript: &'t Transcript, usage: UsageAudit) -> Self {
        let view = Self::new(transcript, usage);
        match &transcript.run {
            Some(run) if transcript.ending == Ending::Paused => Self { state: ExchangeEnd::Ran(run), ..view },
            Some(_) | None => view,
        }
    }

    /// Why nothing can be judged, as a fact.
    pub(super) fn unjudged<T>(cause: &Cause) -> Fact<T> {
        Fact::Unknown(Cow::Owned(cause.message.clone()))
    }

    /// A field of the run's final `data`.
    pub(super) fn run_field(&self, field: AnswerField) -> Fact<&'t Value> {
        match &self.state {
            ExchangeEnd::Ran(run) => match self.doubts_of_run().find(|doubt| doubt.place == [field.step()]) {
                Some(doubt) if doubt.why != UnknownReason::Cut => Fact::Unknown(Cow::Owned(doubt.message())),
                Some(_) | None => run.field(field).map_or(Fact::Absent, Fact::Known),
            },
            ExchangeEnd::Rejected { run, .. } => {
                run.and_then(|run| run.field(field)).map_or(Fact::Absent, Fact::Known)
            }
            ExchangeEnd::Unjudged(cause) => Self::unjudged(cause),
        }
    }

    /// The JSON in which a path of the run's own starts.
    pub(super) fn root(&self, root: PathRoot) -> Fact<&Value> {
        if let ExchangeEnd::Unjudged(cause) = &self.state {
            return Self::unjudged(cause);
        }
        if let Some(why) = self.root_gap(root) {
            return Fact::Unknown(Cow::Owned(why));
        }
        let blocking = self.transcript.mode == ResponseMode::Blocking;
        match root {
            PathRoot::Outputs => self.run_field(AnswerField::Outputs),
            PathRoot::Inputs => Fact::Known(&self.transcript.inputs),
            PathRoot::Run => match &self.state {
                ExchangeEnd::Ran(run) => Fact::Known(run.data()),
                ExchangeEnd::Rejected { run, .. } => run.map_or(Fact::Absent, |run| Fact::Known(run.data())),
                ExchangeEnd::Unjudged(cause) => Self::unjudged(cause),
            },
            PathRoot::Response => Fact::Known(self.response.get_or_init(|| response(self.transcript))),
            PathRoot::Text if blocking => {
                Fact::Unknown("a blocking answer has no streamed text; use `response_mode: streaming`".into())
            }
            PathRoot::Text | PathRoot::Events if self.transcript.pauses.is_torn => {
                Fact::Unknown("events of the run were missed after an answer to a form".into())
            }
            PathRoot::Text | PathRoot::Events if self.transcript.events.is_empty() => self.no_stream(),
            PathRoot::Text | PathRoot::Events if self.has_lost_its_beginning() => {
                Fact::Unknown(BEGINNING_LOST.into())
            }
            PathRoot::Text => match &self.transcript.text_doubt {
                Some(why) => Fact::Unknown(Cow::Owned(why.clone())),
                None => Fact::Known(self.text.get_or_init(|| Value::from(self.transcript.text.as_str()))),
            },
            PathRoot::Events if blocking => {
                Fact::Unknown("a blocking answer has no events; use `response_mode: streaming`".into())
            }
            PathRoot::Events => Fact::Known(
                self.events.get_or_init(|| self.transcript.events.iter().map(Arrival::json).collect()),
            ),
            PathRoot::ProcessData => Fact::Absent,
        }
    }

    /// A run that came as one document streamed who knows what; one that was refused streamed nothing.
    fn no_stream<T>(&self) -> Fact<T> {
        match &self.state {
            ExchangeEnd::Rejected { .. } => Fact::Absent,
            ExchangeEnd::Ran(_) | ExchangeEnd::Unjudged(_) => {
                Fact::Unknown("a stream was asked for, and the answer was one document without events".into())
            }
        }
    }
}

/// Where a path into a node's execution starts.
pub(super) fn node_root(node: &NodeRun, root: PathRoot) -> Fact<&Value> {
    if node.replayed {
        return Fact::Unknown(Cow::Owned(replayed(node)));
    }
    let Some(end) = &node.finished else {
        return Fact::Unknown(Cow::Owned(format!("`{}` never finished", node.title)));
    };
    let Some(field) = root.field() else {
        return if root == PathRoot::Run { Fact::Known(end.data()) } else { Fact::Absent };
    };
    if field.is_truncated_in(end.data()) {
        return Fact::Unknown(Cow::Owned(format!("Dify cut the {} of `{}` short", field.key(), node.title)));
    }
    end.field(field).map_or(Fact::Absent, Fact::Known)
}

fn state(transcript: &Transcript) -> ExchangeEnd<'_> {
    if let Some(rejected) = rejected(transcript) {
        return rejected;
    }
    match (cause(transcript), &transcript.run) {
        (Some(cause), _) => ExchangeEnd::Unjudged(cause),
        (None, Some(run)) => ExchangeEnd::Ran(run),
        (None, None) => ExchangeEnd::Unjudged(Cause {
            message: "the answer holds no run".to_owned(),
            hint: None,
            class: None,
            stops_suite: false,
        }),
    }
}

/// A refusal, in one of the three forms that prove one.
pub(super) fn rejected(transcript: &Transcript) -> Option<ExchangeEnd<'_>> {
    let refused =
        |error| ExchangeEnd::Rejected { message: message(error), code: error.code.as_deref(), run: None };
    match &transcript.ending {
        Ending::Rejected(error) if error.class == ErrorClass::Rejected => Some(refused(error)),
        Ending::ErrorEvent(error) => {
            let is_refusal = error.class == ErrorClass::Rejected || is_input_refusal(&error.message);
            (is_refusal && transcript.nodes.is_empty() && transcript.text.is_empty()).then(|| refused(error))
        }
        Ending::Finished => {
            let run = transcript.run.as_ref()?;
            let message = run.error()?;
            let is_refusal = run.status() == Some(ReportedStatus::Failed)
                && run.steps() == Some(0)
                && transcript.nodes.is_empty()
                && is_input_refusal(message);
            is_refusal.then_some(ExchangeEnd::Rejected { message, code: None, run: Some(run) })
        }
        Ending::Rejected(_)
        | Ending::Stalled { .. }
        | Ending::Cut { .. }
        | Ending::Unreadable { .. }
        | Ending::TimedOut { .. } => None,
        Ending::Stopped { .. }
        | Ending::Exceeded { .. }
        | Ending::Paused
        | Ending::Unanswered { .. }
        | Ending::NotSent { .. } => None,
    }
}

fn message(error: &WireError) -> &str {
    &error.message
}

/// `{status, headers, body}`; headers of one name are joined by a comma.
fn response(transcript: &Transcript) -> Value {
    let mut headers = serde_json::Map::new();
    for (name, value) in &transcript.headers {
        match headers.get_mut(name) {
            Some(Value::String(known)) => {
                known.push_str(", ");
                known.push_str(value);
            }
            Some(_) | None => drop(headers.insert(name.clone(), Value::from(value.as_str()))),
        }
    }
    json!({ "status": transcript.http_status, "headers": headers, "body": transcript.body })
}
