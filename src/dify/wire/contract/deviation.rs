//! A difference between an answer and what the tables know of it, and its words.

use super::watched_answer::NO_DETAIL;

/// Longest name of a field or event that a deviation holds, in characters.
const LONGEST: usize = 120;

/// How an answer differs from what is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Deviation {
    /// An event of a name that is not known.
    UnknownEvent(String),
    /// A field that is not known.
    NewField {
        /// The event or answer that has it.
        answer: String,
        /// Its path.
        path: String,
        /// Its type.
        found: &'static str,
    },
    /// A field that is not there.
    MissingField {
        /// The event or answer that lacks it.
        answer: String,
        /// Its path.
        path: String,
    },
    /// A field of another type.
    ChangedType {
        /// The event or answer that has it.
        answer: String,
        /// Its path.
        path: String,
        /// The types that the tables know.
        known: &'static str,
        /// The type that it has.
        found: &'static str,
    },
    /// An answer without the header `X-Version`, which each of Dify's has.
    NoVersion(String),
    /// An answer whose `X-Version` is no version's number.
    StrangeVersion(String),
}

impl std::fmt::Display for Deviation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownEvent(name) => write!(out, "unknown event `{name}`"),
            Self::NewField { answer, path, found } => {
                write!(out, "{} has a new field `{path}` ({found})", shown_name(answer))
            }
            Self::MissingField { answer, path } => write!(out, "{} lacks `{path}`", shown_name(answer)),
            Self::ChangedType { answer, path, known, found } => {
                write!(out, "{}: `{path}` is {found}, known as {known}", shown_name(answer))
            }
            Self::NoVersion(answer) => write!(out, "{} lacks the header `X-Version`", shown_name(answer)),
            Self::StrangeVersion(answer) => {
                write!(out, "{}: the header `X-Version` is no version's number", shown_name(answer))
            }
        }
    }
}

/// The name of an answer or event as messages show it.
fn shown_name(answer: &str) -> String {
    match answer {
        "blocking" => "the blocking answer".to_owned(),
        "blocking_paused" => "the blocking answer of a run that waits".to_owned(),
        "refusal" => "the error answer".to_owned(),
        "detail" => "the run's detail".to_owned(),
        NO_DETAIL => "the detail of an unknown run".to_owned(),
        "logs" => "the page of the logs".to_owned(),
        "form" => "the form's page".to_owned(),
        "upload" => "the answer to an upload".to_owned(),
        "stream" => "the stream".to_owned(),
        event => format!("`{event}`"),
    }
}

/// A name that came from outside, cut to what a deviation may hold.
pub(super) fn bounded(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
