//! How many requests the target has at once: fewer after a refusal, one more for each window of good answers (AIMD, RFC 5681).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::base::clock;
use crate::base::lock::lock;
use crate::engine::streak::{RefusalStreak, RoundTrip};
use crate::engine::wait_limit::{NoTurn, WaitLimit};
use crate::record::event::FallenLimit;

/// Limits the requests that the target has at once, and pauses apps that ask for it.
#[derive(Debug)]
pub struct RequestLimiter {
    state: Mutex<LimiterState>,
    changed: Notify,
}

#[derive(Debug)]
struct LimiterState {
    /// The limit by the target's settings.
    most: usize,
    /// The limit now.
    limit: usize,
    /// The lowest limit so far.
    lowest: usize,
    /// Requests that hold a permit.
    permits: usize,
    /// Good answers since the limit last changed, to requests sent after it last fell.
    good: usize,
    refusals: u32,
    /// When the limit last fell.
    fell: Option<Instant>,
    apps: HashMap<Arc<str>, AppState>,
}

/// What one app asks for; other apps do not wait for it.
#[derive(Debug, Default)]
struct AppState {
    /// The end of the pause that it asked for.
    paused_until: Option<Instant>,
    refusals: RefusalStreak,
    /// True once it gets no more requests.
    is_shut: bool,
}

/// What an answer means for the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitSignal {
    /// Too many requests; the server may ask for a pause.
    Refused(Option<Duration>),
    /// The request did not arrive, or started nothing; whoever answered may ask for a pause.
    Unreached(Option<Duration>),
    /// The request ran.
    Ran,
    /// The request was answered and did not run.
    Answered,
    /// Nothing: the answer was wrong, or broke off.
    Nothing,
}

/// Permission to send one request; given back when dropped.
#[derive(Debug)]
pub struct LimiterPermit<'a> {
    limiter: &'a RequestLimiter,
    /// How long the app was paused before.
    pub held_back: Duration,
}

impl Drop for LimiterPermit<'_> {
    fn drop(&mut self) {
        self.limiter.state().permits -= 1;
        self.limiter.changed.notify_waiters();
    }
}

impl RequestLimiter {
    /// Allows this many requests at once, until one is refused.
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        let state = LimiterState {
            most,
            limit: most,
            lowest: most,
            permits: 0,
            good: 0,
            refusals: 0,
            fell: None,
            apps: HashMap::new(),
        };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Waits for a permit.
    pub async fn acquire(&self, app: &str, wait_limit: &WaitLimit) -> Result<LimiterPermit<'_>, NoTurn> {
        let mut held_back = Duration::ZERO;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Listens from here on, so that a change after the look below is not missed.
            changed.as_mut().enable();
            let now = clock::now();
            match self.try_acquire(app, now) {
                Admission::Granted => return Ok(LimiterPermit { limiter: self, held_back }),
                Admission::Full => changed.await,
                Admission::Shut => return Err(NoTurn::Shut),
                Admission::PausedUntil(time) => {
                    wait_limit.check(held_back, now, time)?;
                    tokio::select! {
                        () = tokio::time::sleep_until(time.into()) => {}
                        () = changed => {}
                    }
                    held_back += clock::now().saturating_duration_since(now);
                }
            }
        }
    }

    /// Takes a permit if there is one.
    fn try_acquire(&self, app: &str, now: Instant) -> Admission {
        let mut state = self.state();
        let known = state.apps.get(app);
        match known.and_then(|known| known.paused_until) {
            _ if known.is_some_and(|known| known.is_shut) => Admission::Shut,
            Some(time) if now < time => Admission::PausedUntil(time),
            Some(_) | None if state.permits < state.limit => {
                state.permits += 1;
                Admission::Granted
            }
            Some(_) | None => Admission::Full,
        }
    }

    /// Adjusts the limit by the answer to a request.
    ///
    /// Requests sent before the limit fell contributed to its fall: their answers no longer change it, so that it falls at most
    /// once in a round trip.
    pub fn note_answer(&self, app: &Arc<str>, trip: RoundTrip, signal: LimitSignal) {
        let mut state = self.state();
        state.apps.entry(app.clone()).or_default().note_answer(trip, signal);
        let is_news = state.fell.is_none_or(|fell| trip.sent > fell);
        match signal {
            LimitSignal::Refused(_) => {
                state.refusals += 1;
                if is_news {
                    state.limit = (state.limit / 2).max(1);
                    state.lowest = state.lowest.min(state.limit);
                    (state.fell, state.good) = (Some(trip.answered), 0);
                }
            }
            LimitSignal::Ran if is_news && state.limit < state.most => {
                state.good += 1;
                if state.good >= state.limit {
                    (state.limit, state.good) = (state.limit + 1, 0);
                    drop(state);
                    self.changed.notify_waiters();
                }
            }
            LimitSignal::Ran | LimitSignal::Answered | LimitSignal::Unreached(_) | LimitSignal::Nothing => {}
        }
    }

    /// Notes that a test of an app has used up its retries, and why.
    pub fn give_up(&self, app: &Arc<str>, reason: &str) {
        if let Some(known) = self.state().apps.get_mut(app) {
            known.refusals.give_up(reason);
        }
    }

    /// Why an app should get no more requests; `None` if it should, or if it is shut already.
    pub fn end_reason(&self, app: &str) -> Option<String> {
        let state = self.state();
        state.apps.get(app).filter(|known| !known.is_shut)?.refusals.end_reason()
    }

    /// Sends no more requests to an app.
    pub fn shut(&self, app: &Arc<str>) {
        self.state().apps.entry(app.clone()).or_default().is_shut = true;
        self.changed.notify_waiters();
    }

    /// How far the limit fell; `None` if nothing was refused.
    pub fn fallen(&self) -> Option<FallenLimit> {
        let state = self.state();
        (state.refusals > 0).then(|| FallenLimit {
            most: state.most,
            lowest: state.lowest,
            last: state.limit,
            refusals: state.refusals,
        })
    }

    fn state(&self) -> MutexGuard<'_, LimiterState> {
        lock(&self.state)
    }
}

