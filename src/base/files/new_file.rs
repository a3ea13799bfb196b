//! Files that take another's place only when they are whole.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;

use super::fence::{Fence, parent_of};
use super::folder::{FolderHandle, OpenMode};
use super::refusal::FileRefusal;

/// How the names of temporary files and folders begin.
pub const PREFIX: &str = ".flowproof-";
/// Random characters behind it.
pub const RANDOM: usize = 12;
/// How often another name is tried.
const TRIES: usize = 64;

/// A file that is being written in the folder of the name it takes. Its process holds its lock until it is closed.
#[derive(Debug)]
pub struct NewFile {
    folder: FolderHandle,
    name: OsString,
    temporary: Option<OsString>,
    file: File,
}

impl NewFile {
    /// Begins a file, with the rights that the system's mask allows; its folder is made where it is missing.
    pub fn beside(path: &Path, fence: &Fence) -> io::Result<Self> {
        let folder = FolderHandle::make(parent_of(path), fence)?;
        let name = path.file_name().ok_or(FileRefusal::Folder)?.to_owned();
        folder.replaced(&name)?;
        let mut random = fastrand::Rng::new();
        for _ in 0..TRIES {
            let temporary = temporary_name(&mut random);
            match folder.open(&temporary, OpenMode::Make) {
                Ok(file) => {
                    // A file system without locks keeps nobody from writing, and nothing is taken for a leftover there.
                    let _ = file.lock();
                    // Somebody may have taken it for a leftover before it was locked.
                    if folder.replaced(&temporary)?.is_some() {
                        return Ok(Self { folder, name, temporary: Some(temporary), file });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        let folder = parent_of(path).display();
        Err(io::Error::other(format!("another program removes what is written in {folder}")))
    }

    /// The file that is written to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives it its name; a file that had the name before leaves it its rights.
    pub fn persist(mut self) -> io::Result<()> {
        if let Some(old) = self.folder.replaced(&self.name)? {
            old.give(&self.file)?;
        }
        if let Some(temporary) = &self.temporary {
            self.folder.rename(temporary, &self.name)?;
        }
        self.temporary = None;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // A process that cannot be checked counts as alive: its money stays reserved.
            let _ = self.folder.remove_file(temporary);
        }
    }
}

/// A name that is no word: it holds a digit.
fn temporary_name(random: &mut fastrand::Rng) -> OsString {
    let rest: String = (1..RANDOM).map(|_| random.alphanumeric()).collect();
    format!("{PREFIX}{}{rest}", random.digit(10)).into()
}
