//! A file of snapshots: JSON with stable order, one line an element, that version control merges and people read.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::base::byte_order_mark::without_mark;
use crate::yaml::json::parse_json;

use super::lines::{fold, unfold};

/// The version of the file.
const VERSION: u64 = 1;
/// The most characters of a line that are shown beside an error.
const SHOWN: usize = 120;
/// Marks of version control where two sides were not joined.
const CONFLICTS: [&str; 4] = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"];
const RESTORE: &str =
    "restore the file from version control, or delete it, run the test and accept the snapshot again";

/// The snapshots of one test.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SnapshotDocument {
    /// The test's name without its suite's, its row included.
    pub test: String,
    /// The values by their keys.
    pub entries: BTreeMap<String, Value>,
}

/// Why a file holds no snapshots, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {message}")]
pub struct DocumentError {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong: goes on after "line 3".
    pub message: String,
    /// How to repair it.
    pub help: &'static str,
    /// The beginning of the line.
    pub excerpt: String,
}

/// Reads a file of snapshots.
pub fn parse(bytes: &[u8]) -> Result<SnapshotDocument, DocumentError> {
    let bytes = without_mark(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        wrong("", TextPlace { line: before + 1, column: 1 }, "is not UTF-8")
    })?;
    let is_conflict = |line: &str| CONFLICTS.iter().any(|mark| line.starts_with(mark));
    if let Some(at) = text.lines().position(is_conflict) {
        let error = wrong(
            text,
            TextPlace { line: at + 1, column: 1 },
            "is the mark of a merge conflict that was left unresolved",
        );
        return Err(DocumentError { help: "keep one side of it, then run the test again", ..error });
    }
    if text.trim().is_empty() {
        return Err(wrong(text, TextPlace::START, "is missing: the file is empty"));
    }
    let value = parse_json(text).map_err(|fault| {
        let what = match fault.message.contains("EOF") {
            true => "is where the file ends, in the middle of a value: its rest is missing".to_owned(),
            false => format!("cannot be read: {}", fault.message),
        };
        wrong(text, TextPlace { line: fault.line, column: fault.column }, &what)
    })?;
    read(value)
        .map_err(|fault| DocumentError { help: fault.help, ..wrong(text, TextPlace::START, &fault.what) })
}

/// What is wrong with what a file says, and how to fix it.
struct ContentFault {
    what: String,
    help: &'static str,
}

impl ContentFault {
    /// One that only an earlier version of the file fixes.
    fn of(what: impl Into<String>) -> Self {
        Self { what: what.into(), help: RESTORE }
    }
}

/// Checks what the file says of itself, and takes its entries.
fn read(value: Value) -> Result<SnapshotDocument, ContentFault> {
    let Value::Object(mut members) = value else {
        return Err(ContentFault::of("begins no mapping: this is no file of snapshots"));
    };
    match members.shift_remove("snapshot").and_then(|version| version.as_u64()) {
        Some(VERSION) => {}
        Some(newer) if newer > VERSION => {
            let what = format!(
                "begins a file that a newer flowproof wrote (snapshot version {newer}, this one reads up to {VERSION})"
            );
            return Err(ContentFault { what, help: "update flowproof to read it" });
        }
        Some(_) | None => {
            let what = format!("begins a file without `\"snapshot\": {VERSION}`, its version");
            return Err(ContentFault::of(what));
        }
    }
    let test = match members.shift_remove("test") {
        Some(Value::String(test)) => test,
        Some(_) | None => {
            return Err(ContentFault::of("begins a file without `test`, the name of its test"));
        }
    };
    let entries = match members.shift_remove("entries") {
        Some(Value::Object(entries)) => entries,
        Some(_) | None => return Err(ContentFault::of("begins a file without `entries`, a mapping")),
    };
    if let Some(key) = members.keys().next() {
        return Err(ContentFault::of(format!("begins a file with a key that it cannot have, `{key}`")));
    }
    Ok(SnapshotDocument {
        test,
        entries: entries.into_iter().map(|(key, value)| (key, unfold(value))).collect(),
    })
}

/// Writes a file of snapshots: the same snapshots are always the same bytes.
pub fn render(document: &SnapshotDocument) -> String {
    let entries: Map<String, Value> =
        document.entries.iter().map(|(key, value)| (key.clone(), fold(value))).collect();
    let whole = json!({ "snapshot": VERSION, "test": document.test, "entries": entries });
    let mut text = serde_json::to_string_pretty(&whole).expect("a value of JSON can be written");
    text.push('\n');
    text
}

/// A place in the text, line and column from 1.
#[derive(Clone, Copy)]
struct TextPlace {
    line: usize,
    column: usize,
}

impl TextPlace {
    const START: Self = Self { line: 1, column: 1 };
}

fn wrong(text: &str, place: TextPlace, message: &str) -> DocumentError {
    let TextPlace { line, column } = place;
    DocumentError {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(1).max(1),
        message: message.to_owned(),
        help: RESTORE,
        excerpt: text.lines().nth(line.saturating_sub(1)).unwrap_or_default().chars().take(SHOWN).collect(),
    }
}
