//! Bytes to a node tree: the only place that knows the YAML library, its options and its errors.
//!
//! What a document cannot be (duplicate keys, several documents, bottomless nesting, alias bombs, numbers that JSON cannot
//! hold, binary data) becomes a problem at its place. Meaning is given by `reader`.

mod decode;
mod describe;
mod merge;
mod spelling;
mod visit;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Number;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Options};

use crate::base::json_number::read_number;
use crate::base::origin::Place;
use crate::yaml::node::{Excerpts, FilePosition, MapEntry, Node, NodeValue, SourceText};
use crate::yaml::problem::{OF_MACHINE, Problem};
use crate::yaml::secret_lines::secrets_of;

pub use self::decode::{decode, decode_sheet};

use self::describe::describe;

/// The deepest nesting of lists and mappings.
const DEEPEST: usize = 128;
/// Stack of the reading thread: about 20 KiB a level in an unoptimised build.
const STACK: usize = 32 << 20;
/// Stands for infinities and what is no number until `inspect` refuses them at their place.
const STAND_IN: f64 = f64::MAX;
/// The largest file that is read, in bytes.
pub const LARGEST: u64 = 256 << 20;

/// The bytes of text that aliases and merge keys may repeat, however short the file is.
const FEWEST_BYTES: usize = 16 << 20;
/// Values that aliases and merge keys may repeat, however short the file is; one more for each byte of a longer file.
const FEWEST_REPLAYED: usize = 200_000;
/// The most values that they may repeat.
const MOST_REPLAYED: usize = 1_000_000;

/// A file's text with its tree; the tree is missing where a problem forbids it.
pub struct YamlDocument {
    /// The text, for places.
    pub source: Arc<SourceText>,
    /// The tree.
    pub root: Option<Node>,
}

/// Reads a YAML file's bytes; everything wrong is added to `problems`.
pub fn parse_yaml(name: &str, bytes: Vec<u8>, problems: &mut Vec<Problem>) -> YamlDocument {
    parse_yaml_from(name, bytes, Excerpts::Shown, problems)
}

/// The same, for a file whose lines may be shown or not.
pub fn parse_yaml_from(
    name: &str,
    bytes: Vec<u8>,
    excerpts: Excerpts,
    problems: &mut Vec<Problem>,
) -> YamlDocument {
    let source = match decode(name, bytes) {
        Ok(source) => source.with_excerpts(excerpts),
        Err(mut problem) => {
            if excerpts == Excerpts::Hidden {
                problem.place.excerpt = Arc::from("");
            }
            problems.push(*problem);
            return YamlDocument { source: Arc::new(SourceText::new(name, String::new())), root: None };
        }
    };
    let before = problems.len();
    let root = parse_text(&source, problems);
    let secrets = root.as_ref().map(secrets_of).unwrap_or_default();
    let source = source.without_secrets(secrets);
    for problem in &mut problems[before..] {
        problem.message = source.masked(&problem.message);
        problem.place.excerpt = Arc::from(source.masked(&problem.place.excerpt));
    }
    YamlDocument { source: Arc::new(source), root }
}

fn parse_text(source: &SourceText, problems: &mut Vec<Problem>) -> Option<Node> {
    if is_blank(&source.text) {
        problems.push(Problem::new(Place::file(source.name.clone()), "the file is empty"));
        return None;
    }
    match deserialize(&source.text, ParsePass::Values) {
        Ok(mut root) => {
            if ["!binary", ":binary"].iter().any(|tag| source.text.contains(tag)) {
                refuse_binary(source, &root, problems);
            }
            merge::refuse_repeated(source, problems);
            inspect(source, &mut root, problems);
            Some(root)
        }
        Err(error) => {
            problems.push(describe(source, &error));
            None
        }
    }
}

/// What a document is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ParsePass {
    /// Its values: merge keys are carried out, a text with the tag `!!binary` stays the Base64 that it is.
    Values,
    /// The same with such texts decoded.
    BinaryDecoded,
    /// Its keys, `<<` among them.
    MergeKeysAsWritten,
}

/// Binary data is no value of a suite; what was tagged as such is what decoding changes.
fn refuse_binary(source: &SourceText, root: &Node, problems: &mut Vec<Problem>) {
    match deserialize(&source.text, ParsePass::BinaryDecoded) {
        Ok(decoded) => find_changed(source, (root, &decoded), problems),
        Err(error) => problems.push(describe(source, &error)),
    }
}