impl AppState {
    fn note_answer(&mut self, trip: RoundTrip, signal: LimitSignal) {
        match signal {
            LimitSignal::Refused(wait) | LimitSignal::Unreached(wait) => {
                self.refusals.note_refusal(trip, wait);
                self.paused_until = self.paused_until.max(wait.map(|wait| trip.answered + wait));
            }
            LimitSignal::Ran | LimitSignal::Answered => self.refusals.note_answer(),
            LimitSignal::Nothing => {}
        }
    }
}

/// Whether a request may be sent now.
enum Admission {
    Granted,
    /// The limit is reached.
    Full,
    /// The app gets no more requests.
    Shut,
    /// The app asked for a pause.
    PausedUntil(Instant),
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: LimitSignal = LimitSignal::Refused(None);
    const WAIT_LIMIT: WaitLimit = WaitLimit { attempt: Duration::from_secs(300), run_ends: None };

    struct Run {
        limiter: RequestLimiter,
        app: Arc<str>,
        began: Instant,
    }

    impl Run {
        fn new(most: usize) -> Self {
            Self { limiter: RequestLimiter::new(most), app: Arc::from("a"), began: clock::now() }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.began + Duration::from_secs(seconds)
        }

        async fn acquire(&self) -> LimiterPermit<'_> {
            self.limiter.acquire(&self.app, &WAIT_LIMIT).await.unwrap()
        }

