//! The folder that a path may not leave, links followed.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::refusal::FileRefusal;

/// The folder that paths may not leave, if there is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fence(Option<Arc<Path>>);

impl Fence {
    /// No fence: for paths that a user names and means.
    pub fn anywhere() -> Self {
        Self(None)
    }

    /// Paths may not leave this folder.
    pub fn around(folder: &Path) -> Self {
        Self(Some(Arc::from(folder)))
    }

    /// The fence of a path from the command line or the environment: what lies in the project stays in it; what lies elsewhere
    /// is meant as it is named.
    pub fn of_named(path: &Path, project: &Path) -> Self {
        match lexical(path).starts_with(lexical(project)) {
            true => Self::around(project),
            false => Self::anywhere(),
        }
    }

    /// The folder, as it was named.
    pub fn folder(&self) -> Option<&Path> {
        self.0.as_deref()
    }

    /// The real path of something that exists, links followed.
    pub fn find(&self, path: &Path) -> io::Result<PathBuf> {
        match real(path) {
            Ok(found) => self.inside(found),
            // A folder on the way that leads outside is reported although nothing lies in it yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.inside(real_or_new(path)?)?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// The real path of a folder that may be missing, links followed.
    pub fn find_or_new(&self, path: &Path) -> io::Result<PathBuf> {
        self.inside(real_or_new(path)?)
    }

    /// The real path of the fence's folder.
    pub(super) fn root(&self) -> io::Result<Option<PathBuf>> {
        self.folder().map(real_or_new).transpose()
    }

    fn inside(&self, found: PathBuf) -> io::Result<PathBuf> {
        match self.root()? {
            Some(root) if !found.starts_with(&root) => Err(FileRefusal::Outside(root).into()),
            Some(_) | None => Ok(found),
        }
    }
}

fn real(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize().map_err(|error| match error.kind() == io::ErrorKind::NotFound && is_link(path) {
        true => FileRefusal::Dangling.into(),
        false => error,
    })
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_symlink())
}

/// The real path of what exists of a path, and the rest of it.
fn real_or_new(path: &Path) -> io::Result<PathBuf> {
    match real(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let Some(name) = path.file_name() else { return Err(error) };
            Ok(real_or_new(parent_of(path))?.join(name))
        }
        found => found,
    }
}

/// The folder that a path lies in.
pub fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A path without `.` and `..`, as it is written: no link is followed.
fn lexical(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()),
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => parts.push(part),
        }
    }
    parts
}
