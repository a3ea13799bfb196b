//! What each version of Dify sends, as data, and how an answer differs from it.
//!
//! The tables `dify-*.txt` beside this file are derived from the recordings in `tests/data/wire`. A version that was not
//! recorded is compared with the nearest one that was.

mod deviation;
mod field;
#[cfg(test)]
mod tests;
mod watched_answer;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use self::deviation::bounded;
use self::field::KnownField;
use self::watched_answer::{ANSWERS, NO_DETAIL};
use crate::base::borrowed_json::BorrowedValue;

pub use self::deviation::Deviation;
pub use self::watched_answer::WatchedAnswer;

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
    /// The known fields, by the name of the event or answer that has them: an event's name, or one of `ANSWERS`.
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

    /// The table for a version of Dify: 1.12 up to that, 1.14 for all later ones and where the version is unknown.
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

    /// True for an event without a deviation.
    pub fn fits(&self, json: &BorrowedValue<'_>) -> bool {
        let mut found = Vec::new();
        self.check_event(json, &mut found);
        found.is_empty()
    }

    /// Adds the deviations of an event, which is named by its `event`.
    pub fn check_event(&self, json: &BorrowedValue<'_>, found: &mut Vec<Deviation>) {
        let name = json["event"].as_str().unwrap_or_default();
        match self.shapes.get(name) {
            Some(shape) if !ANSWERS.contains(&name) => shape.check(name, json, found),
            Some(_) | None if FROM_SOURCE.contains(&name) => {}
            Some(_) | None => found.push(Deviation::UnknownEvent(bounded(name))),
        }
    }

    /// Adds the deviations of a document of Dify's: a blocking answer, an error, a run's detail.
    pub fn check_answer(&self, answer: WatchedAnswer, json: &Value, found: &mut Vec<Deviation>) {
        // Up to 1.12, Dify answers with nulls for a run that it does not know.
        let is_unknown = answer == WatchedAnswer::Detail && json["id"].is_null();
        let name = if is_unknown && self.shapes.contains_key(NO_DETAIL) { NO_DETAIL } else { answer.word() };
        if let Some(shape) = self.shapes.get(name) {
            shape.check(name, &BorrowedValue::of(json), found);
        }
    }
}

/// Adds the deviations of an answer's head: each answer of Dify's own names the version, whatever its status.
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

/// Events that occur in Dify's sources and in no recording: their names are known, their fields are not.
const FROM_SOURCE: [&str; 7] = [
    "text_replace",
    "agent_log",
    "reasoning_chunk",
    "tts_message",
    "tts_message_end",
    "human_input_form_filled",
    "human_input_form_timeout",
];
