//! Where a suite's relative paths start, and the folder they may not leave.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder of a suite and the folder around it that its paths may not leave.
#[derive(Debug, Clone)]
pub struct Grounds {
    /// Relative paths start here.
    pub folder: Arc<PathBuf>,
    /// May not be left; none with `--allow-outside`.
    pub root: Option<Arc<PathBuf>>,
}

impl Grounds {
    /// The file a path names, symbolic links followed, if it exists and lies within.
    pub fn resolve(&self, path: &str) -> Result<PathBuf, String> {
        let joined = self.folder.join(path);
        let real =
            joined.canonicalize().map_err(|error| format!("`{path}` cannot be read: {}", plain(&error)))?;
        let Some(root) = &self.root else { return Ok(real) };
        let root = root
            .canonicalize()
            .map_err(|error| format!("the suites folder cannot be read: {}", plain(&error)))?;
        if real.starts_with(&root) {
            Ok(real)
        } else {
            Err(format!("`{path}` lies outside the suites folder"))
        }
    }
}

/// An operating system error without its number.
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
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
