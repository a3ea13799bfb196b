//! Explains a finding in a few lines: the place of the assertion, what was expected, what was found, and how they differ.

use crate::assert::check::IMPLIED_STATUS;
use crate::base::diff::{ChangeKind, Diff, DiffLine, JsonChange, LinePart, LineSide, TextDiff};
use crate::base::plural::plural;
use crate::record::verdict::{Finding, Severity, Truth};
use crate::report::named::{named_changes, named_finding};
use crate::report::short_path::short_path;
use crate::report::shown_parts::{CUT_MARK, ShownParts, shown_parts};
use crate::report::source_line::source_line;
use crate::report::text::{LineEnds, ReportText, TextTone, one_line, short, value_line, visible};

/// More red tests than anybody reads: only the beginning of each is shown, and no more differences get files of their own.
pub(crate) const MANY_RED: u32 = 10_000;

/// How much is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExcerptLimits {
    /// Characters of one value or line.
    pub width: usize,
    /// Lines of one difference.
    pub lines: usize,
}

impl ExcerptLimits {
    /// For a terminal.
    pub const SCREEN: Self = Self { width: 400, lines: 40 };
    /// For a file.
    pub const FILE: Self = Self { width: 4_000, lines: 400 };
    /// For a file with very many red tests: readers of `junit.xml` hold all of it in memory.
    pub const MANY_RED: Self = Self { width: 160, lines: 8 };

    /// For a file that explains every red test.
    pub fn of_file(red: u32) -> Self {
        if red > MANY_RED { Self::MANY_RED } else { Self::FILE }
    }
}

/// Which findings are explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExplainedFindings {
    /// Those that do not hold.
    NotHeld,
    /// All.
    All,
}

/// Explains findings, those that decide before warnings, each with its members.
pub(crate) fn explain_findings(
    text: &mut ReportText,
    findings: &[Finding],
    which: ExplainedFindings,
    bounds: ExcerptLimits,
) {
    for severity in [Severity::Error, Severity::Warn] {
        let shown = |finding: &&Finding| {
            finding.severity == severity && (finding.truth != Truth::Held || which == ExplainedFindings::All)
        };
        for finding in in_order(findings).filter(shown) {
            explain(text, finding, "  ", bounds);
        }
    }
}

/// The findings as written, with the implied status first: a failed run explains why other assertions do not hold.
pub(crate) fn in_order(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    let implied = |finding: &&Finding| finding.label == IMPLIED_STATUS;
    findings.iter().filter(implied).chain(findings.iter().filter(move |finding| !implied(finding)))
}

fn explain(text: &mut ReportText, finding: &Finding, indent: &str, bounds: ExcerptLimits) {
    let finding = &*named_finding(finding);
    if finding.truth == Truth::Held {
        text.push(indent)
            .tone(TextTone::Good, "✓")
            .push(" ")
            .push(&one_line(&finding.label, bounds.width))
            .end();
        return;
    }
    text.push(indent).tone(TextTone::Strong, &visible(&finding.place.to_string(), LineEnds::One));
    text.push("  ").push(&one_line(&finding.label, bounds.width));
    match (finding.truth, finding.severity) {
        (Truth::Undecided, _) => text.tone(TextTone::Doubt, "  (undecided)"),
        (Truth::Broken | Truth::Held, Severity::Warn) => text.tone(TextTone::Doubt, "  (warning)"),
        (Truth::Broken | Truth::Held, Severity::Error) => text,
    };
    text.end();
    source_line(text, &finding.place, indent);
    let indent = format!("{indent}  ");
    let shown = shown_parts(finding);
    if shown != ShownParts::Difference {
        for line in visible(&short(&finding.message, bounds.width), LineEnds::Kept).lines() {
            text.push(&indent).push(line).end();
        }
    }
    match (&finding.diff, shown) {
        (Some(Diff::Text(diff)), ShownParts::Difference | ShownParts::Both) => {
            text_diff(text, diff, &indent, bounds)
        }
        (Some(Diff::Json(changes)), ShownParts::Difference | ShownParts::Both) => {
            json_diff(text, changes, &indent, bounds);
        }
        (Some(_), ShownParts::Message) | (None, _) => expected_found(text, finding, &indent, bounds),
    }
    let is_open = |member: &&Finding| member.truth != Truth::Held;
    for member in finding.members.iter().filter(is_open) {
        explain(text, member, &indent, bounds);
    }
}

