//! The words of assertions: predicates, statuses, JSON types and formats.

use serde_json::Value;

use crate::base::spelling::did_you_mean;
use crate::dify::transcript::ReportedStatus;

use super::{OperandError, parse_text};

/// A predicate on a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::assert::check) enum Word {
    Equals,
    OneOf,
    Contains,
    ContainsAny,
    ContainsAll,
    Includes,
    StartsWith,
    EndsWith,
    Regex,
    Gt,
    Gte,
    Lt,
    Lte,
    Between,
    Approx,
    Length,
    Empty,
    Type,
    Format,
    Schema,
    Similar,
    LlmRubric,
}

/// All predicates on one value, by key; `count`, `exists` and `not` are apart.
pub(in crate::assert::check) const WORDS: [(&str, Word); 22] = [
    ("equals", Word::Equals),
    ("one_of", Word::OneOf),
    ("contains", Word::Contains),
    ("contains_any", Word::ContainsAny),
    ("contains_all", Word::ContainsAll),
    ("includes", Word::Includes),
    ("starts_with", Word::StartsWith),
    ("ends_with", Word::EndsWith),
    ("regex", Word::Regex),
    ("gt", Word::Gt),
    ("gte", Word::Gte),
    ("lt", Word::Lt),
    ("lte", Word::Lte),
    ("between", Word::Between),
    ("approx", Word::Approx),
    ("length", Word::Length),
    ("empty", Word::Empty),
    ("type", Word::Type),
    ("format", Word::Format),
    ("schema", Word::Schema),
    ("similar", Word::Similar),
    ("llm_rubric", Word::LlmRubric),
];

impl Word {
    /// The predicate of a key.
    pub(in crate::assert::check) fn of(key: &str) -> Option<Self> {
        WORDS.iter().find(|(name, _)| *name == key).map(|(_, word)| *word)
    }

    /// Its key.
    pub(in crate::assert::check) fn key(self) -> &'static str {
        WORDS.iter().find(|(_, word)| *word == self).map_or("", |(name, _)| name)
    }

    /// True when `ignore_case` changes what it does.
    pub(in crate::assert::check) fn has_case(self) -> bool {
        match self {
            Self::Equals
            | Self::OneOf
            | Self::Contains
            | Self::ContainsAny
            | Self::ContainsAll
            | Self::Includes => true,
            Self::StartsWith | Self::EndsWith | Self::Regex | Self::Similar => true,
            Self::Gt | Self::Gte | Self::Lt | Self::Lte | Self::Between | Self::Approx | Self::Length => {
                false
            }
            Self::Empty | Self::Type | Self::Format | Self::Schema | Self::LlmRubric => false,
        }
    }

    /// True when `ignore` changes what it does.
    pub(in crate::assert::check) fn has_ignore(self) -> bool {
        matches!(self, Self::Equals | Self::Includes)
    }
}

/// How a run or a node ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::assert::check) enum Status {
    Succeeded,
    PartialSucceeded,
    Failed,
    Stopped,
    Paused,
    Rejected,
    Exception,
}

const STATUSES: [(&str, Status); 7] = [
    ("succeeded", Status::Succeeded),
    ("partial-succeeded", Status::PartialSucceeded),
    ("failed", Status::Failed),
    ("stopped", Status::Stopped),
    ("paused", Status::Paused),
    ("rejected", Status::Rejected),
    ("exception", Status::Exception),
];

/// Whose status it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::assert::check) enum StatusOf {
    Run,
    Node,
}

impl StatusOf {
    /// The statuses it can have.
    fn words(self) -> &'static [(&'static str, Status)] {
        match self {
            Self::Run => &STATUSES[..6],
            Self::Node => &[
                ("succeeded", Status::Succeeded),
                ("failed", Status::Failed),
                ("exception", Status::Exception),
            ],
        }
    }
}

impl Status {
    /// The word for it.
    pub(in crate::assert::check) fn word(self) -> &'static str {
        STATUSES.iter().find(|(_, status)| *status == self).map_or("", |(word, _)| word)
    }

    /// What Dify's word means for a suite; `None` for a run that goes on, and for a word that no suite can name.
    pub(in crate::assert::check) fn of(reported: &ReportedStatus) -> Option<Self> {
        match reported {
            ReportedStatus::Succeeded => Some(Self::Succeeded),
            ReportedStatus::PartialSucceeded => Some(Self::PartialSucceeded),
            ReportedStatus::Failed => Some(Self::Failed),
            ReportedStatus::Exception => Some(Self::Exception),
            ReportedStatus::Stopped => Some(Self::Stopped),
            ReportedStatus::Paused => Some(Self::Paused),
            ReportedStatus::Running | ReportedStatus::Scheduled | ReportedStatus::Unknown(_) => None,
        }
    }
}

/// One status or a list of them; a list of all would hold for every run.
pub(in crate::assert::check) fn parse_statuses(
    value: &Value,
    of: StatusOf,
) -> Result<Vec<Status>, OperandError> {
    let Value::Array(items) = value else { return Ok(vec![parse_status(value, of)?]) };
    if items.is_empty() {
        return Err(OperandError::new("`status` is an empty list and can never hold"));
    }
    let mut statuses = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let status = parse_status(item, of).map_err(|error| error.under(index))?;
        if !statuses.contains(&status) {
            statuses.push(status);
        }
    }
    if statuses.len() == of.words().len() {
        return Err(OperandError::new("`status` lists every status and would hold whatever happens"));
    }
    Ok(statuses)
}

fn parse_status(value: &Value, of: StatusOf) -> Result<Status, OperandError> {
    let text = parse_text(value, "a status")?;
    choose(&text, "a status", of.words())
}

/// One of some words, with "did you mean".
pub(in crate::assert::check) fn choose<T: Copy>(
    text: &str,
    what: &str,
    words: &[(&str, T)],
) -> Result<T, OperandError> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let help = did_you_mean(text, words.iter().map(|(word, _)| *word)).unwrap_or_else(|| {
        format!("one of: {}", words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "))
    });
    Err(OperandError::new(format!("{what} cannot be `{text}`")).help(help))
}

/// A JSON type; an integer is a number without a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::assert::check) enum JsonType {
    String,
    Number,
    Integer,
    Boolean,
    Array,
    Object,
    Null,
}

/// The types by word.
pub(in crate::assert::check) const TYPES: [(&str, JsonType); 7] = [
    ("string", JsonType::String),
    ("number", JsonType::Number),
    ("integer", JsonType::Integer),
    ("boolean", JsonType::Boolean),
    ("array", JsonType::Array),
    ("object", JsonType::Object),
    ("null", JsonType::Null),
];

/// A form that a text may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::assert::check) enum TextFormat {
    Uuid,
    Date,
    DateTime,
    Email,
    Uri,
    Json,
}

/// The formats by word.
pub(in crate::assert::check) const FORMATS: [(&str, TextFormat); 6] = [
    ("uuid", TextFormat::Uuid),
    ("date", TextFormat::Date),
    ("date_time", TextFormat::DateTime),
    ("email", TextFormat::Email),
    ("uri", TextFormat::Uri),
    ("json", TextFormat::Json),
];
