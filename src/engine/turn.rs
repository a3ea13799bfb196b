//! An attempt's turn: a place at the gate of its app, one at the rate; and what its answer says to those that wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::clock;
use crate::base::units::format_duration;
use crate::dify::client::{StopSignal, Timeouts};
use crate::dify::transcript::{Ending, Transcript};
use crate::dify::wire::error::ErrorClass;
use crate::engine::Engine;
use crate::engine::attempt::JudgedAttempt;
use crate::engine::backpressure::heard;
use crate::engine::budget::SKIPPED;
use crate::engine::cassettes::AnswerRoute;
use crate::engine::limiter::{LimiterPermit, NoTurn, Patience};
use crate::engine::request::AttemptId;
use crate::engine::waiting::{AttemptWaits, WaitReason};
use crate::plan::case::{Case, TargetKind};
use crate::record::attempt::Cause;

/// The place of an attempt among those that are sent.
#[derive(Default)]
pub(super) struct AttemptPlace<'a> {
    /// At the gate; none for what is replayed.
    pub inside: Option<LimiterPermit<'a>>,
    /// How long its app asked to be left alone meanwhile, which is of the attempt's limit.
    pub held: Duration,
    /// When the rate meant it to be sent.
    pub meant: Option<Instant>,
}

impl Engine {
    /// Waits for a place under the limit and a turn at the rate. What is replayed waits for nothing.
    pub(super) async fn turn(
        &self,
        case: &Case,
        route: &AnswerRoute,
        (waiting, stop): (&mut AttemptWaits, &mut StopSignal),
    ) -> Result<AttemptPlace<'_>, NoTurn> {
        let patience = self.patience(self.timeouts_of(case).total);
        let turn = async {
            if !route.is_live() {
                return Ok(AttemptPlace::default());
            }
            let (inside, held) = self.pace.gate.enter(&case.test.app, &patience).await?;
            waiting.waited_for(WaitReason::Limit);
            let meant = self.pace.turn().await;
            waiting.waited_for(WaitReason::Rate);
            Ok(AttemptPlace { inside: Some(inside), held, meant })
        };
        tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => Err(NoTurn::Stopped),
            turn = turn => turn,
        }
    }

    /// How long an attempt with this limit waits for an app that asked to be left alone.
    pub(super) fn patience(&self, limit: Duration) -> Patience {
        let time = self.purse.as_ref().and_then(|purse| purse.time());
        Patience { limit, run_ends: time.and_then(|time| self.started.checked_add(time)) }
    }

    /// The waits of an attempt that was held back for so long.
    pub(super) fn timeouts_after(&self, case: &Case, held: Duration) -> Timeouts {
        let timeouts = self.timeouts_of(case);
        Timeouts { total: timeouts.total.saturating_sub(held), ..timeouts }
    }

    /// What becomes of an attempt that has no turn; none when the run was stopped.
    pub(super) fn turned_away(&self, case: &Case, id: AttemptId, why: &NoTurn) -> Option<JudgedAttempt> {
        match why {
            NoTurn::Stopped => None,
            NoTurn::Shut => {
                let cause = self.blocked(&case.test.app)?;
                Some(self.unsent_attempt(case, id, Cause { message: cause.not_sent(), ..cause }))
            }
            NoTurn::TooLong { wait, limit } => {
                let message = too_long(*wait, *limit);
                let hint = Some("raise `timeout`, or send less at once: `concurrency`, `rate`".to_owned());
                let class = Some(ErrorClass::Quota);
                Some(self.unsent_attempt(case, id, Cause { message, hint, class, stops_suite: false }))
            }
            NoTurn::PastRun { wait } => {
                Some(self.unaffordable(case, id, format!("{SKIPPED}{}", past_run(*wait))))
            }
        }
    }

    /// Takes what the answer to a request says that was sent at a time.
    pub(super) fn hear(&self, app: &Arc<str>, sent: Instant, transcript: &Transcript) {
        self.pace.gate.hear(app, (sent, clock::now()), heard(transcript));
        self.shut_if_hopeless(app);
    }

    /// Notes that a test of an app has none of its retries left.
    pub(super) fn give_up(&self, app: &Arc<str>, why: &str) {
        self.pace.gate.give_up(app, why);
        self.shut_if_hopeless(app);
    }

    /// An app that refused so often in a row is asked no more. That of a mock is: each of its tests has an answer of its own.
    fn shut_if_hopeless(&self, app: &Arc<str>) {
        if !matches!(self.plan.target.kind, TargetKind::Live { .. }) {
            return;
        }
        if let Some(message) = self.pace.gate.hopeless(app) {
            let hint =
                Some("is Dify overloaded, or down? `concurrency` and `rate` say how much is sent".to_owned());
            self.block(app, &Cause { message, hint, class: Some(ErrorClass::Quota), stops_suite: true });
            self.pace.gate.shut(app);
        }
    }
}

