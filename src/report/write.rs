//! Writes documents to disk: all of a run in one pass over its records, and the folder replaced only when all are there.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::base::files::{self, Fence, FolderMark, OutputTarget, parent_of};
use crate::base::panics::{CaughtPanic, catch};
use crate::base::whole_file::{self, ScratchFolder};
use crate::record::journal::{JournalError, RunRecord};
use crate::report::document::{
    CaseBatch, DocumentFailure, DocumentPlace, OpenDocument, ReportFormat, WrittenDocument,
};
use crate::report::error::ReportError;
use crate::report::formats::{JUNIT, kind_of, signature_of};
use crate::report::latest::check_latest;

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
        Err(error @ ReportError::Write { .. }) if formats.contains(&JUNIT) && formats.len() > 1 => {
            Err(match write_caught(record, latest, &[JUNIT]) {
                Ok(_) => ReportError::OnlyJunit { why: Box::new(error), folder: latest.to_owned() },
                Err(_) => error,
            })
        }
        written => written,
    }
}

/// Writes the documents; what panics outside of any of them is an error of writing them.
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
    let DocumentFiles { files, panicked } = documents(record, &built, formats)?;
    if let Err(source) = replace(latest, &built, fresh.path()) {
        if fresh.path().join("old").exists() {
            // It could not be moved back either: better an odd name than a lost report.
            fresh.leave();
        }
        return Err(failed(latest, source));
    }
    let moved =
        |file: PathBuf| file.strip_prefix(&built).map_or_else(|_| file.clone(), |name| latest.join(name));
    match panicked {
        Some(PanickedDocument { path, panic }) => Err(ReportError::Panicked { path: moved(path), panic }),
        None => Ok(files.into_iter().map(moved).collect()),
    }
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
    let place = DocumentPlace { path, file: Some(output) };
    let mut pending = [PendingDocument::begin(format, place, record)?];
    catch(|| fill(record, &mut pending)).unwrap_or_else(|panic| Err(failed(io::Error::other(panic))))?;
    let [pending] = pending;
    pending.finish()?.map_err(|panicked| failed(io::Error::other(panicked.panic)))?;
    file.finish().map_err(failed)
}

/// What was written of the documents.
struct DocumentFiles {
    files: Vec<PathBuf>,
    /// The first document whose code panicked.
    panicked: Option<PanickedDocument>,
}

fn documents(
    record: &RunRecord,
    folder: &Path,
    formats: &[ReportFormat],
) -> Result<DocumentFiles, ReportError> {
    let mut pending = Vec::with_capacity(formats.len());
    for format in formats {
        let path = folder.join(format.file_name());
        pending.push(PendingDocument::begin(*format, DocumentPlace { path: &path, file: None }, record)?);
    }
    fill(record, &mut pending)?;
    let (mut files, mut panicked) = (Vec::new(), None);
    for document in pending {
        match document.finish()? {
            Ok(written) => files.extend(written),
            Err(found) => {
                found.remove().map_err(|source| ReportError::Write { path: found.path.clone(), source })?;
                panicked.get_or_insert(found);
            }
        }
    }
    Ok(DocumentFiles { files, panicked })
}

