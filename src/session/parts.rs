//! What processes recorded that ended before they had joined it into its cassette.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::cassette::{Recorded, parse_part};
use crate::engine::part;
use crate::files::{self, Fence};
use crate::session::cassettes::{LARGEST, Unreadable};

/// A file of exchanges whose process has ended; nobody else takes it up while this is held.
pub(super) struct LeftPart {
    /// Where it is.
    pub path: PathBuf,
    _lock: File,
}

impl LeftPart {
    /// What it holds.
    pub fn read(&self, fence: &Fence) -> Result<Vec<Recorded>, Unreadable> {
        read_part(&self.path, fence)
    }
}

/// What a file of exchanges holds that its process may not have ended.
pub(super) fn read_part(path: &Path, fence: &Fence) -> Result<Vec<Recorded>, Unreadable> {
    parse_part(&files::read(path, fence, LARGEST).map_err(Unreadable::Io)?).map_err(Unreadable::Content)
}

/// The files beside a cassette that processes left which ended before they had joined them.
pub(super) fn left_parts(cassette: &Path) -> impl Iterator<Item = LeftPart> {
    let begin = format!("{}.", cassette.file_name().unwrap_or_default().to_string_lossy());
    let folder = cassette.parent().unwrap_or(Path::new("."));
    fs::read_dir(folder).into_iter().flatten().flatten().filter_map(move |entry| {
        let name = entry.file_name();
        let name = name.to_str()?;
        let is_part = name.starts_with(&begin) && name.ends_with(part::ENDING);
        if !is_part || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            return None;
        }
        let lock = File::options().read(true).write(true).open(entry.path()).ok()?;
        lock.try_lock().ok()?;
        Some(LeftPart { path: entry.path(), _lock: lock })
    })
}