/// What came of an attempt that was held back before: its limit is told as a whole.
pub(super) fn with_limit(transcript: Transcript, held: Duration) -> Transcript {
    match transcript.ending {
        Ending::TimedOut { after } => {
            Transcript { ending: Ending::TimedOut { after: after + held }, ..transcript }
        }
        _ => transcript,
    }
}

/// Why a wait is not waited that is over after the run.
pub(super) fn past_run(wait: Duration) -> String {
    let wait = format_duration(wait);
    format!("the endpoint asks to be left alone for {wait}, and the time of the run is over before")
}

/// Why a wait is not waited that an attempt does not outlast.
pub(super) fn too_long(wait: Duration, limit: Duration) -> String {
    format!(
        "not sent: the endpoint asks to be left alone for {}, and the limit of an attempt is {}",
        format_duration(wait),
        format_duration(limit)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{PostedRequest, ResponseMode};
    use crate::dify::wire::error::WireError;
    use crate::engine::sample::{plan, with_engine};

    const LIVE: &str = "targets: { live: { base_url: 'http://127.0.0.1:9/v1', api_key: app-x } }\nprofiles: { default: { target: live } }\n";
    const SUITE: &str = "tests: [{ name: t, mock: { outputs: {} }, assert: [{ status: succeeded }] }]\n";

    fn ended(ending: Ending) -> Transcript {
        let begun = begin(ResponseMode::Streaming, serde_json::json!({}), PostedRequest::default());
        Transcript { ending, ..begun }
    }

    #[test]
    fn the_limit_of_an_attempt_is_told_as_a_whole() {
        let (limit, held) = (Duration::from_secs(20), Duration::from_secs(40));
        let timed_out = with_limit(ended(Ending::TimedOut { after: limit }), held);
        assert_eq!(timed_out.ending, Ending::TimedOut { after: Duration::from_secs(60) });
        assert_eq!(with_limit(ended(Ending::Finished), held), ended(Ending::Finished));
    }

    #[test]
    fn a_wait_that_is_not_waited_says_how_long_it_is() {
        let (wait, limit) = (Duration::from_secs(90), Duration::from_secs(60));
        let message =
            "not sent: the endpoint asks to be left alone for 1m 30s, and the limit of an attempt is 1m 00s";
        assert_eq!(too_long(wait, limit), message);
        assert_eq!(
            past_run(wait),
            "the endpoint asks to be left alone for 1m 30s, and the time of the run is over before"
        );
        with_engine(plan("", SUITE), async |engine| {
            let away = |why: NoTurn| {
                let id = AttemptId { repeat: 0, attempt: 0 };
                engine.turned_away(&engine.plan.cases[0], id, &why).map(|judged| judged.attempt)
            };
            let attempt = away(NoTurn::TooLong { wait, limit }).unwrap();
            let cause = attempt.cause.unwrap();
            assert_eq!((cause.message.as_str(), cause.class), (message, Some(ErrorClass::Quota)));
            let used = attempt.facts.used();
            assert!(used.tokens_known && used.cost_known && used.tokens == 0, "nothing was sent: {used:?}");
            assert_eq!(away(NoTurn::Stopped).map(|attempt| attempt.verdict), None);
            let past = away(NoTurn::PastRun { wait }).unwrap();
            assert_eq!(past.verdict, crate::record::verdict::Verdict::Skipped);
            assert_eq!(away(NoTurn::Shut).map(|attempt| attempt.verdict), None, "nothing blocks the app");
        });
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
                    assert_eq!(engine.blocked(app), None);
                    engine.hear(app, clock::now(), &ended(busy.clone()));
                }
                assert_eq!(engine.blocked(app), None, "a test still has retries left");
                engine.give_up(app, "HTTP 429");
                let cause = engine.blocked(app);
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
