//! A journal as one portable file: its whole lines, copied; and whether somebody still writes it.

use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use crate::journal::JournalError;
use crate::whole_file;

/// Copies the whole lines of a journal, a torn last one left out, and gives the bytes written; an old file is replaced only
/// when the new one is there.
pub(crate) fn export(from: &Path, to: &Path) -> Result<u64, JournalError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| JournalError::Io { path, source }
    };
    let written = |source: io::Error| JournalError::Write { path: to.to_owned(), source };
    let input = File::open(from).map_err(failed(from))?;
    let length = input.metadata().map_err(failed(from))?.len();
    whole_file::remove_leftovers(whole_file::folder_of(to));
    let file = whole_file::beside(to).map_err(written)?;
    let mut output = BufWriter::new(file.as_file());
    // A run that goes on is copied as it is now.
    let mut input = BufReader::with_capacity(256 * 1024, input.take(length));
    let (mut line, mut size) = (Vec::new(), 0);
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line).map_err(failed(from))?;
        if line.last() != Some(&b'\n') {
            break;
        }
        output.write_all(&line).map_err(written)?;
        size += read as u64;
    }
    output.flush().map_err(written)?;
    drop(output);
    file.persist(to).map_err(|error| written(error.error))?;
    Ok(size)
}

/// Keeps others from writing a journal while this is held.
#[derive(Debug)]
pub(crate) struct Held(#[expect(dead_code, reason = "the lock goes when the file is closed")] File);

/// Takes hold of a journal that nobody writes; none where somebody does.
pub(crate) fn hold(path: &Path) -> io::Result<Option<Held>> {
    let file = File::open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Held(file))),
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
        let (from, to) = (folder.path().join("a"), folder.path().join("new/b.jsonl"));
        for (text, copied) in [("a\nb\n", "a\nb\n"), ("a\nb", "a\n"), ("", ""), ("a", "")] {
            fs::write(&from, text).unwrap();
            assert_eq!(export(&from, &to).unwrap(), copied.len() as u64);
            assert_eq!(fs::read_to_string(&to).unwrap(), copied);
        }
        assert!(export(&folder.path().join("none"), &to).is_err());
        assert!(export(&from, &folder.path().join("a/x")).is_err());
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
