//! The approved snapshots of a plan, and where what differs from them waits.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::files::{Fence, parent_of};

use super::approved::{Approved, SnapshotAttempt};
use super::clean::Cleaner;

/// The ending of a file whose snapshots wait for approval.
const PENDING: &str = "new";

/// The approved snapshots of a plan.
#[derive(Debug)]
pub struct SnapshotShelf {
    cleaner: Cleaner,
    pending: Pending,
    cases: HashMap<Arc<str>, ApprovedSnapshots>,
}

/// The approved snapshots of one test, and their file.
#[derive(Debug)]
pub struct ApprovedSnapshots {
    /// The test's name as it is in the file.
    pub name: Arc<str>,
    /// The file, there or not.
    pub path: PathBuf,
    /// Holds it, links followed.
    pub fence: Fence,
    /// What it holds.
    pub approved: Approved,
}

/// Where snapshots wait for approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pending {
    /// `.new` beside the approved file.
    Beside,
    /// The same path from this folder, below that one: a machine changes nothing beside the suites.
    Below {
        /// The project's folder.
        root: PathBuf,
        /// What stands for it.
        folder: PathBuf,
    },
}

/// The file in which the snapshots of a test wait.
#[derive(Debug, Clone)]
pub struct PendingFile {
    /// The test's name as it is in the file.
    pub test: Arc<str>,
    /// The file, there or not.
    pub path: PathBuf,
    /// Holds it, links followed.
    pub fence: Fence,
}

impl Pending {
    /// Holds the file for what waits, links followed.
    pub fn fence(&self, approved: &Fence) -> Fence {
        match self {
            Self::Beside => approved.clone(),
            Self::Below { folder, .. } => Fence::around(parent_of(folder)),
        }
    }

    /// The file for what waits to replace an approved file.
    pub fn path(&self, approved: &Path) -> PathBuf {
        let mut name = approved.as_os_str().to_owned();
        name.push(".");
        name.push(PENDING);
        let beside = PathBuf::from(name);
        match self {
            Self::Beside => beside,
            Self::Below { root, folder } => match beside.strip_prefix(root) {
                Ok(below) => folder.join(below),
                Err(_) => folder.join(beside.file_name().unwrap_or_default()),
            },
        }
    }
}

impl SnapshotShelf {
    /// A shelf without snapshots.
    pub fn new(cleaner: Cleaner, pending: Pending) -> Self {
        Self { cleaner, pending, cases: HashMap::new() }
    }

    /// Adds the snapshots of a test.
    pub fn add(&mut self, case: Arc<str>, shelved: ApprovedSnapshots) {
        self.cases.insert(case, shelved);
    }

    /// A look at the snapshots of a test; `None` where it takes none.
    pub fn taking(&self, case: &str) -> Option<SnapshotAttempt<'_>> {
        Some(SnapshotAttempt::new(&self.cases.get(case)?.approved, &self.cleaner))
    }

    /// The name of a test in its file, and the file for what waits for approval.
    pub fn pending(&self, case: &str) -> Option<PendingFile> {
        let shelved = self.cases.get(case)?;
        let path = self.pending.path(&shelved.path);
        let fence = self.pending.fence(&shelved.fence);
        Some(PendingFile { test: shelved.name.clone(), path, fence })
    }
}
