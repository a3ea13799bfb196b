//! What is kept of a run: verdicts, attempts, events, the journal, thresholds and comparisons.

pub(crate) mod attempt;
pub(crate) mod compare;
pub(crate) mod event;
pub(crate) mod journal;
pub(crate) mod thresholds;
pub(crate) mod verdict;
