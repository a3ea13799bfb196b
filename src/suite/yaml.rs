//! Bytes to a node tree: the only place that knows the YAML library, its options and its errors.
//!
//! What a document cannot be (duplicate keys, several documents, bottomless nesting, alias bombs, numbers beyond 64 bits)
//! becomes a problem at its place. Meaning is given by `reader`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{AliasLimits, DuplicateKeyPolicy};
use serde_saphyr::{Error, Location, Options, Spanned};

use crate::base::origin::Place;
use crate::suite::node::{Entry, Mark, Node, NodeValue, Source};
use crate::suite::problem::Problem;

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
            Ok(reader) => reader.join().unwrap_or_else(|_| Err(serde::de::Error::custom("the YAML library panicked"))),
            Err(error) => Err(serde::de::Error::custom(format!("no thread to read it on: {error}"))),
        }
    })
}

/// The file's bytes as text: UTF-8, a byte order mark dropped, no NUL.
pub fn decode(name: &str, mut bytes: Vec<u8>) -> Result<Source, Box<Problem>> {
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        bytes.drain(..3);
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        let problem = Problem::new(Place::file(name), "the file is UTF-16, not UTF-8");
        return Err(Box::new(problem.help("save it as UTF-8")));
    }
    let nul = memchr::memchr(0, &bytes);
    match (String::from_utf8(bytes), nul) {
        (Ok(text), None) => Ok(Source::new(name, text)),
        (Ok(text), Some(at)) => Err(refuse_at(name, text, at, "a NUL byte")),
        (Err(error), _) => {
            let at = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            Err(refuse_at(name, text, at, "not UTF-8"))
        }
    }
}

fn refuse_at(name: &str, text: String, at: usize, what: &str) -> Box<Problem> {
    let text = text.replace('\0', "\u{FFFD}");
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let line = memchr::memchr_iter(b'\n', &text.as_bytes()[..at]).count() as u32 + 1;
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let mark = Mark { line, column: text[start..at].chars().count() as u32 + 1, width: 1 };
    let place = Source::new(name, text).place(mark);
    Box::new(Problem::new(place, format!("the file is no text: {what}")).help("save it as UTF-8 text"))
}

