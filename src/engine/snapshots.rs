//! Writes snapshots that differ from the approved ones, so that they can be reviewed, and removes those that no longer differ.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::assert::snapshot::store;
use crate::assert::snapshot::{PendingFile, TakenSnapshot};
use crate::base::lock::lock;
use crate::engine::current_run::CurrentRun;
use crate::plan::case::Case;

/// The snapshots of a run that wait for approval.
#[derive(Debug, Default)]
pub struct SnapshotQueue {
    /// Each by its test and key.
    pending: Mutex<HashSet<PendingKey>>,
    failed: Mutex<Vec<String>>,
    /// Held while a file is written.
    writing: Mutex<()>,
}

/// What a snapshot is identified by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PendingKey {
    test: Arc<str>,
    key: String,
}

/// How many snapshots of a run wait for approval.
#[derive(Debug, Default)]
pub struct PendingSnapshots {
    /// Snapshots that this run wrote.
    pub waiting: usize,
    /// Files that could not be written, and why.
    pub failed: Vec<String>,
}

impl SnapshotQueue {
    /// Queues the snapshots that an attempt took. Of several repeats, the first that ends with a difference counts.
    pub fn queue(&self, run: &CurrentRun, case: &Case, taken: &[TakenSnapshot]) {
        let pending = run.plan.snapshots.as_ref().and_then(|shelf| shelf.pending(&case.name));
        let Some(PendingFile { test, path, fence }) = pending else {
            return;
        };
        // Repeats of one case may end at the same time: the one that gets here first writes first.
        let _turn = lock(&self.writing);
        let changes: Vec<(&str, Option<&Value>)> = {
            let mut known = lock(&self.pending);
            let key = |taken: &TakenSnapshot| PendingKey { test: case.name.clone(), key: taken.key.clone() };
            let open: Vec<&TakenSnapshot> =
                taken.iter().filter(|taken| !known.contains(&key(taken))).collect();
            known.extend(open.iter().filter(|taken| taken.pending.is_some()).map(|taken| key(taken)));
            open.into_iter().map(|taken| (taken.key.as_str(), taken.pending.as_ref())).collect()
        };
        if changes.is_empty() {
            return;
        }
        if let Err(error) = store::update_pending(&path, &fence, &test, &changes) {
            lock(&self.failed).push(error.to_string());
        }
    }

    /// Counts what waits for approval.
    pub fn pending(&self) -> PendingSnapshots {
        PendingSnapshots { waiting: lock(&self.pending).len(), failed: lock(&self.failed).clone() }
    }
}
