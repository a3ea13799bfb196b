//! A difference between what came and what is known to come, and how it is told.

use super::NO_DETAIL;

/// How an answer differs from what is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Deviation {
    /// An event of a name that is not known.
    UnknownEvent(String),
    /// A field that is not known: what has it, its path, its type.
    NewField(String, String, &'static str),
    /// A field that is not there: what lacks it, its path.
    MissingField(String, String),
    /// A field of another type: what has it, its path, the known type, the one found.
    ChangedType(String, String, &'static str, &'static str),
    /// An answer without the header `X-Version`, which each of Dify's has.
    NoVersion(String),
    /// An answer whose `X-Version` is no version's number.
    StrangeVersion(String),
}

impl std::fmt::Display for Deviation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownEvent(name) => write!(out, "unknown event `{name}`"),
            Self::NewField(what, path, is) => write!(out, "{} has a new field `{path}` ({is})", told(what)),
            Self::MissingField(what, path) => write!(out, "{} lacks `{path}`", told(what)),
            Self::ChangedType(what, path, known, is) => {
                write!(out, "{}: `{path}` is {is}, known as {known}", told(what))
            }
            Self::NoVersion(what) => write!(out, "{} lacks the header `X-Version`", told(what)),
            Self::StrangeVersion(what) => {
                write!(out, "{}: the header `X-Version` is no version's number", told(what))
            }
        }
    }
}

fn told(what: &str) -> String {
    match what {
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
