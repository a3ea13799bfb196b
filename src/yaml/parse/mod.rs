//! Bytes to a node tree: the only place that knows the YAML library, its options and its errors.
//!
//! What a document cannot be (duplicate keys, several documents, bottomless nesting, alias bombs, numbers that JSON cannot
//! hold, binary data) becomes a problem at its place. Meaning is given by `reader`.

mod decode;
mod describe;
mod deserialize;
mod merge;
mod spelling;
mod visit;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Number;

use crate::base::json_number::read_number;
use crate::base::near::read_radix;
use crate::base::origin::Place;
use crate::yaml::node::{Excerpts, FilePosition, MapEntry, Node, NodeValue, SourceText};
use crate::yaml::problem::Problem;
use crate::yaml::secret_values::secrets_of;

pub use self::decode::{decode, decode_sheet};

use self::describe::describe;
use self::deserialize::{ParsePass, deserialize};

/// Stands for infinities and what is no number until `inspect` refuses them at their place.
const STAND_IN: f64 = f64::MAX;
/// The largest file that is read, in bytes.
pub const LARGEST: u64 = 256 << 20;

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

/// Binary data is no value of a suite; what was tagged as such is what decoding changes.
fn refuse_binary(source: &SourceText, root: &Node, problems: &mut Vec<Problem>) {
    match deserialize(&source.text, ParsePass::BinaryDecoded) {
        Ok(decoded) => find_changed(source, DecodedPair { written: root, decoded: &decoded }, problems),
        Err(error) => problems.push(describe(source, &error)),
    }
}

/// A tree as it is written, and with its binary data decoded.
#[derive(Clone, Copy)]
struct DecodedPair<'a> {
    written: &'a Node,
    decoded: &'a Node,
}

fn find_changed(source: &SourceText, pair: DecodedPair<'_>, problems: &mut Vec<Problem>) {
    let mut refuse = |mark| {
        let problem = Problem::new(source.place(mark), "binary data is no value of a suite");
        problems.push(problem.help("give files under `files`"));
    };
    match (&pair.written.value, &pair.decoded.value) {
        (NodeValue::Text(text), NodeValue::Text(other)) if text != other => refuse(pair.written.mark),
        (NodeValue::List(items), NodeValue::List(others)) => {
            let pairs = items.iter().zip(others).map(|(written, decoded)| DecodedPair { written, decoded });
            pairs.for_each(|pair| find_changed(source, pair, problems));
        }
        (NodeValue::Map(entries), NodeValue::Map(others)) => {
            for (entry, other) in entries.iter().zip(others) {
                if entry.key != other.key {
                    let problem = Problem::new(source.place(entry.mark), "binary data is no key of a suite");
                    problems.push(problem.help("write it as text"));
                }
                let pair = DecodedPair { written: &entry.value, decoded: &other.value };
                find_changed(source, pair, problems);
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

fn is_blank(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .all(|line| line.is_empty() || line.starts_with('#') || line == "---" || line == "...")
}

/// Finds duplicate keys, which are then dropped, and numbers that JSON does not have; what YAML 1.2 does not spell as a number
/// becomes the text that it is, and what a double rounds, or does not fit 64 bits in another base than ten, the number that is
/// written.
fn inspect(source: &SourceText, node: &mut Node, problems: &mut Vec<Problem>) {
    match &mut node.value {
        NodeValue::Null | NodeValue::Bool(_) => {}
        NodeValue::Text(text) => {
            if let Some((digits, radix)) = spelling::based(text)
                && spelling::plain_text(source, node.mark).as_ref() == Some(text)
            {
                match read_radix(digits, radix) {
                    Some(number) => node.value = NodeValue::Number(number),
                    None => problems.push(not_kept(source, node.mark, too_large(text))),
                }
            }
        }
        NodeValue::Number(number) => {
            let text = spelling::plain_text(source, node.mark);
            if let Some(text) = text.filter(|text| !spelling::is_number(text)) {
                node.value = NodeValue::Text(text);
            } else if !number.is_i64() && !number.is_u64() {
                match read_exactly(&spelling::bare_text(source, node.mark)) {
                    Ok(number) => node.value = NodeValue::Number(number),
                    Err(message) => problems.push(not_kept(source, node.mark, message)),
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
        false => too_large(text),
    })
}

fn too_large(text: &str) -> String {
    format!("the number `{text}` is too large to be kept exactly")
}

fn not_kept(source: &SourceText, mark: FilePosition, message: String) -> Problem {
    Problem::new(source.place(mark), message).help("put it in quotes if it is text")
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
