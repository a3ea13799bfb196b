//! A YAML document as a tree in which every key and value knows its place.
//!
//! Nothing here knows what a suite is; `reader` gives the tree its meaning.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::{Map, Value};

use crate::base::lock::lock;
use crate::base::origin::Place;
use crate::yaml::columns::Columns;
use crate::yaml::excerpt::{cut_line, flow_width};
use crate::yaml::secret_lines::{KnownSecrets, keyed_lines, masked_line, masked_text};

/// Where a node is in its file: line and column from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FilePosition {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Characters covered on that line; 0 for a list or mapping, whose end on the line is looked for when it is shown.
    pub width: u32,
}

/// A key or value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it is.
    pub mark: FilePosition,
    /// What it is.
    pub value: NodeValue,
}

/// What a node holds; numbers keep their exact 64-bit value.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeValue {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole or fractional number.
    Number(serde_json::Number),
    /// Text, quoted or not.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written; keys are unique.
    Map(Vec<MapEntry>),
}

/// One key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct MapEntry {
    /// The key's text.
    pub key: String,
    /// Where the key is.
    pub mark: FilePosition,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// The node as plain JSON, places dropped.
    pub fn to_json(&self) -> Value {
        match &self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(flag) => Value::Bool(*flag),
            NodeValue::Number(number) => Value::Number(number.clone()),
            NodeValue::Text(text) => Value::String(text.clone()),
            NodeValue::List(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            NodeValue::Map(entries) => {
                let pairs = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    /// What kind of value it is, with its article: "a list".
    pub fn kind(&self) -> &'static str {
        match &self.value {
            NodeValue::Null => "null",
            NodeValue::Bool(_) => "a boolean",
            NodeValue::Number(_) => "a number",
            NodeValue::Text(_) => "text",
            NodeValue::List(_) => "a list",
            NodeValue::Map(_) => "a mapping",
        }
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            NodeValue::Null
            | NodeValue::Bool(_)
            | NodeValue::Number(_)
            | NodeValue::List(_)
            | NodeValue::Map(_) => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn as_map(&self) -> Option<&[MapEntry]> {
        match &self.value {
            NodeValue::Map(entries) => Some(entries),
            NodeValue::Null
            | NodeValue::Bool(_)
            | NodeValue::Number(_)
            | NodeValue::Text(_)
            | NodeValue::List(_) => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            NodeValue::List(items) => Some(items),
            NodeValue::Null
            | NodeValue::Bool(_)
            | NodeValue::Number(_)
            | NodeValue::Text(_)
            | NodeValue::Map(_) => None,
        }
    }

    /// The entries of a mapping, taken out of it; `None` of any other value.
    pub fn into_entries(self) -> Vec<MapEntry> {
        match self.value {
            NodeValue::Map(entries) => entries,
            NodeValue::Null
            | NodeValue::Bool(_)
            | NodeValue::Number(_)
            | NodeValue::Text(_)
            | NodeValue::List(_) => Vec::new(),
        }
    }

    /// The items of a list, taken out of it; `None` of any other value.
    pub fn into_items(self) -> Vec<Node> {
        match self.value {
            NodeValue::List(items) => items,
            NodeValue::Null
            | NodeValue::Bool(_)
            | NodeValue::Number(_)
            | NodeValue::Text(_)
            | NodeValue::Map(_) => Vec::new(),
        }
    }

    /// The value under `key`, if it is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// True when a text in it holds a template, so that the value is known only once it is rendered.
    pub fn has_template(&self) -> bool {
        match &self.value {
            NodeValue::Text(text) => text.contains("{{"),
            NodeValue::List(items) => items.iter().any(Node::has_template),
            NodeValue::Map(entries) => entries.iter().any(|entry| entry.value.has_template()),
            NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) => false,
        }
    }
}

/// A file's text, with what is needed to show a line of it.
#[derive(Debug)]
pub struct SourceText {
    /// The file as the user named it, relative to the project root where possible.
    pub name: Arc<str>,
    /// The whole text, without a byte order mark.
    pub text: String,
    line_starts: Vec<u32>,
    excerpts: Excerpts,
    /// Texts that are starred out wherever they are.
    secrets: Vec<String>,
    /// The lines that hold a key of secrets, once a line is asked for.
    keyed: OnceLock<Vec<u32>>,
    /// Where columns are, once one is asked for.
    columns: OnceLock<Columns>,
    /// What was shown of long lines, by their numbers: a file may be one line that is asked for everywhere.
    shown: Mutex<HashMap<u32, Arc<str>>>,
}

/// Whether the lines of a file may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excerpts {
    /// They may.
    Shown,
    /// They may not: the file lies outside the project.
    Hidden,
}

