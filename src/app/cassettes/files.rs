//! The files of cassettes, and what processes recorded that ended before they had joined it into its cassette.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::files::{self, Fence, plain};
use crate::base::origin::Place;
use crate::dify::cassette::{CassetteError, RecordedExchange, parse, parse_part};
use crate::engine::part;
use crate::yaml::problem::Problem;
use crate::yaml::secret_lines::masked_text;

/// The largest cassette that is read.
const LARGEST: u64 = 1 << 30;

/// Why a cassette cannot be read.
pub(super) enum Unreadable {
    /// The file.
    Io(io::Error),
    /// What it holds.
    Content(CassetteError),
}

impl Unreadable {
    /// The same as a problem of the cassette of this name.
    pub fn problem(&self, name: &str) -> Problem {
        match self {
            Self::Io(error) => {
                Problem::new(Place::file(name), format!("the cassette cannot be read: {}", plain(error)))
            }
            Self::Content(error) => {
                let place = Place {
                    file: Arc::from(name),
                    line: error.line,
                    column: error.column.max(1),
                    width: 1,
                    excerpt: Arc::from(masked_text(&error.excerpt, &[])),
                };
                Problem::new(place, format!("this line of the cassette {}", error.message)).help(error.help)
            }
        }
    }
}

/// What a file holds; `None` where there is no file.
pub(super) fn read(path: &Path, fence: &Fence) -> Result<Option<Vec<RecordedExchange>>, Unreadable> {
    match files::read(path, fence, LARGEST) {
        Ok(bytes) => parse(&bytes).map(Some).map_err(Unreadable::Content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Unreadable::Io(error)),
    }
}

/// A file of exchanges whose process has ended; nobody else takes it up while this is held.
pub(super) struct LeftPart {
    /// Where it is.
    pub path: PathBuf,
    _lock: File,
}

impl LeftPart {
    /// What it holds.
    pub fn read(&self, fence: &Fence) -> Result<Vec<RecordedExchange>, Unreadable> {
        read_part(&self.path, fence)
    }
}

/// What a file of exchanges holds that its process may not have ended.
pub(super) fn read_part(path: &Path, fence: &Fence) -> Result<Vec<RecordedExchange>, Unreadable> {
    parse_part(&files::read(path, fence, LARGEST).map_err(Unreadable::Io)?).map_err(Unreadable::Content)
}

/// The files beside a cassette that processes left which ended before they had joined them.
pub(super) fn left_parts(cassette: &Path, fence: &Fence) -> Vec<LeftPart> {
    let begin = format!("{}.", cassette.file_name().unwrap_or_default().to_string_lossy());
    let is_part = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&begin) && name.ends_with(part::ENDING)
    };
    let paths = files::list(files::parent_of(cassette), fence).into_iter().filter(is_part);
    let left = paths.filter_map(|path| {
        let lock = files::open(&path, fence).ok()?;
        lock.try_lock().ok()?;
        Some(LeftPart { path, _lock: lock })
    });
    left.collect()
}
