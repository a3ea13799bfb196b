//! Files and folders that take another's place only when they are whole, and the removal of those that a killed process left.
//!
//! What is being written has a name of its own and a lock that its process holds: where nobody holds it, nobody writes it.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::base::files::{self, Fence, FolderHandle, NewFile, PREFIX, RANDOM};

/// How these names began and how many random characters they had up to version 0.2, which locked nothing.
const EARLIER: [NamePattern; 2] =
    [NamePattern { prefix: PREFIX, random: 6 }, NamePattern { prefix: ".latest-", random: 6 }];
/// What an earlier version wrote so long ago is being written by nobody.
const AT_REST: Duration = Duration::from_secs(3600);
/// The file in a temporary folder whose lock its process holds.
const LOCK: &str = ".lock";
/// Names that are tried before it is given up.
const TRIES: usize = 64;

/// Whether a file had to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileReplacement {
    /// It holds another text now.
    Written,
    /// It held the same text, and was left alone.
    Same,
}

/// Gives a regular file this text.
pub fn replace(path: &Path, fence: &Fence, text: &str) -> io::Result<FileReplacement> {
    match files::read(path, fence, text.len() as u64) {
        Ok(old) if old == text.as_bytes() && !is_link(path) => return Ok(FileReplacement::Same),
        Ok(_) | Err(_) => {}
    }
    let file = NewFile::beside(path, fence)?;
    file.file().write_all(text.as_bytes())?;
    file.file().sync_all()?;
    file.persist()?;
    Ok(FileReplacement::Written)
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_symlink())
}

/// A folder that is being filled and removed with all it holds, unless it is put into a place of its own.
#[derive(Debug)]
pub struct ScratchFolder {
    /// Closed before the folder goes, since some systems remove no open file.
    _lock: File,
    folder: TempDir,
}

