//! Writes documents to disk: all of a run in one pass over its records, and the folder replaced only when all are there.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::base::files::{self, Fence, FolderMark, OutputTarget, parent_of};
use crate::base::panics::catch;
use crate::base::whole_file::{self, ScratchFolder};
use crate::record::journal::RunRecord;
use crate::report::case_batch::{CaseBatch, render};
use crate::report::csv::CsvTable;
use crate::report::diff::DiffFolder;
use crate::report::format::{ReportError, ReportFormat};
use crate::report::html::{HtmlPage, PageError};
use crate::report::json::JsonReport;
use crate::report::junit::Junit;
use crate::report::latest::{begins_with, check_latest};
use crate::report::markdown::render_markdown;
use crate::report::tap::Tap;

/// Cases read in one go by one core.
const CHUNK: usize = 64;
/// Cases whose pieces are held at once: those being written, and as many being made meanwhile.
const WAVE: usize = 8 * CHUNK;
/// Writes the documents into a folder that takes the place of `latest` once all of them are there. When one of them cannot be
/// written, `junit.xml` alone is tried: it is small, and what a build server shows must not be an earlier run. The old folder
/// is kept when that fails as well.
pub(crate) fn write_all(
    record: &RunRecord,
    latest: &Path,
    formats: &[ReportFormat],
) -> Result<Vec<PathBuf>, ReportError> {
    match write_caught(record, latest, formats) {
        Err(error @ ReportError::Write { .. })
            if formats.contains(&ReportFormat::Junit) && formats.len() > 1 =>
        {
            Err(match write_caught(record, latest, &[ReportFormat::Junit]) {
                Ok(_) => ReportError::OnlyJunit { why: Box::new(error), folder: latest.to_owned() },
                Err(_) => error,
            })
        }
        written => written,
    }
}

/// Writes the documents; a panic in one of them is an error of that document.
fn write_caught(
    record: &RunRecord,
    latest: &Path,
    formats: &[ReportFormat],
) -> Result<Vec<PathBuf>, ReportError> {
    catch(|| write_these(record, latest, formats)).unwrap_or_else(|panic| {
        Err(ReportError::Write { path: latest.to_owned(), source: io::Error::other(panic) })
    })
}

fn write_these(
    record: &RunRecord,
    latest: &Path,
    formats: &[ReportFormat],
) -> Result<Vec<PathBuf>, ReportError> {
    let failed = |path: &Path, source: io::Error| ReportError::Write { path: path.to_owned(), source };
    let parent = parent_of(latest);
    check_latest(latest)?;
    let fresh =
        ScratchFolder::new_in(parent, &Fence::around(parent)).map_err(|source| failed(parent, source))?;
    let built = fresh.path().join("latest");
    fs::create_dir(&built).map_err(|source| failed(&built, source))?;
    files::mark(&built).map_err(|source| failed(&built, source))?;
    let files = documents(record, &built, formats)?;
    if let Err(source) = replace(latest, &built, fresh.path()) {
        if fresh.path().join("old").exists() {
            // It could not be moved back either: better an odd name than a lost report.
            fresh.leave();
        }
        return Err(failed(latest, source));
    }
    let moved =
        |file: PathBuf| file.strip_prefix(&built).map_or_else(|_| file.clone(), |name| latest.join(name));
    Ok(files.into_iter().map(moved).collect())
}

/// Writes one document of the format that the name's ending names; an old file is replaced only when the new one is whole.
/// A document for the standard output is returned.
pub(crate) fn write_file(
    record: &RunRecord,
    path: &Path,
    fence: &Fence,
) -> Result<Option<File>, ReportError> {
    let format = kind_of(path)?;
    let failed = |source: io::Error| ReportError::Write { path: path.to_owned(), source };
    let file = OutputTarget::begin(path, fence).map_err(failed)?;
    if let OutputTarget::Whole(_) = file {
        whole_file::remove_leftovers(parent_of(path));
    }
    let output = file.file().try_clone().map_err(failed)?;
    let document = OpenDocument::begin(format, output, path, record)?;
    let mut open = [(document, path.to_owned())];
    catch(|| fill(record, &mut open, &[format]))
        .unwrap_or_else(|panic| Err(failed(io::Error::other(panic))))?;
    let [(document, _)] = open;
    document.finish().map_err(failed)?;
    file.finish().map_err(failed)
}

