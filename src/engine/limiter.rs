//! How many attempts are at Dify at once: fewer after a refusal, one more for each window of good answers (AIMD, RFC 5681).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::base::clock;
use crate::base::lock::lock;
use crate::engine::streak::Streak;
use crate::record::event::FallenLimit;

/// Lets attempts in as far as the target takes them.
#[derive(Debug)]
pub struct RequestLimiter {
    state: Mutex<LimiterState>,
    changed: Notify,
}

#[derive(Debug)]
struct LimiterState {
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
    apps: HashMap<Arc<str>, OneApp>,
}

/// What one app asked for: no other is held back by it.
#[derive(Debug, Default)]
struct OneApp {
    /// Until when it asked to be left alone.
    closed_until: Option<Instant>,
    streak: Streak,
    /// True once it is asked no more.
    is_shut: bool,
}

/// How long an attempt waits for an app that asked to be left alone.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Less than the attempt may last.
    pub limit: Duration,
    /// Not beyond the time of the run, where that is limited.
    pub run_ends: Option<Instant>,
}

/// Why an attempt has no turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTurn {
    /// The run was stopped meanwhile.
    Stopped,
    /// The app is asked no more.
    Shut,
    /// The app asks for a wait that is longer than the attempt may last.
    TooLong {
        /// How long in all.
        wait: Duration,
        /// The attempt's limit.
        limit: Duration,
    },
    /// The app asks for a wait that is over after the run.
    PastRun {
        /// How long.
        wait: Duration,
    },
}

/// What an answer says of the target's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitSignal {
    /// Too many requests; ask again after this long, if the server said so.
    Refused(Option<Duration>),
    /// It did not arrive, or nothing came of it; ask again after this long, if somebody said so.
    Unreached(Option<Duration>),
    /// It ran.
    Ran,
    /// It was answered, and did not run.
    Answered,
    /// Nothing: it was wrong, or broke.
    Nothing,
}

/// A place inside, free again when dropped.
#[derive(Debug)]
pub struct LimiterPermit<'a>(&'a RequestLimiter);

impl Drop for LimiterPermit<'_> {
    fn drop(&mut self) {
        self.0.state().inside -= 1;
        self.0.changed.notify_waiters();
    }
}

