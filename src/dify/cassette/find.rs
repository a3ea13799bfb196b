//! Which recorded exchange answers a request, and where none does, the nearest and what differs.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::recorded::{AnswerPrint, FilePrint, RecordedExchange, RecordedRequest};
use super::shelf::Cassette;
use crate::base::diff::{ChangeKind, EqualOptions, JsonChange, diff_json, equal};
use crate::dify::transcript::ResponseMode;

/// Differences that are told.
const TOLD: usize = 5;
/// Characters of a value that are shown.
const WIDTH: usize = 80;
/// Exchanges whose inputs are compared in detail.
const COMPARED: usize = 3;

/// Which version a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// Whichever was recorded: the mock has no versions.
    Any,
    /// That of the request, or the published one where it names none.
    AsAsked,
}

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub struct CassetteQuery<'a> {
    /// The test's full name.
    pub test: &'a str,
    /// Which repeat, from 0.
    pub repeat: u32,
    /// What is asked, masked.
    pub asked: &'a RecordedRequest,
    /// Which version.
    pub pin: Pin,
}

/// Why no recorded exchange answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// The cassette holds nothing.
    Empty,
    /// The request was recorded, in fewer repeats.
    Repeats {
        /// Repeats recorded.
        recorded: usize,
    },
    /// Nothing like it was recorded.
    Nearest {
        /// The test of the nearest exchange.
        test: String,
        /// What differs, each in a few words.
        differs: Vec<String>,
    },
}

impl Cassette {
    /// The exchange that answers a request: of the test itself by the number of the repeat, else of another test that asked
    /// the same; so that which one it is depends on nothing but the cassette and the request.
    pub fn find(&self, ask: CassetteQuery<'_>) -> Result<Arc<RecordedExchange>, Miss> {
        let own = self.by_test.get(ask.test).map_or(&[][..], Vec::as_slice);
        let mut same = self.same(own, ask);
        if same.is_empty() {
            let others: Vec<usize> = (0..self.exchanges.len()).collect();
            same = self.same(&others, ask);
            let first = same.first().map(|exchange| exchange.test.clone());
            same.retain(|exchange| Some(&exchange.test) == first.as_ref());
        }
        let found = same.iter().find(|exchange| exchange.repeat == ask.repeat);
        match found {
            Some(exchange) => Ok((*exchange).clone()),
            None if !same.is_empty() => Err(Miss::Repeats { recorded: same.len() }),
            None => Err(self.nearest(own, ask)),
        }
    }

    /// The exchanges that answer a request to an app, of whichever test; for those who name no test.
    fn same(&self, among: &[usize], ask: CassetteQuery<'_>) -> Vec<&Arc<RecordedExchange>> {
        let exchanges = among.iter().map(|at| &self.exchanges[*at]);
        exchanges.filter(|exchange| exchange.is_for(ask.asked, ask.pin)).collect()
    }

    fn nearest(&self, own: &[usize], ask: CassetteQuery<'_>) -> Miss {
        let mut near: Vec<(usize, &Arc<RecordedExchange>)> = match own {
            [] => {
                self.exchanges.iter().map(|exchange| (exchange.asked.distance(ask.asked), exchange)).collect()
            }
            own => own
                .iter()
                .map(|at| &self.exchanges[*at])
                .map(|one| (one.asked.distance(ask.asked), one))
                .collect(),
        };
        near.sort_by_key(|(distance, _)| *distance);
        let compared = near.into_iter().take(COMPARED).map(|(_, one)| (one, one.differences(ask)));
        let nearest = compared.min_by_key(|(_, differs)| differs.len());
        match nearest {
            None => Miss::Empty,
            Some((exchange, mut differs)) => {
                if differs.len() > TOLD {
                    let more = differs.len() - TOLD;
                    differs.truncate(TOLD);
                    differs.push(format!("and {more} more"));
                }
                Miss::Nearest { test: exchange.test.clone(), differs }
            }
        }
    }
}

impl RecordedExchange {
    /// What a request asks otherwise.
    fn differences(&self, ask: CassetteQuery<'_>) -> Vec<String> {
        let mut differs = self.asked.differences(ask.asked, ask.pin);
        if self.heard.is_paused() {
            differs.extend(differing_answers(&self.asked.answers, &ask.asked.answers));
        }
        differs
    }
}

impl RecordedRequest {
    /// True when another request answers forms alike.
    pub fn has_same_answers(&self, other: &RecordedRequest) -> bool {
        self.answers.len() == other.answers.len()
            && self.answers.iter().zip(&other.answers).all(is_same_answer)
    }

    /// True when another request is answered alike, up to where it asks somebody.
    pub fn is_same(&self, other: &RecordedRequest, pin: Pin) -> bool {
        self.mode == other.mode
            && is_same_app(&self.app, &other.app)
            && (pin == Pin::Any || self.workflow_id == other.workflow_id)
            && self.files == other.files
            && are_equal(&self.inputs, &other.inputs)
    }

    /// How many inputs differ, quickly.
    fn distance(&self, other: &RecordedRequest) -> usize {
        let differ = self.inputs.iter().filter(|(key, value)| other.inputs.get(*key) != Some(value)).count();
        let added = other.inputs.keys().filter(|key| !self.inputs.contains_key(*key)).count();
        differ + added + usize::from(self.files != other.files) + usize::from(self.mode != other.mode)
    }

