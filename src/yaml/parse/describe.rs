//! The YAML library's errors as problems: at their place, in our words where they help.

use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error, Location};

use super::deserialize::DEEPEST;
use crate::base::origin::Place;
use crate::yaml::node::{FilePosition, SourceText};
use crate::yaml::problem::Problem;

/// The library's error at its place, in our words where they help.
pub(super) fn describe(source: &SourceText, error: &Error) -> Problem {
    let mark = error.location().map(mark_of).unwrap_or_default();
    let place = if mark.line == 0 { Place::file(source.name.clone()) } else { source.place(mark) };
    let (message, help) = match error {
        Error::AliasError { error, .. } => return Problem { place, ..describe(source, error) },
        Error::MultipleDocuments { .. } => {
            ("a second document begins here".to_owned(), "one file holds one document; remove the `---`")
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            ("an alias is inside its own anchor".to_owned(), "write the value out")
        }
        Error::UnknownAnchor { .. } => {
            ("this alias has no anchor".to_owned(), "anchors are written `&name` before their first `*name`")
        }
        Error::NullIntoString { .. } => ("a key cannot be null".to_owned(), "put it in quotes"),
        Error::BinaryNotUtf8 { .. } | Error::InvalidBinaryBase64 { .. } => {
            ("binary data is no value of a suite".to_owned(), "give files under `files`")
        }
        Error::Budget { breach, .. } => (describe_breach(breach), ""),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            ("the aliases expand to too many values".to_owned(), "write fewer aliases of aliases")
        }
        _ if plain(error) == "recursion limit exceeded" => {
            (describe_breach(&BudgetBreach::Depth { depth: DEEPEST }), "")
        }
        _ if plain(error).contains("expected string scalar") => {
            ("a key must be text, found a list or a mapping".to_owned(), "")
        }
        _ if plain(error).contains("tagged scalar") => {
            ("this tag is not known here".to_owned(), "remove it; dates are plain text")
        }
        _ => (plain(error), ""),
    };
    let problem = Problem::new(place, message);
    if help.is_empty() { problem } else { problem.help(help) }
}

/// A limit of the reader that the file goes beyond.
fn describe_breach(breach: &BudgetBreach) -> String {
    match breach {
        BudgetBreach::Depth { .. } => format!("lists and mappings nest deeper than {DEEPEST} levels"),
        BudgetBreach::RecordedAnchorEvents { .. }
        | BudgetBreach::RecordedAnchorBytes { .. }
        | BudgetBreach::ScalarBytes { .. }
        | BudgetBreach::Aliases { .. } => "the aliases expand to too many values".to_owned(),
        other => format!("the file is too large: {other:?}"),
    }
}

/// The library's text without its own "at line …" and line ends.
fn plain(error: &Error) -> String {
    let text = error.without_snippet().to_string().replace(['\n', '\r'], " ");
    let end = text.rfind(" at line ").or_else(|| text.find(": line ")).unwrap_or(text.len());
    text[..end].trim_end_matches([':', '.', ' ']).to_owned()
}

/// The library's place as ours.
pub(super) fn mark_of(location: Location) -> FilePosition {
    let clamp = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    FilePosition {
        line: clamp(location.line()),
        column: clamp(location.column()),
        width: clamp(location.span().len()).max(1),
    }
}
