//! Which reply a request gets: by its attempt, otherwise by app and inputs, otherwise by a rule.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use crate::base::bindings::{AttemptNames, Bindings};
use crate::base::json_number;
use crate::base::template::{Template, TemplateError, Templates};
use crate::dify::cassette::RecordedExchange;
use crate::dify::mock::answer::graph::Graph;
use crate::dify::mock::script::{Rule, Script};
use crate::dify::transcript::ResponseMode;

/// All answers of a plan.
#[derive(Debug, Default)]
pub struct ScriptBook {
    /// By case ordinal.
    pub entries: Vec<BookEntry>,
    /// Suite-level answers, in file order.
    pub rules: Vec<Rule>,
    /// Recorded exchanges by their number.
    pub recorded: Vec<Arc<RecordedExchange>>,
    /// How often requests that name no exchange were answered from recordings.
    replays: AtomicU32,
    index: OnceLock<InputIndex>,
}

/// What the mock knows of one case.
#[derive(Debug, Clone)]
pub struct BookEntry {
    /// The app it runs; empty: the only one.
    pub app: Arc<str>,
    /// Its test's own name, as templates see it.
    pub test: Arc<str>,
    /// Its scripted answer.
    pub script: Option<Arc<Script>>,
    /// Its inputs.
    pub inputs: Template,
    /// Its names.
    pub bindings: Arc<Bindings>,
    /// Its data row.
    pub row: Option<Arc<Value>>,
}

/// Entries by their inputs, for requests that name no attempt.
#[derive(Debug, Default)]
struct InputIndex {
    inputs: Vec<Option<Map<String, Value>>>,
    by_input: HashMap<u64, Vec<usize>>,
    uses: Vec<AtomicU32>,
}

/// The attempt a request names: `<case ordinal>.<repeat>.<try>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MockAttemptId {
    /// The case.
    pub ordinal: u32,
    /// The repeat, from 0.
    pub repeat: u32,
    /// The try of that repeat, from 0.
    pub number: u32,
}

/// What a request is matched by.
#[derive(Debug, Clone, Copy)]
pub struct ScriptQuery<'a> {
    /// The app that its key names; `None`: any.
    pub app: Option<&'a str>,
    /// The attempt it names.
    pub attempt: Option<MockAttemptId>,
    /// Its inputs as sent.
    pub inputs: &'a Map<String, Value>,
}

/// An entry that a request without an attempt matches by its inputs.
struct MatchedEntry<'b> {
    entry: &'b BookEntry,
    script: &'b Script,
    /// How often the entry answered such requests before.
    repeat: u32,
}

/// What templates are rendered with.
#[derive(Clone, Copy)]
pub struct TemplateValues<'a> {
    /// The compiled templates.
    pub templates: &'a Templates,
    /// `run.id`.
    pub run: &'a str,
}

/// The name of a recorded exchange in the mock's header.
pub fn recorded_name(number: usize) -> String {
    format!("recorded.{number}")
}

/// The number in a name that `recorded_name` wrote.
pub fn recorded_number(text: &str) -> Option<usize> {
    text.strip_prefix("recorded.")?.parse().ok()
}

impl MockAttemptId {
    /// Parses the header's value.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (ordinal, repeat) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let number = parts.next()?.parse().ok()?;
        Some(Self { ordinal, repeat, number })
    }
}

impl ScriptBook {
    /// Binds cases, by ordinal, and rules, in file order.
    pub fn new(entries: Vec<BookEntry>, rules: Vec<Rule>) -> Self {
        Self { entries, rules, ..Self::default() }
    }

    /// Adds recorded exchanges, in the order of their numbers.
    #[must_use]
    pub fn with_recorded(mut self, recorded: &[Arc<RecordedExchange>]) -> Self {
        self.recorded = recorded.to_vec();
        self
    }

    /// A recorded exchange that answers a request which names none; the exchanges of several repeats take turns.
    pub fn recorded_answer(
        &self,
        app: &str,
        inputs: &Map<String, Value>,
        mode: ResponseMode,
    ) -> Option<&Arc<RecordedExchange>> {
        let same = self.recorded.iter().filter(|recorded| {
            let request = &recorded.asked;
            request.mode == mode
                && (request.app.is_empty() || app.is_empty() || request.app == app)
                && same_members(&request.inputs, inputs)
        });
        let same: Vec<_> = same.collect();
        let turn = self.replays.fetch_add(1, Ordering::Relaxed) as usize;
        same.get(turn.checked_rem(same.len())?).copied()
    }

    /// The apps that have answers, each once.
    pub fn apps(&self) -> Vec<Arc<str>> {
        let mut apps: Vec<Arc<str>> = self.entries.iter().map(|entry| entry.app.clone()).collect();
        apps.extend(self.rules.iter().filter_map(|rule| rule.app.clone()));
        apps.sort();
        apps.dedup();
        apps
    }

