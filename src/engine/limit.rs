//! What ends the judging of an attempt before its checks are done: its own limit, the run's time, or a signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::assert::check::CheckResult;
use crate::base::clock;
use crate::base::panics::catch;
use crate::dify::transcript::Transcript;
use crate::engine::Engine;
use crate::engine::attempt::{JudgedAttempt, MadeRequest};
use crate::engine::blocking::aside;
use crate::record::attempt::Cause;
use crate::record::verdict::Truth;

/// However late an answer comes, its checks have this long.
const LEAST: Duration = Duration::from_secs(1);

/// How long the checks of one attempt may go on.
pub(super) struct JudgingLimit {
    /// Whose time is over then.
    whose: String,
    deadline: Instant,
    /// Until then a signal ends nothing: what was paid for is judged.
    least: Instant,
    has_ended: AtomicBool,
    stop: watch::Receiver<Option<Arc<str>>>,
}

impl JudgingLimit {
    /// True once the checks are over.
    pub fn is_over(&self) -> bool {
        let now = clock::now();
        now >= self.deadline || (now >= self.least && self.stop.borrow().is_some())
    }

    /// When the time of the attempt is over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// True once it left checks undecided.
    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    /// Leaves everything undecided that was looked at: what was ended is neither held nor broken.
    pub fn end(&self, examined: &mut CheckResult) {
        self.has_ended.store(true, Ordering::Relaxed);
        let message = format!("timed out: the checks were not done when {} was over", self.whose);
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

impl Engine {
    /// Judges an answer within the attempt's limit; none when the run was stopped before it was judged.
    pub(super) async fn judge_answer(
        &self,
        made: &MadeRequest<'_>,
        transcript: &Transcript,
    ) -> Option<JudgedAttempt> {
        let limit = self.judging_limit(made);
        let asked = self.ask_judges(made, transcript, &limit).await?;
        let judge = || {
            catch(|| {
                #[cfg(test)]
                crate::engine::panic_tests::panic_while_judged(&made.case.name);
                self.judge(made, transcript, (asked, &limit))
            })
        };
        let judged = aside(transcript, &made.case.test.checks, judge);
        if self.stopping().is_some() && limit.has_ended() {
            return None;
        }
        Some(judged.unwrap_or_else(|panic| self.unjudged(made.case, made.id, &panic)))
    }

    /// The limit of the checks of an attempt whose answer is there.
    fn judging_limit(&self, made: &MadeRequest<'_>) -> JudgingLimit {
        let total = self.timeouts_of(made.case).total.saturating_sub(made.held);
        let own = (made.sent + total, format!("the attempt's limit of {total:?}"));
        let time = self.purse.as_ref().and_then(|purse| purse.time());
        let of_run = time.map(|time| (self.started + time, format!("the run's time of {time:?}")));
        let (deadline, whose) = match of_run {
            Some(of_run) if of_run.0 < own.0 => of_run,
            Some(_) | None => own,
        };
        let least = clock::now() + LEAST.min(total);
        let has_ended = AtomicBool::new(false);
        JudgingLimit { whose, deadline: deadline.max(least), least, has_ended, stop: self.stop.subscribe() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::base::template::TemplateScope;
    use crate::budget::{LedgerSharing, SpendingLimit};
    use crate::engine::budget::RunBudgets;
    use crate::engine::cassettes::AnswerRoute;
    use crate::engine::request::AttemptId;
    use crate::engine::sample::{engine, plan};
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
            let has_ended = AtomicBool::new(false);
            let limit = JudgingLimit { whose: String::from("a test"), deadline, least, has_ended, stop };
            assert_eq!(limit.is_over(), expected, "{stopped}");
            assert_eq!(limit.deadline(), deadline);
        }
    }

    /// How long the checks have after an answer to an attempt that was sent at once, and whose limit that is.
    fn limit_of(timeout: &str, held: u64, run_time: Option<u64>) -> (u64, String) {
        let suite = format!(
            "tests: [{{ name: t, timeout: {timeout}, mock: {{ outputs: {{}} }}, assert: [{{ status: succeeded }}] }}]\n"
        );
        let folder = tempfile::tempdir().unwrap();
        let purse = run_time.map(|seconds| {
            let limit =
                SpendingLimit { time: Some(Duration::from_secs(seconds)), ..SpendingLimit::default() };
            RunBudgets::open(&folder.path().join("ledger"), LedgerSharing::Alone, limit, HashMap::new())
                .unwrap()
        });
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
            let (engine, _) = engine(plan("", &suite));
            let engine = Arc::into_inner(engine).unwrap().paid_from(purse);
            let made = MadeRequest {
                case: &engine.plan.cases[0],
                id: AttemptId { repeat: 0, attempt: 0 },
                scope: TemplateScope::new(),
                waiting: AttemptWaits::begin(),
                sent: engine.started,
                held: Duration::from_secs(held),
                meant: None,
                route: AnswerRoute::Send(None),
            };
            let limit = engine.judging_limit(&made);
            let left = limit.deadline().saturating_duration_since(engine.started).as_secs();
            engine.close().await;
            (left, limit.whose)
        })
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
