//! What an attempt found different from its approved snapshots waits for approval; what is as approved waits no more.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::assert::check::{self, CheckResult, Context};
use crate::assert::judge::JudgeQuestions;
use crate::assert::snapshot::store;
use crate::assert::snapshot::{PendingFile, SnapshotAttempt, TakenSnapshot};
use crate::base::effort::Effort;
use crate::base::lock::lock;
use crate::dify::transcript::Transcript;
use crate::engine::Engine;
use crate::engine::attempt::MadeRequest;
use crate::engine::limit::JudgingLimit;
use crate::plan::case::Case;

/// What a run left to be approved.
#[derive(Debug, Default)]
pub struct SnapshotQueue {
    first: Mutex<HashSet<(Arc<str>, String)>>,
    failed: Mutex<Vec<String>>,
    writing: Mutex<()>,
}

/// What a run left to be approved, counted, and what could not be written.
#[derive(Debug, Default)]
pub struct PendingSnapshots {
    /// Snapshots that wait since this run.
    pub waiting: usize,
    /// Files that could not be written, and why.
    pub failed: Vec<String>,
}

impl Engine {
    /// Judges every check of a case against a transcript, and keeps what differs from its approved snapshots.
    pub(super) fn examine(
        &self,
        made: &MadeRequest<'_>,
        transcript: &Transcript,
        (judging, limit): (&JudgeQuestions, &JudgingLimit),
    ) -> CheckResult {
        let case = made.case;
        let taking = self.plan.snapshots.as_ref().and_then(|shelf| shelf.taking(&case.name));
        self.node_names.note(&case.test.app, &transcript.answer.nodes);
        let is_node = |name: &str| self.knows_node(made, name);
        let context = Context::new(&self.plan.templates, &made.scope, case.test.usage, judging)
            .taking(taking.as_ref())
            .knowing(&is_node);
        let is_over = || limit.is_over();
        let effort = Effort::until(&is_over);
        let mut examined = check::examine(&case.test.checks, transcript, &context.within(&effort));
        if effort.is_ended() {
            limit.end(&mut examined);
            return examined;
        }
        self.keep_snapshots(case, &taking.map(SnapshotAttempt::into_taken).unwrap_or_default());
        examined
    }

    /// Keeps what an attempt took; of several repeats the first that ends and differs counts.
    fn keep_snapshots(&self, case: &Case, taken: &[TakenSnapshot]) {
        let pending = self.plan.snapshots.as_ref().and_then(|shelf| shelf.pending(&case.name));
        let Some(PendingFile { test, path, fence }) = pending else {
            return;
        };
        // Repeats of one case may end at once: the one that is first here writes first.
        let _turn = lock(&self.waiting.writing);
        let changes: Vec<(&str, Option<&Value>)> = {
            let mut first = lock(&self.waiting.first);
            let is_open = |taken: &&TakenSnapshot| !first.contains(&(case.name.clone(), taken.key.clone()));
            let open: Vec<&TakenSnapshot> = taken.iter().filter(is_open).collect();
            let differing = open.iter().filter(|taken| taken.pending.is_some());
            first.extend(differing.map(|taken| (case.name.clone(), taken.key.clone())));
            open.into_iter().map(|taken| (taken.key.as_str(), taken.pending.as_ref())).collect()
        };
        if changes.is_empty() {
            return;
        }
        if let Err(error) = store::update_pending(&path, &fence, &test, &changes) {
            lock(&self.waiting.failed).push(error.to_string());
        }
    }

    /// Tells what the run left to be approved.
    pub fn left(&self) -> PendingSnapshots {
        PendingSnapshots {
            waiting: lock(&self.waiting.first).len(),
            failed: lock(&self.waiting.failed).clone(),
        }
    }
}
