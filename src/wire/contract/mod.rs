//! What each version of Dify sends, as data, and how an answer differs from it.
//!
//! The tables `dify-*.txt` beside this file are derived from the recordings in `tests/data/wire`. A version that was not
//! recorded is held against the nearest one that was.

mod deviation;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use serde_json::Value;

pub use self::deviation::Deviation;

/// Most differences of one answer or event.
const MOST: usize = 32;
/// Longest name of a field or event that is told, in characters.
const LONGEST: usize = 120;

/// The tables of all versions that were recorded.
#[derive(Debug)]
pub struct Contracts {
    v1_12: Contract,
    v1_14: Contract,
}

/// What one version of Dify sends.
#[derive(Debug)]
pub struct Contract {
    /// `1.12`, `1.14`.
    pub version: &'static str,
    /// Fields by path, by what has them: an event's name, or one of `ANSWERS`.
    shapes: HashMap<&'static str, Shape>,
}

#[derive(Debug, Default)]
struct Shape {
    fields: HashMap<&'static str, Field>,
    /// Fields that must be there, by the path of what holds them, in the table's order.
    required: HashMap<&'static str, Vec<&'static str>>,
}

/// A known field.
#[derive(Debug)]
struct Field {
    /// Its type as the table has it: `string?`.
    written: &'static str,
}

impl Contracts {
    /// Reads the tables that are part of the program.
    pub fn new() -> Self {
        Self {
            v1_12: Contract::read("1.12", include_str!("dify-1.12.txt")),
            v1_14: Contract::read("1.14", include_str!("dify-1.14.txt")),
        }
    }

    /// The table for a version of Dify: 1.12 up to that, 1.14 for all later ones and where none is told.
    pub fn of(&self, dify_version: Option<&str>) -> &Contract {
        let mut numbers = dify_version.unwrap_or_default().split('.').map(|part| part.parse::<u32>().ok());
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(0), _) => &self.v1_12,
            (Some(1), Some(minor)) if minor <= 12 => &self.v1_12,
            (Some(_) | None, _) => &self.v1_14,
        }
    }
}

impl Contract {
    fn read(version: &'static str, table: &'static str) -> Self {
        let mut shapes: HashMap<&'static str, Shape> = HashMap::new();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let (Some(name), Some(path), Some(written)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let shape = shapes.entry(name).or_default();
            let field = path.trim_start_matches('~');
            if field == path && !path.ends_with("[]") {
                let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
                shape.required.entry(parent).or_default().push(path);
            }
            shape.fields.insert(field, Field { written });
        }
        Self { version, shapes }
    }

    /// How an event differs; it is named by its `event`.
    pub fn check_event(&self, json: &Value, found: &mut Vec<Deviation>) {
        let name = json["event"].as_str().unwrap_or_default();
        match self.shapes.get(name) {
            Some(shape) if !ANSWERS.contains(&name) => shape.check(name, json, found),
            Some(_) | None if FROM_SOURCE.contains(&name) => {}
            Some(_) | None => found.push(Deviation::UnknownEvent(bounded(name))),
        }
    }

    /// How a document of Dify's differs: a blocking answer, an error, a run's detail.
    pub fn check_answer(&self, answer: Answer, json: &Value, found: &mut Vec<Deviation>) {
        // Up to 1.12 a run that is not known is answered with nulls.
        let is_unknown = answer == Answer::Detail && json["id"].is_null();
        let name = if is_unknown && self.shapes.contains_key(NO_DETAIL) { NO_DETAIL } else { answer.word() };
        if let Some(shape) = self.shapes.get(name) {
            shape.check(name, json, found);
        }
    }
}

/// How the head of an answer of Dify's own differs: each one tells the version, whatever it answers.
pub fn check_head(answer: Answer, dify_version: Option<&str>, found: &mut Vec<Deviation>) {
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
pub enum Answer {
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

impl Answer {
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

/// A value on the way through an answer.
struct Place<'a> {
    path: String,
    value: &'a Value,
}

impl Shape {
    /// Walks the fields that are known; below `any` nothing is.
    fn check(&self, name: &str, json: &Value, found: &mut Vec<Deviation>) {
        let mut seen = HashSet::new();
        let mut open = vec![Place { path: String::new(), value: json }];
        let first = found.len();
        while let Some(place) = open.pop() {
            if found.len() - first >= MOST {
                return;
            }
            match place.value {
                Value::Object(fields) => {
                    for path in self.required.get(place.path.as_str()).into_iter().flatten() {
                        let key = path.rsplit_once('.').map_or(*path, |(_, key)| key);
                        if !fields.contains_key(key) {
                            found.push(Deviation::MissingField(name.to_owned(), (*path).to_owned()));
                        }
                    }
                    for (key, value) in fields {
                        let path =
                            if place.path.is_empty() { key.clone() } else { format!("{}.{key}", place.path) };
                        open.extend(self.visit(name, Place { path, value }, found));
                    }
                }
                Value::Array(items) => {
                    let path = format!("{}[]", place.path);
                    // Items are alike: one of each type shows what they are.
                    seen.clear();
                    for value in items {
                        if value.is_object() || seen.insert(word(value)) {
                            open.extend(self.visit(name, Place { path: path.clone(), value }, found));
                        }
                    }
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
    }

    /// Judges one value; gives it back where it is to be walked through.
    fn visit<'a>(&self, name: &str, place: Place<'a>, found: &mut Vec<Deviation>) -> Option<Place<'a>> {
        let is = word(place.value);
        let Some(field) = self.fields.get(place.path.as_str()) else {
            let known_array = place.path.ends_with("[]");
            if !known_array && found.len() < MOST {
                found.push(Deviation::NewField(name.to_owned(), bounded(&place.path), is));
            }
            return None;
        };
        if !field.takes(is) {
            if found.len() < MOST {
                found.push(Deviation::ChangedType(name.to_owned(), bounded(&place.path), field.written, is));
            }
            return None;
        }
        (field.written != "any").then_some(place)
    }
}

impl Field {
    fn takes(&self, is: &str) -> bool {
        if self.written == "any" {
            return true;
        }
        let types = self.written.trim_end_matches('?');
        match is {
            "null" => self.written.ends_with('?'),
            "integer" => types.split('|').any(|known| matches!(known, "integer" | "number")),
            other => types.split('|').any(|known| known == other),
        }
    }
}

fn bounded(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
