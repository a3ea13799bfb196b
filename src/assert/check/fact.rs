//! What is known of a run: facts, and the nodes that ran.

use std::borrow::Cow;

use crate::dify::transcript::NodeRun;

/// Something about a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fact<T> {
    /// It is so.
    Known(T),
    /// There surely is none.
    Absent,
    /// It cannot be known, for this reason.
    Unknown(Cow<'static, str>),
}

/// What is known of the nodes that ran.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NodeFacts<'t> {
    /// All of them.
    Complete(&'t [NodeRun]),
    /// These ran, and perhaps others, for this reason.
    Partial(&'t [NodeRun], String),
    /// These ran, but events are missing since the answer broke off, for this reason: neither how often nor in which
    /// order is known.
    Gap(&'t [NodeRun], String),
    /// These ran, and this many steps of which Dify sends no event.
    Silent(&'t [NodeRun], SilentSteps),
    /// Nothing, for this reason.
    Unknown(Cow<'static, str>),
}

/// Steps of which no event came, because an iteration over an empty list sends none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SilentSteps {
    /// How many.
    pub(super) steps: u64,
    /// The counts, a clause.
    pub(super) why: String,
}

impl SilentSteps {
    /// Why a node of which no event came may have run.
    pub(super) fn doubt(&self) -> String {
        format!("{}, as of an iteration over an empty list", self.why)
    }
}
