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
