//! Files that take another's place only when they are whole.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Whether a file had to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// It holds another text now.
    Written,
    /// It held the same text, and was left alone.
    Same,
}

/// Gives a file this text; a link keeps pointing to its file.
pub fn replace(path: &Path, text: &str) -> io::Result<Replaced> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::read(&target).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(Replaced::Same);
    }
    let mut file = beside(&target)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(Replaced::Written)
}

/// A new file in the folder of another, which is made where it is missing, that others may read as far as the system's mask
/// allows.
pub fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".flowproof-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_only_by_another_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/a.json");
        assert_eq!(replace(&path, "one").unwrap(), Replaced::Written);
        assert_eq!(replace(&path, "one").unwrap(), Replaced::Same);
        assert_eq!(replace(&path, "two").unwrap(), Replaced::Written);
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }
}
