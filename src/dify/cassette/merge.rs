//! Joins a recording with an earlier one: an exchange that differs only in ids and times keeps its line.

use std::collections::HashMap;

use regex::{Captures, Regex};
use serde_json::Value;

use super::exchange::{RecordedAnswer, RecordedExchange};
use super::mask::Mask;
use super::mode::Mode;
use crate::dify::transcript::Arrival;

/// Members whose numbers are times.
const TIMES: [&str; 9] = [
    "created_at",
    "elapsed_time",
    "expiration_time",
    "finished_at",
    "latency",
    "started_at",
    "time_to_first_token",
    "time_to_generate",
    "timestamp",
];

/// What a run recorded of one suite.
#[derive(Debug, Default)]
pub struct NewRecordings {
    /// Its exchanges.
    pub exchanges: Vec<RecordedExchange>,
    /// The planned repeats of each test, if every test of the suite was planned: a test that is not among them no longer exists.
    pub planned: Option<HashMap<String, u32>>,
}

/// Joins what was recorded before with what a run recorded, masked.
pub fn merge(
    before: Vec<RecordedExchange>,
    fresh: NewRecordings,
    mode: Mode,
    mask: &Mask,
) -> Vec<RecordedExchange> {
    let ids = RunIds::new();
    let mut joined: Vec<RecordedExchange> = match (mode, &fresh.planned) {
        (Mode::All, Some(planned)) => before
            .into_iter()
            .filter(|old| planned.get(&old.test).is_some_and(|repeats| old.repeat < *repeats))
            .collect(),
        (Mode::All, None) | (Mode::None | Mode::Once | Mode::NewEpisodes, _) => before,
    };
    let mut places: HashMap<(String, u32), usize> =
        joined.iter().enumerate().map(|(at, old)| ((old.test.clone(), old.repeat), at)).collect();
    for new in fresh.exchanges {
        let new = mask.exchange(new);
        match places.get(&(new.test.clone(), new.repeat)) {
            Some(at) if ids.are_alike(&joined[*at], &new) => {}
            Some(at) => joined[*at] = new,
            None => {
                places.insert((new.test.clone(), new.repeat), joined.len());
                joined.push(new);
            }
        }
    }
    joined
}

/// Joins a cassette with the exchanges of a process that ended without writing its own: for one test and repeat, the exchange that
/// was recorded later counts.
pub fn newer(recorded: Vec<RecordedExchange>, left: Vec<RecordedExchange>) -> Vec<RecordedExchange> {
    let mut joined = recorded;
    let mut places: HashMap<(String, u32), usize> =
        joined.iter().enumerate().map(|(at, old)| ((old.test.clone(), old.repeat), at)).collect();
    for new in left {
        match places.get(&(new.test.clone(), new.repeat)) {
            // Both are times in UTC of the same format, which sort as text.
            Some(at) if joined[*at].recorded >= new.recorded => {}
            Some(at) => joined[*at] = new,
            None => {
                places.insert((new.test.clone(), new.repeat), joined.len());
                joined.push(new);
            }
        }
    }
    joined
}

/// Finds ids that differ from run to run.
struct RunIds {
    changing: Regex,
}

impl RunIds {
    fn new() -> Self {
        // Dify's uuids, the ids of this program's runs with the end users made of them, and the times of signed addresses.
        let pattern = r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{8}T\d{6}Z-[a-z]{6}(?:-\d+)?|([?&]timestamp=)\d+";
        Self { changing: Regex::new(pattern).expect("the pattern is valid") }
    }

    /// True when two exchanges differ in nothing but ids, each id in the same places, and times.
    fn are_alike(&self, old: &RecordedExchange, new: &RecordedExchange) -> bool {
        old.asked == new.asked && old.heard.status == new.heard.status && self.steady(old) == self.steady(new)
    }

    /// Headers and body with ids numbered as they come and times left out.
    fn steady(&self, recorded: &RecordedExchange) -> Vec<Value> {
        let mut numbers = HashMap::new();
        let mut values: Vec<Value> = match &recorded.heard.answer {
            RecordedAnswer::Events(events) => events.iter().map(Arrival::json).collect(),
            RecordedAnswer::Json(body) => vec![body.clone()],
            RecordedAnswer::Text(words) => vec![Value::String(words.clone())],
        };
        let after = recorded.heard.after.iter().flat_map(|continuation| &continuation.events);
        values.extend(after.map(Arrival::json));
        let headers = recorded.heard.headers.iter();
        values.extend(headers.map(|(name, value)| Value::String(format!("{name}: {value}"))));
        values.iter_mut().for_each(|value| self.number(value, &mut numbers));
        values
    }

    fn number(&self, value: &mut Value, numbers: &mut HashMap<String, usize>) {
        match value {
            Value::String(words) => {
                let numbered = self.changing.replace_all(words, |found: &Captures<'_>| {
                    if let Some(time) = found.get(1) {
                        return time.as_str().to_owned();
                    }
                    let next = numbers.len();
                    format!("#{}", numbers.entry(found[0].to_owned()).or_insert(next))
                });
                *words = numbered.into_owned();
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.number(item, numbers)),
            Value::Object(members) => {
                for (key, member) in members.iter_mut() {
                    match member {
                        Value::Number(_) if TIMES.contains(&key.as_str()) => *member = Value::Null,
                        member => self.number(member, numbers),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
