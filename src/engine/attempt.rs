//! One attempt: make the request, reserve its budget, wait for its turn, send it, and judge the answer.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use crate::base::clock;
use crate::base::panics::CaughtPanic;
use crate::base::template::TemplateScope;
use crate::dify::client::{StopSignal, Timeouts};
use crate::dify::transcript::{Ending, Transcript, WorkflowRequest};
use crate::dify::wire::error::ErrorClass;
use crate::engine::Engine;
use crate::engine::budget::{AttemptReservation, BudgetOutcome, SKIPPED};
use crate::engine::judged_attempt::JudgedAttempt;
use crate::engine::made_request::MadeRequest;
use crate::engine::pace::AttemptTurn;
use crate::engine::request::{AttemptId, attempt_scope, render_request};
use crate::engine::route::{AnswerRoute, choose_route};
use crate::engine::usage::EndedAttempt;
use crate::engine::wait_limit::{NoTurn, past_run, too_long};
use crate::engine::waiting::{AttemptWaits, WaitReason};
use crate::plan::case::Case;
use crate::record::attempt::Cause;
use crate::record::event::SinkError;

/// An attempt that is ready to be sent or replayed.
struct PreparedAttempt {
    scope: TemplateScope,
    request: WorkflowRequest,
    route: AnswerRoute,
}

impl Engine {
    /// Sends and judges one attempt; `None` if the run was stopped meanwhile. A panic is the error of this attempt.
    ///
    /// `waits` are its waits so far.
    pub(super) async fn attempt(
        &self,
        case: &Case,
        id: AttemptId,
        waits: AttemptWaits,
    ) -> Result<Option<JudgedAttempt>, SinkError> {
        let attempted = AssertUnwindSafe(self.send_and_judge(case, id, waits)).catch_unwind().await;
        attempted.unwrap_or_else(|payload| {
            let panic = CaughtPanic::of(&*payload);
            Ok(Some(JudgedAttempt::panicked(&self.run, case, id, &panic)))
        })
    }

    async fn send_and_judge(
        &self,
        case: &Case,
        id: AttemptId,
        mut waits: AttemptWaits,
    ) -> Result<Option<JudgedAttempt>, SinkError> {
        let PreparedAttempt { scope, request, route } = match self.prepare(case, id).await {
            Ok(prepared) => prepared,
            Err(unsent) => return Ok(Some(unsent)),
        };
        let mut stop = self.run.stop_signal();
        waits.skip();
        let mut reservation = match self.reserve(case, id, &route, &mut stop).await {
            Ok(reservation) => reservation,
            Err(unsent) => return Ok(unsent),
        };
        waits.waited_for(WaitReason::Budget);
        let turn = match self.turn(case, &route, &mut waits, &mut stop).await {
            Ok(turn) => turn,
            Err(why) => return Ok(self.without_turn(case, id, &why)),
        };
        let (intended, held_back) = (turn.intended, turn.held_back());
        reservation.iter_mut().for_each(AttemptReservation::mark_sent);
        let sent = clock::now();
        let limit = self.sender.timeouts_of(case).total.saturating_sub(held_back);
        let timeouts = Timeouts { total: limit, ..self.sender.timeouts_of(case) };
        let transcript = match &route {
            AnswerRoute::Replay(recorded) => {
                self.sender.replay(recorded, &request, &timeouts, &mut stop).await
            }
            AnswerRoute::Send(_) => {
                self.events.record_start(case, id, &request)?;
                let transcript = self.sender.send(&case.test.app, &request, &timeouts, &mut stop).await;
                with_whole_limit(transcript, held_back)
            }
        };
        if turn.permit.is_some() {
            self.pace.note_answer(&case.test.app, sent, &transcript);
        }
        drop(turn);
        if matches!(transcript.ending, Ending::Stopped { .. }) {
            return self.abandon(case, id, &route, &transcript);
        }
        self.exchanges.record(case, id, &route, &transcript);
        let made = MadeRequest { case, id, scope, waits, sent, limit, intended, route };
        // Yield before judging, so that events already received for other attempts keep their true arrival time.
        tokio::task::yield_now().await;
        let Some(judged) = self.checker.judge(&made, &transcript).await else {
            return self.abandon(case, id, &made.route, &transcript);
        };
        self.settle(&made, reservation, &judged, &transcript).await;
        Ok(Some(judged))
    }

    /// Makes the request and chooses its route; an error is the attempt that cannot be sent.
    async fn prepare(&self, case: &Case, id: AttemptId) -> Result<PreparedAttempt, JudgedAttempt> {
        #[cfg(test)]
        crate::engine::panic_tests::panic_while_prepared(&case.name);
        let made = attempt_scope(&self.run, case, id).and_then(|scope| {
            let request = render_request(&self.run, case, id, &scope)?;
            Ok((scope, request))
        });
        let (scope, request) =
            made.map_err(|error| JudgedAttempt::without_request(&self.run, case, id, &error))?;
        match choose_route(&self.run, case, id, &request).await {
            Ok(route) => Ok(PreparedAttempt { scope, request, route }),
            Err(cause) => Err(JudgedAttempt::unsent(&self.run, case, id, cause)),
        }
    }

    /// Reserves what the attempt is expected to use; otherwise returns how it ends, `None` if the run was stopped.
    async fn reserve(
        &self,
        case: &Case,
        id: AttemptId,
        route: &AnswerRoute,
        stop: &mut StopSignal,
    ) -> Result<Option<AttemptReservation>, Option<JudgedAttempt>> {
        let Some(budgets) = self.budgets.as_ref().filter(|_| route.is_live()) else { return Ok(None) };
        match budgets.reserve(case, stop).await {
            BudgetOutcome::Granted(reservation) => Ok(reservation),
            BudgetOutcome::Refused(reason) => {
                Err(Some(JudgedAttempt::over_budget(&self.run, case, id, reason)))
            }
            BudgetOutcome::Failed(cause) => Err(Some(JudgedAttempt::unsent(&self.run, case, id, cause))),
            BudgetOutcome::Stopped => Err(None),
        }
    }

