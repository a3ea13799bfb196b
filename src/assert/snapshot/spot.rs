//! Where the snapshots of a test lie, and which there are.

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::digest::Digest;
use crate::base::file_name::encoded;
use crate::base::files::Fence;
use crate::base::origin::Place;

/// The most characters of a name before its ending; file systems take 255 bytes, and `.json.new` follows.
const LONGEST: usize = 120;

/// The place of a test's snapshots.
#[derive(Debug, Clone)]
pub struct SnapshotPlace {
    /// The test's full name.
    pub case: Arc<str>,
    /// The same without the suite's name, as it is in the file.
    pub name: Arc<str>,
    /// Where the test is written.
    pub place: Arc<Place>,
    /// `snapshots/<suite>` beside the suite's file.
    pub folder: Arc<PathBuf>,
    /// Holds its files, links followed.
    pub fence: Fence,
    /// Whether another test of the suite has the same name but for upper and lower case.
    pub alone: FileNameUniqueness,
    /// The keys of its snapshots.
    pub keys: SnapshotKeys,
}

/// Whether a test's file name is its own where upper and lower case are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileNameUniqueness {
    /// It is.
    Yes,
    /// Another test's is the same there: a hash follows.
    No,
}

/// The keys of a test's snapshots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnapshotKeys {
    /// Those written out.
    pub written: Vec<String>,
    /// True when there are others, which only a run renders.
    pub rendered: bool,
}

impl SnapshotKeys {
    /// True when an assertion may ask for this key.
    pub fn may_have(&self, key: &str) -> bool {
        self.rendered || self.written.iter().any(|written| written == key)
    }
}

impl SnapshotPlace {
    /// The two files that may be the test's: under its plain name, and with a hash behind it.
    pub fn paths(&self) -> [PathBuf; 2] {
        let mut stem = encoded(&self.name);
        let hash = Digest::of(&self.name);
        let hashed = |stem: &str| {
            // Every character of an encoded name is one byte.
            format!("{}-{hash}.json", &stem[..stem.len().min(LONGEST)])
        };
        let second = self.folder.join(hashed(&stem));
        if stem.len() > LONGEST {
            return [second.clone(), second];
        }
        stem.push_str(".json");
        [self.folder.join(stem), second]
    }

    /// The file that a test without one gets.
    pub fn first_path(&self) -> PathBuf {
        let [plain, hashed] = self.paths();
        match self.alone {
            FileNameUniqueness::Yes => plain,
            FileNameUniqueness::No => hashed,
        }
    }
}
