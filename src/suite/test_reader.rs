//! From a node to a test as written, and the keys it shares with `defaults`.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::suite::data::{TestContext, read_each, read_matrix};
use crate::suite::keys::format_key::names;
use crate::suite::keys::of_suite::{RETRIES, TEST};
use crate::suite::read_answer::read_answers;
use crate::suite::read_repeat::read_repeat_key;
use crate::suite::spec::{ModeSpec, RetriesSpec, RunSpec, TestSpec};
use crate::yaml::node::{MapEntry, Node, NodeValue};
use crate::yaml::reader::Reader;

/// The most retries.
const MOST_RETRIES: u64 = 100;

/// Reads a test; without a name it cannot be distinguished and is left out.
pub fn read_test(reader: &mut Reader<'_>, node: Node, around: &TestContext<'_>) -> Option<TestSpec> {
    let mark = node.mark;
    reader.map(&node, "a test", &names(&TEST));
    node.as_map()?;
    let Some(name) = node.get("name") else {
        reader.problem_with_help(mark, "a test needs a `name`", "names appear in reports and filters");
        return None;
    };
    let name = reader.name(name, "a test's name")?;
    if let (Some(_), Some(matrix)) = (node.get("each"), node.get("matrix")) {
        reader.problem(matrix.mark, "a test has rows from `each` or from `matrix`, not from both");
    }
    let mut test = TestSpec {
        name,
        tags: Vec::new(),
        skip: None,
        only: None,
        skip_defaults: false,
        rows: None,
        run: RunSpec::default(),
        answers: Vec::new(),
        mock: None,
    };
    for entry in node.into_entries() {
        read_test_key(reader, entry, &mut test, around);
    }
    Some(test)
}

fn read_test_key(reader: &mut Reader<'_>, entry: MapEntry, test: &mut TestSpec, around: &TestContext<'_>) {
    let value = &entry.value;
    match entry.key.as_str() {
        "description" => drop(reader.text(value, "`description`")),
        "tags" => test.tags = reader.tags(value),
        "skip" => test.skip = read_skip(reader, value),
        "only" => {
            let only = reader.boolean(value, "`only`");
            test.only = only.filter(|only| only.value).map(|_| entry.mark);
        }
        "skip_defaults" => {
            test.skip_defaults = reader.boolean(value, "`skip_defaults`").is_some_and(|skip| skip.value)
        }
        "each" => test.rows = Some(read_each(reader, value, around)),
        "matrix" => test.rows = Some(read_matrix(reader, value)),
        "human_input" => test.answers = read_answers(reader, entry.value),
        "mock" => test.mock = Some(entry.value),
        _ => read_run_key(reader, entry, &mut test.run),
    }
}

fn read_skip(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    if let NodeValue::Bool(_) = node.value {
        reader.problem_with_help(node.mark, "`skip` must be the reason", "write `skip: \"why\"`");
        return None;
    }
    reader.filled_text(node, "`skip`").map(|reason| reason.value)
}

/// Reads one key that a test and `defaults` share; other keys were judged already.
pub fn read_run_key(reader: &mut Reader<'_>, entry: MapEntry, run: &mut RunSpec) {
    let MapEntry { key, mark, value } = entry;
    match key.as_str() {
        "inputs" => run.inputs = reader.members(value, "`inputs`"),
        "files" => run.files = reader.members(value, "`files`"),
        "user" => {
            run.user = reader.filled_text(&value, "`user`").map(|_| value);
        }
        "response_mode" => {
            let words = [("streaming", ModeSpec::Streaming), ("blocking", ModeSpec::Blocking)];
            run.mode = reader.choice(&value, "`response_mode`", &words).map(|mode| mode.value);
        }
        "timeout" => run.timeout = reader.positive_duration(&value, "`timeout`"),
        "retries" => run.retries = read_retries(reader, &value),
        "repeat" | "pass_rate" | "fail_below" | "confidence" | "on_inconclusive" => {
            read_repeat_key(reader, &MapEntry { key, mark, value }, run)
        }
        "assert" => {
            reader.list(&value, "`assert`");
            run.assertions = value.into_items();
        }
        _ => {}
    }
}

/// Reads `retries`: a number, or a mapping of some of its keys.
pub fn read_retries(reader: &mut Reader<'_>, node: &Node) -> RetriesSpec {
    let mut retries = RetriesSpec::default();
    if node.as_map().is_none() {
        retries.count = reader.bounded(node, "`retries`", 0..=MOST_RETRIES);
        return retries;
    }
    for entry in reader.map(node, "`retries`", &names(&RETRIES)) {
        let value = &entry.value;
        match entry.key.as_str() {
            "count" => retries.count = reader.bounded(value, "`retries.count`", 0..=MOST_RETRIES),
            "delay" => retries.delay = reader.duration(value, "`retries.delay`").map(|delay| delay.value),
            "max_delay" => {
                retries.max_delay = reader.duration(value, "`retries.max_delay`").map(|delay| delay.value)
            }
            "jitter" => retries.jitter = reader.boolean(value, "`retries.jitter`").map(|flag| flag.value),
            "resend" => retries.resend = reader.boolean(value, "`retries.resend`").map(|flag| flag.value),
            _ => {}
        }
    }
    retries
}

impl Reader<'_> {
    /// A whole number between two bounds.
    pub fn bounded(&mut self, node: &Node, what: &str, bounds: RangeInclusive<u64>) -> Option<u32> {
        let count = self.count(node, what)?.value;
        if bounds.contains(&count) {
            return u32::try_from(count).ok();
        }
        let (least, most) = bounds.into_inner();
        self.problem(node.mark, format!("{what} must lie between {least} and {most}"));
        None
    }

    /// A duration above zero.
    pub fn positive_duration(&mut self, node: &Node, what: &str) -> Option<Duration> {
        let duration = self.duration(node, what)?.value;
        if duration.is_zero() {
            self.problem(node.mark, format!("{what} must be more than zero"));
            return None;
        }
        Some(duration)
    }
}
