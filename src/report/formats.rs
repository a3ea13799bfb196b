//! The table of documents.

use std::path::Path;

use crate::base::files;
use crate::report::csv::CsvDocument;
use crate::report::diff::DiffDocument;
use crate::report::document::{Document, DocumentSelection, ReportFormat};
use crate::report::error::ReportError;
use crate::report::html::HtmlDocument;
use crate::report::json::JsonDocument;
use crate::report::junit::JunitDocument;
use crate::report::markdown::MarkdownDocument;
use crate::report::tap::TapDocument;

/// All documents, in the order in which messages and the documentation name them.
pub(crate) const DOCUMENTS: [ReportFormat; 7] = [
    &JunitDocument,
    &JsonDocument,
    &HtmlDocument,
    &MarkdownDocument,
    &TapDocument,
    &CsvDocument,
    &DiffDocument,
];

/// What build servers read: it is tried alone where not all documents can be written.
pub(super) const JUNIT: ReportFormat = &JunitDocument;

/// The words of `reports.formats`.
pub(crate) fn format_words() -> Vec<&'static str> {
    let named = DOCUMENTS.into_iter().filter(|document| document.selection() != DocumentSelection::Always);
    named.map(Document::word).collect()
}

/// The documents of a folder of reports: those that are named, each once, and those that are always written. `None` is the usual ones.
pub(crate) fn chosen_formats(words: Option<&[&str]>) -> Vec<ReportFormat> {
    let Some(words) = words else {
        let usual = DOCUMENTS.into_iter().filter(|document| document.selection() != DocumentSelection::Named);
        return usual.collect();
    };
    let mut chosen: Vec<ReportFormat> = Vec::new();
    for word in words {
        let named = DOCUMENTS.into_iter().find(|document| document.word() == *word);
        chosen.extend(named.filter(|document| !chosen.contains(document)));
    }
    chosen.extend(DOCUMENTS.into_iter().filter(|document| document.selection() == DocumentSelection::Always));
    chosen
}

/// Finds the document that a file name asks for, before anything is run.
pub(crate) fn kind_of(path: &Path) -> Result<ReportFormat, ReportError> {
    if files::is_standard_output(path) {
        return Ok(&JsonDocument);
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let of_ending = |document: &ReportFormat| {
        let own = document.file_name().rsplit_once('.').map(|(_, own)| own);
        own == Some(ending.as_str())
    };
    DOCUMENTS.into_iter().find(of_ending).ok_or_else(|| {
        let reason = match ending.as_str() {
            "" => String::from("this name has no ending"),
            other => format!("`.{other}` is none of them"),
        };
        ReportError::Kind { path: path.to_owned(), endings: endings(), reason }
    })
}

/// `.xml (JUnit), .json … or .csv`.
fn endings() -> String {
    let mut endings: Vec<String> = DOCUMENTS.into_iter().filter_map(Document::shown_ending).collect();
    let last = endings.pop().unwrap_or_default();
    format!("{} or {last}", endings.join(", "))
}

/// What the documents of earlier versions begin with, by name.
pub(super) fn signature_of(name: &str) -> Option<&'static str> {
    DOCUMENTS.into_iter().find(|document| document.file_name() == name).map(Document::signature)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_documents_share_a_word_a_name_or_an_ending() {
        let words: HashSet<_> = DOCUMENTS.map(Document::word).into();
        let names: HashSet<_> = DOCUMENTS.map(Document::file_name).into();
        let endings: HashSet<_> = DOCUMENTS.iter().map(|document| document.shown_ending()).collect();
        assert_eq!([words.len(), names.len(), endings.len()], [DOCUMENTS.len(); 3]);
    }

    #[test]
    fn a_project_chooses_by_words_and_always_gets_the_differences() {
        let words = |chosen: Vec<ReportFormat>| chosen.into_iter().map(Document::word).collect::<Vec<_>>();
        assert_eq!(words(chosen_formats(None)), ["junit", "json", "html", "markdown", "diff"]);
        assert_eq!(words(chosen_formats(Some(&["csv", "tap", "csv"]))), ["csv", "tap", "diff"]);
        assert_eq!(format_words(), ["junit", "json", "html", "markdown", "tap", "csv"]);
    }

    /// The table of reports for users has a row for each document, and no other.
    #[test]
    fn the_docs_have_a_row_for_every_document() {
        let page =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md")).unwrap();
        let (_, table) = page.split_once("| file | format | for whom |\n| --- | --- | --- |\n").unwrap();
        let rows = table.lines().take_while(|line| line.starts_with('|'));
        let mut rows: Vec<String> = rows
            .map(|row| {
                row.split(" | ")
                    .take(2)
                    .map(|cell| cell.trim_matches(['|', ' ', '`', '/']))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        let mut known: Vec<String> = DOCUMENTS
            .iter()
            .map(|document| match document.selection() {
                DocumentSelection::Always => format!("{} always", document.file_name()),
                DocumentSelection::Usual | DocumentSelection::Named => {
                    format!("{} {}", document.file_name(), document.word())
                }
            })
            .collect();
        rows.sort();
        known.sort();
        assert_eq!(rows, known);
        let format = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/format.md"));
        let usual = DOCUMENTS.into_iter().filter(|document| document.selection() == DocumentSelection::Usual);
        let usual = usual.map(Document::word).collect::<Vec<_>>().join(", ");
        let row = format!("| `reports` | `{{ dir, formats }}` | `reports`, `[{usual}]` |");
        assert!(format.unwrap().contains(&row), "{row}");
    }
}
