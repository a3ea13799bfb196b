//! One repeat of a case: its attempts, until one is no infrastructure failure or the retries are used up.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::judged_attempt::JudgedAttempt;
use crate::engine::request::AttemptId;
use crate::engine::retry_after::LONGEST_RETRY_AFTER;
use crate::engine::retry_safety::RetryDecision;
use crate::engine::tally::CaseTally;
use crate::engine::waiting::{AttemptWaits, WaitReason};
use crate::plan::case::{Case, Resend};
use crate::record::attempt::Attempt;
use crate::record::event::{Event, SinkError};
use crate::record::verdict::Verdict;

/// How a repeat ended.
pub(super) enum RepeatResult {
    /// With this attempt, which counts for the case.
    Finished(Arc<Attempt>),
    /// Its next attempt no longer fits the budget.
    OverBudget {
        /// The attempt before, of which it was to be a retry.
        last: Option<Arc<Attempt>>,
        /// Why it does not fit.
        reason: String,
    },
    /// The run was stopped meanwhile.
    Stopped,
}

impl Engine {
    /// Runs one repeat, and counts its attempts.
    pub(super) async fn repeat(
        &self,
        case: &Case,
        repeat: u32,
        mut waits: AttemptWaits,
        tally: &mut CaseTally,
    ) -> Result<RepeatResult, SinkError> {
        let retries = case.test.retries.as_ref().unwrap_or(&self.plan.target.retries);
        if let Some(found) = self.interrupted.recover(case, repeat, &self.checker).await {
            tally.attempts += 1;
            return self.finish_repeat(case, Arc::new(found.attempt), tally);
        }
        let mut number = 0;
        let mut last = None;
        loop {
            let id = AttemptId { repeat, attempt: number };
            let Some(mut judged) = self.attempt(case, id, waits).await? else {
                return Ok(RepeatResult::Stopped);
            };
            if let Some(reason) = judged.budget_refusal() {
                return Ok(RepeatResult::OverBudget { last, reason });
            }
            tally.attempts += 1;
            let wait =
                (number < retries.count).then(|| self.wait_before_retry(case, number + 1, &judged)).flatten();
            judged.attempt.retried = wait.is_some();
            let attempt = Arc::new(judged.attempt);
            let Some(wait) = wait else {
                return self.finish_repeat(case, attempt, tally);
            };
            self.record(&Event::AttemptFinished(attempt.clone()))?;
            last = Some(attempt);
            tally.retries += 1;
            number += 1;
            waits = AttemptWaits::begin();
            if !self.run.sleep(wait).await {
                return Ok(RepeatResult::Stopped);
            }
            waits.waited_for(WaitReason::Retry);
        }
    }

    /// The wait before the next attempt; `None` if the last one may have run, or if another one is pointless.
    ///
    /// A longer pause that the app asks for is waited for with the next turn, together with all others of the app.
    fn wait_before_retry(&self, case: &Case, retry: u32, judged: &JudgedAttempt) -> Option<Duration> {
        let retries = case.test.retries.as_ref().unwrap_or(&self.plan.target.retries);
        let is_blocked = self.pace.blocked.cause(&case.test.app).is_some();
        if judged.attempt.verdict != Verdict::Errored || is_blocked {
            return None;
        }
        let limit = self.sender.timeouts_of(case).total;
        match (judged.retry, retries.resend) {
            (RetryDecision::Safe(Some(after)), _) if after.min(LONGEST_RETRY_AFTER) >= limit => None,
            (RetryDecision::Safe(_), Resend::Never | Resend::Allowed)
            | (RetryDecision::Unsafe, Resend::Allowed) => Some(self.pace.delays.delay(retries, retry, None)),
            (RetryDecision::Unsafe, Resend::Never)
            | (RetryDecision::Useless, Resend::Never | Resend::Allowed) => None,
        }
    }

    /// Records and counts the attempt with which a repeat ends.
    ///
    /// If the process were killed between that attempt and the end of its case, the test would be sent again although its only
    /// attempt has ended. So where the case ends with the attempt, both are recorded by [`Self::close_case`].
    fn finish_repeat(
        &self,
        case: &Case,
        attempt: Arc<Attempt>,
        tally: &mut CaseTally,
    ) -> Result<RepeatResult, SinkError> {
        if tally.ends_with_attempt {
            tally.unrecorded = Some(attempt.clone());
        } else {
            self.record(&Event::AttemptFinished(attempt.clone()))?;
        }
        tally.note(&attempt);
        if let Some(cause) = attempt.cause.as_ref().filter(|_| attempt.verdict == Verdict::Errored) {
            self.pace.give_up(&case.test.app, &cause.message);
        }
        if let Some(cause) = attempt.cause.as_ref().filter(|cause| cause.stops_suite) {
            self.pace.blocked.block(&case.test.app, cause);
        }
        Ok(RepeatResult::Finished(attempt))
    }
}

/// True if no further attempt of the app makes sense after this one.
pub(super) fn stops_suite(attempt: &Attempt) -> bool {
    attempt.cause.as_ref().is_some_and(|cause| cause.stops_suite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sample::{plan, with_engine};
    use crate::record::attempt::Cause;
    use crate::record::journal::sample;

    #[test]
    fn only_what_is_errored_and_may_be_sent_again_is_waited_for() {
        use RetryDecision::{Safe, Unsafe, Useless};
        use Verdict::{Errored, Failed, Inconclusive, Passed, Skipped};
        let suite = |resend: bool| {
            format!(
                "tests: [{{ name: t, timeout: 60s, retries: {{ count: 3, delay: 10ms, jitter: false, resend: {resend} }}, \
                 mock: {{ outputs: {{}} }}, assert: [{{ status: succeeded }}] }}]\n"
            )
        };
        let (short, long) = (Some(Duration::from_secs(59)), Some(Duration::from_secs(60)));
        for (verdict, retry, never, allowed) in [
            (Errored, Safe(None), true, true),
            (Errored, Safe(short), true, true),
            (Errored, Safe(long), false, false),
            (Errored, Unsafe, false, true),
            (Errored, Useless, false, false),
            (Failed, Safe(None), false, false),
            (Passed, Safe(None), false, false),
            (Inconclusive, Safe(None), false, false),
            (Skipped, Safe(None), false, false),
        ] {
            for (resend, expected) in [(false, never), (true, allowed)] {
                let waits = with_engine(plan("", &suite(resend)), async |engine| {
                    let case = &engine.plan.cases[0];
                    let judged = JudgedAttempt { attempt: sample::attempt(0, verdict, Vec::new()), retry };
                    let wait = |number| engine.wait_before_retry(case, number, &judged);
                    let found = [wait(1), wait(2), wait(3)];
                    let cause = Cause { message: String::new(), hint: None, class: None, stops_suite: true };
                    engine.pace.blocked.block(&case.test.app, &cause);
                    assert_eq!(wait(1), None, "nothing is sent to an app that is blocked");
                    found
                });
                let expected = [10, 20, 40].map(|wait| expected.then_some(Duration::from_millis(wait)));
                assert_eq!(waits, expected, "{verdict:?} {retry:?} {resend}");
            }
        }
    }
}
