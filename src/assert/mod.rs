//! What is judged: checks, snapshots and the questions to judges.

pub(crate) mod check;
pub(crate) mod judge;
pub(crate) mod snapshot;
