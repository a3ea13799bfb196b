//! Explains a finding in a few lines: where the assertion stands, what was expected, what came, and how they differ.

use crate::base::diff::{ChangeKind, Diff, DiffLine, JsonChange, Piece, Side, TextDiff};
use crate::base::origin::Place;
use crate::check::{IMPLIED_STATUS, is_comparison};
use crate::report::named::{named_changes, named_finding};
use crate::report::text::{Lines, Text, Tone, one_line, short, value_line, visible};
use crate::verdict::{Finding, Severity, Truth};

/// What stands in a message where a value was cut.
const CUT: char = '…';

/// More red tests than anybody reads: of each only the beginning is told, and no more differences have files of their own.
pub(crate) const CROWD: u32 = 10_000;

/// How much is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Characters of one value or line.
    pub width: usize,
    /// Lines of one difference.
    pub lines: usize,
}

impl Bounds {
    /// For a terminal.
    pub const SCREEN: Self = Self { width: 400, lines: 40 };
    /// For a file.
    pub const FILE: Self = Self { width: 4_000, lines: 400 };
    /// For a file that tells of very many red tests: readers of `junit.xml` hold it whole in memory.
    pub const CROWD: Self = Self { width: 160, lines: 8 };

    /// For a file that explains every red test.
    pub fn of_file(red: u32) -> Self {
        if red > CROWD { Self::CROWD } else { Self::FILE }
    }
}

/// Which findings are explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that do not hold.
    NotHeld,
    /// All.
    All,
}

/// Explains findings, those that decide before warnings, each with its members.
pub(crate) fn explain_findings(text: &mut Text, findings: &[Finding], which: Which, bounds: Bounds) {
    for severity in [Severity::Error, Severity::Warn] {
        let shown = |finding: &&Finding| {
            finding.severity == severity && (finding.truth != Truth::Held || which == Which::All)
        };
        for finding in in_order(findings).filter(shown) {
            explain(text, finding, "  ", bounds);
        }
    }
}

/// The findings as written, but the implied status first: a run that failed explains what else does not hold.
pub(crate) fn in_order(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    let implied = |finding: &&Finding| finding.label == IMPLIED_STATUS;
    findings.iter().filter(implied).chain(findings.iter().filter(move |finding| !implied(finding)))
}

fn explain(text: &mut Text, finding: &Finding, indent: &str, bounds: Bounds) {
    let finding = &*named_finding(finding);
    if finding.truth == Truth::Held {
        text.push(indent).tone(Tone::Good, "✓").push(" ").push(&one_line(&finding.label, bounds.width)).end();
        return;
    }
    text.push(indent).tone(Tone::Strong, &visible(&finding.place.to_string(), Lines::One));
    text.push("  ").push(&one_line(&finding.label, bounds.width));
    match (finding.truth, finding.severity) {
        (Truth::Undecided, _) => text.tone(Tone::Doubt, "  (undecided)"),
        (Truth::Broken | Truth::Held, Severity::Warn) => text.tone(Tone::Doubt, "  (warning)"),
        (Truth::Broken | Truth::Held, Severity::Error) => text,
    };
    text.end();
    source_line(text, &finding.place, indent);
    let indent = format!("{indent}  ");
    let saying = saying(finding);
    if saying != Saying::Difference {
        for line in visible(&short(&finding.message, bounds.width), Lines::Kept).lines() {
            text.push(&indent).push(line).end();
        }
    }
    match (&finding.diff, saying) {
        (Some(Diff::Text(diff)), Saying::Difference | Saying::Both) => text_diff(text, diff, &indent, bounds),
        (Some(Diff::Json(changes)), Saying::Difference | Saying::Both) => {
            json_diff(text, changes, &indent, bounds);
        }
        (Some(_), Saying::Message) | (None, _) => expected_found(text, finding, &indent, bounds),
    }
    let told = |member: &&Finding| member.truth != Truth::Held;
    for member in finding.members.iter().filter(told) {
        explain(text, member, &indent, bounds);
    }
}