    /// Waits for the turn of an attempt; a replay has it at once.
    async fn turn(
        &self,
        case: &Case,
        route: &AnswerRoute,
        waits: &mut AttemptWaits,
        stop: &mut StopSignal,
    ) -> Result<AttemptTurn<'_>, NoTurn> {
        if route.is_live() {
            let limit = self.sender.timeouts_of(case).total;
            return self.pace.turn(&case.test.app, limit, waits, stop).await;
        }
        match self.run.stop_reason() {
            Some(_) => Err(NoTurn::Stopped),
            None => Ok(AttemptTurn::default()),
        }
    }

    /// How an attempt ends that gets no turn; `None` if the run was stopped.
    fn without_turn(&self, case: &Case, id: AttemptId, why: &NoTurn) -> Option<JudgedAttempt> {
        match why {
            NoTurn::Stopped => None,
            NoTurn::Shut => {
                let cause = self.pace.blocked.cause(&case.test.app)?;
                let cause = Cause { message: cause.not_sent(), ..cause };
                Some(JudgedAttempt::unsent(&self.run, case, id, cause))
            }
            NoTurn::TooLong { wait, limit } => {
                let message = too_long(*wait, *limit);
                let hint = Some("raise `timeout`, or send less at once: `concurrency`, `rate`".to_owned());
                let cause = Cause { message, hint, class: Some(ErrorClass::Quota), stops_suite: false };
                Some(JudgedAttempt::unsent(&self.run, case, id, cause))
            }
            NoTurn::PastRun { wait } => {
                let reason = format!("{SKIPPED}{}", past_run(*wait));
                Some(JudgedAttempt::over_budget(&self.run, case, id, reason))
            }
        }
    }

    /// Records an attempt that ends with the run: it is not judged, but what it used is noted.
    fn abandon(
        &self,
        case: &Case,
        id: AttemptId,
        route: &AnswerRoute,
        transcript: &Transcript,
    ) -> Result<Option<JudgedAttempt>, SinkError> {
        if route.is_live() {
            self.events.record_abandoned(case, id, transcript)?;
        }
        Ok(None)
    }

    /// Notes how the attempt kept to the rate, and settles what it used.
    async fn settle(
        &self,
        made: &MadeRequest<'_>,
        reservation: Option<AttemptReservation>,
        judged: &JudgedAttempt,
        transcript: &Transcript,
    ) {
        let attempt = &judged.attempt;
        if let Some(intended) = made.intended {
            let latency = attempt.facts.latency_ms.map(|ms| Duration::from_secs_f64(ms / 1000.0));
            self.pace.note_start(intended, made.sent, latency);
        }
        if let Some(reservation) = reservation {
            let ended = EndedAttempt { facts: &attempt.facts, judges: &attempt.judges, transcript };
            reservation.settle(&made.case.test.suite, &ended).await;
        }
    }
}

/// Counts the time for which an attempt was held back towards the limit that it reports.
fn with_whole_limit(transcript: Transcript, held_back: Duration) -> Transcript {
    match transcript.ending {
        Ending::TimedOut { after } => {
            Transcript { ending: Ending::TimedOut { after: after + held_back }, ..transcript }
        }
        _ => transcript,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{PostedRequest, ResponseMode};
    use crate::engine::sample::{plan, with_engine};

    const SUITE: &str = "tests: [{ name: t, mock: { outputs: {} }, assert: [{ status: succeeded }] }]\n";

    fn ended(ending: Ending) -> Transcript {
        let begun = begin(ResponseMode::Streaming, serde_json::json!({}), PostedRequest::default());
        Transcript { ending, ..begun }
    }

    #[test]
    fn the_limit_of_an_attempt_is_reported_as_a_whole() {
        let (limit, held_back) = (Duration::from_secs(20), Duration::from_secs(40));
        let timed_out = with_whole_limit(ended(Ending::TimedOut { after: limit }), held_back);
        assert_eq!(timed_out.ending, Ending::TimedOut { after: Duration::from_secs(60) });
        assert_eq!(with_whole_limit(ended(Ending::Finished), held_back), ended(Ending::Finished));
    }

    #[test]
    fn an_attempt_without_a_turn_says_why_and_used_nothing() {
        let (wait, limit) = (Duration::from_secs(90), Duration::from_secs(60));
        with_engine(plan("", SUITE), async |engine| {
            let away = |why: NoTurn| {
                let id = AttemptId { repeat: 0, attempt: 0 };
                engine.without_turn(&engine.plan.cases[0], id, &why).map(|judged| judged.attempt)
            };
            let attempt = away(NoTurn::TooLong { wait, limit }).unwrap();
            let cause = attempt.cause.unwrap();
            let message = "not sent: the endpoint asks to be left alone for 1m 30s, and the limit of an attempt is 1m 00s";
            assert_eq!((cause.message.as_str(), cause.class), (message, Some(ErrorClass::Quota)));
            let used = attempt.facts.used();
            assert!(used.tokens_known && used.cost_known && used.tokens == 0, "nothing was sent: {used:?}");
            assert_eq!(away(NoTurn::Stopped).map(|attempt| attempt.verdict), None);
            let past = away(NoTurn::PastRun { wait }).unwrap();
            assert_eq!(past.verdict, crate::record::verdict::Verdict::Skipped);
            assert_eq!(away(NoTurn::Shut).map(|attempt| attempt.verdict), None, "nothing blocks the app");
        });
    }
}