fn is_blank(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#') || line == "---" || line == "...")
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

/// The library's error at its place, in our words where they help.
fn describe(source: &Source, error: &Error) -> Problem {
    let mark = error.location().map(mark_of).unwrap_or_default();
    let place = if mark.line == 0 { Place::file(source.name.clone()) } else { source.place(mark) };
    let (message, help) = match error {
        Error::AliasError { error, .. } => return Problem { place, ..describe(source, error) },
        Error::MultipleDocuments { .. } => ("a second document begins here".to_owned(), "one file holds one document; remove the `---`"),
        Error::NonFiniteFloat { value, .. } => (format!("`{value}` is not a finite number"), "put it in quotes if it is text"),
        Error::RecursiveReferencesRequireWeakTypes { .. } => ("an alias stands inside its own anchor".to_owned(), "write the value out"),
        Error::UnknownAnchor { .. } => ("this alias has no anchor".to_owned(), "anchors are written `&name` before their first `*name`"),
        Error::NullIntoString { .. } => ("a key cannot be null".to_owned(), "put it in quotes"),
        Error::BinaryNotUtf8 { .. } | Error::InvalidBinaryBase64 { .. } => {
            ("binary data is no value of a suite".to_owned(), "give files under `files`")
        }
        Error::Budget { .. } => (format!("the file is too large or too deep: {}", plain(error)), "nesting ends at 128 levels, aliases at a million values"),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => ("the aliases expand to too many values".to_owned(), "write fewer aliases of aliases"),
        _ => (plain(error), ""),
    };
    let problem = Problem::new(place, message);
    if help.is_empty() { problem } else { problem.help(help) }
}

/// The library's text without its own "at line …" and line ends.
fn plain(error: &Error) -> String {
    let text = error.without_snippet().to_string().replace(['\n', '\r'], " ");
    let end = text.rfind(" at line ").or_else(|| text.find(": line ")).unwrap_or(text.len());
    text[..end].trim_end_matches([':', '.', ' ']).to_owned()
}

fn mark_of(location: Location) -> Mark {
    let clamp = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Mark { line: clamp(location.line()), column: clamp(location.column()), width: clamp(location.span().len()).max(1) }
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
            let problem = Problem::new(source.place(entry.mark), format!("the key `{}` is given twice", entry.key));
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
        Ok(Self { mark: mark_of(spanned.defined), value: spanned.value })
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
mod tests {
    use super::*;

    #[test]
    fn probe() {
        for text in [
            "a: 1\nb: [x, 'y', 1.5, 2026-01-01, 012, 1_000, yes, true, ~]\n",
            "a: 1\nb: 2\na: 3\n", "a: .nan", "a: 18446744073709551616", "a: -9223372036854775809", "a: !!binary aGVsbG8=", "a: !!binary 'xx'", "a: !foo bar", "a: !!timestamp 2026-01-01", "1: x\ntrue: y\nnull: z", "? [a, b]\n: c", "a: 1\n---\nb: 2", "a: &x [*x]", "a: *nope", "a: [1, 2", "\ta: 1", "a: b: c", "base: &b { x: 1 }\nc:\n  <<: *b\n  y: 2", "base: &b { x: 1 }\nc: { <<: *b, x: 2 }", "a: \"unterminated", "a: 1e400", "", "# only\n", "---\n", "a:\n  - &n {name: x}\n  - *n", "a: 0x7F", "a: 0o17", "a: +5","a: 1e3", "a: 12345678901234567890", "just text", "a: |\n  line1\n  line2\nb: >-\n  folded\n  more\n", "%YAML 1.1\n---\na: 1", "a: !!str 5", "a: !!int x", "a: !!set {x}", "\"a\\tb\": \"q\\u00e9 {{ x }}\"",
        ] {
            let mut problems = Vec::new();
            let document = parse_yaml("x.yaml", text.as_bytes().to_vec(), &mut problems);
            println!("--- {text:?}\n    {:?}", document.root.as_ref().map(|node| node.to_json().to_string()));
            for p in &problems { println!("    PROBLEM {} (w{}) {} help {:?} others {}", p.place, p.place.width, p.message, p.help, p.others.len()); }
        }
        fn marks(node: &Node, depth: usize) {
            println!("{:depth$}{:?} {}", "", node.mark, node.kind());
            match &node.value { NodeValue::Map(e) => for e in e { println!("{:depth$}key {} {:?}", "", e.key, e.mark); marks(&e.value, depth+2) }, NodeValue::List(i) => for i in i { marks(i, depth+2)}, _ => {} }
        }
        let d = parse_yaml("x", "a:\n  - {x: 'é {{ y }}', z: [1]}\nb: &q\n  k: v\nc: *q\nd: !!str 55\ne: |\n  abc\n  def\n".as_bytes().to_vec(), &mut Vec::new());
        marks(&d.root.unwrap(), 0);
        for text in ["[".repeat(100_000), "{a: ".repeat(100_000), (0..100_000).map(|i| format!("{}-\n", " ".repeat(i.min(3000)))).collect::<String>(), "- ".repeat(100_000), "? ".repeat(100_000), "[".repeat(100)+&"]".repeat(100), "- ".repeat(126) + "x", "a: &a [1,1,1,1,1,1,1,1]\n".to_owned() + &(0..12).map(|i| format!("{}: &{} [{}]\n", (b'b'+i) as char, (b'b'+i) as char, vec![format!("*{}", (b'a'+i) as char); 10].join(","))).collect::<String>()] {
            let mut problems = Vec::new();
            let t = std::time::Instant::now();
            let document = parse_yaml("x.yaml", text.into_bytes(), &mut problems);
            println!("root {} {:?}", document.root.is_some(), t.elapsed());
            for p in &problems { println!("    PROBLEM {} (w{}) {} help {:?} others {}", p.place, p.place.width, p.message, p.help, p.others.len()); }
        }
        let mut text = String::from("tests:\n");
        while text.len() < 20_000_000 { text.push_str(&format!("  - name: test-{}\n    inputs:\n      query: \"What is {{{{ vars.shop }}}}?\"\n      order: 1234\n    assert:\n      - {{ path: $.category, equals: billing }}\n      - {{ path: $.order_id, regex: '^\\d{{4}}$' }}\n      - tokens: 3000\n    mock: {{ outputs: {{ category: billing }} }}\n", text.len())); }
        let mut problems = Vec::new();
            let t = std::time::Instant::now();
            let document = parse_yaml("x.yaml", text.into_bytes(), &mut problems);
            println!("20MB root {} {:?} {problems:?}", document.root.is_some(), t.elapsed());
    }
}
