//! Where a suite's relative paths start, and the folders that they and the files beside it may not leave.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::files::{self, Fence, FileRefusal, plain};

/// The largest file that is uploaded.
pub const LARGEST_UPLOAD: u64 = 256 << 20;

/// The folder of a suite and what its paths may not leave.
#[derive(Debug, Clone)]
pub struct SuiteFolder {
    /// Relative paths start here.
    pub folder: Arc<PathBuf>,
    /// Holds the paths that the suite names: the suites folder; nothing with `--allow-outside`.
    pub fence: Fence,
    /// Holds the files that are found by their place beside the suite: the project, else the suites folder.
    pub place: Fence,
}

impl SuiteFolder {
    /// What the regular file holds that a path names, if it is of at most this many bytes.
    pub fn read(&self, path: &str, most: u64) -> Result<Vec<u8>, String> {
        files::read(&self.folder.join(path), &self.fence, most).map_err(|error| self.refused(path, &error))
    }

    /// Says why a file that is to be uploaded cannot be.
    pub fn check_upload(&self, path: &str) -> Result<(), String> {
        check_upload(&self.folder.join(path), &self.fence).map_err(|error| self.refused(path, &error))
    }

    fn refused(&self, path: &str, error: &std::io::Error) -> String {
        match FileRefusal::of(error) {
            Some(FileRefusal::Outside(_)) => format!("`{path}` lies outside the suites folder"),
            Some(FileRefusal::Folder | FileRefusal::Irregular) => format!("`{path}` is no file: {error}"),
            Some(FileRefusal::TooLarge(_)) => format!("`{path}` is too large: {error}"),
            Some(FileRefusal::Dangling | FileRefusal::Link | FileRefusal::Unread) => {
                format!("`{path}` cannot be read: {error}")
            }
            None => format!("`{path}` cannot be read: {}", plain(error)),
        }
    }
}

/// Refuses a file that cannot be uploaded: one that is no regular file, lies outside or is too large.
pub fn check_upload(path: &Path, fence: &Fence) -> std::io::Result<()> {
    match files::open(path, fence)?.metadata()?.len() {
        length if length > LARGEST_UPLOAD => Err(FileRefusal::TooLarge(LARGEST_UPLOAD).into()),
        _ => Ok(()),
    }
}

/// A path as reports show it: relative to `root` where it lies below it, with `/` between folders.
pub fn shown(path: &Path, root: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    match parts.split_first() {
        Some((first, rest)) if first == "/" => format!("/{}", rest.join("/")),
        Some(_) => parts.join("/"),
        None => ".".to_owned(),
    }
}
