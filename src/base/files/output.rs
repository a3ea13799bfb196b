//! The file that somebody names for a result: a new file, or a pipe or device that is written to and stays what it is.

use std::fs::{File, Metadata};
use std::io::{self, Seek};
use std::path::Path;

use super::fence::Fence;
use super::new_file::NewFile;
use super::refusal::FileRefusal;

/// The names of the standard output.
const STANDARD: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
/// Where the links lie that the system makes of open files.
const OF_THE_SYSTEM: [&str; 3] = ["/dev/fd/", "/proc/self/fd/", "/dev/stderr"];

/// Where a result goes, once it is whole.
#[derive(Debug)]
pub enum OutputTarget {
    /// A file that takes its name when it is whole.
    Whole(NewFile),
    /// What goes to the standard output: a file without a name.
    Standard(File),
    /// What is written first, and the pipe or device that it goes to then.
    Through {
        /// A file without a name.
        whole: File,
        /// The pipe or device.
        to: File,
    },
}

/// True of the names that stand for the standard output.
pub fn is_standard_output(path: &Path) -> bool {
    STANDARD.iter().any(|name| path == Path::new(name))
}

impl OutputTarget {
    /// Says whether something may be written under this name, and writes nothing.
    pub fn check(path: &Path, fence: &Fence) -> io::Result<()> {
        if is_standard_output(path) {
            return Ok(());
        }
        kind_of(path)?;
        let folder = super::fence::parent_of(path);
        fence.find_or_new(folder).map(drop)
    }

    /// Begins a result under this name.
    pub fn begin(path: &Path, fence: &Fence) -> io::Result<Self> {
        if is_standard_output(path) {
            return tempfile::tempfile().map(Self::Standard);
        }
        match kind_of(path)? {
            OutputKind::File => NewFile::beside(path, fence).map(Self::Whole),
            OutputKind::Stream => Ok(Self::Through { whole: tempfile::tempfile()?, to: open_stream(path)? }),
        }
    }

    /// The file that is written to.
    pub fn file(&self) -> &File {
        match self {
            Self::Whole(file) => file.file(),
            Self::Standard(whole) | Self::Through { whole, .. } => whole,
        }
    }

    /// Puts the whole result where it belongs; what goes to the standard output is given back, for whoever may print.
    pub fn finish(self) -> io::Result<Option<File>> {
        match self {
            Self::Whole(file) => file.persist().map(|()| None),
            Self::Standard(mut whole) => {
                whole.rewind()?;
                Ok(Some(whole))
            }
            Self::Through { mut whole, mut to } => {
                whole.rewind()?;
                match io::copy(&mut whole, &mut to) {
                    // A reader that has read enough is no failure.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
                    copied => copied.map(|_| None),
                }
            }
        }
    }
}

enum OutputKind {
    /// A regular file, or nothing yet.
    File,
    /// A pipe or a device.
    Stream,
}

fn kind_of(path: &Path) -> io::Result<OutputKind> {
    let found = match path.symlink_metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(OutputKind::File),
        Err(error) => return Err(error),
    };
    let text = path.to_string_lossy();
    if found.is_symlink() && OF_THE_SYSTEM.iter().any(|folder| text.starts_with(folder)) {
        return Ok(OutputKind::Stream);
    }
    if found.is_symlink() {
        Err(FileRefusal::Link.into())
    } else if found.is_dir() {
        Err(FileRefusal::Folder.into())
    } else if found.is_file() {
        Ok(OutputKind::File)
    } else if is_stream(&found) {
        Ok(OutputKind::Stream)
    } else {
        Err(FileRefusal::Irregular.into())
    }
}

#[cfg(unix)]
fn is_stream(found: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    found.file_type().is_fifo() || found.file_type().is_char_device()
}

#[cfg(not(unix))]
fn is_stream(_found: &Metadata) -> bool {
    false
}

/// Opens a pipe that somebody reads, or a device; a reader that is about to open it is awaited for a second.
#[cfg(unix)]
fn open_stream(path: &Path) -> io::Result<File> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.append(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    for _ in 0..20 {
        match options.open(path) {
            Ok(file) => {
                fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
                return Ok(file);
            }
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            Err(error) => return Err(error),
        }
    }
    Err(FileRefusal::Unread.into())
}

#[cfg(not(unix))]
fn open_stream(path: &Path) -> io::Result<File> {
    std::fs::OpenOptions::new().append(true).open(path)
}
