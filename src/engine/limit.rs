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
