//! Reads a journal from its file: the first line, which says what it is, and all lines into the fold.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use crate::base::byte_order_mark::without_mark;
use crate::base::files;
use crate::record::event::{Event, RunStart};
use crate::record::journal::fold::JournalFold;
use crate::record::journal::lines::FromStart;
use crate::record::journal::read::RunRecord;
use crate::record::journal::{JournalError, SCHEMA, fence_of};

/// The most bytes that are taken for a first line.
const FIRST_MAX: u64 = 16 << 20;

/// How the first line of every journal begins.
const BEGIN: &[u8] = b"{\"run_started\":";
/// How files begin that gzip, zip and zstd pack.
const COMPRESSED: [&[u8]; 3] = [b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"];

/// The first line, as far as every version has it.
#[derive(Deserialize)]
struct JournalHead {
    run_started: JournalSchema,
}

#[derive(Deserialize)]
struct JournalSchema {
    schema: u32,
}

/// Reads a journal; lines that cannot be read are named in the record and left out.
pub(crate) fn read(path: &Path) -> Result<RunRecord, JournalError> {
    let file = files::open(path, &fence_of(path))
        .map_err(|source| JournalError::Io { path: path.to_owned(), source })?;
    read_open(Arc::new(file), path)
}

/// Reads a journal that is open, also when it was removed meanwhile.
pub(super) fn read_open(file: Arc<File>, path: &Path) -> Result<RunRecord, JournalError> {
    Ok(fold_file(&file, path)?.fold.finish(path, file))
}

/// A journal, folded.
pub(super) struct FoldedFile {
    pub fold: JournalFold,
    /// The length of its whole lines, in bytes.
    pub whole: u64,
}

/// Folds a journal that is open.
pub(super) fn fold_file(file: &File, path: &Path) -> Result<FoldedFile, JournalError> {
    let failed = |source: io::Error| JournalError::Io { path: path.to_owned(), source };
    let mut input = BufReader::with_capacity(256 * 1024, FromStart::of(file));
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line).map_err(failed)?;
    let mut fold = JournalFold::new(start_of(path, &line)?);
    let (mut offset, mut whole) = (0, 0);
    loop {
        offset += line.len() as u64;
        if line.last() == Some(&b'\n') {
            whole = offset;
        }
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            return Ok(FoldedFile { fold, whole });
        }
        fold.line(&line, offset);
    }
}

/// Reads the first line only.
pub(crate) fn read_start(path: &Path) -> Result<RunStart, JournalError> {
    let failed = |source: io::Error| JournalError::Io { path: path.to_owned(), source };
    let mut line = Vec::new();
    let input = files::open(path, &fence_of(path)).map_err(failed)?;
    BufReader::new(input.take(FIRST_MAX)).read_until(b'\n', &mut line).map_err(failed)?;
    start_of(path, &line)
}

/// What the first line says.
pub(super) fn start_of(path: &Path, line: &[u8]) -> Result<RunStart, JournalError> {
    let line = without_mark(line);
    let foreign = |reason: String| JournalError::NotAJournal { path: path.to_owned(), reason };
    if line.is_empty() {
        return Err(JournalError::Empty { path: path.to_owned() });
    }
    if COMPRESSED.iter().any(|magic| line.starts_with(magic)) {
        return Err(foreign(String::from("is compressed: unpack the file first")));
    }
    let is_ours = line.starts_with(BEGIN) && line.ends_with(b"\n");
    let damaged = |error: serde_json::Error| match is_ours {
        true => JournalError::Beginning { path: path.to_owned(), reason: error.to_string() },
        false => foreign(format!("is no `run_started`: {error}")),
    };
    let first: JournalHead = serde_json::from_slice(line).map_err(damaged)?;
    let found = first.run_started.schema;
    if found > SCHEMA {
        return Err(JournalError::Newer { path: path.to_owned(), found });
    }
    match serde_json::from_slice(line) {
        Ok(Event::RunStarted(start)) => Ok(start),
        Ok(_) => Err(foreign(String::from("is no `run_started`"))),
        Err(error) => Err(damaged(error)),
    }
}
