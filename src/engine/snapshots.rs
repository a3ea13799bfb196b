//! What an attempt found different from its approved snapshots waits for approval; what is as approved waits no more.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::base::effort::Effort;
use crate::check::{self, Context, Examined};
use crate::drift::{PendingFile, Taken, Taking, store};
use crate::engine::Engine;
use crate::engine::attempt::Made;
use crate::engine::limit::JudgingLimit;
use crate::exchange::Transcript;
use crate::judge::Judging;
use crate::plan::case::Case;

/// What a run left to be approved.
#[derive(Debug, Default)]
pub struct Waiting {
    first: Mutex<HashSet<(Arc<str>, String)>>,
    failed: Mutex<Vec<String>>,
    writing: Mutex<()>,
}

/// What a run left to be approved, counted, and what could not be written.
#[derive(Debug, Default)]
pub struct Left {
    /// Snapshots that wait since this run.
    pub waiting: usize,
    /// Files that could not be written, and why.
    pub failed: Vec<String>,
}

impl Engine {
    /// Judges every check of a case against a transcript, and keeps what differs from its approved snapshots.
    pub(super) fn examine(
        &self,
        made: &Made<'_>,
        transcript: &Transcript,
        (judging, limit): (&Judging, &JudgingLimit),
    ) -> Examined {
        let case = made.case;
        let taking = self.plan.snapshots.as_ref().and_then(|shelf| shelf.taking(&case.name));
        let context =
            Context::new(&self.plan.templates, &made.scope, case.test.usage, judging).taking(taking.as_ref());
        let is_over = || limit.is_over();
        let effort = Effort::until(&is_over);
        let mut examined = check::examine(&case.test.checks, transcript, &context.within(&effort));
        if effort.is_ended() {
            limit.end(&mut examined);
            return examined;
        }
        self.keep_snapshots(case, &taking.map(Taking::into_taken).unwrap_or_default());
        examined
    }

    /// Keeps what an attempt took; of several repeats the first that ends and differs counts.
    fn keep_snapshots(&self, case: &Case, taken: &[Taken]) {
        let pending = self.plan.snapshots.as_ref().and_then(|shelf| shelf.pending(&case.name));
        let Some(PendingFile { test, path, fence }) = pending else {
            return;
        };
        // Repeats of one case may end at once: the one that is first here writes first.
        let _turn = self.waiting.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let changes: Vec<(&str, Option<&Value>)> = {
            let mut first = self.waiting.first.lock().unwrap_or_else(PoisonError::into_inner);
            let is_open = |taken: &&Taken| !first.contains(&(case.name.clone(), taken.key.clone()));
            let open: Vec<&Taken> = taken.iter().filter(is_open).collect();
            let differing = open.iter().filter(|taken| taken.pending.is_some());
            first.extend(differing.map(|taken| (case.name.clone(), taken.key.clone())));
            open.into_iter().map(|taken| (taken.key.as_str(), taken.pending.as_ref())).collect()
        };
        if changes.is_empty() {
            return;
        }
        if let Err(error) = store::update_pending(&path, &fence, &test, &changes) {
            self.waiting.failed.lock().unwrap_or_else(PoisonError::into_inner).push(error.to_string());
        }
    }

    /// Tells what the run left to be approved.
    pub fn left(&self) -> Left {
        Left {
            waiting: self.waiting.first.lock().unwrap_or_else(PoisonError::into_inner).len(),
            failed: self.waiting.failed.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
