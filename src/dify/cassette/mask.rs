//! Masks an exchange before it is written, and a request before it is compared; both in the same way, so that they still match.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::exchange::{RecordedAnswer, RecordedExchange, RecordedRequest};
use crate::base::redact::{Redactor, Signatures};
use crate::dify::transcript::Arrival;

/// Everyone who has the token of a form can answer it.
const FORM_TOKEN: &str = "form_token";

/// What is masked in cassettes: secrets by value, and the signatures of addresses.
#[derive(Debug, Clone)]
pub struct Mask {
    redactor: Redactor,
    signatures: Signatures,
}

impl Mask {
    /// Masks these secrets, and all signatures.
    pub fn new(redactor: Redactor) -> Self {
        Self { redactor, signatures: Signatures::new() }
    }

    /// Masks everything of an exchange that came from outside.
    pub(super) fn exchange(&self, mut recorded: RecordedExchange) -> RecordedExchange {
        let after = recorded.heard.after.iter().map(|continuation| &continuation.events);
        recorded.masked |= self.has_secret(&recorded.heard.answer)
            || after.flatten().any(|event| self.has_secret_in_event(event));
        recorded.asked = self.request(recorded.asked);
        for (_, value) in &mut recorded.heard.headers {
            *value = self.text(value);
        }
        recorded.heard.answer = match recorded.heard.answer {
            RecordedAnswer::Events(events) => {
                RecordedAnswer::Events(events.into_iter().map(|event| self.event(event)).collect())
            }
            RecordedAnswer::Json(body) => RecordedAnswer::Json(self.json(body)),
            RecordedAnswer::Text(words) => RecordedAnswer::Text(self.text(&words)),
        };
        for continuation in &mut recorded.heard.after {
            let events = std::mem::take(&mut continuation.events);
            continuation.events = events.into_iter().map(|event| self.event(event)).collect();
        }
        recorded
    }

    /// Masks what makes a request the same as another.
    pub fn request(&self, mut asked: RecordedRequest) -> RecordedRequest {
        asked.inputs = self.object(asked.inputs);
        for answer in &mut asked.answers {
            answer.inputs = self.object(std::mem::take(&mut answer.inputs));
        }
        let files =
            asked.files.iter_mut().chain(asked.answers.iter_mut().flat_map(|answer| &mut answer.files));
        for print in files.flat_map(|(_, prints)| prints) {
            print.name = self.text(&print.name);
        }
        asked
    }

    fn object(&self, members: Map<String, Value>) -> Map<String, Value> {
        match self.json(Value::Object(members)) {
            Value::Object(members) => members,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Map::new()
            }
        }
    }

    /// True when an answer holds a secret where assertions may read it; the echo of the inputs does not count.
    fn has_secret(&self, answer: &RecordedAnswer) -> bool {
        match answer {
            RecordedAnswer::Events(events) => events.iter().any(|event| self.has_secret_in_event(event)),
            RecordedAnswer::Json(body) => self.redactor.contains_secret(&body.to_string()),
            RecordedAnswer::Text(words) => self.redactor.contains_secret(words),
        }
    }

    fn has_secret_in_event(&self, event: &Arrival) -> bool {
        self.redactor.contains_secret(&event.text()) && !is_echo(&event.json())
    }

    fn text(&self, words: &str) -> String {
        self.signatures.mask(&self.redactor.text(words)).into_owned()
    }

    /// Masks an event without ever breaking it; one without secrets keeps its bytes.
    fn event(&self, event: Arrival) -> Arrival {
        let text = event.text();
        let is_signed = text.contains(FORM_TOKEN) || matches!(self.signatures.mask(&text), Cow::Owned(_));
        if !is_signed && !self.redactor.contains_secret(&text) {
            drop(text);
            return event;
        }
        let masked = self.json(event.json());
        Arrival::new(event.at, masked.to_string())
    }

    fn json(&self, mut value: Value) -> Value {
        self.redactor.json(&mut value);
        self.sign(&mut value);
        value
    }

    /// Masks the signatures in every text below a value.
    fn sign(&self, value: &mut Value) {
        match value {
            Value::String(words) => {
                if let Cow::Owned(masked) = self.signatures.mask(words) {
                    *words = masked;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.sign(item)),
            Value::Object(members) => {
                for (key, member) in members.iter_mut() {
                    match member {
                        Value::String(token) if key == FORM_TOKEN => *token = "***".to_owned(),
                        member => self.sign(member),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// True for the events in which Dify repeats what it was given.
fn is_echo(event: &Value) -> bool {
    event["event"] == "workflow_started" || event["data"]["node_type"] == "start"
}
