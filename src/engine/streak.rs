//! How often an app refuses in a row, and when it makes no sense to send it more; pure.

use std::time::{Duration, Instant};

use crate::engine::retry_after::LONGEST_RETRY_AFTER;

/// Refusals in a row after which an app gets no more requests, once a test has used up its retries.
const ENOUGH: u32 = 8;

/// When a request was sent, and when its answer arrived.
#[derive(Debug, Clone, Copy)]
pub struct RoundTrip {
    /// When it was sent.
    pub sent: Instant,
    /// When its answer arrived, or when it was clear that none would.
    pub answered: Instant,
}

/// The refusals since the last request that was answered.
#[derive(Debug, Default)]
pub(super) struct RefusalStreak {
    /// Refusals of requests that were sent after the previous refusal arrived: requests sent together count once.
    refusals: u32,
    /// When the last counted refusal arrived.
    last: Option<Instant>,
    /// The pause that it asked for.
    last_pause: Duration,
    /// The pauses that earlier refusals asked for, in all: each was followed by another refusal.
    pauses: Duration,
    /// Why a test has used up its retries.
    given_up: Option<String>,
}

impl RefusalStreak {
    /// A request was refused, or did not arrive; `pause` is the wait that the server asks for.
    pub fn note_refusal(&mut self, trip: RoundTrip, pause: Option<Duration>) {
        let pause = pause.unwrap_or_default();
        if self.last.is_some_and(|last| trip.sent <= last) {
            self.last_pause = self.last_pause.max(pause);
            return;
        }
        self.refusals += 1;
        self.pauses = self.pauses.saturating_add(self.last_pause);
        (self.last, self.last_pause) = (Some(trip.answered), pause);
    }

    /// A request was answered, whatever the answer is.
    pub fn note_answer(&mut self) {
        *self = Self::default();
    }

    /// A test has used up its retries, for this reason.
    pub fn give_up(&mut self, reason: &str) {
        if self.refusals > 0 {
            self.given_up = Some(reason.to_owned());
        }
    }

    /// Why the app gets no more requests; `None` if it does.
    pub fn end_reason(&self) -> Option<String> {
        let is_enough = self.refusals >= ENOUGH && self.given_up.is_some();
        let had_its_pauses = self.refusals > 1 && self.pauses >= LONGEST_RETRY_AFTER;
        (is_enough || had_its_pauses).then(|| {
            let last = self.given_up.as_ref().map(|reason| format!("; the last test: {reason}"));
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
        streak: RefusalStreak,
        began: Instant,
    }

    impl Run {
        fn new() -> Self {
            Self { streak: RefusalStreak::default(), began: clock::now() }
        }

        fn refused(&mut self, sent: u64, now: u64, asked: u64) -> bool {
            let at = |seconds| self.began + Duration::from_secs(seconds);
            let pause = (asked > 0).then(|| Duration::from_secs(asked));
            self.streak.note_refusal(RoundTrip { sent: at(sent), answered: at(now) }, pause);
            self.streak.end_reason().is_some()
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
        let reason = run.streak.end_reason().unwrap();
        assert_eq!(
            reason,
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
        run.streak.note_answer();
        assert!(!run.refused(50, 51, 1));
        run.streak.give_up("busy");
        assert_eq!((run.streak.refusals, run.streak.end_reason()), (1, None));
        run.streak.note_answer();
        run.streak.give_up("its answer is wrong");
        assert!(
            (0..20).all(|number| !run.refused(number * 2 + 60, number * 2 + 61, 0)),
            "no test was given up"
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
