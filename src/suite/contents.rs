//! What files hold that suites name, as hashes: each is read once, in pieces, while suites load.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;

use crate::base::digest::Digest;
use crate::suite::grounds::Grounds;

/// The files that were looked into.
#[derive(Debug, Default)]
pub struct Contents {
    read: HashMap<PathBuf, Option<Digest>>,
}

impl Contents {
    /// What the file holds that a path names; none where it cannot be read or lies outside.
    pub fn of(&mut self, path: &str, grounds: &Grounds) -> Option<Digest> {
        let real = grounds.resolve(path).ok()?;
        *self.read.entry(real).or_insert_with_key(|real| {
            // A pipe would never end.
            let file = real.is_file().then(|| File::open(real).ok()).flatten()?;
            Digest::of_all(file).ok()
        })
    }
}
