//! Which parts of a finding are shown: its message, its difference, or both.

use crate::assert::check::is_comparison;
use crate::base::diff::{Diff, DiffLine, TextDiff};
use crate::record::verdict::Finding;

/// The mark in a message at which a value was cut.
pub(crate) const CUT_MARK: char = '…';

/// The parts of a finding that explain it, so that nothing is shown twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShownParts {
    /// Its message: there is no difference, or it adds nothing.
    Message,
    /// The difference: the message only repeats both values.
    Difference,
    /// The message and the difference, since each adds something.
    Both,
}

/// Chooses the parts of a finding that are shown.
pub(crate) fn shown_parts(finding: &Finding) -> ShownParts {
    let (message, none) = (finding.message.as_str(), serde_json::Value::Null);
    let worth_showing = match &finding.diff {
        Some(Diff::Json(changes)) => !changes.is_empty(),
        Some(Diff::Text(diff)) => !diff.lines.is_empty() && (message.is_empty() || !is_plain(diff, message)),
        None => false,
    };
    let (expected, actual) =
        (finding.expected.as_ref().unwrap_or(&none), finding.actual.as_ref().unwrap_or(&none));
    match worth_showing {
        false => ShownParts::Message,
        true if message.is_empty() || is_comparison(message, expected, actual) => ShownParts::Difference,
        true => ShownParts::Both,
    }
}

/// True where one line replaces another without a word in common, and the message has both in full.
fn is_plain(diff: &TextDiff, message: &str) -> bool {
    let whole = |line: &DiffLine| line.pieces.iter().all(|piece| piece.changed);
    diff.lines.len() == 2 && diff.lines.iter().all(whole) && !message.contains(CUT_MARK)
}
