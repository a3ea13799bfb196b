//! How much work one judgement may do: counted steps, never a clock, and whether somebody has ended it from outside.
//!
//! Whatever works on values that endpoints and suites supply spends a step for each small piece of work. What is not finished
//! when the steps are used up is unknown, and an unknown is never green.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The steps of one judgement: some tenths of a second of work.
const STEPS: u64 = 10_000_000;

/// The work that one judgement may still do.
#[derive(Debug)]
pub struct Effort {
    left: AtomicU64,
    steps: u64,
    is_ended: Arc<AtomicBool>,
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

impl Default for Effort {
    fn default() -> Self {
        Self::new(STEPS)
    }
}

impl Effort {
    /// Allows this many steps.
    pub fn new(steps: u64) -> Self {
        Self { left: AtomicU64::new(steps), steps, is_ended: Arc::default() }
    }

    /// Allows the usual number of steps until the flag is set.
    pub fn until(is_ended: Arc<AtomicBool>) -> Self {
        Self { is_ended, ..Self::default() }
    }

    /// Allows all steps again, for the next judgement.
    pub fn renew(&self) {
        self.left.store(self.steps, Ordering::Relaxed);
    }

    /// True once the flag is set.
    pub fn is_ended(&self) -> bool {
        self.is_ended.load(Ordering::Relaxed)
    }

    /// Takes steps; an error once there are not as many left.
    pub fn spend(&self, steps: u64) -> Result<(), EffortError> {
        if self.is_ended() {
            return Err(EffortError::Ended);
        }
        let left = self.left.load(Ordering::Relaxed).checked_sub(steps);
        self.left.store(left.unwrap_or(0), Ordering::Relaxed);
        left.map(drop).ok_or(EffortError::UsedUp(self.steps))
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
        effort.renew();
        assert_eq!(effort.spend(10), Ok(()));
    }

    #[test]
    fn a_flag_ends_it() {
        let flag = Arc::new(AtomicBool::new(false));
        let effort = Effort::until(Arc::clone(&flag));
        assert_eq!(effort.spend(1), Ok(()));
        flag.store(true, Ordering::Relaxed);
        assert_eq!(effort.spend(0), Err(EffortError::Ended));
        effort.renew();
        assert_eq!(effort.spend(1), Err(EffortError::Ended), "no renewal brings it back");
    }
}