impl ScratchFolder {
    /// A new one in this folder, which is made where it is missing, with the rights that the system's mask allows.
    pub fn new_in(parent: &Path, fence: &Fence) -> io::Result<Self> {
        FolderHandle::make(parent, fence)?;
        for _ in 0..TRIES {
            let mut builder = tempfile::Builder::new();
            builder.prefix(PREFIX).rand_bytes(RANDOM);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                builder.permissions(fs::Permissions::from_mode(0o777));
            }
            let folder = builder.tempdir_in(parent)?;
            let path = folder.path().join(LOCK);
            match File::create_new(&path) {
                Ok(lock) if is_locked_in_place(&lock, &path) => return Ok(Self { folder, _lock: lock }),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(taken_away(parent))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts it into its place.
    pub fn keep_as(self, place: &Path) -> io::Result<()> {
        fs::remove_file(self.path().join(LOCK))?;
        fs::rename(self.path(), place)?;
        // It is no temporary folder any more.
        let _ = self.folder.keep();
        Ok(())
    }

    /// Leaves it where it is, for good.
    pub fn leave(self) {
        let _ = fs::remove_file(self.path().join(LOCK));
        let _ = self.folder.keep();
    }
}

/// Takes the lock of what was just made; false where somebody took it for a leftover and removed it before.
/// A file system without locks keeps nobody from writing, and nothing is taken for a leftover there.
fn is_locked_in_place(file: &File, path: &Path) -> bool {
    let _ = file.lock();
    path.exists()
}

fn taken_away(folder: &Path) -> io::Error {
    io::Error::other(format!("another program removes what is written in {}", folder.display()))
}

/// Removes the temporary files and folders in a folder that processes left which were killed; what is being written stays,
/// and so does everything of another name. Gives what was removed.
pub fn remove_leftovers(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let left = entries.filter(|entry| {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { return false };
        match entry.file_type() {
            Ok(kind) if kind.is_file() => {
                is_name(name, NamePattern { prefix: PREFIX, random: RANDOM })
                    && is_file_removed(&entry.path(), &entry.path())
                    || is_of_earlier_version(name, &entry.path())
                        && is_file_removed(&entry.path(), &entry.path())
            }
            Ok(kind) if kind.is_dir() => {
                is_name(name, NamePattern { prefix: PREFIX, random: RANDOM })
                    && is_folder_removed(&entry.path())
                    || is_of_earlier_version(name, &entry.path()) && fs::remove_dir_all(entry.path()).is_ok()
            }
            Ok(_) | Err(_) => false,
        }
    });
    left.map(|entry| entry.path()).collect()
}

/// How names of temporary files are made.
#[derive(Clone, Copy)]
struct NamePattern {
    /// How they begin.
    prefix: &'static str,
    /// How many letters and digits follow.
    random: usize,
}

/// True of a name that a temporary file has: letters and digits that are no word.
fn is_name(name: &str, pattern: NamePattern) -> bool {
    name.strip_prefix(pattern.prefix).is_some_and(|rest| {
        rest.len() == pattern.random
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && rest.bytes().any(|byte| !byte.is_ascii_lowercase())
    })
}

fn is_of_earlier_version(name: &str, path: &Path) -> bool {
    let written = || fs::symlink_metadata(path).and_then(|found| found.modified()).ok();
    EARLIER.iter().any(|earlier| is_name(name, *earlier))
        && written().and_then(|written| written.elapsed().ok()).is_some_and(|age| age > AT_REST)
}

/// Removes what a lock stands for, if nobody holds the lock.
fn is_file_removed(lock: &Path, path: &Path) -> bool {
    // Kept open until all is gone: who made it and waits for its lock then sees that it is gone.
    let Ok(file) = File::options().write(true).open(lock) else { return false };
    match file.try_lock() {
        Ok(()) if lock == path => fs::remove_file(path).is_ok(),
        Ok(()) => fs::remove_dir_all(path).is_ok(),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

/// Removes a folder nobody holds; one without a lock file was only just begun, and goes only if it is empty.
fn is_folder_removed(folder: &Path) -> bool {
    let lock = folder.join(LOCK);
    match lock.symlink_metadata() {
        Ok(_) => is_file_removed(&lock, folder),
        Err(_) => fs::remove_dir(folder).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_only_by_another_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/a.json");
        assert_eq!(replace(&path, &Fence::around(folder.path()), "one").unwrap(), FileReplacement::Written);
        assert_eq!(replace(&path, &Fence::around(folder.path()), "one").unwrap(), FileReplacement::Same);
        assert_eq!(replace(&path, &Fence::around(folder.path()), "two").unwrap(), FileReplacement::Written);
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_a_dead_process_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let stays =
            [".flowproof-config", ".flowproof-AbC123", ".flowproof-AbC123def4567", "AbC123def456", ".lock"];
        for name in stays {
            fs::write(root.join(name), "theirs").unwrap();
        }
        fs::create_dir_all(root.join(".flowproof-0123456789Ab/latest")).unwrap();
        let live_file = NewFile::beside(&root.join("report.json"), &Fence::around(root)).unwrap();
        let live_folder = ScratchFolder::new_in(root, &Fence::around(root)).unwrap();
        fs::create_dir(live_folder.path().join("latest")).unwrap();
        assert!(remove_leftovers(root).is_empty(), "all of it is being written, or is not ours");

        // A process that is killed lets its locks go and removes nothing.
        let mut written = files::list(root, &Fence::around(root)).into_iter();
        let left = written.find(|path| path.is_file() && path.metadata().unwrap().len() == 0).unwrap();
        let file = live_folder.path().to_owned();
        drop(live_file);
        assert!(!left.exists(), "{}", left.display());
        fs::write(&left, "").unwrap();
        let ScratchFolder { folder: kept, _lock } = live_folder;
        let _ = kept.keep();
        drop(_lock);
        let mut gone = remove_leftovers(root);
        gone.sort();
        let mut expected = vec![left, file];
        expected.sort();
        assert_eq!(gone, expected);
        assert!(stays.iter().all(|name| root.join(name).is_file()));
        assert!(root.join(".flowproof-0123456789Ab/latest").is_dir(), "nobody knows who makes this");
    }

    #[test]
    fn what_an_earlier_version_left_goes_once_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join(".flowproof-AbC123"), folder.path().join(".latest-AbC124"));
        for path in [&old, &new] {
            fs::write(path, "").unwrap();
        }
        let long_ago = std::time::SystemTime::now() - 2 * AT_REST;
        File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(remove_leftovers(folder.path()), [old]);
        assert!(new.is_file());
    }

    #[test]
    fn a_folder_is_put_into_its_place_without_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let scratch =
            ScratchFolder::new_in(&folder.path().join("runs"), &Fence::around(folder.path())).unwrap();
        fs::write(scratch.path().join("journal.jsonl"), "x").unwrap();
        let place = folder.path().join("runs/one");
        scratch.keep_as(&place).unwrap();
        let names: Vec<_> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["journal.jsonl"]);
        assert_eq!(fs::read_dir(folder.path().join("runs")).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn what_takes_anothers_place_has_the_rights_of_an_ordinary_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        // The mask of this process decides, whatever it is.
        fs::write(folder.path().join("plain.txt"), "").unwrap();
        fs::create_dir(folder.path().join("plain")).unwrap();
        replace(&folder.path().join("whole.txt"), &Fence::around(folder.path()), "x").unwrap();
        ScratchFolder::new_in(folder.path(), &Fence::around(folder.path()))
            .unwrap()
            .keep_as(&folder.path().join("whole"))
            .unwrap();
        assert_eq!(mode("whole.txt"), mode("plain.txt"));
        assert_eq!(mode("whole"), mode("plain"));
    }
}
