//! Runs that can be joined, and what is copied of each.

use std::ops::Range;
use std::path::PathBuf;

use crate::base::digest::Digest;
use crate::record::event::{MergedRun, PlannedCase, RunContinuation, RunStart};

/// Runs that can be joined.
#[derive(Debug)]
pub(crate) struct Merge {
    /// What the first line will say, but for id and time.
    pub(super) start: RunStart,
    /// All tests that were planned, in the order of the plan.
    pub(super) planned: Vec<PlannedCase>,
    pub(super) pieces: Vec<CopiedLines>,
    pub(super) runs: Vec<JoinedRun>,
}

/// A run of those joined.
#[derive(Debug)]
pub(super) struct JoinedRun {
    pub(super) run: MergedRun,
    pub(super) keys: Vec<Digest>,
}

/// Lines to be copied.
#[derive(Debug)]
pub(super) struct CopiedLines {
    /// Which of the joined runs it is part of.
    pub(super) run: usize,
    pub(super) from: PathBuf,
    pub(super) range: Range<u64>,
    /// The line before them.
    pub(super) head: RunContinuation,
    /// Lines up to this one that cannot be read were repaired by a later part of their run.
    pub(super) mended: u64,
    pub(super) first_line: u64,
}
