//! Why a file is not opened, or not written, although the system would do it.

use std::io;
use std::path::PathBuf;

/// Why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileRefusal {
    /// It lies outside the folder, or a link on the way leads there.
    #[error("it leads outside the folder `{}`", .0.display())]
    Outside(PathBuf),
    /// A link whose target is missing.
    #[error("it is a link to nothing")]
    Dangling,
    /// A link where something is to be written.
    #[error("it is a link, and nothing is written through links")]
    Link,
    /// A folder where a file is expected.
    #[error("it is a folder")]
    Folder,
    /// A pipe, a device or a socket.
    #[error("it is no regular file")]
    Irregular,
    /// More bytes than are read.
    #[error("it is larger than {} MiB", .0 >> 20)]
    TooLarge(u64),
    /// A pipe without anybody at its other end.
    #[error("nobody reads this pipe")]
    Unread,
}

impl FileRefusal {
    /// The refusal that an error is, if it is one.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

impl From<FileRefusal> for io::Error {
    fn from(refusal: FileRefusal) -> Self {
        Self::new(io::ErrorKind::InvalidInput, refusal)
    }
}

/// An operating system error without its number.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}
