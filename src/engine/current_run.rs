//! What every part of the engine sees of its run: the plan, the id, the start, and whether the run is stopping.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::base::clock::{self, milliseconds};
use crate::dify::client::StopSignal;
use crate::plan::case::{Plan, TargetKind};

/// The run that an engine carries out.
pub struct CurrentRun {
    /// The cases and their target.
    pub plan: Arc<Plan>,
    /// The id of this run; a part of a run that continues has one of its own.
    pub id: Arc<str>,
    /// When it started.
    pub started: Instant,
    /// Users named so far.
    users: AtomicU64,
    /// The reason for stopping, once there is one.
    stop: watch::Sender<Option<Arc<str>>>,
}

impl CurrentRun {
    /// Starts now.
    pub fn new(plan: Arc<Plan>, id: Arc<str>) -> Self {
        Self { plan, id, started: clock::now(), users: AtomicU64::new(0), stop: watch::Sender::new(None) }
    }

    /// True if the target is a live Dify.
    pub fn is_live(&self) -> bool {
        match self.plan.target.kind {
            TargetKind::Live { .. } => true,
            TargetKind::Mock(_) | TargetKind::Replay { .. } => false,
        }
    }

    /// When the time budget of the run is used up; `None` without such a budget.
    pub fn deadline(&self) -> Option<Instant> {
        self.started.checked_add(self.plan.budget.time?)
    }

    /// Milliseconds from the start of the run to `at`.
    pub fn offset_ms(&self, at: Instant) -> f64 {
        milliseconds(at.saturating_duration_since(self.started))
    }

    /// A name for an end user of Dify that no other attempt of the run has.
    pub fn next_user(&self) -> String {
        format!("flowproof-{}-{}", self.id, self.users.fetch_add(1, Ordering::Relaxed))
    }

    /// Asks all running attempts to stop, and prevents new ones.
    pub fn stop(&self, reason: &str) {
        self.stop.send_replace(Some(Arc::from(reason)));
    }

    /// Why the run is stopping; `None` if it is not.
    pub fn stop_reason(&self) -> Option<Arc<str>> {
        self.stop.borrow().clone()
    }

    /// Receives the reason for stopping.
    pub fn stop_signal(&self) -> StopSignal {
        self.stop.subscribe()
    }

    /// Sleeps; false if the run was stopped meanwhile.
    pub async fn sleep(&self, wait: Duration) -> bool {
        let mut stop = self.stop_signal();
        tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => false,
            () = tokio::time::sleep(wait) => true,
        }
    }
}
