//! What each version of Dify sends, as data, and how an answer differs from it.
//!
//! The tables `dify-*.txt` beside this file are derived from the recordings in `tests/data/wire`. A version that was not
//! recorded is held against the nearest one that was.

mod deviation;
mod field;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use self::field::KnownField;
use crate::base::borrowed_json::BorrowedValue;

pub use self::deviation::Deviation;

/// Longest name of a field or event that is told, in characters.
const LONGEST: usize = 120;

/// The tables of all versions that were recorded.
#[derive(Debug)]
pub struct Contracts {
    v1_12: Arc<VersionContract>,
    v1_14: Arc<VersionContract>,
}

/// What one version of Dify sends.
#[derive(Debug)]
pub struct VersionContract {
    /// `1.12`, `1.14`.
    pub version: &'static str,
    /// The root of what is known, by what has it: an event's name, or one of `ANSWERS`.
    shapes: HashMap<&'static str, KnownField>,
}

impl Contracts {
    /// Reads the tables that are part of the program.
    pub fn new() -> Self {
        Self {
            v1_12: Arc::new(VersionContract::read("1.12", include_str!("dify-1.12.txt"))),
            v1_14: Arc::new(VersionContract::read("1.14", include_str!("dify-1.14.txt"))),
        }
    }

    /// The table for a version of Dify: 1.12 up to that, 1.14 for all later ones and where none is told.
    pub fn of(&self, dify_version: Option<&str>) -> &Arc<VersionContract> {
        let mut numbers = dify_version.unwrap_or_default().split('.').map(|part| part.parse::<u32>().ok());
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(0), _) => &self.v1_12,
            (Some(1), Some(minor)) if minor <= 12 => &self.v1_12,
            (Some(_) | None, _) => &self.v1_14,
        }
    }
}

impl VersionContract {
    fn read(version: &'static str, table: &'static str) -> Self {
        let mut shapes: HashMap<&'static str, KnownField> = HashMap::new();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            if let (Some(name), Some(path), Some(written)) = (words.next(), words.next(), words.next()) {
                shapes.entry(name).or_insert_with(KnownField::root).add(path, written);
            }
        }
        Self { version, shapes }
    }

    /// True for an event that does not differ.
    pub fn fits(&self, json: &BorrowedValue<'_>) -> bool {
        let mut found = Vec::new();
        self.check_event(json, &mut found);
        found.is_empty()
    }

    /// How an event differs; it is named by its `event`.
    pub fn check_event(&self, json: &BorrowedValue<'_>, found: &mut Vec<Deviation>) {
        let name = json["event"].as_str().unwrap_or_default();
        match self.shapes.get(name) {
            Some(shape) if !ANSWERS.contains(&name) => shape.check(name, json, found),
            Some(_) | None if FROM_SOURCE.contains(&name) => {}
            Some(_) | None => found.push(Deviation::UnknownEvent(bounded(name))),
        }
    }

    /// How a document of Dify's differs: a blocking answer, an error, a run's detail.
    pub fn check_answer(&self, answer: WatchedAnswer, json: &Value, found: &mut Vec<Deviation>) {
        // Up to 1.12 a run that is not known is answered with nulls.
        let is_unknown = answer == WatchedAnswer::Detail && json["id"].is_null();
        let name = if is_unknown && self.shapes.contains_key(NO_DETAIL) { NO_DETAIL } else { answer.word() };
        if let Some(shape) = self.shapes.get(name) {
            shape.check(name, &BorrowedValue::of(json), found);
        }
    }
}

/// How the head of an answer of Dify's own differs: each one tells the version, whatever it answers.
pub fn check_head(answer: WatchedAnswer, dify_version: Option<&str>, found: &mut Vec<Deviation>) {
    let what = answer.word().to_owned();
    let is_number = |text: &str| {
        let mut numbers = text.trim().split('.').take(2).map(|part| part.parse::<u32>().is_ok());
        numbers.next() == Some(true) && numbers.next() == Some(true)
    };
    match dify_version {
        None => found.push(Deviation::NoVersion(what)),
        Some(version) if !is_number(version) => found.push(Deviation::StrangeVersion(what)),
        Some(_) => {}
    }
}

/// What is not named by an event.
const ANSWERS: [&str; 8] =
    ["blocking", "blocking_paused", "refusal", "detail", NO_DETAIL, "logs", "form", "upload"];
/// Events that stand in Dify's sources and in no recording: their names are known, their fields are not.
const FROM_SOURCE: [&str; 7] = [
    "text_replace",
    "agent_log",
    "reasoning_chunk",
    "tts_message",
    "tts_message_end",
    "human_input_form_filled",
    "human_input_form_timeout",
];
/// The detail of a run that is not known.
const NO_DETAIL: &str = "detail_unknown";

/// An answer of Dify's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchedAnswer {
    /// A run that has ended.
    Run,
    /// A run that waits for a person.
    Paused,
    /// An error.
    Refusal,
    /// The detail of a run.
    Detail,
    /// A page of the logs.
    Logs,
    /// A form's own page.
    Form,
    /// What became of an upload.
    Upload,
    /// A stream of events: it has a head, and events that are held one by one.
    Stream,
}

impl WatchedAnswer {
    fn word(self) -> &'static str {
        match self {
            Self::Run => "blocking",
            Self::Paused => "blocking_paused",
            Self::Refusal => "refusal",
            Self::Detail => "detail",
            Self::Logs => "logs",
            Self::Form => "form",
            Self::Upload => "upload",
            Self::Stream => "stream",
        }
    }
}

/// A name as it is told.
fn bounded(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