/// The values, where the message does not have them in full.
fn expected_found(text: &mut ReportText, finding: &Finding, indent: &str, bounds: ExcerptLimits) {
    if !finding.message.is_empty() && !finding.message.contains(CUT_MARK) {
        return;
    }
    if let Some(expected) = &finding.expected {
        text.push(indent).push("expected  ").tone(TextTone::Bad, &value_line(expected, bounds.width)).end();
    }
    if let Some(actual) = &finding.actual {
        text.push(indent).push("found     ").tone(TextTone::Good, &value_line(actual, bounds.width)).end();
    }
}

fn legend(text: &mut ReportText, indent: &str) {
    text.push(indent).tone(TextTone::Bad, "- expected").push("  ").tone(TextTone::Good, "+ found").end();
}

fn text_diff(text: &mut ReportText, diff: &TextDiff, indent: &str, bounds: ExcerptLimits) {
    legend(text, indent);
    for line in diff.lines.iter().take(bounds.lines) {
        diff_line(text, line, indent, bounds);
    }
    left_out(text, diff.lines.len(), indent, bounds);
    if diff.cut {
        text.push(indent).tone(TextTone::Faint, "(only the first MiB was compared)").end();
    }
}

fn left_out(text: &mut ReportText, count: usize, indent: &str, bounds: ExcerptLimits) {
    if count > bounds.lines {
        let left = count - bounds.lines;
        let left = format!("… {left} more {} of difference", plural(left, "line", "lines"));
        text.push(indent).tone(TextTone::Faint, &left).end();
    }
}

fn diff_line(text: &mut ReportText, line: &DiffLine, indent: &str, bounds: ExcerptLimits) {
    text.push(indent);
    let tones = match line.side {
        LineSide::Same => {
            text.push("  ");
            None
        }
        LineSide::Expected => {
            text.tone(TextTone::Bad, "- ");
            Some(DiffTones { line: TextTone::Bad, changed: TextTone::Removed })
        }
        LineSide::Actual => {
            text.tone(TextTone::Good, "+ ");
            Some(DiffTones { line: TextTone::Good, changed: TextTone::Added })
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

/// The tones of one side of a difference.
#[derive(Debug, Clone, Copy)]
struct DiffTones {
    /// Of the line.
    line: TextTone,
    /// Of its changed words.
    changed: TextTone,
}

/// Writes a line with its changed words marked; a line that is new as a whole needs no marks.
fn pieces(text: &mut ReportText, pieces: &[LinePart], tones: DiffTones, bounds: ExcerptLimits) {
    let whole = pieces.iter().all(|piece| piece.changed);
    for piece in pieces {
        let tone = if piece.changed && !whole { tones.changed } else { tones.line };
        text.tone(tone, &one_line(&piece.text, bounds.width));
    }
}

fn json_diff(text: &mut ReportText, changes: &[JsonChange], indent: &str, bounds: ExcerptLimits) {
    legend(text, indent);
    json_changes(text, changes, indent, bounds);
}

/// Writes the places at which two values differ: the first value after `-`, the second after `+`.
pub(crate) fn json_changes(
    text: &mut ReportText,
    changes: &[JsonChange],
    indent: &str,
    bounds: ExcerptLimits,
) {
    let changes = &*named_changes(changes);
    for change in changes.iter().take(bounds.lines) {
        json_change(text, change, indent, bounds);
    }
    left_out(text, changes.len(), indent, bounds);
}

fn json_change(text: &mut ReportText, change: &JsonChange, indent: &str, bounds: ExcerptLimits) {
    let path = short_path(&change.path);
    match (change.kind, &change.text) {
        (ChangeKind::Changed, Some(diff)) if !diff.lines.is_empty() => {
            if diff.lines.len() > 2 {
                text.push(indent).push("  ").tone(TextTone::Strong, &path).end();
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
            text.push(indent).tone(TextTone::Doubt, &format!("~ {path} was at {from}")).end();
        }
        (ChangeKind::Added | ChangeKind::Removed | ChangeKind::Changed, _) => {
            if let Some(expected) = &change.expected {
                let value = value_line(expected, bounds.width);
                text.push(indent).tone(TextTone::Bad, &format!("- {path}: {value}")).end();
            }
            if let Some(actual) = &change.actual {
                let value = value_line(actual, bounds.width);
                text.push(indent).tone(TextTone::Good, &format!("+ {path}: {value}")).end();
            }
        }
    }
}

/// A line of a text's difference, after the path of the text.
fn labelled(line: &DiffLine, path: &str) -> DiffLine {
    let mut pieces =
        vec![LinePart { changed: line.pieces.iter().all(|piece| piece.changed), text: format!("{path}: ") }];
    pieces.extend(line.pieces.iter().cloned());
    DiffLine { side: line.side, pieces }
}
