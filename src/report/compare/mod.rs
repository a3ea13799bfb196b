//! Documents of a comparison: terminal, Markdown, JSON and one page. The tests are read once for all of them, worst first.

mod case;
mod decided;
mod json;
mod markdown;
mod page;
mod sides;
mod terminal;
#[cfg(test)]
mod tests;
mod words;

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::base::files::{self, Fence, OutputTarget, parent_of};
use crate::base::whole_file;
use crate::record::compare::{Ruling, RunComparison};
use crate::report::error::ReportError;
use crate::report::html::comparison::ComparePage;
use crate::report::text::ColorUse;

use json::CompareJson;
use markdown::Comment;
use terminal::ComparisonText;

pub(crate) use json::SCHEMA;
pub(crate) use terminal::ComparisonEnd;

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ComparisonDocument {
    /// `compare.md`, for a comment of a pull request.
    Markdown,
    /// `compare.json`, versioned.
    Json,
    /// `compare.html`, one page.
    Html,
}

impl ComparisonDocument {
    /// All of them: what `reports/compare` holds.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Html, "compare.html"), (Self::Markdown, "compare.md"), (Self::Json, "compare.json")];

    /// The format that a file name asks for, checked before anything is run; the standard output has no ending.
    pub fn of(path: &Path) -> Result<Self, String> {
        if files::is_standard_output(path) {
            return Ok(Self::Json);
        }
        let ending =
            path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
        match ending.as_str() {
            "md" => Ok(Self::Markdown),
            "json" => Ok(Self::Json),
            "html" => Ok(Self::Html),
            _ => Err(format!("{}: a comparison is written as .md, .json or .html", path.display())),
        }
    }
}

/// A document that is to be written.
#[derive(Debug, Clone)]
pub(crate) struct WantedDocument {
    /// Its kind.
    pub document: ComparisonDocument,
    /// The file.
    pub path: PathBuf,
    /// Holds the file, links followed.
    pub fence: Fence,
}

/// The output of a comparison on the standard output.
#[derive(Debug)]
pub(crate) struct ComparisonNotes {
    /// The text for the terminal.
    pub text: String,
    /// Documents that go to the standard output.
    pub standard: Vec<fs::File>,
}

/// Refuses a folder in which another program has a file with the name of a document.
pub(crate) fn check_folder(folder: &Path) -> Result<(), ReportError> {
    let fence = Fence::around(folder);
    let foreign = ComparisonDocument::ALL.iter().find(|(_, name)| {
        let path = folder.join(name);
        files::exists(&path) && !files::holds(&path, &fence, "flowproof")
    });
    match foreign {
        Some((_, name)) => Err(ReportError::Foreign { folder: folder.to_owned(), name: (*name).to_owned() }),
        None => Ok(()),
    }
}

/// Writes the documents to these files and gives the text for the terminal; an old file is replaced only when the new one is
/// whole.
pub(crate) fn write(
    (compared, ruling): (&RunComparison<'_>, &Ruling<'_>),
    files: &[WantedDocument],
    end: &ComparisonEnd<'_>,
    ink: ColorUse,
) -> Result<ComparisonNotes, ReportError> {
    let mut open = Vec::with_capacity(files.len());
    for wanted in files {
        open.push(OpenComparison::begin(wanted, (compared, ruling), end.code)?);
    }
    let mut screen = ComparisonText::new(compared, ink);
    let mut details = compared.details();
    for row in &compared.rows {
        let is_wanted = screen.wants(row) || open.iter().any(|open| open.wants(row));
        let detail = if is_wanted { details.of(&row.name)? } else { None };
        screen.row(row, detail.as_ref());
        let mut json = None;
        for open in &mut open {
            open.row((row, detail.as_ref()), &mut json)?;
        }
    }
    let mut standard = Vec::new();
    for open in open {
        standard.extend(open.finish()?);
    }
    Ok(ComparisonNotes { text: screen.finish(compared, ruling, end), standard })
}

/// A document that is being written, beside the file whose place it will take.
struct OpenComparison {
    path: PathBuf,
    file: OutputTarget,
    writer: ComparisonWriter,
}

enum ComparisonWriter {
    Markdown(Comment),
    Json(CompareJson<BufWriter<fs::File>>),
    Html(Box<ComparePage<BufWriter<fs::File>>>),
}

impl OpenComparison {
    fn begin(
        wanted: &WantedDocument,
        (compared, ruling): (&RunComparison<'_>, &Ruling<'_>),
        exit: u8,
    ) -> Result<Self, ReportError> {
        let WantedDocument { document, path, fence } = wanted;
        let failed = |source: io::Error| ReportError::Write { path: path.clone(), source };
        let file = OutputTarget::begin(path, fence).map_err(failed)?;
        if let OutputTarget::Whole(_) = file {
            whole_file::remove_leftovers(parent_of(path));
        }
        let out = || file.file().try_clone().map(|file| BufWriter::with_capacity(64 * 1024, file));
        let writer = match document {
            ComparisonDocument::Markdown => ComparisonWriter::Markdown(Comment::new(compared, ruling)),
            ComparisonDocument::Json => out()
                .and_then(|out| CompareJson::new(out, compared, ruling, exit))
                .map(ComparisonWriter::Json)
                .map_err(failed)?,
            ComparisonDocument::Html => out()
                .and_then(|out| ComparePage::new(out, &page::head(compared, ruling, exit)?))
                .map(|page| ComparisonWriter::Html(Box::new(page)))
                .map_err(failed)?,
        };
        Ok(Self { path: path.to_owned(), file, writer })
    }

    fn wants(&self, row: &crate::record::compare::CaseRow) -> bool {
        match &self.writer {
            ComparisonWriter::Markdown(comment) => comment.wants(row),
            ComparisonWriter::Json(_) => case::has_details(row),
            ComparisonWriter::Html(page) => page.has_room() && case::has_details(row),
        }
    }

    /// Adds a test; its JSON is made once for all that take it.
    fn row(
        &mut self,
        (row, detail): (&crate::record::compare::CaseRow, Option<&crate::record::compare::CaseDetail>),
        made: &mut Option<Vec<u8>>,
    ) -> Result<(), ReportError> {
        let failed = |source: io::Error| ReportError::Write { path: self.path.clone(), source };
        let made = match made {
            Some(made) => made,
            none => none.insert(json::case(row, detail).map_err(failed)?),
        };
        match &mut self.writer {
            ComparisonWriter::Markdown(comment) => {
                comment.row(row, detail);
                Ok(())
            }
            ComparisonWriter::Json(json) => json.row(made).map_err(failed),
            ComparisonWriter::Html(html) => {
                let is_told = detail.is_some();
                page::row(row, detail)
                    .and_then(|listed| html.row(&listed, is_told.then_some(made.as_slice())))
                    .map_err(failed)
            }
        }
    }

    fn finish(self) -> Result<Option<fs::File>, ReportError> {
        let Self { path, file, writer } = self;
        let failed = |source: io::Error| ReportError::Write { path: path.clone(), source };
        match writer {
            ComparisonWriter::Markdown(comment) => file.file().write_all(comment.finish().as_bytes()),
            ComparisonWriter::Json(json) => json.finish().and_then(|mut out| out.flush()),
            ComparisonWriter::Html(page) => page.finish().and_then(|mut out| out.flush()),
        }
        .map_err(failed)?;
        file.finish().map_err(failed)
    }
}
