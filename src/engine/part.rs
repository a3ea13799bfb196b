//! The file beside a cassette to which a run adds each exchange of a suite once it has ended.
//!
//! The file is locked as long as its process lives. Exchanges in the file of a dead process are replayed, and joined into the cassette.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::base::files::{self, ChangeCondition, Fence};
use crate::dify::cassette::{Mask, RecordedExchange, first_line, render_line};

/// How the name of such a file ends: `triage.jsonl.abcdef.part` beside `triage.jsonl`.
pub(crate) const ENDING: &str = ".part";
/// Most names that are tried.
const TRIES: usize = 16;

/// A file of exchanges that is being written.
#[derive(Debug)]
pub(crate) struct PartFile {
    path: PathBuf,
    file: File,
    /// Why nothing more can be added.
    broken: Option<String>,
}

impl PartFile {
    /// Creates a file beside a cassette.
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
                    // If the file system has no locks, no process takes the file for that of a dead one.
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

    /// Adds an exchange, masked. After a failed write nothing more is added: it would be read as the end of the torn line.
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
