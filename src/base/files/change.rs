//! Opens files that grow in place: journals, ledgers and locks.

use std::fs::File;
use std::io;
use std::path::Path;

use super::fence::{Fence, parent_of};
use super::folder::{FolderHandle, OpenMode};
use super::read::check_regular;
use super::refusal::FileRefusal;

/// What must be so of a file before it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeCondition {
    /// There is none; it is made, and its folder too.
    Missing,
    /// There is one.
    There,
    /// Either.
    Any,
}

/// Opens a regular file to read it and to add to it; a link is refused.
pub fn open_to_add(path: &Path, fence: &Fence, before: ChangeCondition) -> io::Result<File> {
    let (parent, name) = (parent_of(path), path.file_name().ok_or(FileRefusal::Folder)?);
    let (folder, opening) = match before {
        ChangeCondition::There => (FolderHandle::of_real(&fence.find(parent)?, fence)?, OpenMode::Add),
        ChangeCondition::Missing => (FolderHandle::make(parent, fence)?, OpenMode::Make),
        ChangeCondition::Any => (FolderHandle::make(parent, fence)?, OpenMode::AddOrMake),
    };
    if before != ChangeCondition::Missing {
        folder.replaced(name)?;
    }
    let file = folder.open(name, opening)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}
