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

use tempfile::NamedTempFile;

use crate::compare::{Comparison, Ruling};
use crate::report::ReportError;
use crate::report::html::comparison::ComparePage;
use crate::report::text::Ink;
use crate::whole_file;

use json::CompareJson;
use markdown::Comment;
use terminal::Screen;

pub(crate) use json::SCHEMA;
pub(crate) use terminal::End;

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Document {
    /// `compare.md`, for a comment of a pull request.
    Markdown,
    /// `compare.json`, versioned.
    Json,
    /// `compare.html`, one page.
    Html,
}

impl Document {
    /// All of them: what `reports/compare` holds.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Html, "compare.html"), (Self::Markdown, "compare.md"), (Self::Json, "compare.json")];

    /// Says which document a file name asks for, before anything is run.
    pub fn of(path: &Path) -> Result<Self, String> {
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

/// Writes the documents to these files and gives the text for the terminal; an old file is replaced only when the new one is
/// whole.
pub(crate) fn write(
    (compared, ruling): (&Comparison<'_>, &Ruling<'_>),
    files: &[(Document, PathBuf)],
    end: &End<'_>,
    ink: Ink,
) -> Result<String, ReportError> {
    let mut open = Vec::with_capacity(files.len());
    for (document, path) in files {
        open.push(Open::begin(*document, path, (compared, ruling), end.code)?);
    }
    let mut screen = Screen::new(compared, ink);
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
    for open in open {
        open.finish()?;
    }
    Ok(screen.finish(compared, ruling, end))
}

/// A document that is being written, beside the file whose place it will take.
struct Open {
    path: PathBuf,
    file: NamedTempFile,
    writer: Writer,
}

enum Writer {
    Markdown(Comment),
    Json(CompareJson<BufWriter<fs::File>>),
    Html(Box<ComparePage<BufWriter<fs::File>>>),
}

impl Open {
    fn begin(
        document: Document,
        path: &Path,
        (compared, ruling): (&Comparison<'_>, &Ruling<'_>),
        exit: u8,
    ) -> Result<Self, ReportError> {
        let failed = |source: io::Error| ReportError::Write { path: path.to_owned(), source };
        whole_file::remove_leftovers(whole_file::folder_of(path));
        let file = whole_file::beside(path).map_err(failed)?;
        let out = || file.as_file().try_clone().map(|file| BufWriter::with_capacity(64 * 1024, file));
        let writer = match document {
            Document::Markdown => Writer::Markdown(Comment::new(compared, ruling)),
            Document::Json => out()
                .and_then(|out| CompareJson::new(out, compared, ruling, exit))
                .map(Writer::Json)
                .map_err(failed)?,
            Document::Html => out()
                .and_then(|out| ComparePage::new(out, &page::head(compared, ruling, exit)?))
                .map(|page| Writer::Html(Box::new(page)))
                .map_err(failed)?,
        };
        Ok(Self { path: path.to_owned(), file, writer })
    }

    fn wants(&self, row: &crate::compare::CaseRow) -> bool {
        match &self.writer {
            Writer::Markdown(comment) => comment.wants(row),
            Writer::Json(_) => case::is_told(row),
            Writer::Html(page) => page.has_room() && case::is_told(row),
        }
    }

    /// Adds a test; its JSON is made once for all that take it.
    fn row(
        &mut self,
        (row, detail): (&crate::compare::CaseRow, Option<&crate::compare::CaseDetail>),
        made: &mut Option<Vec<u8>>,
    ) -> Result<(), ReportError> {
        let failed = |source: io::Error| ReportError::Write { path: self.path.clone(), source };
        let made = match made {
            Some(made) => made,
            none => none.insert(json::case(row, detail).map_err(failed)?),
        };
        match &mut self.writer {
            Writer::Markdown(comment) => {
                comment.row(row, detail);
                Ok(())
            }
            Writer::Json(json) => json.row(made).map_err(failed),
            Writer::Html(html) => {
                let is_told = detail.is_some();
                page::row(row, detail)
                    .and_then(|listed| html.row(&listed, is_told.then_some(made.as_slice())))
                    .map_err(failed)
            }
        }
    }

    fn finish(self) -> Result<(), ReportError> {
        let Self { path, mut file, writer } = self;
        let failed = |source: io::Error| ReportError::Write { path: path.clone(), source };
        match writer {
            Writer::Markdown(comment) => file.write_all(comment.finish().as_bytes()),
            Writer::Json(json) => json.finish().and_then(|mut out| out.flush()),
            Writer::Html(page) => page.finish().and_then(|mut out| out.flush()),
        }
        .map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}
