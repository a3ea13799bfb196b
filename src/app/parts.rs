//! What processes recorded that ended before they had joined it into its cassette.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::app::cassettes::{LARGEST, Unreadable};
use crate::base::files::{self, Fence};
use crate::dify::cassette::{RecordedExchange, parse_part};
use crate::engine::part;

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
