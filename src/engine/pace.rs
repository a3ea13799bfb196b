//! When a request may be sent: slots for cases, the limit of simultaneous requests, and the rate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::base::clock;
use crate::dify::client::StopSignal;
use crate::dify::transcript::Transcript;
use crate::dify::wire::error::ErrorClass;
use crate::engine::back_off::RetryDelays;
use crate::engine::backpressure::limit_signal;
use crate::engine::blocked_apps::BlockedApps;
use crate::engine::current_run::CurrentRun;
use crate::engine::limiter::{LimiterPermit, RequestLimiter};
use crate::engine::starts::{StartSchedule, StartTime};
use crate::engine::streak::RoundTrip;
use crate::engine::wait_limit::{NoTurn, WaitLimit};
use crate::engine::waiting::{AttemptWaits, WaitReason};
use crate::record::attempt::Cause;
use crate::record::event::{FallenLimit, RateAdherence};

/// The pace at which a run sends to its target.
pub struct TargetPace {
    /// Waits before retries.
    pub delays: RetryDelays,
    /// Apps that get no more requests.
    pub blocked: BlockedApps,
    run: Arc<CurrentRun>,
    slots: Arc<Semaphore>,
    limiter: RequestLimiter,
    /// The starts at the rate; `None` without a rate.
    starts: Option<StartSchedule>,
}

/// Permission to send one request now.
#[derive(Default)]
pub struct AttemptTurn<'a> {
    /// Held until the answer has arrived; `None` for a replay, which does not need one.
    pub permit: Option<LimiterPermit<'a>>,
    /// When the request was to start by the rate; `None` without a rate.
    pub intended: Option<Instant>,
}

impl AttemptTurn<'_> {
    /// How long the app was paused before, which counts towards the limit of the attempt.
    pub fn held_back(&self) -> Duration {
        self.permit.as_ref().map(|permit| permit.held_back).unwrap_or_default()
    }
}

impl TargetPace {
    /// Has a slot for each case that may run at the same time.
    pub fn new(run: &Arc<CurrentRun>) -> Self {
        let target = &run.plan.target;
        Self {
            delays: RetryDelays::new(run.plan.seed),
            blocked: BlockedApps::default(),
            run: run.clone(),
            slots: Arc::new(Semaphore::new(target.concurrency.max(1))),
            limiter: RequestLimiter::new(target.concurrency),
            starts: target.rate.map(StartSchedule::new),
        }
    }

    /// Waits for a slot; it is free again when the permit is dropped.
    pub async fn slot(&self) -> OwnedSemaphorePermit {
        self.slots.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    /// Waits until a request to an app may be sent, for an attempt that may last as long as `limit`.
    pub async fn turn(
        &self,
        app: &str,
        limit: Duration,
        waits: &mut AttemptWaits,
        stop: &mut StopSignal,
    ) -> Result<AttemptTurn<'_>, NoTurn> {
        let wait_limit = WaitLimit { attempt: limit, run_ends: self.run.deadline() };
        let turn = async {
            let permit = self.limiter.acquire(app, &wait_limit).await?;
            waits.waited_for(WaitReason::Limit);
            let intended = self.next_start().await;
            waits.waited_for(WaitReason::Rate);
            Ok(AttemptTurn { permit: Some(permit), intended })
        };
        tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => Err(NoTurn::Stopped),
            turn = turn => turn,
        }
    }

    /// Waits until the rate allows another start, and returns when that was intended.
    async fn next_start(&self) -> Option<Instant> {
        let now = clock::now();
        let slot = self.starts.as_ref()?.reserve(now);
        if slot.allowed > now {
            tokio::time::sleep_until(slot.allowed.into()).await;
        }
        Some(slot.intended)
    }

    /// Notes a start, and the latency of its answer if that is known.
    pub fn note_start(&self, intended: Instant, sent: Instant, latency: Option<Duration>) {
        if let Some(starts) = &self.starts {
            starts.note(StartTime { intended, sent, latency });
        }
    }

    /// Adjusts the pace to the answer to a request.
    pub fn note_answer(&self, app: &Arc<str>, sent: Instant, transcript: &Transcript) {
        let trip = RoundTrip { sent, answered: clock::now() };
        self.limiter.note_answer(app, trip, limit_signal(transcript));
        self.shut_if_refusing(app);
    }

    /// Notes that a test of an app has used up its retries, and why.
    pub fn give_up(&self, app: &Arc<str>, reason: &str) {
        self.limiter.give_up(app, reason);
        self.shut_if_refusing(app);
    }

    /// Blocks a live app that refuses too often in a row. On a mock each test has its own answer, so the next one may differ.
    fn shut_if_refusing(&self, app: &Arc<str>) {
        if !self.run.is_live() {
            return;
        }
        if let Some(message) = self.limiter.end_reason(app) {
            let hint =
                Some("is Dify overloaded, or down? `concurrency` and `rate` say how much is sent".to_owned());
            let class = Some(ErrorClass::Quota);
            self.blocked.block(app, &Cause { message, hint, class, stops_suite: true });
            self.limiter.shut(app);
        }
    }

    /// How far the limit of simultaneous requests fell; `None` if nothing was refused.
    pub fn fallen_limit(&self) -> Option<FallenLimit> {
        self.limiter.fallen()
    }

    /// How closely the starts followed the rate; `None` without a rate, or if nothing was sent.
    pub fn rate_adherence(&self) -> Option<RateAdherence> {
        self.starts.as_ref()?.adherence()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{Ending, PostedRequest, ResponseMode};
    use crate::dify::wire::error::WireError;
    use crate::engine::sample::{plan, with_engine};

    const LIVE: &str = "targets: { live: { base_url: 'http://127.0.0.1:9/v1', api_key: app-x } }\nprofiles: { default: { target: live } }\n";
    const SUITE: &str = "tests: [{ name: t, mock: { outputs: {} }, assert: [{ status: succeeded }] }]\n";

    fn ended(ending: Ending) -> Transcript {
        let begun = begin(ResponseMode::Streaming, serde_json::json!({}), PostedRequest::default());
        Transcript { ending, ..begun }
    }

    #[test]
    fn an_app_that_refuses_without_end_is_asked_no_more_unless_it_is_a_mock() {
        let busy = Ending::Rejected(WireError {
            status: 429,
            code: None,
            message: "busy".to_owned(),
            class: ErrorClass::Quota,
            not_started: true,
            stops_suite: false,
        });
        for (project, is_shut) in [(LIVE, true), ("", false)] {
            with_engine(plan(project, SUITE), async |engine| {
                let app = &engine.plan.cases[0].test.app;
                for _ in 0..8 {
                    assert_eq!(engine.pace.blocked.cause(app), None);
                    engine.pace.note_answer(app, clock::now(), &ended(busy.clone()));
                }
                assert_eq!(engine.pace.blocked.cause(app), None, "a test still has retries left");
                engine.pace.give_up(app, "HTTP 429");
                let cause = engine.pace.blocked.cause(app);
                assert_eq!(cause.is_some(), is_shut, "{project}");
                if let Some(cause) = cause {
                    let message =
                        "8 requests in a row were refused, or did not arrive; the last test: HTTP 429";
                    assert_eq!((cause.message.as_str(), cause.stops_suite), (message, true));
                }
            });
        }
    }
}
