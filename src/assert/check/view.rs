//! A transcript as facts: known, absent, or unknown with the reason. Every family asks here, so that none guesses.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;

use serde_json::Value;

use crate::dify::transcript::{AnswerField, Ending, Transcript};
use crate::record::attempt::Cause;

use super::UsageAudit;
use super::cause::cause;
use super::doubt::UnknownReason;
use super::exchange_end::{ExchangeEnd, rejected};
use super::fact::{Fact, NodeFacts};

/// A transcript, looked at; what is built on demand is built once.
pub(super) struct View<'t> {
    pub(super) transcript: &'t Transcript,
    pub(super) usage: UsageAudit,
    pub(super) state: ExchangeEnd<'t>,
    pub(super) response: OnceCell<Value>,
    pub(super) text: OnceCell<Value>,
    pub(super) events: OnceCell<Value>,
    pub(super) tokens: OnceCell<Fact<u64>>,
    pub(super) nodes: OnceCell<NodeFacts<'t>>,
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

    /// Looks at a run that is meant to wait: what it did so far is known, as of a run that has ended.
    pub(super) fn of_pause(transcript: &'t Transcript, usage: UsageAudit) -> Self {
        let view = Self::new(transcript, usage);
        match &transcript.answer.run {
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
}

fn state(transcript: &Transcript) -> ExchangeEnd<'_> {
    if let Some(rejected) = rejected(transcript) {
        return rejected;
    }
    match (cause(transcript), &transcript.answer.run) {
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
