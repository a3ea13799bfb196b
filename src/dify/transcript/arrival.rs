//! A data event of a stream, with the time it came.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::base::borrowed_json::BorrowedValue;
use crate::dify::transcript::field::AnswerField;
use crate::dify::wire::chunk::ChunkTemplate;

/// A data event with the time it came, since the request was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// Since the request was sent.
    pub at: Duration,
    /// The version of Dify whose contract it was seen to fit as it came; `None` where that was not looked at, or it does not.
    pub fits: Option<&'static str>,
    text: EventText,
}

/// Its JSON object as it came; text takes a fraction of a tree's room and time.
#[derive(Debug, Clone)]
enum EventText {
    Whole(Arc<str>),
    /// What makes it another chunk than those before it.
    Molded(Arc<ChunkTemplate>, Box<str>),
}

impl Arrival {
    /// An event that was compared with no contract.
    pub fn new(at: Duration, text: impl Into<Arc<str>>) -> Self {
        Self { at, fits: None, text: EventText::Whole(text.into()) }
    }

    /// A chunk that came out of a mold.
    pub fn of_mold(at: Duration, mold: Arc<ChunkTemplate>, text: &str) -> Self {
        Self { at, fits: None, text: EventText::Molded(mold, text.into()) }
    }

    /// The same, which fits the contract of a version of Dify.
    #[must_use]
    pub fn fitting(self, version: Option<&'static str>) -> Self {
        Self { fits: version, ..self }
    }

    /// The JSON object as it came.
    pub fn text(&self) -> Cow<'_, str> {
        self.text.whole()
    }

    /// True for a chunk that is like one before it but for its text.
    pub fn is_molded(&self) -> bool {
        matches!(self.text, EventText::Molded(..))
    }

    /// Its text, to be shared by an event that is the same word for word; `None` where it is another.
    pub fn same(&self, text: &str) -> Option<Arc<str>> {
        match &self.text {
            EventText::Whole(own) if &**own == text => Some(own.clone()),
            EventText::Whole(_) | EventText::Molded(..) => None,
        }
    }

    /// Bytes of what sets it apart: the whole of it, or the text of a chunk out of a mold.
    pub fn length(&self) -> usize {
        match &self.text {
            EventText::Whole(text) => text.len(),
            EventText::Molded(_, text) => text.len(),
        }
    }

    /// The fields of its `data` that Dify marks as cut short; reads only an event that may mark one.
    pub fn truncated(&self) -> Vec<AnswerField> {
        match self.may_be_truncated() {
            true => AnswerField::truncated_in(&self.json()["data"]).collect(),
            false => Vec::new(),
        }
    }

    fn may_be_truncated(&self) -> bool {
        let text = self.text();
        text.split("_truncated\"")
            .skip(1)
            .any(|rest| rest.trim_start_matches([' ', ':', '\t', '\r', '\n']).starts_with("true"))
    }

    /// True for an event with which a run begins: its own start, or that of its start node.
    pub fn is_beginning(&self) -> bool {
        let text = self.text();
        let event = BorrowedValue::read(&text).expect("it was read as JSON when it came");
        let is_start = event["event"] == "node_started" && event["data"]["node_type"] == "start";
        is_start || event["event"] == "workflow_started"
    }

    /// Reads the event.
    pub fn json(&self) -> Value {
        BorrowedValue::read_value(self.text().as_bytes()).expect("it was read as JSON when it came")
    }
}

impl EventText {
    fn whole(&self) -> Cow<'_, str> {
        match self {
            Self::Whole(text) => Cow::Borrowed(text),
            Self::Molded(mold, text) => Cow::Owned(mold.event(text)),
        }
    }
}

impl PartialEq for EventText {
    fn eq(&self, other: &Self) -> bool {
        self.whole() == other.whole()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_that_it_is_cut_however_it_is_spaced() {
        let says = |text: &str| Arrival::new(Duration::ZERO, text).may_be_truncated();
        for blank in ["", " ", "\t", "\n", "\r\n", " \n "] {
            assert!(says(&format!("{{\"data\":{{\"outputs_truncated\"{blank}:{blank}true}}}}")), "{blank:?}");
            assert!(
                !says(&format!("{{\"data\":{{\"outputs_truncated\"{blank}:{blank}false}}}}")),
                "{blank:?}"
            );
        }
        assert!(says(r#"{"data":{"inputs_truncated":false,"outputs_truncated":true}}"#));
        assert!(!says(r#"{"data":{"outputs":true}}"#));
    }
}
