//! What files hold that suites name, as hashes: each is read once, in pieces, while suites load.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::base::digest::Digest;
use crate::base::files::{self, Fence};
use crate::suite::grounds::check_upload;

/// The files that were looked into.
#[derive(Debug, Default)]
pub struct Contents {
    read: HashMap<PathBuf, Option<Digest>>,
}

impl Contents {
    /// What a file holds; `None` where it cannot be uploaded.
    pub fn of(&mut self, path: &Path, fence: &Fence) -> Option<Digest> {
        let real = fence.find(path).ok()?;
        *self.read.entry(real).or_insert_with_key(|real| {
            check_upload(real, fence).ok()?;
            Digest::of_all(files::open(real, fence).ok()?).ok()
        })
    }
}