/// The format that a file name asks for, checked before anything is run.
pub(crate) fn kind_of(path: &Path) -> Result<ReportFormat, ReportError> {
    if files::is_standard_output(path) {
        return Ok(ReportFormat::Json);
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let reason = match ending.as_str() {
        "xml" => return Ok(ReportFormat::Junit),
        "json" => return Ok(ReportFormat::Json),
        "html" => return Ok(ReportFormat::Html),
        "md" => return Ok(ReportFormat::Markdown),
        "tap" => return Ok(ReportFormat::Tap),
        "csv" => return Ok(ReportFormat::Csv),
        "" => String::from("this name has no ending"),
        other => format!("`.{other}` is none of them"),
    };
    Err(ReportError::Kind { path: path.to_owned(), reason })
}

fn documents(
    record: &RunRecord,
    folder: &Path,
    formats: &[ReportFormat],
) -> Result<Vec<PathBuf>, ReportError> {
    let failed = |path: &Path, source: io::Error| ReportError::Write { path: path.to_owned(), source };
    let mut open = Vec::with_capacity(formats.len());
    for format in formats {
        let path = folder.join(format.file_name());
        let document = match format {
            ReportFormat::Diff => {
                OpenDocument::Diff(DiffFolder::new(&path).map_err(|source| failed(&path, source))?)
            }
            ReportFormat::Junit
            | ReportFormat::Json
            | ReportFormat::Html
            | ReportFormat::Markdown
            | ReportFormat::Tap
            | ReportFormat::Csv => {
                let file = File::create(&path).map_err(|source| failed(&path, source))?;
                OpenDocument::begin(*format, file, &path, record)?
            }
        };
        open.push((document, path));
    }
    fill(record, &mut open, formats)?;
    let mut files = Vec::new();
    for (document, path) in open {
        let folder_files = document.finish().map_err(|source| failed(&path, source))?;
        match folder_files {
            Some(inside) => files.extend(inside),
            None => files.push(path),
        }
    }
    Ok(files)
}

/// Puts all cases into the documents: pieces are made on all cores, while those before them are written.
fn fill(
    record: &RunRecord,
    open: &mut [(OpenDocument<'_>, PathBuf)],
    formats: &[ReportFormat],
) -> Result<(), ReportError> {
    let mut made: Vec<CaseBatch> = Vec::new();
    let order = record.order_by_suite();
    let mut waves = order.chunks(WAVE);
    loop {
        let write = || {
            made.iter().try_for_each(|piece| {
                open.iter_mut().try_for_each(|(document, path)| {
                    document
                        .piece(piece)
                        .map_err(|source| ReportError::Write { path: path.to_owned(), source })
                })
            })
        };
        let wave = waves.next();
        let render = || {
            let pieces = wave.unwrap_or_default().par_chunks(CHUNK);
            pieces.map(|cases| render(record, cases, formats)).collect::<Result<_, _>>()
        };
        let (written, next) = rayon::join(write, render);
        written?;
        made = next?;
        if wave.is_none() {
            return Ok(());
        }
    }
}

/// A document that is being written.
enum OpenDocument<'a> {
    Junit(Junit<'a, BufWriter<File>>),
    Json(JsonReport<BufWriter<File>>),
    Html(HtmlPage<BufWriter<File>>),
    /// Whole since it began.
    Markdown(BufWriter<File>),
    Tap(Tap<BufWriter<File>>),
    Csv(CsvTable<BufWriter<File>>),
    Diff(DiffFolder),
}

impl<'a> OpenDocument<'a> {
    fn begin(
        format: ReportFormat,
        file: File,
        path: &Path,
        record: &'a RunRecord,
    ) -> Result<Self, ReportError> {
        let failed = |source: io::Error| ReportError::Write { path: path.to_owned(), source };
        let mut out = BufWriter::with_capacity(64 * 1024, file);
        match format {
            ReportFormat::Junit => Junit::new(out, record).map(Self::Junit).map_err(failed),
            ReportFormat::Json => JsonReport::new(out, record).map(Self::Json).map_err(failed),
            ReportFormat::Html => HtmlPage::new(out, record).map(Self::Html).map_err(|error| match error {
                PageError::Write(source) => failed(source),
                PageError::Journal(error) => ReportError::Journal(error),
            }),
            ReportFormat::Markdown => {
                out.write_all(render_markdown(record)?.as_bytes()).map_err(failed)?;
                Ok(Self::Markdown(out))
            }
            ReportFormat::Tap => Tap::new(out, record).map(Self::Tap).map_err(failed),
            ReportFormat::Csv => CsvTable::new(out).map(Self::Csv).map_err(failed),
            ReportFormat::Diff => DiffFolder::new(path).map(Self::Diff).map_err(failed),
        }
    }

    fn piece(&mut self, piece: &CaseBatch) -> io::Result<()> {
        match self {
            Self::Junit(junit) => piece.sections.iter().try_for_each(|section| junit.section(section)),
            Self::Json(json) => json.cases(&piece.json),
            Self::Html(page) => page.piece(&piece.html),
            Self::Markdown(_) => Ok(()),
            Self::Tap(tap) => tap.points(&piece.tap),
            Self::Csv(table) => table.rows(&piece.csv),
            Self::Diff(folder) => piece.differing.iter().try_for_each(|case| folder.case(case)),
        }
    }

    /// Ends it; gives the files of a folder.
    fn finish(self) -> io::Result<Option<Vec<PathBuf>>> {
        let mut out = match self {
            Self::Junit(junit) => junit.finish()?,
            Self::Json(json) => json.finish()?,
            Self::Html(page) => page.finish()?,
            Self::Markdown(out) => out,
            Self::Tap(tap) => tap.finish()?,
            Self::Csv(table) => table.finish(),
            Self::Diff(folder) => return folder.finish().map(Some),
        };
        out.flush().map(|()| None)
    }
}

/// Puts `built` in the place of `latest`: the old folder is moved aside first and back when the new one cannot be moved.
fn replace(latest: &Path, built: &Path, aside: &Path) -> io::Result<()> {
    let old = aside.join("old");
    match fs::rename(latest, &old) {
        // It is looked at again where nobody changes it any more.
        Ok(()) => files::marked_as(&old, begins_with)
            .and_then(|mark| match mark {
                FolderMark::Free | FolderMark::Ours => fs::rename(built, latest),
                FolderMark::Foreign(name) => {
                    Err(io::Error::other(format!("`{name}` was put into it meanwhile")))
                }
            })
            .inspect_err(|_| drop(fs::rename(&old, latest))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(built, latest),
        Err(error) => Err(error),
    }
}
