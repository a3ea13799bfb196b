//! Reads single lines of a journal by their place, through a window that serves lines close to each other.
//!
//! The file stays open and is read by place, so that several may read it at once, and also when it was removed meanwhile.

use std::fs::File;
use std::io;

/// Bytes read at once.
const WINDOW: usize = 128 * 1024;

/// How much of a window lies before the line asked for: concurrent cases finish a little out of order.
const BEHIND: u64 = 32 * 1024;

/// A journal open for reading by place.
#[derive(Debug)]
pub(super) struct JournalLines<'f> {
    file: &'f File,
    window: Vec<u8>,
    start: u64,
}

impl<'f> JournalLines<'f> {
    /// Reads from this file.
    pub fn of(file: &'f File) -> Self {
        Self { file, window: Vec::new(), start: 0 }
    }

    /// The line that begins at `offset`, without its end.
    pub fn at(&mut self, offset: u64) -> io::Result<&[u8]> {
        let range = match self.find(offset) {
            Some(range) => range,
            None => self.fill(offset)?,
        };
        Ok(&self.window[range])
    }

    fn find(&self, offset: u64) -> Option<std::ops::Range<usize>> {
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let length = memchr::memchr(b'\n', self.window.get(from..)?)?;
        Some(from..from + length)
    }

    /// Reads a window around `offset` that holds its whole line.
    fn fill(&mut self, offset: u64) -> io::Result<std::ops::Range<usize>> {
        self.start = offset.saturating_sub(BEHIND);
        self.window.clear();
        loop {
            let held = self.window.len();
            self.window.resize(held + WINDOW, 0);
            let read = read_some(self.file, &mut self.window[held..], self.start + held as u64)?;
            self.window.truncate(held + read);
            if let Some(range) = self.find(offset) {
                return Ok(range);
            }
            if read == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the line is no longer there"));
            }
        }
    }
}

/// Reads what it gets at a place, none at the end of the file; the file's own place is not used.
#[cfg(unix)]
pub(super) fn read_some(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::os::unix::fs::FileExt;
    loop {
        match file.read_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(windows)]
pub(super) fn read_some(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::os::windows::fs::FileExt;
    file.seek_read(buffer, offset)
}

/// A file read from its beginning, whatever others do with its place.
#[derive(Debug)]
pub(super) struct FromStart<'f> {
    file: &'f File,
    offset: u64,
}

impl<'f> FromStart<'f> {
    /// Begins at the first byte.
    pub fn of(file: &'f File) -> Self {
        Self { file, offset: 0 }
    }
}

impl io::Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = read_some(self.file, buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}
