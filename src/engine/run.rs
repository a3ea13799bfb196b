//! Runs the whole plan: as many cases at once as the target takes, until all have run or the run is stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use tokio::task::JoinSet;

use crate::base::clock;
use crate::base::plural::plural;
use crate::engine::Engine;
use crate::record::attempt::CaseOutcome;
use crate::record::event::{Event, RunEnd, SinkError};

/// When a run ends before its plan does.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunLimits {
    /// No new test starts after this many red ones.
    pub max_fail: Option<u32>,
}

/// Shared by the workers of one run.
struct RunProgress {
    /// The place of the next case in the plan.
    next: AtomicUsize,
    /// Red tests so far.
    red: AtomicU32,
    /// True once there are too many red tests.
    has_too_many_red: AtomicBool,
    limits: RunLimits,
}

impl Engine {
    /// Runs every case of the plan and reports how the run ended.
    pub async fn run(self: &Arc<Self>, limits: RunLimits) -> Result<RunEnd, SinkError> {
        let stopped_early = self.run_cases(limits).await?;
        self.end(stopped_early, None)
    }

    /// Runs every case of the plan; returns why it stopped before all had run, if that was on purpose.
    pub async fn run_cases(self: &Arc<Self>, limits: RunLimits) -> Result<Option<String>, SinkError> {
        let progress = Arc::new(RunProgress {
            next: AtomicUsize::new(0),
            red: AtomicU32::new(0),
            has_too_many_red: AtomicBool::new(false),
            limits,
        });
        let mut workers = JoinSet::new();
        for _ in 0..self.plan.target.concurrency.min(self.plan.cases.len()) {
            workers.spawn(work(self.clone(), progress.clone()));
        }
        let mut failure = None;
        while let Some(joined) = workers.join_next().await {
            if let Err(error) = joined.expect("a worker neither panics nor is aborted") {
                self.stop("the journal cannot be written");
                failure.get_or_insert(error);
            }
        }
        match failure {
            Some(error) => Err(error),
            None => Ok(progress.stopped_early()),
        }
    }

    /// Reports that the run ended; `unrecorded` says why its recording could not be written, if so.
    pub fn end(
        &self,
        stopped_early: Option<String>,
        unrecorded: Option<String>,
    ) -> Result<RunEnd, SinkError> {
        let end = RunEnd {
            duration_ms: self.run.offset_ms(clock::now()),
            interrupted: self.stopping().is_some(),
            stopped_early,
            versions: self.checker.versions.ran(),
            unrecorded,
            budgets: self.budgets.as_ref().map(|budgets| budgets.spending(&self.plan)).unwrap_or_default(),
            limit: self.pace.fallen_limit(),
            rates: self.pace.rate_adherence().into_iter().collect(),
            fields: self.checker.versions.fields(),
        };
        self.record(&Event::RunFinished(end.clone()))?;
        Ok(end)
    }
}

/// Takes the next case until there is none, the run is stopped, or enough are red.
async fn work(engine: Arc<Engine>, progress: Arc<RunProgress>) -> Result<(), SinkError> {
    loop {
        if engine.stopping().is_some() || progress.has_too_many_red.load(Ordering::Relaxed) {
            return Ok(());
        }
        let index = progress.next.fetch_add(1, Ordering::Relaxed);
        if index >= engine.plan.cases.len() {
            return Ok(());
        }
        let Some(ran) = engine.run_case(index).await? else { return Ok(()) };
        progress.count(&ran.outcome, engine.plan.cases.len() - index - 1);
    }
}

impl RunProgress {
    /// Why no more tests started, if too many were red.
    fn stopped_early(&self) -> Option<String> {
        let red = self.red.load(Ordering::Relaxed);
        self.has_too_many_red
            .load(Ordering::Relaxed)
            .then(|| format!("stopped after {red} red {}", plural(red, "test", "tests")))
    }

    /// Counts an outcome; too many red ones end the run if there are cases left.
    fn count(&self, outcome: &CaseOutcome, left: usize) {
        if !outcome.is_red() {
            return;
        }
        let red = self.red.fetch_add(1, Ordering::Relaxed) + 1;
        if left > 0 && self.limits.max_fail.is_some_and(|limit| red >= limit) {
            self.has_too_many_red.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sample::{plan, run};
    use crate::plan::case::Plan;

    /// A suite of tests that pass (p), fail (f) or have no mock answer (e), one after the other.
    fn suite(marks: &str) -> Plan {
        let tests = marks.chars().enumerate().map(|(at, mark)| {
            let value = if mark == 'p' { 1 } else { 2 };
            let mock = if mark == 'e' { "" } else { "mock: { outputs: { x: 1 } }, " };
            format!("  - {{ name: t{at}, {mock}assert: [{{ path: $.x, equals: {value} }}] }}\n")
        });
        plan(
            "profiles: { default: { target: mock, concurrency: 1 } }\n",
            &format!("tests:\n{}", tests.collect::<String>()),
        )
    }

    #[test]
    fn enough_red_tests_end_a_run_that_has_tests_left() {
        let one = Some("stopped after 1 red test");
        for (marks, max_fail, ran, stopped) in [
            ("fpp", Some(1), 1, one),
            ("pfp", Some(1), 2, one),
            ("pep", Some(1), 2, one),
            ("pfpf", Some(2), 4, None),
            ("pffp", Some(2), 3, Some("stopped after 2 red tests")),
            ("ppf", Some(1), 3, None),
            ("ff", Some(3), 2, None),
            ("fff", None, 3, None),
        ] {
            let result = run(suite(marks), RunLimits { max_fail });
            assert_eq!(result.outcomes.len(), ran, "{marks} {max_fail:?}");
            assert_eq!(result.end.stopped_early.as_deref(), stopped, "{marks} {max_fail:?}");
            assert!(!result.end.interrupted);
        }
    }

    #[test]
    fn a_test_is_repeated_as_often_as_it_says_and_its_outcome_counts_all() {
        let suite = "tests:\n  - { name: t, repeat: 3, mock: { outputs: { x: 1 } }, assert: [{ path: $.x, equals: 1 }] }\n";
        let result = run(plan("", suite), RunLimits::default());
        let mut repeats: Vec<u32> = result.attempts.iter().map(|attempt| attempt.repeat).collect();
        repeats.sort_unstable();
        assert_eq!(repeats, [0, 1, 2]);
        let outcome = &result.outcomes[0];
        assert_eq!((outcome.attempts, outcome.repeats.as_ref().map(|facts| facts.passed)), (3, Some(3)));
    }
}
