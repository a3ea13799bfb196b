//! One attempt: wait for its turn, send, judge.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use serde_json::Value;

use crate::assert::check::{self, CheckResult};
use crate::assert::judge::JudgeQuestions;
use crate::base::clip::clip;
use crate::base::clock;
use crate::base::panics::CaughtPanic;
use crate::base::template::TemplateScope;
use crate::dify::client::Timeouts;
use crate::dify::transcript::{Ending, Transcript, WorkflowRequest};
use crate::engine::Engine;
use crate::engine::budget::AttemptReservation;
use crate::engine::cassettes::AnswerRoute;
use crate::engine::judging::Opinions;
use crate::engine::limit::JudgingLimit;
use crate::engine::request::AttemptId;
use crate::engine::retry_safety::{RetryDecision, again};
use crate::engine::turn::with_limit;
use crate::engine::usage::{EndedAttempt, over_cap, seen_use};
use crate::engine::versions::{AnsweredAttempt, version_finding};
use crate::engine::waiting::{AttemptWaits, WaitReason};
use crate::plan::case::{Case, TargetKind};
use crate::record::attempt::{Attempt, Cause};
use crate::record::event::SinkError;
use crate::record::verdict::{self, Verdict};

/// A judged attempt with what the next decision needs.
pub struct JudgedAttempt {
    /// What will be recorded.
    pub attempt: Attempt,
    /// Whether sending again is free of the risk of running twice.
    pub again: RetryDecision,
}

impl Engine {
    /// Sends and judges one attempt; none when the run was stopped meanwhile. What panics in it is its own error.
    ///
    /// `waiting` is what it has waited for so far.
    pub(super) async fn attempt(
        &self,
        case: &Case,
        id: AttemptId,
        waiting: AttemptWaits,
    ) -> Result<Option<JudgedAttempt>, SinkError> {
        let attempted = AssertUnwindSafe(self.attempt_once(case, id, waiting)).catch_unwind().await;
        attempted.unwrap_or_else(|payload| Ok(Some(self.unjudged(case, id, &CaughtPanic::of(&*payload)))))
    }

    async fn attempt_once(
        &self,
        case: &Case,
        id: AttemptId,
        mut waiting: AttemptWaits,
    ) -> Result<Option<JudgedAttempt>, SinkError> {
        let (scope, request, route) = match self.prepare(case, id).await {
            Ok(prepared) => prepared,
            Err(unsent) => return Ok(Some(unsent)),
        };
        let mut stop = self.stop.subscribe();
        waiting.skip();
        let mut hold = match self.hold(case, id, &route, &mut stop).await {
            Ok(hold) => hold,
            Err(unsent) => return Ok(unsent),
        };
        waiting.waited_for(WaitReason::Budget);
        let place = match self.turn(case, &route, (&mut waiting, &mut stop)).await {
            Ok(place) => place,
            Err(why) => return Ok(self.turned_away(case, id, &why)),
        };
        let (meant, held) = (place.meant, place.held);
        hold.iter_mut().for_each(AttemptReservation::send);
        let sent = clock::now();
        let (key, _) = super::app_of(&self.plan.target, &case.test.app);
        let timeouts = self.timeouts_after(case, held);
        let transcript = match &route {
            AnswerRoute::Replay(recorded) => self.replay(recorded, &request, &timeouts, &mut stop).await,
            AnswerRoute::Send(_) => {
                self.note_start(case, id, &request)?;
                with_limit(self.client.run(&key, &request, &timeouts, &mut stop).await, held)
            }
        };
        if place.inside.is_some() {
            self.hear(&case.test.app, sent, &transcript);
        }
        drop(place);
        if matches!(transcript.ending, Ending::Stopped { .. }) {
            return self.given_up(case, id, (&route, &transcript));
        }
        self.keep(case, id, &route, &transcript);
        let made = MadeRequest { case, id, scope, waiting, sent, held, meant, route };
        // What came for others is read first, so that the time of its coming is not that of this judging.
        tokio::task::yield_now().await;
        let Some(judged) = self.judge_answer(&made, &transcript).await else {
            return self.given_up(case, id, (&made.route, &transcript));
        };
        if let Some(meant) = meant {
            let latency = judged.attempt.facts.latency_ms.map(|ms| Duration::from_secs_f64(ms / 1000.0));
            self.pace.note(meant, sent, latency);
        }
        if let Some(hold) = hold {
            let attempt = &judged.attempt;
            let (facts, judges) = (&attempt.facts, &attempt.judges);
            let ended = EndedAttempt { facts, judges, transcript: &transcript };
            hold.settle(&case.test.suite, &ended).await;
        }
        Ok(Some(judged))
    }

