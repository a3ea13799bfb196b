//! What a run records of one suite while it goes on: each exchange is on disk once it has ended, in a file beside the cassette.
//!
//! The file is locked as long as its process lives. What a dead process left in one is replayed and joined like the cassette.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::base::files::{self, ChangeCondition, Fence};
use crate::dify::cassette::{Mask, RecordedExchange, first_line, render_line};

/// How the name of such a file ends: `triage.jsonl.abcdef.part` beside `triage.jsonl`.
pub(crate) const ENDING: &str = ".part";
/// Names that are tried before it is given up.
const TRIES: usize = 16;

/// A file of exchanges that is being written.
#[derive(Debug)]
pub(crate) struct PartFile {
    path: PathBuf,
    file: File,
    /// Why nothing can be added any more.
    broken: Option<String>,
}

impl PartFile {
    /// A new file beside a cassette.
    pub fn beside(cassette: &Path, fence: &Fence) -> io::Result<Self> {
        let mut random = fastrand::Rng::new();
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for _ in 0..TRIES {
            let salt: String = (0..8).map(|_| random.lowercase()).collect();
            let mut name = cassette.file_name().unwrap_or_default().to_owned();
            name.push(format!(".{salt}{ENDING}"));
            let path = cassette.with_file_name(name);
            match files::open_to_add(&path, fence, ChangeCondition::Missing) {
                Ok(mut file) => {
                    // Where nothing can be locked nobody takes it for a dead process's.
                    let _ = file.lock();
                    if path.exists() {
                        file.write_all(format!("{}\n", first_line()).as_bytes())?;
                        return Ok(Self { path, file, broken: None });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// Adds an exchange, masked; after a write that failed, none, for it would be read as the end of a torn line.
    pub fn add(&mut self, recorded: &RecordedExchange, mask: &Mask) -> Result<(), String> {
        if let Some(why) = &self.broken {
            return Err(why.clone());
        }
        let line = render_line(recorded, mask);
        self.file.write_all(format!("{line}\n").as_bytes()).map_err(|error| {
            let why = format!("write {}: {error}", self.path.display());
            self.broken.insert(why).clone()
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
