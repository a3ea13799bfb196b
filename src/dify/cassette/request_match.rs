//! When a recorded exchange answers a request, and how a request differs from a recorded one.

use serde_json::{Map, Value};

use super::exchange::{AnswerPrint, FilePrint, RecordedExchange, RecordedRequest};
use crate::base::diff::{ChangeKind, EqualOptions, JsonChange, diff_json, equal};
use crate::dify::transcript::ResponseMode;

/// Characters of a value that are shown.
const WIDTH: usize = 80;
/// Which version a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// Whichever was recorded: the mock has no versions.
    Any,
    /// That of the request, or the published one where it names none.
    AsAsked,
}

impl RecordedExchange {
    /// True when it answers a request. Answers to forms matter where the recorded run paused.
    pub fn is_for(&self, asked: &RecordedRequest, pin: Pin) -> bool {
        self.asked.is_same(asked, pin) && (!self.heard.is_paused() || self.asked.has_same_answers(asked))
    }

    /// How a request differs from the recorded one, each difference in a few words.
    pub(super) fn differences(&self, asked: &RecordedRequest, pin: Pin) -> Vec<String> {
        let mut differs = self.asked.differences(asked, pin);
        if self.heard.is_paused() {
            differs.extend(differing_answers(&self.asked.answers, &asked.answers));
        }
        differs
    }
}

impl RecordedRequest {
    /// True when another request answers forms alike.
    fn has_same_answers(&self, other: &RecordedRequest) -> bool {
        let mut pairs = self.answers.iter().zip(&other.answers);
        self.answers.len() == other.answers.len() && pairs.all(|(own, theirs)| own.is_same(theirs))
    }

    /// True when another request gets the same answer, up to the first pause.
    pub fn is_same(&self, other: &RecordedRequest, pin: Pin) -> bool {
        self.mode == other.mode
            && is_same_app(&self.app, &other.app)
            && (pin == Pin::Any || self.workflow_id == other.workflow_id)
            && self.files == other.files
            && are_equal(&self.inputs, &other.inputs)
    }

    /// How many inputs differ; cheaper than `differences`.
    pub(super) fn distance(&self, other: &RecordedRequest) -> usize {
        let differ = self.inputs.iter().filter(|(key, value)| other.inputs.get(*key) != Some(value)).count();
        let added = other.inputs.keys().filter(|key| !self.inputs.contains_key(*key)).count();
        differ + added + usize::from(self.files != other.files) + usize::from(self.mode != other.mode)
    }

    /// How another request differs, answers to forms left out.
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

impl AnswerPrint {
    fn is_same(&self, other: &Self) -> bool {
        self.node == other.node
            && self.action == other.action
            && self.files == other.files
            && are_equal(&self.inputs, &other.inputs)
    }
}

/// How answers to forms differ, each difference led by its node.
fn differing_answers(recorded: &[AnswerPrint], asked: &[AnswerPrint]) -> Vec<String> {
    let mut differs = Vec::new();
    for (old, new) in recorded.iter().zip(asked).filter(|(old, new)| !old.is_same(new)) {
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
        let fields = changes.iter().map(describe).chain(differing_files(&old.files, &new.files));
        differs.extend(fields.map(|what| format!("{whose}.{what}")));
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
        ChangeKind::Moved => format!("{path} is at another place in its list"),
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
