//! How much work one judgement may do: counted steps, never a clock, and whether somebody has ended it from outside.
//!
//! Whatever works on values that endpoints and suites supply spends a step for each small piece of work. What is not finished
//! when the steps are used up is unknown, and an unknown is never green.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The steps of one judgement: some tenths of a second of work.
const STEPS: u64 = 10_000_000;
/// After how many steps the probe is asked.
const PROBED: u64 = 4_096;

/// The work that one judgement may still do.
pub struct Effort<'p> {
    left: AtomicU64,
    steps: u64,
    /// Returns whether somebody has ended the work.
    probe: Option<&'p (dyn Fn() -> bool + Sync)>,
    is_ended: AtomicBool,
}

/// Why a judgement was not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EffortError {
    /// Its steps are used up.
    #[error("it takes too much work: more than {0} steps")]
    UsedUp(u64),
    /// It would hold too many values at the same time.
    #[error("it takes too much memory: more than {0} values at the same time")]
    TooMany(usize),
    /// The attempt's limit or the run's end came first.
    #[error("it was ended before it was finished")]
    Ended,
}

impl Default for Effort<'_> {
    fn default() -> Self {
        Self::new(STEPS)
    }
}

impl fmt::Debug for Effort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effort").field("left", &self.left).field("is_ended", &self.is_ended).finish()
    }
}

impl<'p> Effort<'p> {
    /// Allows this many steps.
    pub fn new(steps: u64) -> Self {
        Self { left: AtomicU64::new(steps), steps, probe: None, is_ended: AtomicBool::new(false) }
    }

    /// Allows the usual number of steps for each judgement, until the probe says that all of them are over.
    pub fn until(probe: &'p (dyn Fn() -> bool + Sync)) -> Self {
        Self { probe: Some(probe), ..Self::default() }
    }

    /// Allows all steps again, for the next judgement; an error once all of them are over.
    pub fn renew(&self) -> Result<(), EffortError> {
        self.left.store(self.steps, Ordering::Relaxed);
        self.ask()
    }

    /// True once the probe said that all judgements are over.
    pub fn is_ended(&self) -> bool {
        self.is_ended.load(Ordering::Relaxed)
    }

    /// Takes steps; an error once there are not as many left.
    pub fn spend(&self, steps: u64) -> Result<(), EffortError> {
        let before = self.left.load(Ordering::Relaxed);
        let left = before.checked_sub(steps);
        self.left.store(left.unwrap_or(0), Ordering::Relaxed);
        let left = left.ok_or(EffortError::UsedUp(self.steps))?;
        if before / PROBED == left / PROBED && !self.is_ended() { Ok(()) } else { self.ask() }
    }

    fn ask(&self) -> Result<(), EffortError> {
        if !self.is_ended() && self.probe.is_some_and(|probe| probe()) {
            self.is_ended.store(true, Ordering::Relaxed);
        }
        if self.is_ended() { Err(EffortError::Ended) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_and_come_back() {
        let effort = Effort::new(10);
        assert_eq!(effort.spend(7), Ok(()));
        assert_eq!(effort.spend(4), Err(EffortError::UsedUp(10)));
        assert_eq!(effort.spend(1), Err(EffortError::UsedUp(10)), "what is used up stays used up");
        assert_eq!(effort.renew(), Ok(()));
        assert_eq!(effort.spend(10), Ok(()));
    }

    #[test]
    fn a_probe_ends_it_for_good() {
        let over = AtomicBool::new(false);
        let probe = || over.load(Ordering::Relaxed);
        let effort = Effort::until(&probe);
        assert_eq!(effort.spend(1), Ok(()));
        over.store(true, Ordering::Relaxed);
        let spent = (0..=PROBED).find(|_| effort.spend(1).is_err());
        assert!(spent.is_some(), "it is asked every {PROBED} steps");
        over.store(false, Ordering::Relaxed);
        assert_eq!(effort.renew(), Err(EffortError::Ended), "no renewal brings it back");
        assert_eq!(effort.spend(1), Err(EffortError::Ended));
    }
}
