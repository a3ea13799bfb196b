//! Runs that their clients lost sight of: they go on after they were asked about for a while.
//!
//! Their time is counted in questions, not in seconds, so that tests are the same on every machine.

use std::sync::atomic::{AtomicU32, Ordering};

use super::life::Phase;
use super::state::StoredRun;
use crate::dify::mock::fault::Running;

/// Says "running" for ever.
const FOREVER: u32 = u32::MAX;

/// How often a lost run still says that it goes on.
#[derive(Debug)]
pub struct LookupCount {
    left: AtomicU32,
}

/// What a lost run does after a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupReply {
    /// It waits for another question.
    Waits,
    /// It goes on, to its end or to its pause.
    GoesOn,
}

impl LookupCount {
    /// A run that was just lost.
    pub fn new(running: Running) -> Self {
        let left = match running {
            Running::Asks(asks) => asks.min(FOREVER - 1),
            Running::Forever => FOREVER,
        };
        Self { left: left.into() }
    }

    /// Counts a question.
    pub fn ask(&self) -> LookupReply {
        let counted = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| match left {
            0 | FOREVER => None,
            left => Some(left - 1),
        });
        match counted {
            Ok(1) | Err(0) => LookupReply::GoesOn,
            Ok(_) | Err(_) => LookupReply::Waits,
        }
    }

    /// Whether it never ends.
    pub fn is_endless(&self) -> bool {
        self.left.load(Ordering::Relaxed) == FOREVER
    }

    /// Whether it is over before anybody asks.
    pub fn is_over(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

impl StoredRun {
    /// Tells how the run stands, which brings one that was lost nearer to its end.
    pub fn ask(&self) -> Phase {
        let phase = self.life.phase();
        if self.lost.as_ref().is_some_and(|lost| lost.ask() == LookupReply::GoesOn) {
            self.life.release();
        }
        phase
    }

    /// Lets a lost run go on, unless it never does: who follows a run sees it end.
    pub fn follow(&self) {
        if self.lost.as_ref().is_some_and(|lost| !lost.is_endless()) {
            self.life.release();
        }
    }
}
