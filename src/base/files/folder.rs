//! A folder that is held open: what happens in it happens there, wherever its path leads meanwhile.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::fence::{Fence, parent_of};
use super::refusal::FileRefusal;

/// How a file of a folder is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenMode {
    /// To be read.
    Read,
    /// To be read and added to.
    Add,
    /// The same, and made where it is missing.
    AddOrMake,
    /// Made to be read and added to; there must be none.
    Make,
}

/// An open folder.
#[derive(Debug)]
pub struct FolderHandle(system::Folder);

impl FolderHandle {
    /// Opens a folder, and makes it where it is missing.
    pub fn make(path: &Path, fence: &Fence) -> io::Result<Self> {
        let real = fence.find_or_new(path)?;
        match fence.root()? {
            Some(root) => {
                std::fs::create_dir_all(&root)?;
                let below = real.strip_prefix(&root).map_err(|_| FileRefusal::Outside(root.clone()))?;
                let mut folder = system::Folder::open(&root)?;
                for name in below {
                    folder = folder.enter_or_make(name)?;
                }
                Ok(Self(folder))
            }
            None => {
                std::fs::create_dir_all(&real)?;
                system::Folder::open(&real).map(Self)
            }
        }
    }

    /// Opens a folder by its real path, which holds no links.
    pub(super) fn of_real(real: &Path, fence: &Fence) -> io::Result<Self> {
        let Some(root) = fence.root()? else { return system::Folder::open(real).map(Self) };
        let below = real.strip_prefix(&root).map_err(|_| FileRefusal::Outside(root.clone()))?;
        let mut folder = system::Folder::open(&root)?;
        for name in below {
            folder = folder.enter(name)?;
        }
        Ok(Self(folder))
    }

    /// The folder as an open file, which can be locked on many systems.
    pub fn into_file(self) -> io::Result<File> {
        self.0.into_file()
    }

    /// Opens a file of the folder itself; a link is not followed, and nobody is waited for.
    pub(super) fn open(&self, name: &OsStr, opening: OpenMode) -> io::Result<File> {
        self.0.open_file(name, opening)
    }

    /// What a new file of this name would replace: a regular file or nothing, else it is refused.
    pub(super) fn replaced(&self, name: &OsStr) -> io::Result<Option<Rights>> {
        self.0.replaced(name)
    }

    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        self.0.rename(from, to)
    }

    pub(super) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        self.0.remove_file(name)
    }
}

/// Removes a regular file; one that is missing is as good as removed.
pub fn remove(path: &Path, fence: &Fence) -> io::Result<()> {
    let removed = fence.find(parent_of(path)).and_then(|real| {
        let folder = FolderHandle::of_real(&real, fence)?;
        let name = path.file_name().ok_or(FileRefusal::Folder)?;
        match folder.replaced(name)? {
            Some(_) => folder.remove_file(name),
            None => Ok(()),
        }
    });
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes a folder that holds nothing.
pub fn remove_empty_folder(path: &Path, fence: &Fence) -> io::Result<()> {
    std::fs::remove_dir(fence.find(path)?)
}

/// The paths of what a folder holds; nothing where it cannot be read or lies outside.
pub fn list(folder: &Path, fence: &Fence) -> Vec<PathBuf> {
    let entries = fence.find(folder).ok().and_then(|real| std::fs::read_dir(real).ok());
    entries.into_iter().flatten().flatten().map(|entry| folder.join(entry.file_name())).collect()
}

/// Whose a file is and who may do what with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rights {
    #[cfg(unix)]
    mode: u32,
    #[cfg(unix)]
    owner: (u32, u32),
}

impl Rights {
    /// Gives a file these rights; only root may give it away.
    #[cfg(unix)]
    pub(super) fn give(self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::{PermissionsExt, fchown};
        let (user, group) = self.owner;
        let _ = fchown(file, Some(user), Some(group));
        // They come last, for giving away takes some of them.
        file.set_permissions(std::fs::Permissions::from_mode(self.mode))
    }

    #[cfg(not(unix))]
    pub(super) fn give(self, _file: &File) -> io::Result<()> {
        Ok(())
    }
}

/// Folders by their handles: no link on the way is ever followed.
#[cfg(unix)]
mod system {
    use std::ffi::OsStr;
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::fs::{AtFlags, FileType, Mode, OFlags, mkdirat, openat, renameat, statat, unlinkat};

    use super::{FileRefusal, OpenMode, Rights};

