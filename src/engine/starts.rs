//! Starts at a rate: when each is intended, when it is allowed, and how late the starts were in the end.
//!
//! The k-th start is intended k gaps after the first, whatever the answers do (open loop): a slow target cannot move the
//! schedule and so hide the queue before it. Late starts are not made up for: starts are never closer than the rate allows,
//! since a rate is also what a target can handle. Their lateness is reported instead.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::base::clock::milliseconds;
use crate::base::lock::lock;
use crate::base::stats::quantile::Percentile;
use crate::base::units::RequestRate;
use crate::record::event::{RankSpread, RateAdherence};

/// The starts of a run.
#[derive(Debug)]
pub struct StartSchedule {
    rate: RequestRate,
    state: Mutex<ScheduleState>,
}

#[derive(Debug, Default)]
struct ScheduleState {
    first: Option<Instant>,
    reserved: u32,
    next: Option<Instant>,
    /// When the first and the last request was sent.
    sent: Option<SentSpan>,
    late_ms: Vec<f64>,
    latency_ms: Vec<f64>,
}

/// When the first and the last request of a schedule was sent.
#[derive(Debug, Clone, Copy)]
struct SentSpan {
    first: Instant,
    last: Instant,
}

/// A place in the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleSlot {
    /// When the start is intended.
    pub intended: Instant,
    /// When it is allowed: not before that, and not closer to the previous start than the rate allows.
    pub allowed: Instant,
}

/// A start that took place.
#[derive(Debug, Clone, Copy)]
pub struct StartTime {
    /// When it was intended.
    pub intended: Instant,
    /// When the request was sent.
    pub sent: Instant,
    /// The latency of its answer, from then on; `None` if it is unknown.
    pub latency: Option<Duration>,
}

impl StartSchedule {
    /// A schedule without starts.
    pub fn new(rate: RequestRate) -> Self {
        Self { rate, state: Mutex::default() }
    }

    /// Takes the next place in the schedule.
    pub fn reserve(&self, now: Instant) -> ScheduleSlot {
        let gap = self.rate.gap();
        let mut state = self.state();
        let intended = *state.first.get_or_insert(now) + gap.saturating_mul(state.reserved);
        let allowed = state.next.map_or(intended, |next| next.max(intended)).max(now);
        state.reserved = state.reserved.saturating_add(1);
        state.next = Some(allowed + gap);
        ScheduleSlot { intended, allowed }
    }

    /// Notes a start.
    pub fn note(&self, start: StartTime) {
        let StartTime { intended, sent, latency } = start;
        let late = sent.saturating_duration_since(intended);
        let mut state = self.state();
        let SentSpan { first, last } = state.sent.unwrap_or(SentSpan { first: sent, last: sent });
        state.sent = Some(SentSpan { first: first.min(sent), last: last.max(sent) });
        state.late_ms.push(milliseconds(late));
        state.latency_ms.extend(latency.map(|latency| milliseconds(late + latency)));
    }

    /// How closely the starts followed the rate; `None` if nothing was sent.
    pub fn adherence(&self) -> Option<RateAdherence> {
        let mut state = self.state();
        let SentSpan { first, last } = state.sent?;
        let starts = state.late_ms.len();
        let span = last.saturating_duration_since(first).as_secs_f64();
        // One start keeps any rate.
        let kept = if starts > 1 && span > 0.0 { (starts - 1) as f64 / span } else { self.rate.per_second };
        let late_ms = spread(&mut state.late_ms)?;
        let latency_ms = spread(&mut state.latency_ms);
        let starts = u64::try_from(starts).unwrap_or(u64::MAX);
        Some(RateAdherence { rate: self.rate.per_second, kept, starts, late_ms, latency_ms })
    }

    fn state(&self) -> MutexGuard<'_, ScheduleState> {
        lock(&self.state)
    }
}

fn spread(values: &mut [f64]) -> Option<RankSpread> {
    values.sort_by(f64::total_cmp);
    let max = *values.last()?;
    let at = |hundredths| {
        let rank = Percentile::new(hundredths)?.rank(u64::try_from(values.len()).ok()?);
        values.get(usize::try_from(rank).ok()?.checked_sub(1)?).copied()
    };
    Some(RankSpread { p50: at(5_000)?, p95: at(9_500)?, max })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock;

    const GAP: Duration = Duration::from_millis(100);

    fn starts() -> (StartSchedule, Instant) {
        (StartSchedule::new(RequestRate { per_second: 10.0 }), clock::now())
    }

    #[test]
    fn the_schedule_does_not_move_with_the_starts_and_starts_are_never_too_close() {
        let (starts, now) = starts();
        assert_eq!(starts.reserve(now), ScheduleSlot { intended: now, allowed: now });
        assert_eq!(starts.reserve(now), ScheduleSlot { intended: now + GAP, allowed: now + GAP });
        let late = now + GAP * 50;
        assert_eq!(starts.reserve(late), ScheduleSlot { intended: now + GAP * 2, allowed: late });
        assert_eq!(starts.reserve(late), ScheduleSlot { intended: now + GAP * 3, allowed: late + GAP });
    }

    #[test]
    fn a_slow_target_cannot_hide_the_queue_before_it() {
        let (starts, now) = starts();
        // One place, and answers that take three gaps: each start is two gaps later than the one before.
        let latency = GAP * 3;
        let mut free = now;
        for _ in 0..20 {
            let turn = starts.reserve(free);
            starts.note(StartTime { intended: turn.intended, sent: turn.allowed, latency: Some(latency) });
            free = turn.allowed + latency;
        }
        let kept = starts.adherence().unwrap();
        assert_eq!(kept.starts, 20);
        assert!((kept.kept - 10.0 / 3.0).abs() < 1e-6, "{kept:?}");
        let expected = RankSpread { p50: 1800.0, p95: 3600.0, max: 3800.0 };
        for (found, expected) in [
            (kept.late_ms.p50, expected.p50),
            (kept.late_ms.p95, expected.p95),
            (kept.late_ms.max, expected.max),
            (kept.latency_ms.unwrap().max, expected.max + 300.0),
        ] {
            assert!((found - expected).abs() < 1e-6, "{found} is not {expected}: {kept:?}");
        }
    }

    #[test]
    fn nothing_sent_keeps_nothing_and_one_start_keeps_any_rate() {
        let (starts, now) = starts();
        assert_eq!(starts.adherence(), None);
        let turn = starts.reserve(now);
        starts.note(StartTime { intended: turn.intended, sent: turn.allowed, latency: None });
        let kept = starts.adherence().unwrap();
        assert_eq!((kept.starts, kept.late_ms.max, kept.latency_ms), (1, 0.0, None));
        assert!((kept.kept - 10.0).abs() < 1e-9);
    }
}