    /// The app of the case an attempt names.
    pub fn app_of(&self, attempt: MockAttemptId) -> Option<&Arc<str>> {
        self.entries.get(attempt.ordinal as usize).map(|entry| &entry.app)
    }

    /// The answer to a request; `None` when nothing matches.
    pub fn find(
        &self,
        query: ScriptQuery<'_>,
        names: TemplateValues<'_>,
    ) -> Option<Result<Arc<Graph>, TemplateError>> {
        if let Some(attempt) = query.attempt {
            let entry = self.entries.get(attempt.ordinal as usize)?;
            if let Some(script) = &entry.script {
                return Some(answer(entry, script, attempt.repeat, names));
            }
            return self.by_rule(query, names);
        }
        match self.by_inputs(query, names) {
            Some(MatchedEntry { entry, script, repeat }) => Some(answer(entry, script, repeat, names)),
            None => self.by_rule(query, names),
        }
    }

    fn by_inputs(&self, query: ScriptQuery<'_>, names: TemplateValues<'_>) -> Option<MatchedEntry<'_>> {
        let index = self.index.get_or_init(|| self.build_index(names));
        let found = index.by_input.get(&fingerprint(query.inputs))?.iter().copied().find(|at| {
            let is_app = query.app.is_none_or(|app| *self.entries[*at].app == *app);
            is_app && index.inputs[*at].as_ref().is_some_and(|inputs| same_members(inputs, query.inputs))
        })?;
        let entry = &self.entries[found];
        let repeat = index.uses[found].fetch_add(1, Ordering::Relaxed);
        entry.script.as_ref().map(|script| MatchedEntry { entry, script, repeat })
    }

    fn build_index(&self, names: TemplateValues<'_>) -> InputIndex {
        let mut index = InputIndex::default();
        for (at, entry) in self.entries.iter().enumerate() {
            let inputs = entry.script.as_ref().and_then(|_| rendered_inputs(entry, names));
            if let Some(inputs) = &inputs {
                index.by_input.entry(fingerprint(inputs)).or_default().push(at);
            }
            index.inputs.push(inputs);
            index.uses.push(AtomicU32::new(0));
        }
        index
    }

    fn by_rule(
        &self,
        query: ScriptQuery<'_>,
        names: TemplateValues<'_>,
    ) -> Option<Result<Arc<Graph>, TemplateError>> {
        let is_for_app = |rule: &&Rule| match (&rule.app, query.app) {
            (Some(of), Some(app)) => **of == *app,
            (None, _) | (_, None) => true,
        };
        for rule in self.rules.iter().filter(is_for_app) {
            let attempt = AttemptNames { test: "", run: names.run, repeat: 0, row: None };
            let scope = match rule.bindings.scope(names.templates, attempt) {
                Ok(scope) => scope,
                Err(error) => return Some(Err(error)),
            };
            match names.templates.render(&rule.when, &scope) {
                Ok(Value::Object(when)) if is_among(&when, query.inputs) => {
                    return Some(rule.script.reply(names.templates, &scope, 0));
                }
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }
}

fn answer(
    entry: &BookEntry,
    script: &Script,
    repeat: u32,
    names: TemplateValues<'_>,
) -> Result<Arc<Graph>, TemplateError> {
    if let Some(graph) = script.fixed(repeat) {
        return Ok(graph);
    }
    let attempt = AttemptNames { test: &entry.test, run: names.run, repeat, row: entry.row.as_deref() };
    let scope = entry.bindings.scope(names.templates, attempt)?;
    script.reply(names.templates, &scope, repeat)
}

fn rendered_inputs(entry: &BookEntry, names: TemplateValues<'_>) -> Option<Map<String, Value>> {
    let attempt = AttemptNames { test: &entry.test, run: names.run, repeat: 0, row: entry.row.as_deref() };
    let scope = entry.bindings.scope(names.templates, attempt).ok()?;
    match names.templates.render(&entry.inputs, &scope).ok()? {
        Value::Object(inputs) => Some(inputs),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

/// Equal inputs have equal fingerprints: the names and texts count, numbers may be written in several ways.
fn fingerprint(inputs: &Map<String, Value>) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    inputs.iter().fold(0, |sum, (key, value)| {
        let mut hasher = DefaultHasher::new();
        (key, value.as_str()).hash(&mut hasher);
        hasher.finish().wrapping_add(sum)
    })
}

fn same_members(left: &Map<String, Value>, right: &Map<String, Value>) -> bool {
    left.len() == right.len() && is_among(left, right)
}

fn is_among(part: &Map<String, Value>, whole: &Map<String, Value>) -> bool {
    part.iter().all(|(key, value)| whole.get(key).is_some_and(|other| same(value, other)))
}

/// JSON equality, numbers by value.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => json_number::compare(left, right).is_eq(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => same_members(left, right),
        (left, right) => left == right,
    }
}
