//! Reads single lines of a journal by their place, through a window that serves lines standing close together.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes read at once.
const WINDOW: usize = 128 * 1024;

/// How much of a window lies before the line asked for: concurrent cases finish a little out of order.
const BEHIND: u64 = 32 * 1024;

/// A journal open for reading by place.
#[derive(Debug)]
pub(super) struct Lines {
    file: File,
    window: Vec<u8>,
    start: u64,
}

impl Lines {
    /// Opens the journal.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, window: Vec::new(), start: 0 })
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
        self.file.seek(SeekFrom::Start(self.start))?;
        self.window.clear();
        loop {
            let read = self.file.by_ref().take(WINDOW as u64).read_to_end(&mut self.window)?;
            if let Some(range) = self.find(offset) {
                return Ok(range);
            }
            if read == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the line is no longer there"));
            }
        }
    }
}
