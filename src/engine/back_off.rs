//! The wait before a retry.

use std::time::Duration;

use crate::engine::Engine;
use crate::engine::attempt::JudgedAttempt;
use crate::engine::pace::LONGEST_RETRY_AFTER;
use crate::engine::retry_safety::RetryDecision;
use crate::plan::case::{Case, Resend};
use crate::record::verdict::Verdict;

impl Engine {
    /// The back-off before the next try; none when the last one may have run, or nothing is to be had from another.
    ///
    /// What its app asks for beyond that is waited at the gate, with all others of the app.
    pub(super) fn wait_before_retry(
        &self,
        case: &Case,
        retry: u32,
        judged: &JudgedAttempt,
    ) -> Option<Duration> {
        let retries = case.test.retries.as_ref().unwrap_or(&self.plan.target.retries);
        if judged.attempt.verdict != Verdict::Errored || self.blocked(&case.test.app).is_some() {
            return None;
        }
        let limit = self.timeouts_of(case).total;
        match (judged.again, retries.resend) {
            (RetryDecision::Safe(Some(after)), _) if after.min(LONGEST_RETRY_AFTER) >= limit => None,
            (RetryDecision::Safe(_), Resend::Never | Resend::Allowed)
            | (RetryDecision::Unsafe, Resend::Allowed) => Some(self.pace.back_off(retries, retry, None)),
            (RetryDecision::Unsafe, Resend::Never)
            | (RetryDecision::Useless, Resend::Never | Resend::Allowed) => None,
        }
    }

    /// Sleeps; false when the run was stopped meanwhile.
    pub(super) async fn sleep(&self, wait: Duration) -> bool {
        let mut stop = self.stop.subscribe();
        tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => false,
            () = tokio::time::sleep(wait) => true,
        }
    }
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
        for (verdict, again, never, allowed) in [
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
                    let judged = JudgedAttempt { attempt: sample::attempt(0, verdict, Vec::new()), again };
                    let wait = |retry| engine.wait_before_retry(case, retry, &judged);
                    let found = [wait(1), wait(2), wait(3)];
                    let cause = Cause { message: String::new(), hint: None, class: None, stops_suite: true };
                    engine.block(&case.test.app, &cause);
                    assert_eq!(wait(1), None, "nothing is sent to an app that is blocked");
                    found
                });
                let expected = [10, 20, 40].map(|wait| expected.then_some(Duration::from_millis(wait)));
                assert_eq!(waits, expected, "{verdict:?} {again:?} {resend}");
            }
        }
    }
}
