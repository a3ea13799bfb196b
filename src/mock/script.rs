//! What the mock answers, compiled from the suites' `mock` keys.

/// The replies of one test, cycled over its repeats.
#[derive(Debug)]
pub struct Script {}

/// A suite-level answer: `when` these inputs come, this reply.
#[derive(Debug)]
pub struct Rule {}
