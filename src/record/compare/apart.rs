//! How far apart in time two runs lie: what changed in between is in every difference, and no statistic can show it.

use std::time::Duration;

use jiff::Timestamp;

use crate::record::journal::RunRecord;

/// The time that lies between two runs; `None` where they ran at the same time, or one of them asked no live workflow.
pub(super) fn apart(a: &RunRecord, b: &RunRecord) -> Option<Duration> {
    if !is_live(a) || !is_live(b) {
        return None;
    }
    let ((one_begin, one_end), (other_begin, other_end)) = (times(a)?, times(b)?);
    between(one_end, other_begin).or_else(|| between(other_end, one_begin))
}

fn is_live(record: &RunRecord) -> bool {
    !record.start.mock && record.totals.attempts > record.totals.replayed
}

/// When a run began and ended.
fn times(record: &RunRecord) -> Option<(Timestamp, Timestamp)> {
    let begin: Timestamp = record.start.started.parse().ok()?;
    let lasted = record.end.as_ref().map_or(0.0, |end| end.duration_ms);
    let lasted = Duration::try_from_secs_f64(lasted / 1e3).ok()?;
    Some((begin, begin.checked_add(lasted).ok()?))
}

/// How long after an end a beginning came.
fn between(end: Timestamp, begin: Timestamp) -> Option<Duration> {
    Duration::try_from(begin.duration_since(end)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::{Event, RunEnd, RunStart};
    use crate::record::journal::sample;
    use crate::record::verdict::Verdict;

    fn run(started: &str, seconds: f64, mock: bool) -> (tempfile::TempDir, RunRecord) {
        let folder = tempfile::tempdir().unwrap();
        let start = RunStart { started: started.to_owned(), mock, ..sample::start(1) };
        let mut events = vec![Event::RunStarted(start)];
        let attempt = sample::attempt(0, Verdict::Passed, Vec::new());
        events.extend(sample::pair(attempt, sample::outcome(0, "s", "t", Verdict::Passed)));
        events.push(Event::RunFinished(RunEnd { duration_ms: seconds * 1e3, ..RunEnd::default() }));
        let record = sample::record(folder.path(), &events);
        (folder, record)
    }

    #[test]
    fn runs_one_after_the_other_are_apart_and_runs_next_to_each_other_are_not() {
        let early = run("2026-12-01T08:00:00.000Z", 600.0, false);
        let late = run("2026-12-01T10:15:00.000Z", 60.0, false);
        let during = run("2026-12-01T08:05:00.000Z", 3_600.0, false);
        let mock = run("2026-12-01T10:15:00.000Z", 60.0, true);
        let gap = Some(Duration::from_secs(125 * 60));
        assert_eq!((apart(&early.1, &late.1), apart(&late.1, &early.1)), (gap, gap));
        assert_eq!(apart(&early.1, &during.1), None);
        assert_eq!(apart(&early.1, &mock.1), None, "the mock does not change with the time of day");
        let odd = run("yesterday", 1.0, false);
        assert_eq!(apart(&early.1, &odd.1), None);
    }
}
