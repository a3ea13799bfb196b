//! How many attempts are at Dify at once: fewer after a refusal, one more for each window of good answers (AIMD, RFC 5681).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::base::clock;
use crate::event::FallenLimit;

/// Lets attempts in as far as the target takes them.
#[derive(Debug)]
pub struct Gate {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// What the target's settings allow.
    most: usize,
    /// What is allowed now.
    limit: usize,
    /// The least that was ever allowed.
    lowest: usize,
    /// Attempts inside.
    inside: usize,
    /// Good answers since the limit last moved, to what was sent after the last fall.
    good: usize,
    refusals: u32,
    /// When the limit fell last.
    fell: Option<Instant>,
    /// Until when Dify asked not to be asked.
    closed_until: Option<Instant>,
}

/// What an answer says of the target's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Too many requests; ask again after this long, if the server said so.
    Refused(Option<Duration>),
    /// It ran.
    Ran,
    /// Nothing: it was wrong, or broke.
    Nothing,
}

/// A place inside, free again when dropped.
#[derive(Debug)]
pub struct Inside<'a>(&'a Gate);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.state().inside -= 1;
        self.0.changed.notify_waiters();
    }
}

impl Gate {
    /// Allows so many at once until a refusal comes.
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        let state = State {
            most,
            limit: most,
            lowest: most,
            inside: 0,
            good: 0,
            refusals: 0,
            fell: None,
            closed_until: None,
        };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Waits for a place.
    pub async fn enter(&self) -> Inside<'_> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Listens from here on: a change after the look below is not missed.
            changed.as_mut().enable();
            match self.look(clock::now()) {
                Look::In => return Inside(self),
                Look::Full => changed.await,
                Look::ClosedUntil(time) => tokio::time::sleep_until(time.into()).await,
            }
        }
    }

    /// Takes a place if there is one.
    fn look(&self, now: Instant) -> Look {
        let mut state = self.state();
        match state.closed_until {
            Some(time) if now < time => Look::ClosedUntil(time),
            Some(_) | None if state.inside < state.limit => {
                state.inside += 1;
                Look::In
            }
            Some(_) | None => Look::Full,
        }
    }

    /// Takes what the answer to a request says that was sent at a time.
    ///
    /// Requests sent before the limit fell were part of what it fell for: their refusals and answers move nothing more,
    /// so that it falls at most once in a round trip.
    pub fn hear(&self, sent: Instant, now: Instant, heard: Heard) {
        let mut state = self.state();
        let is_news = state.fell.is_none_or(|fell| sent > fell);
        match heard {
            Heard::Refused(wait) => {
                state.refusals += 1;
                let until = wait.map(|wait| now + wait);
                state.closed_until = state.closed_until.max(until);
                if is_news {
                    state.limit = (state.limit / 2).max(1);
                    state.lowest = state.lowest.min(state.limit);
                    (state.fell, state.good) = (Some(now), 0);
                }
            }
            Heard::Ran if is_news && state.limit < state.most => {
                state.good += 1;
                if state.good >= state.limit {
                    (state.limit, state.good) = (state.limit + 1, 0);
                    drop(state);
                    self.changed.notify_waiters();
                }
            }
            Heard::Ran | Heard::Nothing => {}
        }
    }

    /// What the limit fell to; none where nothing was refused.
    pub fn fallen(&self) -> Option<FallenLimit> {
        let state = self.state();
        (state.refusals > 0).then(|| FallenLimit {
            most: state.most,
            lowest: state.lowest,
            last: state.limit,
            refusals: state.refusals,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands at the gate.
enum Look {
    In,
    Full,
    ClosedUntil(Instant),
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: Heard = Heard::Refused(None);

    struct Run {
        gate: Gate,
        began: Instant,
    }

    impl Run {
        fn new(most: usize) -> Self {
            Self { gate: Gate::new(most), began: clock::now() }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.began + Duration::from_secs(seconds)
        }

        fn hear(&self, sent: u64, now: u64, heard: Heard) -> usize {
            self.gate.hear(self.at(sent), self.at(now), heard);
            self.gate.state().limit
        }
    }

    #[test]
    fn a_refusal_halves_the_limit_once_in_a_round_trip_down_to_one() {
        let run = Run::new(8);
        assert_eq!(run.hear(0, 1, REFUSED), 4);
        assert_eq!(run.hear(0, 2, REFUSED), 4, "it was sent before the limit fell");
        assert_eq!(run.hear(1, 2, REFUSED), 4, "at the same moment is not after");
        assert_eq!(run.hear(2, 3, REFUSED), 2);
        assert_eq!(run.hear(4, 5, REFUSED), 1);
        assert_eq!(run.hear(6, 7, REFUSED), 1);
        let fallen = FallenLimit { most: 8, lowest: 1, last: 1, refusals: 6 };
        assert_eq!(run.gate.fallen(), Some(fallen));
    }

    #[test]
    fn a_window_of_good_answers_adds_one_up_to_what_is_allowed() {
        let run = Run::new(4);
        assert_eq!(run.hear(0, 1, REFUSED), 2);
        assert_eq!(run.hear(0, 2, Heard::Ran), 2, "it was sent before the limit fell");
        assert_eq!(run.hear(2, 3, Heard::Ran), 2);
        assert_eq!(run.hear(2, 3, Heard::Nothing), 2, "what broke tells nothing");
        assert_eq!(run.hear(2, 3, Heard::Ran), 3);
        let limits: Vec<_> = (0..5).map(|_| run.hear(4, 5, Heard::Ran)).collect();
        assert_eq!(limits, [3, 3, 4, 4, 4]);
        assert_eq!(run.gate.fallen().map(|fallen| (fallen.lowest, fallen.last)), Some((2, 4)));
    }

    #[test]
    fn nobody_enters_before_the_time_that_the_server_named() {
        let run = Run::new(2);
        run.hear(0, 1, Heard::Refused(Some(Duration::from_secs(10))));
        run.hear(0, 1, Heard::Refused(Some(Duration::from_secs(5))));
        run.hear(0, 1, REFUSED);
        assert!(matches!(run.gate.look(run.at(10)), Look::ClosedUntil(time) if time == run.at(11)));
        assert!(matches!(run.gate.look(run.at(11)), Look::In));
        assert!(matches!(run.gate.look(run.at(11)), Look::Full), "the limit is 1");
    }

    #[tokio::test]
    async fn a_place_that_is_left_or_added_lets_the_next_one_in() {
        let run = Run::new(2);
        let (first, second) = (run.gate.enter().await, run.gate.enter().await);
        run.hear(0, 1, REFUSED);
        drop(first);
        let waiting = run.gate.enter();
        tokio::pin!(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending(), "one is inside, and one may be");
        assert_eq!(run.hear(2, 3, Heard::Ran), 2);
        let third = waiting.await;
        let fourth = run.gate.enter();
        tokio::pin!(fourth);
        assert!(futures_util::poll!(fourth.as_mut()).is_pending());
        drop(second);
        drop((third, fourth.await));
        assert_eq!(run.gate.state().inside, 0);
    }
}
