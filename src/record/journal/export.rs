//! A journal as one portable file: its whole lines, copied; and whether somebody still writes it.

use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use crate::base::files;
use crate::record::journal::fence_of;

/// Copies the whole lines of a journal, a torn last one left out, and gives the bytes written.
pub(crate) fn export(from: &Path, to: &File) -> Result<u64, ExportError> {
    let input = files::open(from, &fence_of(from)).map_err(ExportError::Read)?;
    let length = input.metadata().map_err(ExportError::Read)?.len();
    let mut output = BufWriter::new(to);
    // A run that goes on is copied as it is now.
    let mut input = BufReader::with_capacity(256 * 1024, input.take(length));
    let (mut line, mut size) = (Vec::new(), 0);
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line).map_err(ExportError::Read)?;
        if line.last() != Some(&b'\n') {
            break;
        }
        output.write_all(&line).map_err(ExportError::Write)?;
        size += read as u64;
    }
    output.flush().map_err(ExportError::Write)?;
    Ok(size)
}

/// Which side of a copy failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    /// The journal.
    #[error("the journal cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The file it is copied to.
    #[error("{0}")]
    Write(#[source] io::Error),
}

/// Keeps others from writing a journal while this is held.
#[derive(Debug)]
pub(crate) struct JournalLock(#[expect(dead_code, reason = "the lock goes when the file is closed")] File);

/// Takes hold of a journal that nobody writes; `None` where somebody does.
pub(crate) fn hold(path: &Path) -> io::Result<Option<JournalLock>> {
    let file = files::open(path, &fence_of(path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(JournalLock(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn whole_lines_are_copied_and_a_torn_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b.jsonl"));
        for (text, copied) in [("a\nb\n", "a\nb\n"), ("a\nb", "a\n"), ("", ""), ("a", "")] {
            fs::write(&from, text).unwrap();
            assert_eq!(export(&from, &File::create(&to).unwrap()).unwrap(), copied.len() as u64);
            assert_eq!(fs::read_to_string(&to).unwrap(), copied);
        }
        let missing = export(&folder.path().join("none"), &File::create(&to).unwrap());
        assert!(matches!(missing, Err(ExportError::Read(_))));
        fs::write(&from, "a\n").unwrap();
        let unwritable = export(&from, &File::open(&to).unwrap());
        assert!(matches!(unwritable, Err(ExportError::Write(_))));
    }

    #[test]
    fn what_is_held_is_not_taken_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "").unwrap();
        let held = hold(&path).unwrap();
        assert!(held.is_some() && hold(&path).unwrap().is_none());
        drop(held);
        assert!(hold(&path).unwrap().is_some());
    }
}
