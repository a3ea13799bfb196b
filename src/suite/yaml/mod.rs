//! Bytes to a node tree: the only place that knows the YAML library, its options and its errors.
//!
//! What a document cannot be (duplicate keys, several documents, bottomless nesting, alias bombs, numbers beyond 64 bits)
//! becomes a problem at its place. Meaning is given by `reader`.

mod decode;
mod describe;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{AliasLimits, DuplicateKeyPolicy};
use serde_saphyr::{Error, Options, Spanned};

use crate::base::origin::Place;
use crate::suite::node::{Entry, Mark, Node, NodeValue, Source};
use crate::suite::problem::Problem;

pub use self::decode::decode;

use self::describe::{describe, mark_of};

/// The deepest nesting of lists and mappings.
const DEEPEST: usize = 128;
/// Stack of the reading thread: about 20 KiB a level in an unoptimised build.
const STACK: usize = 32 << 20;
/// The largest file that is read, in bytes.
pub const LARGEST: u64 = 256 << 20;

/// A file's text with its tree; the tree is missing where a problem forbids it.
pub struct Document {
    /// The text, for places.
    pub source: Arc<Source>,
    /// The tree.
    pub root: Option<Node>,
}

/// Reads a YAML file's bytes; everything wrong is added to `problems`.
pub fn parse_yaml(name: &str, bytes: Vec<u8>, problems: &mut Vec<Problem>) -> Document {
    let source = match decode(name, bytes) {
        Ok(source) => source,
        Err(problem) => {
            problems.push(*problem);
            return Document { source: Arc::new(Source::new(name, String::new())), root: None };
        }
    };
    let root = parse_text(&source, problems);
    Document { source: Arc::new(source), root }
}

fn parse_text(source: &Source, problems: &mut Vec<Problem>) -> Option<Node> {
    if is_blank(&source.text) {
        problems.push(Problem::new(Place::file(source.name.clone()), "the file is empty"));
        return None;
    }
    match deserialize(&source.text) {
        Ok(mut root) => {
            inspect(source, &mut root, problems);
            Some(root)
        }
        Err(error) => {
            problems.push(describe(source, &error));
            None
        }
    }
}

/// Builds the tree on a thread whose stack holds the deepest nesting allowed, whatever thread asks.
fn deserialize(text: &str) -> Result<Node, Error> {
    std::thread::scope(|scope| {
        let read = || serde_saphyr::from_str_with_options::<Node>(text, options());
        match std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read) {
            Ok(reader) => {
                reader.join().unwrap_or_else(|_| Err(serde::de::Error::custom("the YAML library panicked")))
            }
            Err(error) => Err(serde::de::Error::custom(format!("no thread to read it on: {error}"))),
        }
    })
}

fn is_blank(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .all(|line| line.is_empty() || line.starts_with('#') || line == "---" || line == "...")
}

fn options() -> Options {
    let aliases = AliasLimits::default();
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            flow_nesting_limit: DEEPEST,
            max_documents: 2,
            max_nodes: 10_000_000,
            max_events: 40_000_000,
            max_total_scalar_bytes: LARGEST as usize,
            max_aliases: 1_000_000,
            max_anchors: 1_000_000,
            max_merge_keys: 1_000_000,
            enforce_alias_anchor_ratio: false,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        alias_limits: aliases,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// Finds duplicate keys, which are then dropped, and whole numbers that a double has rounded.
fn inspect(source: &Source, node: &mut Node, problems: &mut Vec<Problem>) {
    match &mut node.value {
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Text(_) => {}
        NodeValue::Number(number) => {
            if number.is_f64() && number.as_f64().is_some_and(|float| float.abs() >= 9e18) {
                inspect_large(source, node.mark, problems);
            }
        }
        NodeValue::List(items) => items.iter_mut().for_each(|item| inspect(source, item, problems)),
        NodeValue::Map(entries) => {
            drop_duplicates(source, entries, problems);
            entries.iter_mut().for_each(|entry| inspect(source, &mut entry.value, problems));
        }
    }
}

fn inspect_large(source: &Source, mark: Mark, problems: &mut Vec<Problem>) {
    let line = source.line(mark.line);
    let shown: String = line.chars().skip(mark.column as usize - 1).take(mark.width as usize).collect();
    let digits = shown.trim().trim_start_matches(['-', '+']);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = "a whole number beyond 64 bits cannot be kept exactly";
        problems.push(Problem::new(source.place(mark), message).help("put it in quotes to send it as text"));
    }
}

fn drop_duplicates(source: &Source, entries: &mut Vec<Entry>, problems: &mut Vec<Problem>) {
    let mut first: HashMap<&str, Mark> = HashMap::new();
    let mut repeated = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        if let Some(earlier) = first.get(entry.key.as_str()) {
            let problem =
                Problem::new(source.place(entry.mark), format!("the key `{}` is given twice", entry.key));
            problems.push(problem.other(source.place(*earlier), "first given here"));
            repeated.push(index);
        } else {
            first.insert(&entry.key, entry.mark);
        }
    }
    for index in repeated.into_iter().rev() {
        entries.remove(index);
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<NodeValue>::deserialize(deserializer)?;
        let own = mark_of(spanned.defined);
        let mark = match &spanned.value {
            NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::Text(_) => own,
            NodeValue::List(_) => Mark { width: 0, ..own },
            NodeValue::Map(entries) => of_map(own, entries),
        };
        Ok(Self { mark, value: spanned.value })
    }
}

/// A mapping in block style begins at its first key and is shown as that.
fn of_map(own: Mark, entries: &[Entry]) -> Mark {
    match entries.first() {
        Some(first) if (first.mark.line, first.mark.column) == (own.line, own.column) => first.mark,
        Some(_) | None => Mark { width: 0, ..own },
    }
}

impl<'de> Deserialize<'de> for NodeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = NodeValue;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<NodeValue, E> {
        Ok(NodeValue::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<NodeValue, E> {
        Ok(NodeValue::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<NodeValue, E> {
        Ok(NodeValue::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<NodeValue, E> {
        Ok(NodeValue::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<NodeValue, E> {
        let number = serde_json::Number::from_f64(number).ok_or_else(|| E::custom("not a finite number"))?;
        Ok(NodeValue::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<NodeValue, E> {
        Ok(NodeValue::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<NodeValue, E> {
        Ok(NodeValue::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<NodeValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        items.shrink_to_fit();
        Ok(NodeValue::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NodeValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let value = map.next_value()?;
            entries.push(Entry { key: key.value, mark: mark_of(key.defined), value });
        }
        entries.shrink_to_fit();
        Ok(NodeValue::Map(entries))
    }
}

#[cfg(test)]
mod tests;
