//! The JSON in which paths start: a part of the run, or of one execution of a node.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::dify::transcript::{AnswerField, Arrival, NodeRun, ResponseMode, Transcript};

use super::exchange_end::ExchangeEnd;
use super::fact::Fact;
use super::gap::replayed;
use super::model::PathRoot;
use super::steps::BEGINNING_LOST;
use super::view::View;

impl View<'_> {
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
            PathRoot::Text => match &self.transcript.answer.text_doubt {
                Some(why) => Fact::Unknown(Cow::Owned(why.clone())),
                None => {
                    Fact::Known(self.text.get_or_init(|| Value::from(self.transcript.answer.text.as_str())))
                }
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