impl RequestLimiter {
    /// Allows so many at once until a refusal comes.
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        let state = LimiterState {
            most,
            limit: most,
            lowest: most,
            inside: 0,
            good: 0,
            refusals: 0,
            fell: None,
            apps: HashMap::new(),
        };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Waits for a place, and says how long the app asked to be left alone meanwhile.
    pub async fn enter(
        &self,
        app: &str,
        patience: &Patience,
    ) -> Result<(LimiterPermit<'_>, Duration), NoTurn> {
        let mut held = Duration::ZERO;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Listens from here on: a change after the look below is not missed.
            changed.as_mut().enable();
            let now = clock::now();
            match self.look(app, now) {
                Admission::In => return Ok((LimiterPermit(self), held)),
                Admission::Full => changed.await,
                Admission::Shut => return Err(NoTurn::Shut),
                Admission::ClosedUntil(time) => {
                    patience.bear(held, (now, time))?;
                    tokio::select! {
                        () = tokio::time::sleep_until(time.into()) => {}
                        () = changed => {}
                    }
                    held += clock::now().saturating_duration_since(now);
                }
            }
        }
    }

    /// Takes a place if there is one.
    fn look(&self, app: &str, now: Instant) -> Admission {
        let mut state = self.state();
        let of_app = state.apps.get(app);
        match of_app.and_then(|of_app| of_app.closed_until) {
            _ if of_app.is_some_and(|of_app| of_app.is_shut) => Admission::Shut,
            Some(time) if now < time => Admission::ClosedUntil(time),
            Some(_) | None if state.inside < state.limit => {
                state.inside += 1;
                Admission::In
            }
            Some(_) | None => Admission::Full,
        }
    }

    /// Takes what the answer to a request says that was sent at a time.
    ///
    /// Requests sent before the limit fell were part of what it fell for: their refusals and answers move nothing more,
    /// so that it falls at most once in a round trip.
    pub fn hear(&self, app: &Arc<str>, (sent, now): (Instant, Instant), heard: LimitSignal) {
        let mut state = self.state();
        state.apps.entry(app.clone()).or_default().hear((sent, now), heard);
        let is_news = state.fell.is_none_or(|fell| sent > fell);
        match heard {
            LimitSignal::Refused(_) => {
                state.refusals += 1;
                if is_news {
                    state.limit = (state.limit / 2).max(1);
                    state.lowest = state.lowest.min(state.limit);
                    (state.fell, state.good) = (Some(now), 0);
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

    /// Notes why a test of an app has none of its retries left.
    pub fn give_up(&self, app: &Arc<str>, why: &str) {
        if let Some(of_app) = self.state().apps.get_mut(app) {
            of_app.streak.give_up(why);
        }
    }

    /// Why an app is to be asked no more, from now on; none where it is asked, or that is known.
    pub fn hopeless(&self, app: &str) -> Option<String> {
        let state = self.state();
        state.apps.get(app).filter(|of_app| !of_app.is_shut)?.streak.hopeless()
    }

    /// Lets nobody in for an app any more.
    pub fn shut(&self, app: &Arc<str>) {
        self.state().apps.entry(app.clone()).or_default().is_shut = true;
        self.changed.notify_waiters();
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

    fn state(&self) -> MutexGuard<'_, LimiterState> {
        lock(&self.state)
    }
}

impl OneApp {
    fn hear(&mut self, (sent, now): (Instant, Instant), heard: LimitSignal) {
        match heard {
            LimitSignal::Refused(wait) | LimitSignal::Unreached(wait) => {
                self.streak.refused((sent, now), wait);
                self.closed_until = self.closed_until.max(wait.map(|wait| now + wait));
            }
            LimitSignal::Ran | LimitSignal::Answered => self.streak.answered(),
            LimitSignal::Nothing => {}
        }
    }
}

impl Patience {
    /// Whether a wait that begins now is waited, by an attempt that was held back before.
    fn bear(&self, held: Duration, (now, until): (Instant, Instant)) -> Result<(), NoTurn> {
        let wait = until.saturating_duration_since(now);
        if self.run_ends.is_some_and(|end| until >= end) {
            return Err(NoTurn::PastRun { wait });
        }
        let (wait, limit) = (held + wait, self.limit);
        if wait >= limit { Err(NoTurn::TooLong { wait, limit }) } else { Ok(()) }
    }
}

/// What stands at the gate.
enum Admission {
    In,
    Full,
    Shut,
    ClosedUntil(Instant),
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: LimitSignal = LimitSignal::Refused(None);
    const PATIENT: Patience = Patience { limit: Duration::from_secs(300), run_ends: None };

    struct Run {
        gate: RequestLimiter,
        app: Arc<str>,
        began: Instant,
    }

    impl Run {
        fn new(most: usize) -> Self {
            Self { gate: RequestLimiter::new(most), app: Arc::from("a"), began: clock::now() }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.began + Duration::from_secs(seconds)
        }

        async fn enter(&self) -> LimiterPermit<'_> {
            self.gate.enter(&self.app, &PATIENT).await.unwrap().0
        }

        fn hear(&self, sent: u64, now: u64, heard: LimitSignal) -> usize {
            self.gate.hear(&self.app, (self.at(sent), self.at(now)), heard);
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
        assert_eq!(run.hear(0, 2, LimitSignal::Ran), 2, "it was sent before the limit fell");
        assert_eq!(run.hear(2, 3, LimitSignal::Ran), 2);
        assert_eq!(run.hear(2, 3, LimitSignal::Nothing), 2, "what broke tells nothing");
        assert_eq!(run.hear(2, 3, LimitSignal::Ran), 3);
        let limits: Vec<_> = (0..5).map(|_| run.hear(4, 5, LimitSignal::Ran)).collect();
        assert_eq!(limits, [3, 3, 4, 4, 4]);
        assert_eq!(run.gate.fallen().map(|fallen| (fallen.lowest, fallen.last)), Some((2, 4)));
    }

    #[test]
    fn nobody_enters_before_the_time_that_the_server_named() {
        let run = Run::new(2);
        run.hear(0, 1, LimitSignal::Refused(Some(Duration::from_secs(10))));
        run.hear(0, 1, LimitSignal::Refused(Some(Duration::from_secs(5))));
        run.hear(0, 1, REFUSED);
        assert!(matches!(run.gate.look("a", run.at(10)), Admission::ClosedUntil(time) if time == run.at(11)));
        assert!(matches!(run.gate.look("a", run.at(11)), Admission::In));
        assert!(matches!(run.gate.look("a", run.at(11)), Admission::Full), "the limit is 1");
    }

    #[test]
    fn an_app_that_asks_to_be_left_alone_holds_back_no_other() {
        let run = Run::new(4);
        run.hear(0, 1, LimitSignal::Refused(Some(Duration::from_secs(10))));
        assert!(matches!(run.gate.look("a", run.at(5)), Admission::ClosedUntil(_)));
        assert!(matches!(run.gate.look("b", run.at(5)), Admission::In));
        run.hear(0, 1, LimitSignal::Unreached(Some(Duration::from_secs(20))));
        assert!(matches!(run.gate.look("a", run.at(15)), Admission::ClosedUntil(time) if time == run.at(21)));
        assert_eq!(
            run.gate.fallen().map(|fallen| fallen.refusals),
            Some(1),
            "what did not arrive was not refused"
        );
    }

    #[test]
    fn a_wait_is_of_the_limits_of_its_attempt_and_of_the_run() {
        let seconds = Duration::from_secs;
        let now = clock::now();
        let patience = Patience { limit: seconds(60), run_ends: Some(now + seconds(600)) };
        let bear = |held: u64, wait: u64| patience.bear(seconds(held), (now, now + seconds(wait)));
        assert_eq!(bear(0, 59), Ok(()));
        assert_eq!(bear(0, 60), Err(NoTurn::TooLong { wait: seconds(60), limit: seconds(60) }));
        assert_eq!(bear(40, 30), Err(NoTurn::TooLong { wait: seconds(70), limit: seconds(60) }));
        let late = Patience { limit: seconds(3600), ..patience };
        assert_eq!(late.bear(seconds(0), (now, now + seconds(599))), Ok(()));
        let past = late.bear(seconds(0), (now, now + seconds(600)));
        assert_eq!(past, Err(NoTurn::PastRun { wait: seconds(600) }));
    }

    #[tokio::test]
    async fn who_waits_for_an_app_that_is_shut_is_turned_away() {
        let run = Run::new(2);
        run.gate.hear(
            &run.app,
            (run.began, clock::now()),
            LimitSignal::Refused(Some(Duration::from_secs(100))),
        );
        let waiting = run.gate.enter(&run.app, &PATIENT);
        tokio::pin!(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        run.gate.shut(&run.app);
        assert_eq!(waiting.await.unwrap_err(), NoTurn::Shut);
        assert!(run.gate.enter("b", &PATIENT).await.is_ok());
    }

    #[tokio::test]
    async fn a_place_that_is_left_or_added_lets_the_next_one_in() {
        let run = Run::new(2);
        let (first, second) = (run.enter().await, run.enter().await);
        run.hear(0, 1, REFUSED);
        drop(first);
        let waiting = run.enter();
        tokio::pin!(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending(), "one is inside, and one may be");
        assert_eq!(run.hear(2, 3, LimitSignal::Ran), 2);
        let third = waiting.await;
        let fourth = run.enter();
        tokio::pin!(fourth);
        assert!(futures_util::poll!(fourth.as_mut()).is_pending());
        drop(second);
        drop((third, fourth.await));
        assert_eq!(run.gate.state().inside, 0);
    }
}
