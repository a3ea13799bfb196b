//! Default inputs are part of each test that has them: how much that may come to.

use crate::suite::spec::{SuiteSpec, TestSpec};
use crate::yaml::node::{Node, NodeValue};
use crate::yaml::reader::Reader;

/// What the default inputs of a suite may take in all its tests, in bytes, however short the file is.
const FREE: usize = 32 << 20;
/// What each byte of the file adds to that.
const A_BYTE: usize = 500;
/// What a value takes besides its text.
const A_VALUE: usize = 128;

/// The tests of a suite; none where its default inputs are too large to be repeated for them, which is a problem.
pub(super) fn tests_within<'s>(reader: &mut Reader<'_>, suite: &'s SuiteSpec) -> &'s [TestSpec] {
    let inputs = &suite.defaults.inputs;
    let size: usize = inputs.iter().map(|entry| entry.key.len() + bytes_of(&entry.value)).sum();
    let room = FREE.saturating_add(suite.source.text.len().saturating_mul(A_BYTE));
    let count = suite.tests.iter().filter(|test| !test.skip_defaults).count();
    let Some(first) = inputs.first().filter(|_| size.saturating_mul(count) > room) else {
        return &suite.tests;
    };
    reader.problem_with_help(
        first.mark,
        format!("the default inputs are too large to be repeated for {count} tests"),
        "give them only to the tests that need them, or write one test with a row for each (`each`)",
    );
    &[]
}

fn bytes_of(node: &Node) -> usize {
    let inside = match &node.value {
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) => 0,
        NodeValue::Text(text) => text.len(),
        NodeValue::List(items) => items.iter().map(bytes_of).sum(),
        NodeValue::Map(entries) => entries.iter().map(|entry| entry.key.len() + bytes_of(&entry.value)).sum(),
    };
    A_VALUE + inside
}
