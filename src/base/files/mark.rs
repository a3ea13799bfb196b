//! Folders that are written anew as a whole: they carry a mark, and what somebody else put into one is not lost.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::change::{ChangeCondition, open_to_add};
use super::fence::Fence;
use super::read::open;
use super::refusal::FileRefusal;

/// The file that says whose a folder is.
const NAME: &str = ".flowproof";
/// What it holds.
const TEXT: &str = "flowproof wrote this folder and replaces it as a whole. Keep nothing else in it.\n";
/// The most bytes of a file that are looked at to know it again.
const MOST: u64 = 1 << 20;

/// Whose a folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FolderMark {
    /// There is none, or it is empty.
    Free,
    /// flowproof wrote all that is in it.
    Ours,
    /// It holds this, which flowproof did not write.
    Foreign(String),
}

/// Marks a folder as written by flowproof.
pub fn mark(folder: &Path) -> io::Result<()> {
    let file = open_to_add(&folder.join(NAME), &Fence::around(folder), ChangeCondition::Any)?;
    file.set_len(0)?;
    io::Write::write_all(&mut &file, TEXT.as_bytes())
}

/// Returns whose a folder is: marked, or by its files; `known` maps a name to what a file of earlier versions under it begins
/// with or holds.
pub fn marked_as(folder: &Path, known: impl Fn(&str) -> Option<&'static str>) -> io::Result<FolderMark> {
    if folder.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
        return Err(FileRefusal::Link.into());
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FolderMark::Free),
        Err(error) => return Err(error),
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    let mut names: Vec<String> = names.collect::<io::Result<_>>()?;
    names.sort();
    let is_marked = names.iter().any(|name| name == NAME);
    let mut mark = if is_marked { FolderMark::Ours } else { FolderMark::Free };
    for name in names.into_iter().filter(|name| name != NAME) {
        let is_ours = known(&name).is_some_and(|text| is_marked || is_known(folder, &name, text));
        if !is_ours {
            return Ok(FolderMark::Foreign(name));
        }
        mark = FolderMark::Ours;
    }
    Ok(mark)
}

/// True of a regular file whose beginning holds a text.
pub fn holds(path: &Path, fence: &Fence, text: &str) -> bool {
    let mut bytes = Vec::new();
    let read = open(path, fence).and_then(|file| file.take(MOST).read_to_end(&mut bytes));
    read.is_ok() && memchr::memmem::find(&bytes, text.as_bytes()).is_some()
}

/// True of a file that holds a text, and of a folder where no text is asked for.
fn is_known(folder: &Path, name: &str, text: &str) -> bool {
    let path = folder.join(name);
    match text {
        "" => path.symlink_metadata().is_ok_and(|found| found.is_dir()),
        text => holds(&path, &Fence::around(folder), text),
    }
}
