//! How often an app refused in a row, and whether anything is to be had from asking it on; pure.

use std::time::{Duration, Instant};

use crate::engine::pace::LONGEST_RETRY_AFTER;

/// So many refusals in a row are enough, once a test has none of its retries left.
const ENOUGH: u32 = 8;

/// The refusals since the last request that was answered.
#[derive(Debug, Default)]
pub(super) struct Streak {
    /// Those that were sent after the one before had come: what was sent together counts once.
    refusals: u32,
    /// When the last of them came.
    last: Option<Instant>,
    /// How long it asked to be left alone.
    asked: Duration,
    /// How long they asked to be left alone that were followed by another.
    waited: Duration,
    /// Why a test has none of its retries left.
    gave_up: Option<String>,
}

impl Streak {
    /// A request that was sent at a time was refused, or did not arrive.
    pub fn refused(&mut self, (sent, now): (Instant, Instant), asked: Option<Duration>) {
        if self.last.is_some_and(|last| sent <= last) {
            self.asked = self.asked.max(asked.unwrap_or_default());
            return;
        }
        self.refusals += 1;
        self.waited = self.waited.saturating_add(self.asked);
        (self.last, self.asked) = (Some(now), asked.unwrap_or_default());
    }

    /// A request was answered, whatever the answer is.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// A test has none of its retries left, for this reason.
    pub fn give_up(&mut self, why: &str) {
        if self.refusals > 0 {
            self.gave_up = Some(why.to_owned());
        }
    }

    /// Why the app is asked no more; none where it is.
    pub fn hopeless(&self) -> Option<String> {
        let is_enough = self.refusals >= ENOUGH && self.gave_up.is_some();
        let was_left_alone = self.refusals > 1 && self.waited >= LONGEST_RETRY_AFTER;
        (is_enough || was_left_alone).then(|| {
            let last = self.gave_up.as_ref().map(|why| format!("; the last test: {why}"));
            let last = last.unwrap_or_default();
            format!("{} requests in a row were refused, or did not arrive{last}", self.refusals)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock;

    struct Run {
        streak: Streak,
        began: Instant,
    }

    impl Run {
        fn new() -> Self {
            Self { streak: Streak::default(), began: clock::now() }
        }

        fn refused(&mut self, sent: u64, now: u64, asked: u64) -> bool {
            let at = |seconds| self.began + Duration::from_secs(seconds);
            let asked = (asked > 0).then(|| Duration::from_secs(asked));
            self.streak.refused((at(sent), at(now)), asked);
            self.streak.hopeless().is_some()
        }
    }

    #[test]
    fn an_app_is_given_up_after_eight_refusals_once_a_test_was() {
        let mut run = Run::new();
        assert!(
            (0..20).all(|number| !run.refused(number * 2 + 1, number * 2 + 2, 1)),
            "its tests have retries"
        );
        run.streak.give_up("HTTP 429: busy");
        let told = run.streak.hopeless().unwrap();
        assert_eq!(
            told,
            "20 requests in a row were refused, or did not arrive; the last test: HTTP 429: busy"
        );
        let mut other = Run::new();
        let firsts = (0..7).all(|number| {
            let is_over = other.refused(number * 2 + 1, number * 2 + 2, 0);
            other.streak.give_up("busy");
            !is_over
        });
        assert!(firsts && other.refused(100, 101, 0));
    }

    #[test]
    fn what_was_sent_together_counts_once_and_an_answer_begins_anew() {
        let mut run = Run::new();
        for _ in 0..100 {
            assert!(!run.refused(1, 2, 1));
            run.streak.give_up("busy");
        }
        assert_eq!(run.streak.refusals, 1);
        for number in 1..7 {
            assert!(!run.refused(number * 2 + 1, number * 2 + 2, 1));
        }
        run.streak.answered();
        assert!(!run.refused(50, 51, 1));
        run.streak.give_up("busy");
        assert_eq!((run.streak.refusals, run.streak.hopeless()), (1, None));
        run.streak.answered();
        run.streak.give_up("its answer is wrong");
        assert!(
            (0..20).all(|number| !run.refused(number * 2 + 60, number * 2 + 61, 0)),
            "nobody was given up"
        );
    }

    #[test]
    fn an_app_that_was_left_alone_for_minutes_and_refuses_again_is_given_up() {
        let mut run = Run::new();
        assert!(!run.refused(1, 2, 300));
        assert!(!run.refused(1, 3, 60), "it was sent before");
        assert!(run.refused(303, 304, 300));
        let mut minutes = Run::new();
        let refusals = (0..10).take_while(|number| !minutes.refused(number * 61 + 1, number * 61 + 2, 60));
        assert_eq!(refusals.count(), 5, "five minutes in all");
    }
}
