//! A snapshot that waits for approval, for a person: what was approved, what was found, and how they differ.

use serde_json::Value;

use crate::assert::check::difference_of;
use crate::base::origin::Place;
use crate::base::plural::plural;
use crate::record::verdict::{Finding, Severity, Truth};
use crate::report::explain::{ExcerptLimits, ExplainedFindings, explain_findings};
use crate::report::text::{ColorUse, LineEnds, ReportText, TextTone, one_line, visible};

/// Lines of a new value that are shown.
const LINES: usize = 40;

/// What is shown of a snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShownSnapshot<'a> {
    /// The test's full name.
    pub case: &'a str,
    /// Where the test is written.
    pub place: &'a Place,
    /// The key of the snapshot.
    pub key: &'a str,
    /// The approved value; `None` for a new snapshot.
    pub approved: Option<&'a Value>,
    /// What was found.
    pub found: &'a Value,
}

/// Writes it in a few lines.
pub(crate) fn snapshot_text(shown: &ShownSnapshot<'_>, ink: ColorUse) -> String {
    let mut text = ReportText::new(ink);
    text.tone(TextTone::Strong, &visible(shown.case, LineEnds::One));
    text.push("  ").push(&one_line(shown.key, ExcerptLimits::SCREEN.width));
    match shown.approved {
        Some(approved) => {
            text.push("  changed").end();
            explain_findings(
                &mut text,
                &[finding(shown, approved)],
                ExplainedFindings::NotHeld,
                ExcerptLimits::SCREEN,
            );
        }
        None => {
            text.push("  new").end();
            text.push("  ").push(&visible(&shown.place.to_string(), LineEnds::One)).end();
            new_value(&mut text, shown.found);
        }
    }
    text.out
}

fn finding(shown: &ShownSnapshot<'_>, approved: &Value) -> Finding {
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

fn new_value(text: &mut ReportText, found: &Value) {
    let whole = match found {
        Value::String(words) => words.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            serde_json::to_string_pretty(found).expect("a value of JSON can be written")
        }
    };
    for line in whole.lines().take(LINES) {
        text.push("    ")
            .tone(TextTone::Good, &format!("+ {}", one_line(line, ExcerptLimits::SCREEN.width)))
            .end();
    }
    let left = whole.lines().count().saturating_sub(LINES);
    if left > 0 {
        text.push("    ")
            .tone(TextTone::Faint, &format!("… {left} more {}", plural(left, "line", "lines")))
            .end();
    }
}
