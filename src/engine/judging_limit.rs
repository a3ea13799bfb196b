//! What ends the checks of an attempt before they are done: the attempt's limit, the run's time, or a signal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::assert::check::CheckResult;
use crate::base::clock;
use crate::dify::client::StopSignal;
use crate::engine::current_run::CurrentRun;
use crate::engine::made_request::MadeRequest;
use crate::record::attempt::Cause;
use crate::record::verdict::Truth;

/// The checks of an answer have at least this long, however late it arrives.
const LEAST: Duration = Duration::from_secs(1);

/// How long the checks of one attempt may take.
pub(super) struct JudgingLimit {
    /// What ends at the deadline, for the message.
    ends: String,
    deadline: Instant,
    /// Until then a signal does not end the checks: an answer that was paid for is judged.
    least: Instant,
    was_reached: AtomicBool,
    stop: StopSignal,
}

impl JudgingLimit {
    /// The limit for an answer that has just arrived.
    pub fn of(run: &CurrentRun, made: &MadeRequest<'_>) -> Self {
        let own = made.sent + made.limit;
        let (deadline, ends) = match (run.deadline(), run.plan.budget.time) {
            (Some(end), Some(time)) if end < own => (end, format!("the run's time of {time:?}")),
            (Some(_) | None, _) => (own, format!("the attempt's limit of {:?}", made.limit)),
        };
        let least = clock::now() + LEAST.min(made.limit);
        let was_reached = AtomicBool::new(false);
        Self { ends, deadline: deadline.max(least), least, was_reached, stop: run.stop_signal() }
    }

    /// True once the checks must end.
    pub fn is_over(&self) -> bool {
        let now = clock::now();
        now >= self.deadline || (now >= self.least && self.stop.borrow().is_some())
    }

    /// When the time of the attempt is over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// True if checks were left undecided.
    pub fn was_reached(&self) -> bool {
        self.was_reached.load(Ordering::Relaxed)
    }

    /// Leaves all checks undecided: one that did not run to its end neither holds nor is broken.
    pub fn leave_undecided(&self, examined: &mut CheckResult) {
        self.was_reached.store(true, Ordering::Relaxed);
        let message = format!("timed out: the checks were not done when {} was over", self.ends);
        for finding in &mut examined.findings {
            finding.truth = Truth::Undecided;
            finding.message.clone_from(&message);
            finding.members.clear();
        }
        let hint =
            Some("make the paths and schemas of its assertions simpler, or raise `timeout`".to_owned());
        examined.cause.get_or_insert(Cause { message, hint, class: None, stops_suite: false });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::watch;

    use super::*;
    use crate::base::template::TemplateScope;
    use crate::engine::request::AttemptId;
    use crate::engine::route::AnswerRoute;
    use crate::engine::sample::plan;
    use crate::engine::waiting::AttemptWaits;

    #[test]
    fn checks_end_at_their_deadline_and_at_a_signal_once_they_had_their_time() {
        let now = clock::now();
        let (past, future) = (now, now + Duration::from_secs(3_600));
        for (deadline, least, stopped, expected) in [
            (past, past, false, true),
            (past, past, true, true),
            (future, future, false, false),
            (future, future, true, false),
            (future, past, false, false),
            (future, past, true, true),
        ] {
            let reason = stopped.then(|| Arc::from("a signal"));
            let (_sender, stop) = watch::channel(reason);
            let was_reached = AtomicBool::new(false);
            let limit = JudgingLimit { ends: String::from("a test"), deadline, least, was_reached, stop };
            assert_eq!(limit.is_over(), expected, "{stopped}");
            assert_eq!(limit.deadline(), deadline);
        }
    }

    /// How long the checks have after an answer to an attempt that was sent at once, and what ends then.
    fn limit_of(timeout: &str, held: u64, run_time: Option<u64>) -> (u64, String) {
        let suite = format!(
            "tests: [{{ name: t, timeout: {timeout}, mock: {{ outputs: {{}} }}, assert: [{{ status: succeeded }}] }}]\n"
        );
        let mut plan = plan("", &suite);
        plan.budget.time = run_time.map(Duration::from_secs);
        let run = CurrentRun::new(Arc::new(plan), Arc::from("run-1"));
        let case = &run.plan.cases[0];
        let made = MadeRequest {
            case,
            id: AttemptId { repeat: 0, attempt: 0 },
            scope: TemplateScope::new(),
            waits: AttemptWaits::begin(),
            sent: run.started,
            limit: case.test.timeout.unwrap() - Duration::from_secs(held),
            intended: None,
            route: AnswerRoute::Send(None),
        };
        let limit = JudgingLimit::of(&run, &made);
        (limit.deadline().saturating_duration_since(run.started).as_secs(), limit.ends)
    }

    #[test]
    fn the_nearer_of_the_limits_of_an_attempt_and_of_its_run_ends_its_checks() {
        for (timeout, held, run_time, left, whose) in [
            ("60s", 0, None, 60, "the attempt's limit of 60s"),
            ("60s", 0, Some(600), 60, "the attempt's limit of 60s"),
            ("60s", 0, Some(30), 30, "the run's time of 30s"),
            ("60s", 20, None, 40, "the attempt's limit of 40s"),
            ("60s", 20, Some(50), 40, "the attempt's limit of 40s"),
        ] {
            assert_eq!(
                limit_of(timeout, held, run_time),
                (left, whose.to_owned()),
                "{timeout} {held} {run_time:?}"
            );
        }
    }
}
