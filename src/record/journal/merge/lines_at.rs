//! Opens journals at a place in them.

use std::fs::File;
use std::io::{self, BufReader, Seek, SeekFrom};
use std::path::Path;

use crate::base::files;
use crate::record::journal::{JournalError, fence_of};

/// Opens a journal at a place in it.
pub(super) fn open(path: &Path, offset: u64) -> Result<BufReader<File>, JournalError> {
    let failed = |source: io::Error| JournalError::Io { path: path.to_owned(), source };
    let mut file = files::open(path, &fence_of(path)).map_err(failed)?;
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    Ok(BufReader::with_capacity(256 * 1024, file))
}