fn find_changed(source: &SourceText, (written, decoded): (&Node, &Node), problems: &mut Vec<Problem>) {
    let mut refuse = |mark| {
        let problem = Problem::new(source.place(mark), "binary data is no value of a suite");
        problems.push(problem.help("give files under `files`"));
    };
    match (&written.value, &decoded.value) {
        (NodeValue::Text(text), NodeValue::Text(other)) if text != other => refuse(written.mark),
        (NodeValue::List(items), NodeValue::List(others)) => {
            items.iter().zip(others).for_each(|pair| find_changed(source, pair, problems));
        }
        (NodeValue::Map(entries), NodeValue::Map(others)) => {
            for (entry, other) in entries.iter().zip(others) {
                if entry.key != other.key {
                    let problem = Problem::new(source.place(entry.mark), "binary data is no key of a suite");
                    problems.push(problem.help("write it as text"));
                }
                find_changed(source, (&entry.value, &other.value), problems);
            }
        }
        (
            NodeValue::Null
            | NodeValue::Bool(_)
            | NodeValue::Number(_)
            | NodeValue::Text(_)
            | NodeValue::List(_)
            | NodeValue::Map(_),
            _,
        ) => {}
    }
}

/// Builds the tree on a thread whose stack holds the deepest nesting allowed, whatever thread asks.
fn deserialize(text: &str, pass: ParsePass) -> Result<Node, Error> {
    std::thread::scope(|scope| {
        let read = || serde_saphyr::from_str_with_options::<Node>(text, options(pass, text.len()));
        match std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read) {
            Ok(reader) => {
                reader.join().unwrap_or_else(|_| Err(serde::de::Error::custom("the YAML library panicked")))
            }
            Err(error) => Err(serde::de::Error::custom(format!("{OF_MACHINE}: {error}"))),
        }
    })
}

fn is_blank(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .all(|line| line.is_empty() || line.starts_with('#') || line == "---" || line == "...")
}

fn options(pass: ParsePass, length: usize) -> Options {
    let max_total_replayed_events = length.clamp(FEWEST_REPLAYED, MOST_REPLAYED);
    let aliases = serde_saphyr::alias_limits! { max_total_replayed_events: max_total_replayed_events };
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            flow_nesting_limit: DEEPEST,
            max_documents: 2,
            max_nodes: 10_000_000,
            max_events: 40_000_000,
            max_total_scalar_bytes: length.saturating_mul(2).saturating_add(FEWEST_BYTES),
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
        ignore_binary_tag_for_string: pass != ParsePass::BinaryDecoded,
        merge_keys: match pass {
            ParsePass::Values | ParsePass::BinaryDecoded => MergeKeyPolicy::Merge,
            ParsePass::MergeKeysAsWritten => MergeKeyPolicy::AsOrdinary,
        },
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

/// Finds duplicate keys, which are then dropped, and numbers that JSON does not have; what YAML 1.2 does not spell as a number
/// becomes the text that it is, and what a double rounds the number that is written.
fn inspect(source: &SourceText, node: &mut Node, problems: &mut Vec<Problem>) {
    match &mut node.value {
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Text(_) => {}
        NodeValue::Number(number) => {
            let text = spelling::plain_text(source, node.mark);
            if let Some(text) = text.filter(|text| !spelling::is_number(text)) {
                node.value = NodeValue::Text(text);
            } else if !number.is_i64() && !number.is_u64() {
                match read_exactly(&spelling::bare_text(source, node.mark)) {
                    Ok(number) => node.value = NodeValue::Number(number),
                    Err(message) => {
                        let problem = Problem::new(source.place(node.mark), message);
                        problems.push(problem.help("put it in quotes if it is text"));
                    }
                }
            }
        }
        NodeValue::List(items) => items.iter_mut().for_each(|item| inspect(source, item, problems)),
        NodeValue::Map(entries) => {
            drop_duplicates(source, entries, problems);
            entries.iter_mut().for_each(|entry| inspect(source, &mut entry.value, problems));
        }
    }
}

/// The number that is written, where the library gives the double next to it; else why there is none.
fn read_exactly(text: &str) -> Result<Number, String> {
    read_number(text).ok_or_else(|| match spelling::is_not_finite(text) {
        true => format!("`{text}` is not a finite number"),
        false => format!("the number `{text}` is too large to be kept exactly"),
    })
}

fn drop_duplicates(source: &SourceText, entries: &mut Vec<MapEntry>, problems: &mut Vec<Problem>) {
    let mut first: HashMap<&str, FilePosition> = HashMap::new();
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

#[cfg(test)]
mod tests;
