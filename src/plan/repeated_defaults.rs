//! Defaults are part of each test that has them: how much that may come to.

use crate::plan::shared::MOST_SHARED;
use crate::suite::spec::{RunSpec, SuiteSpec, TestSpec};
use crate::yaml::node::{FilePosition, MapEntry, Node, NodeValue};
use crate::yaml::reader::Reader;

/// What the default inputs of a suite may take in all its tests, in bytes, however short the file is; its default files, too.
const FREE: usize = 32 << 20;
/// The same of its default assertions.
const FREE_OF_ASSERTIONS: usize = 128 << 20;
/// What each byte of the file adds to that.
const A_BYTE: usize = 500;
/// What a value takes besides its text.
const A_VALUE: usize = 128;
/// What an assertion takes in each test, where they share what it says.
const SHARED_ASSERTION: usize = 256;
/// How many times what is written an assertion takes that is compiled for each test.
const COMPILED: usize = 2;

/// Defaults of one kind.
struct RepeatedDefaults {
    /// In words.
    what: &'static str,
    /// The first of them.
    mark: Option<FilePosition>,
    /// What they take in one test, in bytes.
    size: usize,
    /// What they may take in all, however short the file is.
    free: usize,
}

/// The tests of a suite; `None` where its defaults are too large to be repeated for them, which is a problem.
pub(super) fn tests_within<'s>(reader: &mut Reader<'_>, suite: &'s SuiteSpec) -> &'s [TestSpec] {
    let count = suite.tests.iter().filter(|test| !test.skip_defaults).count();
    let added = suite.source.text.len().saturating_mul(A_BYTE);
    let mut fits = true;
    for RepeatedDefaults { what, mark, size, free } in kinds(&suite.defaults) {
        let Some(mark) = mark.filter(|_| size.saturating_mul(count) > free.saturating_add(added)) else {
            continue;
        };
        fits = false;
        reader.problem_with_help(
            mark,
            format!("the default {what} are too large to be repeated for {count} tests"),
            "give them only to the tests that need them, or write one test with a row for each (`each`)",
        );
    }
    if fits { &suite.tests } else { &[] }
}

fn kinds(defaults: &RunSpec) -> [RepeatedDefaults; 3] {
    let of_entries = |what, entries: &[MapEntry]| RepeatedDefaults {
        what,
        mark: entries.first().map(|entry| entry.mark),
        size: entries.iter().map(bytes_of_entry).sum(),
        free: FREE,
    };
    let assertions = &defaults.assertions;
    let is_shared = assertions.len() <= MOST_SHARED;
    let of_assertion = |node: &Node| match is_shared && !node.has_template() {
        true => SHARED_ASSERTION,
        false => COMPILED * bytes_of(node),
    };
    let of_assertions = RepeatedDefaults {
        what: "assertions",
        mark: assertions.first().map(|node| node.mark),
        size: assertions.iter().map(of_assertion).sum(),
        free: FREE_OF_ASSERTIONS,
    };
    [of_entries("inputs", &defaults.inputs), of_entries("files", &defaults.files), of_assertions]
}

fn bytes_of_entry(entry: &MapEntry) -> usize {
    entry.key.len() + bytes_of(&entry.value)
}

fn bytes_of(node: &Node) -> usize {
    let inside = match &node.value {
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) => 0,
        NodeValue::Text(text) => text.len(),
        NodeValue::List(items) => items.iter().map(bytes_of).sum(),
        NodeValue::Map(entries) => entries.iter().map(bytes_of_entry).sum(),
    };
    A_VALUE + inside
}
