//! Runs that their clients lost sight of: they go on for a while, and then they have ended.
//!
//! Their time is counted in questions, not in seconds, so that tests are the same on every machine.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::mock::fault::Running;

/// Says "running" for ever.
const FOREVER: u32 = u32::MAX;

/// How far a lost run has come.
#[derive(Debug)]
pub struct Lost {
    left: AtomicU32,
    /// Events that had happened when it was lost.
    pub happened: usize,
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It does.
    Running,
    /// It has ended.
    Ended,
}

impl Lost {
    /// A run that was just lost.
    pub fn new(running: Running, happened: usize) -> Self {
        let left = match running {
            Running::Asks(asks) => asks.min(FOREVER - 1),
            Running::Forever => FOREVER,
        };
        Self { left: left.into(), happened }
    }

    /// Where it is.
    pub fn phase(&self) -> Phase {
        if self.left.load(Ordering::Relaxed) == 0 { Phase::Ended } else { Phase::Running }
    }

    /// Tells where it is, once more.
    pub fn ask(&self) -> Phase {
        let passed = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| match left {
            0 => None,
            FOREVER => Some(FOREVER),
            left => Some(left - 1),
        });
        if passed.is_ok() { Phase::Running } else { Phase::Ended }
    }

    /// Whether it never ends.
    pub fn is_endless(&self) -> bool {
        self.left.load(Ordering::Relaxed) == FOREVER
    }

    /// Lets it end.
    pub fn finish(&self) {
        self.left.store(0, Ordering::Relaxed);
    }
}