    /// What another request asks otherwise.
    fn differences(&self, other: &RecordedRequest, pin: Pin) -> Vec<String> {
        let mut differs = Vec::new();
        if !is_same_app(&self.app, &other.app) {
            differs.push(format!("the app is `{}`, recorded `{}`", other.app, self.app));
        }
        if self.mode != other.mode {
            differs.push(format!("the mode is {}, recorded {}", word(other.mode), word(self.mode)));
        }
        if pin == Pin::AsAsked && self.workflow_id != other.workflow_id {
            let name = |id: &Option<String>| id.as_ref().map_or("none".to_owned(), |id| format!("`{id}`"));
            differs.push(format!(
                "the pinned workflow_id is {}, recorded {}",
                name(&other.workflow_id),
                name(&self.workflow_id)
            ));
        }
        let inputs = [self, other].map(|asked| Value::Object(asked.inputs.clone()));
        differs.extend(diff_json(&inputs[0], &inputs[1]).iter().map(describe));
        differs.extend(differing_files(&self.files, &other.files));
        differs
    }
}

fn are_equal(left: &Map<String, Value>, right: &Map<String, Value>) -> bool {
    let equals = |value, found| equal(value, found, &EqualOptions::default());
    left.len() == right.len()
        && left.iter().all(|(key, value)| right.get(key).is_some_and(|found| equals(value, found)))
}

fn is_same_answer((left, right): (&AnswerPrint, &AnswerPrint)) -> bool {
    left.node == right.node
        && left.action == right.action
        && left.files == right.files
        && are_equal(&left.inputs, &right.inputs)
}

/// What answers to forms say otherwise, each named by its node.
fn differing_answers(recorded: &[AnswerPrint], asked: &[AnswerPrint]) -> Vec<String> {
    let mut differs = Vec::new();
    for (old, new) in recorded.iter().zip(asked).filter(|pair| !is_same_answer(*pair)) {
        let whose = format!("human_input.{}", cut(&new.node));
        if old.node != new.node {
            differs.push(format!("{whose} is answered, recorded an answer to `{}`", cut(&old.node)));
            continue;
        }
        if old.action != new.action {
            differs.push(format!(
                "{whose}.action is `{}`, recorded `{}`",
                cut(&new.action),
                cut(&old.action)
            ));
        }
        let inputs = [old, new].map(|answer| Value::Object(answer.inputs.clone()));
        let changes = diff_json(&inputs[0], &inputs[1]);
        let told = changes.iter().map(describe).chain(differing_files(&old.files, &new.files));
        differs.extend(told.map(|what| format!("{whose}.{what}")));
    }
    let nodes = |answers: &[AnswerPrint]| {
        let names: Vec<String> = answers.iter().map(|answer| format!("`{}`", cut(&answer.node))).collect();
        names.join(", ")
    };
    let both = recorded.len().min(asked.len());
    if asked.len() > both {
        let more = nodes(&asked[both..]);
        differs.push(format!("human_input also answers {more}, recorded without that answer"));
    }
    if recorded.len() > both {
        differs.push(format!(
            "human_input does not answer {}, recorded with an answer",
            nodes(&recorded[both..])
        ));
    }
    differs
}

/// A suite tests one app; a name that only one side knows is no difference.
fn is_same_app(left: &str, right: &str) -> bool {
    left.is_empty() || right.is_empty() || left == right
}

fn word(mode: ResponseMode) -> &'static str {
    match mode {
        ResponseMode::Streaming => "streaming",
        ResponseMode::Blocking => "blocking",
    }
}

fn describe(change: &JsonChange) -> String {
    let shown =
        |value: &Option<Value>| value.as_ref().map(|value| cut(&value.to_string())).unwrap_or_default();
    let path = format!("inputs{}", change.path.trim_start_matches('$'));
    match change.kind {
        ChangeKind::Added => format!("{path} is {}, recorded without it", shown(&change.actual)),
        ChangeKind::Removed => format!("{path} is missing, recorded {}", shown(&change.expected)),
        ChangeKind::Changed => {
            format!("{path} is {}, recorded {}", shown(&change.actual), shown(&change.expected))
        }
        ChangeKind::Moved => format!("{path} stands elsewhere in its list"),
    }
}

fn differing_files(recorded: &[(String, Vec<FilePrint>)], asked: &[(String, Vec<FilePrint>)]) -> Vec<String> {
    let of = |files: &[(String, Vec<FilePrint>)], name: &str| {
        files
            .iter()
            .find(|(variable, _)| variable == name)
            .map(|(_, prints)| prints.clone())
            .unwrap_or_default()
    };
    let mut names: Vec<&String> = recorded.iter().chain(asked).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    let differing = names.into_iter().filter(|name| of(recorded, name) != of(asked, name));
    differing
        .map(|name| {
            let list = |prints: &[FilePrint]| {
                let names: Vec<String> =
                    prints.iter().map(|print| format!("`{}`", cut(&print.name))).collect();
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            };
            let (old, new) = (of(recorded, name), of(asked, name));
            let same_names = list(&old) == list(&new);
            match same_names {
                true => format!("files.{name} is {} with another content or type", list(&new)),
                false => format!("files.{name} is {}, recorded {}", list(&new), list(&old)),
            }
        })
        .collect()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
