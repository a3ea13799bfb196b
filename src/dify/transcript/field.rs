//! The fields of what Dify reports at the end of a run, or of an execution of a node, by names of our own.

use serde_json::Value;

use crate::base::json_path::PathStep;

/// A field of the final `data` of a run, or of the `data` with which an execution of a node ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerField {
    /// How it ended.
    Status,
    /// What went in.
    Inputs,
    /// What came out.
    Outputs,
    /// What a node did in between: the prompts of a model, the request of an HTTP call.
    ProcessData,
    /// What went wrong.
    Error,
    /// Dify's own measure of the time it took, in seconds.
    Elapsed,
    /// The sum of its tokens.
    Tokens,
    /// Its steps; each try of a node is one.
    Steps,
    /// Its failed tries.
    Exceptions,
}

/// The fields that Dify may cut short, and says so beside them.
const LONG: [AnswerField; 3] = [AnswerField::Inputs, AnswerField::Outputs, AnswerField::ProcessData];

impl AnswerField {
    /// Dify's key of it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Inputs => "inputs",
            Self::Outputs => "outputs",
            Self::ProcessData => "process_data",
            Self::Error => "error",
            Self::Elapsed => "elapsed_time",
            Self::Tokens => "total_tokens",
            Self::Steps => "total_steps",
            Self::Exceptions => "exceptions_count",
        }
    }

    /// Where it is in the `data` that holds it.
    pub fn step(self) -> PathStep {
        PathStep::Name(self.key().to_owned())
    }

    /// Where it is in an event, or in a blocking answer.
    pub fn place_in_event(self) -> [PathStep; 2] {
        [PathStep::Name("data".to_owned()), self.step()]
    }

    /// True where Dify marks it in this `data` as cut short.
    pub fn is_truncated_in(self, data: &Value) -> bool {
        data[format!("{}_truncated", self.key())].as_bool() == Some(true)
    }

    /// The fields that Dify marks in this `data` as cut short.
    pub fn truncated_in(data: &Value) -> impl Iterator<Item = Self> + use<> {
        let cut: Vec<Self> = LONG.into_iter().filter(|field| field.is_truncated_in(data)).collect();
        cut.into_iter()
    }
}
