//! A snapshot that waits for approval, as a person looks at it: what was approved, what was found, and how they differ.

use serde_json::Value;

use crate::base::origin::Place;
use crate::check::difference_of;
use crate::report::explain::{Bounds, Which, explain_findings};
use crate::report::text::{Ink, Lines, Text, Tone, one_line, visible};
use crate::verdict::{Finding, Severity, Truth};

/// Lines of a new value that are shown.
const LINES: usize = 40;

/// What is shown of a snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// The test's full name.
    pub case: &'a str,
    /// Where the test is written.
    pub place: &'a Place,
    /// The key of the snapshot.
    pub key: &'a str,
    /// What was approved; none for a new one.
    pub approved: Option<&'a Value>,
    /// What was found.
    pub found: &'a Value,
}

/// Writes it in a few lines.
pub(crate) fn snapshot_text(shown: &Shown<'_>, ink: Ink) -> String {
    let mut text = Text::new(ink);
    text.tone(Tone::Strong, &visible(shown.case, Lines::One));
    text.push("  ").push(&one_line(shown.key, Bounds::SCREEN.width));
    match shown.approved {
        Some(approved) => {
            text.push("  changed").end();
            explain_findings(&mut text, &[finding(shown, approved)], Which::NotHeld, Bounds::SCREEN);
        }
        None => {
            text.push("  new").end();
            text.push("  ").push(&visible(&shown.place.to_string(), Lines::One)).end();
            new_value(&mut text, shown.found);
        }
    }
    text.out
}

fn finding(shown: &Shown<'_>, approved: &Value) -> Finding {
    let diff = difference_of(approved, shown.found);
    let message = match &diff {
        Some(_) => String::new(),
        None => format!("approved {approved}, found {}", shown.found),
    };
    Finding {
        truth: Truth::Broken,
        severity: Severity::Error,
        place: shown.place.clone().into(),
        label: String::new(),
        message,
        expected: Some(approved.clone()),
        actual: Some(shown.found.clone()),
        diff,
        members: Vec::new(),
    }
}

fn new_value(text: &mut Text, found: &Value) {
    let whole = match found {
        Value::String(words) => words.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            serde_json::to_string_pretty(found).expect("a value of JSON can be written")
        }
    };
    for line in whole.lines().take(LINES) {
        text.push("    ").tone(Tone::Good, &format!("+ {}", one_line(line, Bounds::SCREEN.width))).end();
    }
    let left = whole.lines().count().saturating_sub(LINES);
    if left > 0 {
        text.push("    ").tone(Tone::Faint, &format!("… {left} more lines")).end();
    }
}