        fn answer(&self, sent: u64, now: u64, signal: LimitSignal) -> usize {
            let trip = RoundTrip { sent: self.at(sent), answered: self.at(now) };
            self.limiter.note_answer(&self.app, trip, signal);
            self.limiter.state().limit
        }
    }

    #[test]
    fn a_refusal_halves_the_limit_once_in_a_round_trip_down_to_one() {
        let run = Run::new(8);
        assert_eq!(run.answer(0, 1, REFUSED), 4);
        assert_eq!(run.answer(0, 2, REFUSED), 4, "it was sent before the limit fell");
        assert_eq!(run.answer(1, 2, REFUSED), 4, "at the same moment is not after");
        assert_eq!(run.answer(2, 3, REFUSED), 2);
        assert_eq!(run.answer(4, 5, REFUSED), 1);
        assert_eq!(run.answer(6, 7, REFUSED), 1);
        let fallen = FallenLimit { most: 8, lowest: 1, last: 1, refusals: 6 };
        assert_eq!(run.limiter.fallen(), Some(fallen));
    }

    #[test]
    fn a_window_of_good_answers_adds_one_up_to_what_is_allowed() {
        let run = Run::new(4);
        assert_eq!(run.answer(0, 1, REFUSED), 2);
        assert_eq!(run.answer(0, 2, LimitSignal::Ran), 2, "it was sent before the limit fell");
        assert_eq!(run.answer(2, 3, LimitSignal::Ran), 2);
        assert_eq!(run.answer(2, 3, LimitSignal::Nothing), 2, "what broke says nothing");
        assert_eq!(run.answer(2, 3, LimitSignal::Ran), 3);
        let limits: Vec<_> = (0..5).map(|_| run.answer(4, 5, LimitSignal::Ran)).collect();
        assert_eq!(limits, [3, 3, 4, 4, 4]);
        assert_eq!(run.limiter.fallen().map(|fallen| (fallen.lowest, fallen.last)), Some((2, 4)));
    }

    #[test]
    fn nobody_enters_before_the_time_that_the_server_named() {
        let run = Run::new(2);
        run.answer(0, 1, LimitSignal::Refused(Some(Duration::from_secs(10))));
        run.answer(0, 1, LimitSignal::Refused(Some(Duration::from_secs(5))));
        run.answer(0, 1, REFUSED);
        assert!(
            matches!(run.limiter.try_acquire("a", run.at(10)), Admission::PausedUntil(time) if time == run.at(11))
        );
        assert!(matches!(run.limiter.try_acquire("a", run.at(11)), Admission::Granted));
        assert!(matches!(run.limiter.try_acquire("a", run.at(11)), Admission::Full), "the limit is 1");
    }

    #[test]
    fn an_app_that_asks_to_be_left_alone_holds_back_no_other() {
        let run = Run::new(4);
        run.answer(0, 1, LimitSignal::Refused(Some(Duration::from_secs(10))));
        assert!(matches!(run.limiter.try_acquire("a", run.at(5)), Admission::PausedUntil(_)));
        assert!(matches!(run.limiter.try_acquire("b", run.at(5)), Admission::Granted));
        run.answer(0, 1, LimitSignal::Unreached(Some(Duration::from_secs(20))));
        assert!(
            matches!(run.limiter.try_acquire("a", run.at(15)), Admission::PausedUntil(time) if time == run.at(21))
        );
        assert_eq!(
            run.limiter.fallen().map(|fallen| fallen.refusals),
            Some(1),
            "what did not arrive was not refused"
        );
    }

    #[tokio::test]
    async fn who_waits_for_an_app_that_is_shut_is_turned_away() {
        let run = Run::new(2);
        run.limiter.note_answer(
            &run.app,
            RoundTrip { sent: run.began, answered: clock::now() },
            LimitSignal::Refused(Some(Duration::from_secs(100))),
        );
        let waiting = run.limiter.acquire(&run.app, &WAIT_LIMIT);
        tokio::pin!(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        run.limiter.shut(&run.app);
        assert_eq!(waiting.await.unwrap_err(), NoTurn::Shut);
        assert!(run.limiter.acquire("b", &WAIT_LIMIT).await.is_ok());
    }

    #[tokio::test]
    async fn a_place_that_is_left_or_added_lets_the_next_one_in() {
        let run = Run::new(2);
        let (first, second) = (run.acquire().await, run.acquire().await);
        run.answer(0, 1, REFUSED);
        drop(first);
        let waiting = run.acquire();
        tokio::pin!(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending(), "one is inside, and one may be");
        assert_eq!(run.answer(2, 3, LimitSignal::Ran), 2);
        let third = waiting.await;
        let fourth = run.acquire();
        tokio::pin!(fourth);
        assert!(futures_util::poll!(fourth.as_mut()).is_pending());
        drop(second);
        drop((third, fourth.await));
        assert_eq!(run.limiter.state().permits, 0);
    }
}
