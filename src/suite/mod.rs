//! Suites and the project file as written: every value knows its place, every problem is collected.

pub(crate) mod names;
pub(crate) mod node;
pub(crate) mod problem;
pub(crate) mod reader;
pub(crate) mod yaml;
