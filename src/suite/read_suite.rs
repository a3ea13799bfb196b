//! From a document to a suite as written: the keys of the file itself.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::spelling::did_you_mean;
use crate::suite::data::{ReadState, TestContext};
use crate::suite::grounds::SuiteFolder;
use crate::suite::keys::format_key::names;
use crate::suite::keys::of_suite::{DEFAULTS, SUITE};
use crate::suite::read_budget::{BudgetOf, read_budget};
use crate::suite::read_thresholds::read_thresholds;
use crate::suite::spec::{RunSpec, SuiteSpec, TestSpec, UsageSpec};
use crate::suite::test_count::TestCount;
use crate::suite::test_reader::{read_run_key, read_test};
use crate::yaml::node::{FilePosition, MapEntry, Node};
use crate::yaml::reader::{Located, Reader};

/// The words of `usage`.
pub const USAGE_WORDS: [(&str, UsageSpec); 2] = [("audit", UsageSpec::Audit), ("trust", UsageSpec::Trust)];

/// What a suite is read with, besides its nodes.
pub struct SuiteFile {
    /// Where its paths may go.
    pub grounds: SuiteFolder,
    /// Its name where it gives none.
    pub default_name: String,
    /// The tests counted so far, in all suites.
    pub count: Arc<TestCount>,
}

/// Reads a suite; what is wrong with it is noted in the reader.
pub fn read_suite(reader: &mut Reader<'_>, root: Node, file: SuiteFile) -> SuiteSpec {
    let mark = root.mark;
    reader.file_map(&root, "a suite", &names(&SUITE));
    let is_map = root.as_map().is_some();
    let count = file.count.clone();
    let mut suite = empty_suite(reader, file);
    let mut has_tests = false;
    for MapEntry { key, value, .. } in root.into_entries() {
        match key.as_str() {
            "version" => read_version(reader, &value),
            "name" => suite.name = reader.name(&value, "the suite's name").unwrap_or(suite.name),
            "app" => suite.app = reader.filled_text(&value, "`app`"),
            "description" => suite.description = reader.text(&value, "`description`").map(|text| text.value),
            "tags" => suite.tags = reader.tags(&value),
            "vars" => {
                suite.vars_read = if value.as_map().is_some() { ReadState::Read } else { ReadState::Unread };
                suite.vars = read_vars(reader, value);
            }
            "usage" => suite.usage = reader.choice(&value, "`usage`", &USAGE_WORDS).map(|usage| usage.value),
            "defaults" => suite.defaults = read_defaults(reader, value),
            "mock" => suite.mock = Some(value),
            "tests" => {
                has_tests = true;
                suite.tests =
                    read_tests(reader, value, &TestContext { grounds: &suite.grounds, count: &count });
            }
            "thresholds" => suite.thresholds = read_thresholds(reader, &value),
            "budget" => suite.budget = Some(read_budget(reader, &value, BudgetOf::Suite)),
            _ => {}
        }
    }
    if is_map && !has_tests {
        reader.problem_with_help(
            mark,
            "a suite without `tests` tests nothing",
            "add `tests:` with a list of tests",
        );
    }
    suite
}

fn empty_suite(reader: &Reader<'_>, file: SuiteFile) -> SuiteSpec {
    SuiteSpec {
        source: reader.source.clone(),
        grounds: file.grounds,
        name: Located { value: file.default_name, mark: FilePosition { line: 1, column: 1, width: 1 } },
        app: None,
        description: None,
        tags: Vec::new(),
        vars: Vec::new(),
        vars_read: ReadState::Read,
        usage: None,
        defaults: RunSpec::default(),
        budget: None,
        thresholds: Vec::new(),
        mock: None,
        tests: Vec::new(),
        problems: 0,
    }
}

/// Checks `version`: this flowproof knows 1.
pub fn read_version(reader: &mut Reader<'_>, node: &Node) {
    if node.to_json() != serde_json::json!(1) {
        let message = format!("version {} is not known to this flowproof", node.to_json());
        reader.problem_with_help(node.mark, message, "write `version: 1`");
    }
}

