//! Opens and reads files.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use super::fence::{Fence, parent_of};
use super::folder::{FolderHandle, OpenMode};
use super::refusal::FileRefusal;

/// Opens a regular file to read it; what it is is looked at before, for opening a device may do something, and after.
pub fn open(path: &Path, fence: &Fence) -> io::Result<File> {
    let real = fence.find(path)?;
    check_regular(&real.symlink_metadata()?)?;
    let name = real.file_name().ok_or(FileRefusal::Folder)?;
    let file = FolderHandle::of_real(parent_of(&real), fence)?.open(name, OpenMode::Read)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Reads a regular file of at most this many bytes.
pub fn read(path: &Path, fence: &Fence, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path, fence)?;
    let length = file.metadata()?.len();
    if length > most {
        return Err(FileRefusal::TooLarge(most).into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    // It may grow meanwhile.
    file.take(most + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(FileRefusal::TooLarge(most).into()),
        false => Ok(bytes),
    }
}

/// True where there is something of that name, were it a link to nothing.
pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Refuses what is no regular file.
pub(super) fn check_regular(found: &Metadata) -> io::Result<()> {
    if found.is_file() {
        Ok(())
    } else if found.is_dir() {
        Err(FileRefusal::Folder.into())
    } else {
        Err(FileRefusal::Irregular.into())
    }
}