    #[derive(Debug)]
    pub(in crate::base::files) struct Folder(OwnedFd);

    impl Folder {
        pub fn open(path: &Path) -> io::Result<Self> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
        }

        pub fn into_file(self) -> io::Result<File> {
            Ok(File::from(self.0))
        }

        pub fn enter(&self, name: &OsStr) -> io::Result<Self> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok(Self(openat(&self.0, name, flags, Mode::empty())?))
        }

        pub fn enter_or_make(&self, name: &OsStr) -> io::Result<Self> {
            match mkdirat(&self.0, name, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => self.enter(name),
                Err(error) => self.enter(name).map_err(|_| error.into()),
            }
        }

        pub fn open_file(&self, name: &OsStr, opening: OpenMode) -> io::Result<File> {
            let how = match opening {
                OpenMode::Read => OFlags::RDONLY,
                OpenMode::Add => OFlags::RDWR | OFlags::APPEND,
                OpenMode::AddOrMake => OFlags::RDWR | OFlags::APPEND | OFlags::CREATE,
                OpenMode::Make => OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL,
            };
            let flags = how | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            match openat(&self.0, name, flags, Mode::from_raw_mode(0o666)) {
                Ok(file) => Ok(File::from(file)),
                Err(rustix::io::Errno::LOOP) => Err(FileRefusal::Link.into()),
                Err(error) => Err(error.into()),
            }
        }

        pub fn replaced(&self, name: &OsStr) -> io::Result<Option<Rights>> {
            let found = match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(found) => found,
                Err(rustix::io::Errno::NOENT) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            match FileType::from_raw_mode(found.st_mode) {
                FileType::RegularFile => Ok(Some(Rights {
                    mode: Mode::from_raw_mode(found.st_mode).as_raw_mode() as u32 & 0o7777,
                    owner: (found.st_uid, found.st_gid),
                })),
                FileType::Symlink => Err(FileRefusal::Link.into()),
                FileType::Directory => Err(FileRefusal::Folder.into()),
                _ => Err(FileRefusal::Irregular.into()),
            }
        }

        pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
            Ok(renameat(&self.0, from, &self.0, to)?)
        }

        pub fn remove_file(&self, name: &OsStr) -> io::Result<()> {
            Ok(unlinkat(&self.0, name, AtFlags::empty())?)
        }
    }
}

/// Folders by their paths, where the system has no handles of them.
#[cfg(not(unix))]
mod system {
    use std::ffi::OsStr;
    use std::fs::{self, File, OpenOptions};
    use std::io;
    use std::path::{Path, PathBuf};

    use super::{FileRefusal, OpenMode, Rights};

    #[derive(Debug)]
    pub(in crate::base::files) struct Folder(PathBuf);

    impl Folder {
        pub fn open(path: &Path) -> io::Result<Self> {
            Ok(Self(path.to_owned()))
        }

        pub fn into_file(self) -> io::Result<File> {
            File::open(self.0)
        }

        pub fn enter(&self, name: &OsStr) -> io::Result<Self> {
            let path = self.0.join(name);
            match path.symlink_metadata()?.is_dir() {
                true => Ok(Self(path)),
                false => Err(FileRefusal::Link.into()),
            }
        }

        pub fn enter_or_make(&self, name: &OsStr) -> io::Result<Self> {
            match fs::create_dir(self.0.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                Ok(()) | Err(_) => self.enter(name),
            }
        }

        pub fn open_file(&self, name: &OsStr, opening: OpenMode) -> io::Result<File> {
            self.replaced(name)?;
            let mut options = OpenOptions::new();
            options.read(true);
            match opening {
                OpenMode::Read => &mut options,
                OpenMode::Add => options.append(true),
                OpenMode::AddOrMake => options.append(true).create(true),
                OpenMode::Make => options.append(true).create_new(true),
            };
            options.open(self.0.join(name))
        }

        pub fn replaced(&self, name: &OsStr) -> io::Result<Option<Rights>> {
            match self.0.join(name).symlink_metadata() {
                Ok(found) if found.is_symlink() => Err(FileRefusal::Link.into()),
                Ok(found) if found.is_dir() => Err(FileRefusal::Folder.into()),
                Ok(_) => Ok(Some(Rights {})),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        }

        pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
            fs::rename(self.0.join(from), self.0.join(to))
        }

        pub fn remove_file(&self, name: &OsStr) -> io::Result<()> {
            fs::remove_file(self.0.join(name))
        }
    }
}