    /// Nothing is judged of an attempt that was given up with the run; what it used is noted where it was sent.
    fn given_up(
        &self,
        case: &Case,
        id: AttemptId,
        (route, transcript): (&AnswerRoute, &Transcript),
    ) -> Result<Option<JudgedAttempt>, SinkError> {
        if route.is_live() {
            self.note_left(case, id, transcript)?;
        }
        Ok(None)
    }

    /// The names, the request and the way of an attempt; else why nothing can be sent.
    async fn prepare(
        &self,
        case: &Case,
        id: AttemptId,
    ) -> Result<(TemplateScope, WorkflowRequest, AnswerRoute), JudgedAttempt> {
        #[cfg(test)]
        crate::engine::panic_tests::panic_while_prepared(&case.name);
        let prepared = self.scope(case, id).and_then(|scope| {
            let request = self.request(case, id, &scope)?;
            Ok((scope, request))
        });
        let (scope, request) = prepared.map_err(|error| self.unsendable(case, id, &error))?;
        match self.route(case, id, &request).await {
            Ok(route) => Ok((scope, request, route)),
            Err(cause) => Err(self.unsent_attempt(case, id, cause)),
        }
    }

    pub(super) fn timeouts_of(&self, case: &Case) -> Timeouts {
        match case.test.timeout {
            Some(total) => Timeouts { total, ..self.timeouts },
            None => self.timeouts,
        }
    }

    pub(super) fn judge(
        &self,
        made: &MadeRequest<'_>,
        transcript: &Transcript,
        (asked, limit): (Opinions, &JudgingLimit),
    ) -> JudgedAttempt {
        let case = made.case;
        let judging = JudgeQuestions::new(asked.answers);
        let CheckResult { mut cause, mut findings, mut facts } =
            self.examine(made, transcript, (&judging, limit));
        facts.seen = seen_use(&facts, transcript);
        if self.versions.brought_events()
            && let (Some(cause), Some(hint)) = (&mut cause, check::hint_beside_others(transcript))
        {
            cause.hint = Some(hint.to_owned());
        }
        findings.extend(check::unused_answers(transcript));
        let other_version = self.other_version(made, transcript);
        if let Some(found) = &other_version {
            findings.push(version_finding(case, found));
            cause.get_or_insert_with(|| found.clone());
        }
        let (contract, deviates) = match made.route {
            AnswerRoute::Replay(_) => (Vec::new(), None),
            AnswerRoute::Send(_) => self.watch_contract(case, transcript),
        };
        findings.extend(deviates);
        if made.route.is_live() {
            findings.extend(over_cap(case, transcript, &facts));
        }
        let verdict = verdict::judge(&findings);
        let passed = verdict == Verdict::Passed;
        let attempt = Attempt {
            case: case.ordinal,
            key: case.key,
            repeat: made.id.repeat,
            attempt: made.id.attempt,
            verdict,
            cause,
            findings,
            facts,
            mode: transcript.mode,
            sent_ms: milliseconds(made.sent.saturating_duration_since(self.started)),
            waited_ms: milliseconds(made.waiting.since_due(made.sent)),
            waits: made.waiting.waits(),
            intended_ms: made.meant.map(|meant| milliseconds(meant.saturating_duration_since(self.started))),
            retried: false,
            replayed: !made.route.is_live(),
            curl: if passed { String::new() } else { transcript.curl(&self.redactor) },
            outputs: outputs(transcript),
            contract,
            judges: asked.facts,
        };
        let again = match &other_version {
            None if made.route.is_live() => again(transcript),
            Some(_) | None => RetryDecision::Useless,
        };
        JudgedAttempt { attempt, again }
    }