impl SourceText {
    /// Indexes the lines of `text`.
    pub fn new(name: impl Into<Arc<str>>, text: String) -> Self {
        let mut line_starts = vec![0];
        line_starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1));
        let (name, secrets, keyed) = (name.into(), Vec::new(), OnceLock::new());
        let (columns, shown) = (OnceLock::new(), Mutex::default());
        Self { name, text, line_starts, excerpts: Excerpts::Shown, secrets, keyed, columns, shown }
    }

    /// The same file, with texts that its lines do not show.
    #[must_use]
    pub fn without_secrets(self, secrets: Vec<String>) -> Self {
        Self { secrets, shown: Mutex::default(), ..self }
    }

    fn known(&self) -> KnownSecrets<'_> {
        let keyed = self.keyed.get_or_init(|| keyed_lines(&self.text));
        KnownSecrets { keyed, secrets: &self.secrets }
    }

    /// A message that quotes none of them.
    pub fn masked(&self, message: &str) -> String {
        masked_text(message, &self.secrets)
    }

    /// The same file, its lines shown or not.
    #[must_use]
    pub fn with_excerpts(self, excerpts: Excerpts) -> Self {
        Self { excerpts, ..self }
    }

    /// The line with this number (from 1), without its end; empty when there is none.
    pub fn line(&self, number: u32) -> &str {
        let Some(index) = (number as usize).checked_sub(1) else { return "" };
        let Some(&start) = self.line_starts.get(index) else { return "" };
        let end = self.line_starts.get(index + 1).map_or(self.text.len(), |next| *next as usize);
        self.text[start as usize..end].trim_end_matches(['\r', '\n'])
    }

    /// The place of a mark, with its source line.
    pub fn place(&self, mark: FilePosition) -> Place {
        let excerpt = self.excerpt(mark.line);
        let width = match mark.width {
            0 => flow_width(&excerpt, mark.column),
            known => known,
        };
        Place {
            file: self.name.clone(),
            line: mark.line,
            column: mark.column,
            width,
            excerpt: match self.excerpts {
                Excerpts::Shown => excerpt,
                Excerpts::Hidden => Arc::from(""),
            },
        }
    }

    /// The beginning of a line, its secrets starred out.
    fn excerpt(&self, number: u32) -> Arc<str> {
        let make = || {
            let masked = masked_line(number, &|number| self.line(number), self.known());
            Arc::from(cut_line(&masked))
        };
        if self.line(number).len() <= SHOWN {
            return make();
        }
        let known = |shown: &HashMap<u32, Arc<str>>| shown.get(&number).cloned();
        if let Some(excerpt) = known(&lock(&self.shown)) {
            return excerpt;
        }
        let excerpt: Arc<str> = make();
        lock(&self.shown).insert(number, excerpt.clone());
        excerpt
    }

    /// What is on a mark's line before it.
    pub fn before(&self, mark: FilePosition) -> &str {
        let line = self.line(mark.line);
        &line[..line.len() - self.from(mark).len()]
    }

    /// What is on a mark's line from it on; found in the same time wherever on a line it is.
    pub fn from(&self, mark: FilePosition) -> &str {
        let line = self.line(mark.line);
        let Some(index) = (mark.line as usize).checked_sub(1) else { return "" };
        let Some(&start) = self.line_starts.get(index) else { return "" };
        let columns = self.columns.get_or_init(|| Columns::of(&self.text, &self.line_starts));
        let at = columns.byte(&self.text, index, mark.column.saturating_sub(1) as usize);
        line.get(at.saturating_sub(start as usize)..).unwrap_or_default()
    }
}

/// The most bytes of a line that is masked anew each time.
const SHOWN: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the characters are, and wherever a line ends.
    #[test]
    fn a_mark_is_found_by_characters() {
        let wide = "x: [ä, 1, \u{1f600}, 2]\r\n\ny: 3\n".repeat(60);
        for text in ["", "a", "a: 1\nb: 22", "é", "\né\n", &wide, &"ß1, ".repeat(500), &"k: 1, ".repeat(500)]
        {
            let source = SourceText::new("a.yaml", text.to_owned());
            for (number, line) in (1..).zip(text.split('\n')) {
                let line = line.trim_end_matches('\r');
                for column in 0..=line.chars().count() {
                    let mark = FilePosition { line: number, column: column as u32 + 1, width: 1 };
                    assert_eq!(source.before(mark), line.chars().take(column).collect::<String>());
                    assert_eq!(source.from(mark), line.chars().skip(column).collect::<String>());
                }
            }
            for (line, column) in [(0, 1), (1, 9_999), (9_999, 1), (1, 0)] {
                let mark = FilePosition { line, column, width: 1 };
                assert!(source.from(mark).len() <= source.line(line).len());
            }
        }
    }

    #[test]
    fn a_long_line_is_masked_once() {
        let text = format!("api_key: abcdefgh{}", " x".repeat(500));
        let source = SourceText::new("a.yaml", text);
        let place = |column| source.place(FilePosition { line: 1, column, width: 1 }).excerpt;
        assert!(Arc::ptr_eq(&place(1), &place(900)) && !place(1).contains("abcdefgh"));
        let source = source.without_secrets(vec!["x x x".to_owned()]);
        assert!(!source.place(FilePosition { line: 1, column: 1, width: 1 }).excerpt.contains("x x x"));
    }

    #[test]
    fn a_list_or_mapping_is_underlined_up_to_its_end_on_the_line() {
        let shown = |text: &str, column: u32| {
            let place =
                SourceText::new("a.yaml", text.to_owned()).place(FilePosition { line: 1, column, width: 0 });
            place.excerpt.chars().skip(column as usize - 1).take(place.width as usize).collect::<String>()
        };
        assert_eq!(shown("- { a: [1, 2], b: '}', c: don't } # }", 3), "{ a: [1, 2], b: '}', c: don't }");
        assert_eq!(shown("- { a: [1, 2], b: 3 }", 8), "[1, 2]");
        assert_eq!(shown(r#"x: { "a\"}": 1 } }"#, 4), r#"{ "a\"}": 1 }"#);
        assert_eq!(shown("x: [ä, # the rest follows", 4), "[ä,");
        assert_eq!(shown(r"x: [ 'a\', '}''{', b ] ]", 4), r"[ 'a\', '}''{', b ]");
        assert_eq!(shown("- - a", 3), "-");
        assert_eq!(shown("x", 9), "");
        let long = format!("[{}]", "a, ".repeat(1_000));
        assert_eq!(shown(&long, 1).chars().count(), 399, "the excerpt ends there, in a space");
    }
}
