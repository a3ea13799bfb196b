//! Reads mappings with known keys out of a node tree and collects every problem on the way.

use std::sync::Arc;
use std::time::Duration;

use crate::base::spelling::did_you_mean;
use crate::yaml::node::{FilePosition, MapEntry, Node, NodeValue, SourceText};
use crate::yaml::problem::Problem;

/// A value with the place it was written at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it is.
    pub mark: FilePosition,
}

/// Collects problems while the nodes of one file are read.
pub struct Reader<'a> {
    /// The file being read.
    pub source: Arc<SourceText>,
    /// Everything wrong so far, in all files.
    pub problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    /// Notes a problem at a mark.
    pub fn problem(&mut self, mark: FilePosition, message: impl Into<String>) {
        let place = self.source.place(mark);
        self.problems.push(Problem::new(place, message));
    }

    /// Notes a problem that knows its repair.
    pub fn problem_with_help(
        &mut self,
        mark: FilePosition,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let place = self.source.place(mark);
        self.problems.push(Problem::new(place, message).help(help));
    }

    /// The entries of a mapping, or a problem and none; keys not in `known` are problems ("did you mean").
    pub fn map<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> &'n [MapEntry] {
        let Some(entries) = node.as_map() else {
            self.problem(node.mark, format!("{what} must be a mapping, found {}", node.kind()));
            return &[];
        };
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                self.unknown_key(entry, what, known);
            }
        }
        entries
    }

    /// The keys of a whole file: those of `map`, `version` among them, and any that begin with `x-`, which are left to the user.
    pub fn file_map<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> &'n [MapEntry] {
        let Some(entries) = node.as_map() else { return self.map(node, what, known) };
        for entry in entries {
            if !known.contains(&entry.key.as_str()) && !entry.key.starts_with("x-") {
                self.unknown_key(entry, what, known);
            }
        }
        if node.get("version").is_none() {
            let start = FilePosition { line: 1, column: 1, width: 1 };
            let mark = entries.first().map_or(start, |first| first.mark);
            self.problem_with_help(
                mark,
                format!("{what} needs a `version`"),
                "begin the file with `version: 1`",
            );
        }
        entries
    }

    /// The entries of a mapping whose keys are not known; anything else is a problem.
    pub fn members(&mut self, node: Node, what: &str) -> Vec<MapEntry> {
        if node.as_map().is_none() {
            self.problem(node.mark, format!("{what} must be a mapping, found {}", node.kind()));
        }
        node.into_entries()
    }

    /// Notes an unknown key with the nearest known one, else all of them.
    pub fn unknown_key(&mut self, entry: &MapEntry, what: &str, known: &[&str]) {
        let message = format!("unknown key `{}` in {what}", entry.key);
        let help = did_you_mean(&entry.key, known.iter().copied())
            .unwrap_or_else(|| format!("known keys: {}", known.join(", ")));
        self.problem_with_help(entry.mark, message, help);
    }

    /// Text; a number or boolean is a problem that says to quote it.
    pub fn text(&mut self, node: &Node, what: &str) -> Option<Located<String>> {
        match &node.value {
            NodeValue::Text(text) => Some(Located { value: text.clone(), mark: node.mark }),
            NodeValue::Number(_) | NodeValue::Bool(_) => {
                let message = format!("{what} must be text, found {}", node.kind());
                self.problem_with_help(node.mark, message, "put it in quotes");
                None
            }
            NodeValue::Null | NodeValue::List(_) | NodeValue::Map(_) => {
                self.problem(node.mark, format!("{what} must be text, found {}", node.kind()));
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<Located<bool>> {
        if let NodeValue::Bool(flag) = &node.value {
            return Some(Located { value: *flag, mark: node.mark });
        }
        let message = format!("{what} must be `true` or `false`, found {}", node.kind());
        self.problem(node.mark, message);
        None
    }

    /// A list's items, or a problem and none.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match node.as_list() {
            Some(items) => items,
            None => {
                self.problem(node.mark, format!("{what} must be a list, found {}", node.kind()));
                &[]
            }
        }
    }

    /// A whole number from 0, as a number or a count such as `8k`.
    pub fn count(&mut self, node: &Node, what: &str) -> Option<Located<u64>> {
        self.parsed(node, what, crate::base::units::parse_count)
    }

    /// A duration such as `750ms`.
    pub fn duration(&mut self, node: &Node, what: &str) -> Option<Located<Duration>> {
        self.parsed(node, what, crate::base::units::parse_duration)
    }

    /// A scalar in the notation that `parse` reads; its error becomes the problem.
    pub fn parsed<T, E: std::fmt::Display>(
        &mut self,
        node: &Node,
        what: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Located<T>> {
        let text = match &node.value {
            NodeValue::Text(text) => text.clone(),
            NodeValue::Number(number) => number.to_string(),
            NodeValue::Null | NodeValue::Bool(_) | NodeValue::List(_) | NodeValue::Map(_) => {
                self.problem(node.mark, format!("{what} cannot be {}", node.kind()));
                return None;
            }
        };
        match parse(&text) {
            Ok(value) => Some(Located { value, mark: node.mark }),
            Err(error) => {
                self.problem(node.mark, format!("{what}: {error}"));
                None
            }
        }
    }

    /// One of the words in `choices`.
    pub fn choice<T: Copy>(&mut self, node: &Node, what: &str, choices: &[(&str, T)]) -> Option<Located<T>> {
        let text = self.text(node, what)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text.value) {
            return Some(Located { value: *value, mark: node.mark });
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let help = did_you_mean(&text.value, words.iter().copied())
            .unwrap_or_else(|| format!("one of: {}", words.join(", ")));
        self.problem_with_help(node.mark, format!("{what} cannot be `{}`", text.value), help);
        None
    }
}