    /// Why the version that ran is not the one that the run tests, if so.
    fn other_version(&self, made: &MadeRequest<'_>, transcript: &Transcript) -> Option<Cause> {
        self.versions.look(transcript);
        if !made.route.is_live() {
            // What was recorded ran then, and is no version of now.
            return None;
        }
        let test = &made.case.test;
        self.versions.count(&test.app, transcript);
        let workflow_id = transcript.answer.ids.workflow.as_deref()?;
        let (_, asked) = super::app_of(&self.plan.target, &test.app);
        let seat = AnsweredAttempt { app: &test.app, test: &made.case.name, sent: made.sent, asked };
        match &self.plan.target.kind {
            TargetKind::Live { .. } => self.versions.check(seat, workflow_id),
            TargetKind::Mock(_) | TargetKind::Replay { .. } if self.is_scripted(made, workflow_id) => None,
            // The next test of a mock has an answer of its own: nothing is spared by not asking for it.
            TargetKind::Mock(_) | TargetKind::Replay { .. } => {
                let cause = self.versions.check(seat, workflow_id)?;
                Some(Cause { stops_suite: false, ..cause })
            }
        }
    }

    /// True where the mock's reply names this version itself: the suite means it.
    fn is_scripted(&self, made: &MadeRequest<'_>, workflow_id: &str) -> bool {
        let script = made.case.test.mock.as_ref();
        let reply = script.map(|script| script.reply(&self.plan.templates, &made.scope, made.id.repeat));
        let by_rule =
            || self.plan.mock_rules.iter().any(|rule| rule.script.workflow_ids().any(|id| id == workflow_id));
        match reply {
            Some(Ok(graph)) => graph.reply.workflow_id.as_deref() == Some(workflow_id),
            Some(Err(_)) => false,
            None => by_rule(),
        }
    }
}

/// A request that was made: whose, with which names, and when.
pub(super) struct MadeRequest<'a> {
    /// The case.
    pub case: &'a Case,
    /// Which attempt of it.
    pub id: AttemptId,
    /// What its templates see.
    pub scope: TemplateScope,
    /// What it waited for.
    pub waiting: AttemptWaits,
    /// When it was sent.
    pub sent: Instant,
    /// How long its app asked to be left alone before, which is of the attempt's limit.
    pub held: Duration,
    /// When the rate meant it to be sent.
    pub meant: Option<Instant>,
    /// Where the answer came from.
    pub route: AnswerRoute,
}

/// Milliseconds with a fraction.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn outputs(transcript: &Transcript) -> Option<Value> {
    let outputs = transcript.answer.run.as_ref()?.outputs()?;
    Some(clip(outputs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sample::{plan, with_engine};

    #[test]
    fn a_version_is_scripted_where_the_reply_that_answers_names_it() {
        let suite = "mock: [{ when: { inputs: { q: x } }, reply: { workflow_id: v9, outputs: {} } }]\n\
             tests:\n\
             - { name: named, mock: { workflow_id: v1, outputs: {} }, assert: [{ status: succeeded }] }\n\
             - { name: unnamed, mock: { outputs: {} }, assert: [{ status: succeeded }] }\n\
             - { name: by-rule, inputs: { q: x }, assert: [{ status: succeeded }] }\n";
        with_engine(plan("", suite), async |engine| {
            for (place, workflow_id, expected) in [
                (0, "v1", true),
                (0, "v2", false),
                (0, "v9", false),
                (1, "v1", false),
                (1, "v9", false),
                (2, "v9", true),
                (2, "v1", false),
            ] {
                let made = MadeRequest {
                    case: &engine.plan.cases[place],
                    id: AttemptId { repeat: 0, attempt: 0 },
                    scope: TemplateScope::new(),
                    waiting: AttemptWaits::begin(),
                    sent: engine.started,
                    held: Duration::ZERO,
                    meant: None,
                    route: AnswerRoute::Send(None),
                };
                assert_eq!(engine.is_scripted(&made, workflow_id), expected, "{place} {workflow_id}");
            }
        });
    }
}
