//! Opens files that grow in place: journals, ledgers and locks.

use std::fs::File;
use std::io;
use std::path::Path;

use super::fence::{Fence, parent_of};
use super::folder::{FolderHandle, Opening};
use super::read::check_regular;
use super::refusal::Refusal;

/// What must be so of a file before it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// There is none; it is made, and its folder too.
    Missing,
    /// There is one.
    There,
    /// Either.
    Any,
}

/// Opens a regular file to read it and to add to it; a link is refused.
pub fn open_to_add(path: &Path, fence: &Fence, before: Before) -> io::Result<File> {
    let (parent, name) = (parent_of(path), path.file_name().ok_or(Refusal::Folder)?);
    let (folder, opening) = match before {
        Before::There => (FolderHandle::of_real(&fence.find(parent)?, fence)?, Opening::Add),
        Before::Missing => (FolderHandle::make(parent, fence)?, Opening::Make),
        Before::Any => (FolderHandle::make(parent, fence)?, Opening::AddOrMake),
    };
    if before != Before::Missing {
        folder.replaced(name)?;
    }
    let file = folder.open(name, opening)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}