/// Puts all cases into the documents: batches are made on all cores, while those before them are written.
fn fill(record: &RunRecord, pending: &mut [PendingDocument<'_>]) -> Result<(), ReportError> {
    let formats: Vec<ReportFormat> = pending.iter().map(|document| document.format).collect();
    let mut made: Vec<CaseBatches> = Vec::new();
    let order = record.order_by_suite();
    let mut waves = order.chunks(WAVE);
    loop {
        let write = || {
            made.iter().try_for_each(|batches| {
                pending.iter_mut().zip(batches).try_for_each(|(document, batch)| document.add(batch))
            })
        };
        let wave = waves.next();
        let render = || {
            let chunks = wave.unwrap_or_default().par_chunks(CHUNK);
            chunks.map(|cases| render(record, cases, &formats)).collect::<Result<_, _>>()
        };
        let (written, next) = rayon::join(write, render);
        written?;
        made = next?;
        if wave.is_none() {
            return Ok(());
        }
    }
}

/// Some consecutive cases for each document, or why there are none for it.
type CaseBatches = Vec<Result<Option<Box<dyn CaseBatch>>, CaughtPanic>>;

/// Reads some cases and renders them for the documents; a panic is that of its document.
fn render(record: &RunRecord, cases: &[u32], formats: &[ReportFormat]) -> Result<CaseBatches, JournalError> {
    let mut batches: CaseBatches = formats.iter().map(|format| catch(|| format.batch(record))).collect();
    record.read_cases(cases, |case, attempts| {
        for batch in &mut batches {
            let Ok(Some(open)) = batch else { continue };
            if let Err(panic) = catch(|| open.push(&case, attempts)) {
                *batch = Err(panic);
            }
        }
    })?;
    Ok(batches)
}

/// A document that is being written, as long as its code does not panic.
struct PendingDocument<'r> {
    format: ReportFormat,
    path: PathBuf,
    open: Result<Box<dyn OpenDocument + 'r>, CaughtPanic>,
}

impl<'r> PendingDocument<'r> {
    fn begin(
        format: ReportFormat,
        place: DocumentPlace<'_>,
        record: &'r RunRecord,
    ) -> Result<Self, ReportError> {
        let path = place.path.to_owned();
        let open = match catch(|| format.begin(place, record)) {
            Ok(Ok(open)) => Ok(open),
            Ok(Err(DocumentFailure::Write(source))) => return Err(ReportError::Write { path, source }),
            Ok(Err(DocumentFailure::Journal(error))) => return Err(ReportError::Journal(error)),
            Err(panic) => Err(panic),
        };
        Ok(Self { format, path, open })
    }

    fn add(&mut self, batch: &Result<Option<Box<dyn CaseBatch>>, CaughtPanic>) -> Result<(), ReportError> {
        let Ok(open) = &mut self.open else { return Ok(()) };
        let added = match batch {
            Ok(Some(batch)) => catch(|| open.add(&**batch)),
            Ok(None) => return Ok(()),
            Err(panic) => Err(panic.clone()),
        };
        match added {
            Ok(written) => written.map_err(|source| ReportError::Write { path: self.path.clone(), source }),
            Err(panic) => {
                self.open = Err(panic);
                Ok(())
            }
        }
    }

    /// Ends it; returns its files, or the panic that it ended in.
    fn finish(self) -> Result<Result<Vec<PathBuf>, PanickedDocument>, ReportError> {
        let Self { path, open, .. } = self;
        let finished = open.and_then(|open| catch(|| open.finish()));
        match finished {
            Ok(Ok(WrittenDocument::File)) => Ok(Ok(vec![path])),
            Ok(Ok(WrittenDocument::Folder(files))) => Ok(Ok(files)),
            Ok(Err(source)) => Err(ReportError::Write { path, source }),
            Err(panic) => Ok(Err(PanickedDocument { path, panic })),
        }
    }
}

/// A document that cannot be made of this run, because its code panics.
struct PanickedDocument {
    path: PathBuf,
    panic: CaughtPanic,
}

impl PanickedDocument {
    /// Removes what there is of it: half a document must not look like a whole one.
    fn remove(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.path) {
            Ok(there) if there.is_dir() => fs::remove_dir_all(&self.path),
            Ok(_) => fs::remove_file(&self.path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Puts `built` in the place of `latest`: the old folder is moved aside first and back when the new one cannot be moved.
fn replace(latest: &Path, built: &Path, aside: &Path) -> io::Result<()> {
    let old = aside.join("old");
    match fs::rename(latest, &old) {
        // It is looked at again where nobody changes it any more.
        Ok(()) => files::marked_as(&old, signature_of)
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
