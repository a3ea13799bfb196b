//! The lines of a diagnosis.

use crate::base::visible::{LineEnds, visible};

/// One line of a diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagnosisLine {
    /// Its state.
    pub state: FactState,
    /// What was looked at.
    pub topic: &'static str,
    /// What was seen, and how to fix it.
    pub text: String,
}

/// How well a fact is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactState {
    /// As it should be.
    Good,
    /// It cannot be found out from here.
    Untold,
    /// Wrong, and fixed as the line says.
    Finding,
    /// Nothing answers there.
    Unreachable,
}

impl DiagnosisLine {
    /// A line; what would steer a terminal or cannot be seen is named.
    pub fn new(state: FactState, topic: &'static str, text: impl Into<String>) -> Self {
        let text = text.into().replace(['\n', '\t'], " ");
        Self { state, topic, text: visible(&text, LineEnds::One).into_owned() }
    }
}