/// What tells best how a finding came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saying {
    /// Its message: there is no difference to show, or none that says more.
    Message,
    /// The difference: the message only names both values again.
    Difference,
    /// Each says something of its own.
    Both,
}

/// What of a finding is shown, so that nothing is said twice.
pub(crate) fn saying(finding: &Finding) -> Saying {
    let (message, none) = (finding.message.as_str(), serde_json::Value::Null);
    let worth_showing = match &finding.diff {
        Some(Diff::Json(changes)) => !changes.is_empty(),
        Some(Diff::Text(diff)) => !diff.lines.is_empty() && (message.is_empty() || !is_plain(diff, message)),
        None => false,
    };
    let (expected, actual) =
        (finding.expected.as_ref().unwrap_or(&none), finding.actual.as_ref().unwrap_or(&none));
    match worth_showing {
        false => Saying::Message,
        true if message.is_empty() || is_comparison(message, expected, actual) => Saying::Difference,
        true => Saying::Both,
    }
}

/// True where one line stands for another without a word in common, and the message has both in full.
fn is_plain(diff: &TextDiff, message: &str) -> bool {
    let whole = |line: &DiffLine| line.pieces.iter().all(|piece| piece.changed);
    diff.lines.len() == 2 && diff.lines.iter().all(whole) && !message.contains(CUT)
}

/// The source line, with carets below the assertion where it does not begin the line; nothing where the line is not known.
pub(crate) fn source_line(text: &mut Text, place: &Place, indent: &str) {
    if place.line == 0 || place.excerpt.trim().is_empty() {
        return;
    }
    let number = place.line.to_string();
    let shown = place.excerpt.replace('\t', " ");
    text.push(indent).tone(Tone::Faint, &format!("{number} | ")).push(&visible(&shown, Lines::One)).end();
    let (column, length) = (place.column as usize, shown.chars().count());
    let before: String = shown.chars().take(column.saturating_sub(1)).collect();
    if column == 0 || column > length || before.chars().all(|c| matches!(c, ' ' | '-')) {
        return;
    }
    let marked: String = shown.chars().skip(column - 1).take(place.width.max(1) as usize).collect();
    // Names are longer than what they name.
    let [before, carets] = [&before, &marked].map(|part| visible(part, Lines::One).chars().count());
    text.push(indent).tone(Tone::Faint, &format!("{} | ", " ".repeat(number.len())));
    text.push(&" ".repeat(before)).tone(Tone::Bad, &"^".repeat(carets)).end();
}

/// The values, where the message does not have them in full.
fn expected_found(text: &mut Text, finding: &Finding, indent: &str, bounds: Bounds) {
    if !finding.message.is_empty() && !finding.message.contains(CUT) {
        return;
    }
    if let Some(expected) = &finding.expected {
        text.push(indent).push("expected  ").tone(Tone::Bad, &value_line(expected, bounds.width)).end();
    }
    if let Some(actual) = &finding.actual {
        text.push(indent).push("found     ").tone(Tone::Good, &value_line(actual, bounds.width)).end();
    }
}

fn legend(text: &mut Text, indent: &str) {
    text.push(indent).tone(Tone::Bad, "- expected").push("  ").tone(Tone::Good, "+ found").end();
}

fn text_diff(text: &mut Text, diff: &TextDiff, indent: &str, bounds: Bounds) {
    legend(text, indent);
    for line in diff.lines.iter().take(bounds.lines) {
        diff_line(text, line, indent, bounds);
    }
    left_out(text, diff.lines.len(), indent, bounds);
    if diff.cut {
        text.push(indent).tone(Tone::Faint, "(only the first MiB was compared)").end();
    }
}

fn left_out(text: &mut Text, count: usize, indent: &str, bounds: Bounds) {
    if count > bounds.lines {
        let left = format!("… {} more lines of difference", count - bounds.lines);
        text.push(indent).tone(Tone::Faint, &left).end();
    }
}

