//! The one door to the disk for files that are found by their place or named by somebody.
//!
//! What is read is a regular file of bounded size, opened without waiting and looked at again once it is open, so that nothing
//! can take its place in between. Links are followed as long as they stay inside a fence. Nothing is written through a link, and
//! no link, pipe or device is replaced.

mod change;
mod fence;
mod folder;
mod mark;
mod new_file;
mod output;
mod read;
mod refusal;

pub use change::{ChangeCondition, open_to_add};
pub use fence::{Fence, parent_of};
pub use folder::{FolderHandle, list, remove, remove_empty_folder};
pub use mark::{FolderMark, holds, mark, marked_as};
pub use new_file::{NewFile, PREFIX, RANDOM};
pub use output::{OutputTarget, is_standard_output};
pub use read::{exists, open, read};
pub use refusal::{FileRefusal, plain};

#[cfg(test)]
mod tests;
