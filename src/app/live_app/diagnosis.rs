//! The lines of a diagnosis.

use crate::base::visible::{LineEnds, visible};

/// One line of a diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagnosisLine {
    /// How it stands.
    pub state: FactState,
    /// What was looked at.
    pub topic: &'static str,
    /// What was seen, and what mends it.
    pub text: String,
}

/// How a fact stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactState {
    /// As it should be.
    Good,
    /// Cannot be told from here.
    Untold,
    /// Wrong, and mended as the line says.
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