fn diff_line(text: &mut Text, line: &DiffLine, indent: &str, bounds: Bounds) {
    text.push(indent);
    let tones = match line.side {
        Side::Same => {
            text.push("  ");
            None
        }
        Side::Expected => {
            text.tone(Tone::Bad, "- ");
            Some((Tone::Bad, Tone::Removed))
        }
        Side::Actual => {
            text.tone(Tone::Good, "+ ");
            Some((Tone::Good, Tone::Added))
        }
    };
    match tones {
        None => line.pieces.iter().for_each(|piece| {
            text.push(&one_line(&piece.text, bounds.width));
        }),
        Some(tones) => pieces(text, &line.pieces, tones, bounds),
    }
    text.end();
}

/// Writes a line with its changed words marked; a line that is new as a whole needs no marks.
fn pieces(text: &mut Text, pieces: &[Piece], (calm, loud): (Tone, Tone), bounds: Bounds) {
    let whole = pieces.iter().all(|piece| piece.changed);
    for piece in pieces {
        let tone = if piece.changed && !whole { loud } else { calm };
        text.tone(tone, &one_line(&piece.text, bounds.width));
    }
}

fn json_diff(text: &mut Text, changes: &[JsonChange], indent: &str, bounds: Bounds) {
    legend(text, indent);
    json_changes(text, changes, indent, bounds);
}

/// Writes the places at which two values differ, those of the first led by `-`, those of the second by `+`.
pub(crate) fn json_changes(text: &mut Text, changes: &[JsonChange], indent: &str, bounds: Bounds) {
    let changes = &*named_changes(changes);
    for change in changes.iter().take(bounds.lines) {
        json_change(text, change, indent, bounds);
    }
    left_out(text, changes.len(), indent, bounds);
}

fn json_change(text: &mut Text, change: &JsonChange, indent: &str, bounds: Bounds) {
    let path = short_path(&change.path);
    match (change.kind, &change.text) {
        (ChangeKind::Changed, Some(diff)) if !diff.lines.is_empty() => {
            if diff.lines.len() > 2 {
                text.push(indent).push("  ").tone(Tone::Strong, &path).end();
            }
            for line in diff.lines.iter().take(bounds.lines) {
                if diff.lines.len() > 2 {
                    diff_line(text, line, &format!("{indent}  "), bounds);
                } else {
                    let labelled = labelled(line, &path);
                    diff_line(text, &labelled, indent, bounds);
                }
            }
        }
        (ChangeKind::Moved, _) => {
            let from = short_path(change.from.as_deref().unwrap_or("elsewhere"));
            text.push(indent).tone(Tone::Doubt, &format!("~ {path} stood at {from}")).end();
        }
        (ChangeKind::Added | ChangeKind::Removed | ChangeKind::Changed, _) => {
            if let Some(expected) = &change.expected {
                let value = value_line(expected, bounds.width);
                text.push(indent).tone(Tone::Bad, &format!("- {path}: {value}")).end();
            }
            if let Some(actual) = &change.actual {
                let value = value_line(actual, bounds.width);
                text.push(indent).tone(Tone::Good, &format!("+ {path}: {value}")).end();
            }
        }
    }
}

/// A line of a text's difference, led by the path of the text.
fn labelled(line: &DiffLine, path: &str) -> DiffLine {
    let mut pieces =
        vec![Piece { changed: line.pieces.iter().all(|piece| piece.changed), text: format!("{path}: ") }];
    pieces.extend(line.pieces.iter().cloned());
    DiffLine { side: line.side, pieces }
}

/// `$['a'][0]['b c']` as people write it: `$.a[0]['b c']`.
pub(crate) fn short_path(path: &str) -> String {
    let mut shown = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(start) = rest.find("['") {
        let name = &rest[start + 2..];
        shown.push_str(&rest[..start]);
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
        let plain = end > 0 && name[end..].starts_with("']") && !name.starts_with(|c: char| c.is_numeric());
        if plain {
            shown.push('.');
            shown.push_str(&name[..end]);
            rest = &name[end + 2..];
        } else {
            let close = name.find("']").map_or(name.len(), |close| close + 2);
            shown.push_str(&rest[start..start + 2 + close]);
            rest = &name[close..];
        }
    }
    shown.push_str(rest);
    visible(&shown, Lines::One).into_owned()
}