fn read_vars(reader: &mut Reader<'_>, node: Node) -> Vec<MapEntry> {
    if node.as_map().is_none() {
        reader.problem(node.mark, format!("`vars` must be a mapping, found {}", node.kind()));
    }
    let entries = node.into_entries();
    for entry in &entries {
        if !is_identifier(&entry.key) {
            let message = format!("`vars.{}` cannot be named in a template", entry.key);
            reader.problem_with_help(
                entry.mark,
                message,
                "use letters, digits and `_`, not beginning with a digit",
            );
        }
    }
    entries
}

fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|c| c.is_alphanumeric() || c == '_')
}

fn read_defaults(reader: &mut Reader<'_>, node: Node) -> RunSpec {
    reader.map(&node, "`defaults`", &names(&DEFAULTS));
    let mut run = RunSpec::default();
    for entry in node.into_entries() {
        read_run_key(reader, entry, &mut run);
    }
    run
}

fn read_tests(reader: &mut Reader<'_>, node: Node, around: &TestContext<'_>) -> Vec<TestSpec> {
    if reader.list(&node, "`tests`").is_empty() && node.as_list().is_some() {
        reader.problem(node.mark, "a suite without tests tests nothing");
    }
    if !around.count.add_all(reader, &node) {
        return Vec::new();
    }
    let mut tests: Vec<TestSpec> = Vec::new();
    let mut names: HashMap<String, FilePosition> = HashMap::new();
    for item in node.into_items() {
        let Some(test) = read_test(reader, item, around) else { continue };
        if let Some(first) = names.get(&test.name.value) {
            let message = format!("two tests are named `{}`", test.name.value);
            reader.problem_with_other(
                test.name.mark,
                message,
                Located { value: "first used here", mark: *first },
            );
        } else {
            names.insert(test.name.value.clone(), test.name.mark);
        }
        tests.push(test);
    }
    tests
}

impl Reader<'_> {
    /// Notes a problem that belongs to two places of the file.
    pub fn problem_with_other(&mut self, mark: FilePosition, message: String, other: Located<&str>) {
        self.problem(mark, message);
        let place = self.source.place(other.mark);
        if let Some(problem) = self.problems.last_mut() {
            problem.others.push((place, other.value.to_owned()));
        }
    }

    /// Text that is more than blanks.
    pub fn filled_text(&mut self, node: &Node, what: &str) -> Option<Located<String>> {
        let text = self.text(node, what)?;
        if text.value.trim().is_empty() {
            self.problem(node.mark, format!("{what} is empty"));
            return None;
        }
        Some(text)
    }

    /// A name: trimmed, without `::`, control characters and a leading `-`.
    pub fn name(&mut self, node: &Node, what: &str) -> Option<Located<String>> {
        let text = self.filled_text(node, what)?;
        let name = text.value.trim();
        let wrong = if name.contains("::") {
            "may not hold `::`"
        } else if name.chars().any(char::is_control) {
            "may not hold control characters"
        } else if name.starts_with('-') {
            "may not begin with `-`"
        } else {
            return Some(Located { value: name.to_owned(), mark: text.mark });
        };
        self.problem(node.mark, format!("{what} {wrong}"));
        None
    }

    /// A list of tags: texts without blanks around them, each once.
    pub fn tags(&mut self, node: &Node) -> Vec<Located<String>> {
        let mut tags: Vec<Located<String>> = Vec::new();
        for item in self.list(node, "`tags`") {
            let Some(tag) = self.name(item, "a tag") else { continue };
            if !tags.iter().any(|earlier| earlier.value == tag.value) {
                tags.push(tag);
            }
        }
        tags
    }

    /// The nearest of some names as help.
    pub fn did_you_mean(word: &str, names: &[&str]) -> Option<String> {
        did_you_mean(word, names.iter().copied())
    }
}
