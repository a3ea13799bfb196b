//! One attempt: wait for its turn, send, judge.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::base::clock;
use crate::base::template::Scope;
use crate::check::{self, Examined};
use crate::client::{StopSignal, Timeouts};
use crate::engine::Engine;
use crate::engine::again::{Again, again};
use crate::engine::aside::aside;
use crate::engine::budget::{Afforded, Hold};
use crate::engine::cassettes::Route;
use crate::engine::heard::heard;
use crate::engine::judging::Opinions;
use crate::engine::request::{AttemptId, RequestError};
use crate::engine::usage::{Ended, over_cap};
use crate::engine::versions::{Seat, version_finding};
use crate::engine::waiting::{Awaited, Waiting};
use crate::exchange::{Ending, Request, Transcript};
use crate::judge::Judging;
use crate::outcome::{Attempt, Cause, Facts, Waits};
use crate::plan::case::{Case, TargetKind};
use crate::verdict::{self, Verdict};

/// A judged attempt with what the next decision needs.
pub struct Judged {
    /// What will be recorded.
    pub attempt: Attempt,
    /// Whether sending again is free of the risk of running twice.
    pub again: Again,
}

impl Engine {
    /// Sends and judges one attempt; none when the run was stopped meanwhile.
    ///
    /// `waiting` is what it has waited for so far.
    pub(super) async fn attempt(&self, case: &Case, id: AttemptId, mut waiting: Waiting) -> Option<Judged> {
        let (scope, request, route) = match self.prepare(case, id).await {
            Ok(prepared) => prepared,
            Err(unsent) => return Some(unsent),
        };
        let mut stop = self.stop.subscribe();
        waiting.skip();
        let mut hold = match self.hold(case, id, &route, &mut stop).await {
            Ok(hold) => hold,
            Err(unsent) => return unsent,
        };
        waiting.waited_for(Awaited::Budget);
        let turn = async {
            if !route.is_live() {
                return (None, None);
            }
            let inside = self.pace.gate.enter().await;
            waiting.waited_for(Awaited::Limit);
            let meant = self.pace.turn().await;
            waiting.waited_for(Awaited::Rate);
            (Some(inside), meant)
        };
        let (inside, meant) = tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => return None,
            turn = turn => turn,
        };
        hold.iter_mut().for_each(Hold::send);
        let sent = clock::now();
        let (key, _) = super::app_of(&self.plan.target, &case.test.app);
        let timeouts = self.timeouts_of(case);
        let transcript = match &route {
            Route::Replay(recorded) => self.replay(recorded, &request, &timeouts, &mut stop).await,
            Route::Send(_) => self.client.run(&key, &request, &timeouts, &mut stop).await,
        };
        if inside.is_some() {
            self.pace.gate.hear(sent, clock::now(), heard(&transcript));
        }
        drop(inside);
        if matches!(transcript.ending, Ending::Stopped { .. }) {
            return None;
        }
        self.keep(case, id, &route, &transcript);
        let made = Made { case, id, scope, waiting, sent, meant, route };
        // What came for others is read first, so that the time of its coming is not that of this judging.
        tokio::task::yield_now().await;
        let asked = self.ask_judges(case, &made.scope, &transcript).await?;
        let judged = aside(&transcript, || self.judge(&made, &transcript, asked));
        if let Some(meant) = meant {
            let latency = judged.attempt.facts.latency_ms.map(|ms| Duration::from_secs_f64(ms / 1000.0));
            self.pace.note(meant, sent, latency);
        }
        if let Some(hold) = hold {
            let attempt = &judged.attempt;
            let (facts, judges) = (&attempt.facts, &attempt.judges);
            let ended = Ended { facts, judges, transcript: &transcript, again: judged.again };
            hold.settle(&case.test.suite, &ended).await;
        }
        Some(judged)
    }

    /// The names, the request and the way of an attempt; else why nothing can be sent.
    async fn prepare(&self, case: &Case, id: AttemptId) -> Result<(Scope, Request, Route), Judged> {
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

    fn timeouts_of(&self, case: &Case) -> Timeouts {
        match case.test.timeout {
            Some(total) => Timeouts { total, ..self.timeouts },
            None => self.timeouts,
        }
    }

    fn judge(&self, made: &Made<'_>, transcript: &Transcript, asked: Opinions) -> Judged {
        let case = made.case;
        let judging = Judging::new(asked.answers);
        let Examined { mut cause, mut findings, facts } =
            self.examine(case, &made.scope, transcript, &judging);
        findings.extend(check::unused_answers(transcript));
        let other_version = self.other_version(made, transcript);
        if let Some(found) = &other_version {
            findings.push(version_finding(case, found));
            cause.get_or_insert_with(|| found.clone());
        }
        let (contract, deviates) = match made.route {
            Route::Replay(_) => (Vec::new(), None),
            Route::Send(_) => self.watch_contract(case, transcript),
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
            curl: if passed { String::new() } else { transcript.curl() },
            outputs: outputs(transcript),
            contract,
            judges: asked.facts,
        };
        let again = match &other_version {
            None if made.route.is_live() => again(transcript),
            Some(_) | None => Again::Useless,
        };
        Judged { attempt, again }
    }

    /// Why the version that ran is not the one that the run tests, if so.
    fn other_version(&self, made: &Made<'_>, transcript: &Transcript) -> Option<Cause> {
        self.versions.look(transcript);
        if !made.route.is_live() {
            // What was recorded ran then, and is no version of now.
            return None;
        }
        let test = &made.case.test;
        self.versions.count(&test.app, transcript);
        let workflow_id = transcript.workflow_id.as_deref()?;
        let (_, asked) = super::app_of(&self.plan.target, &test.app);
        let seat = Seat { app: &test.app, test: &made.case.name, sent: made.sent, asked };
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
    fn is_scripted(&self, made: &Made<'_>, workflow_id: &str) -> bool {
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

    /// An attempt whose request could not be made: errored, with the reason.
    fn unsendable(&self, case: &Case, id: AttemptId, error: &RequestError) -> Judged {
        let message = format!("the request could not be made: {error}");
        self.unsent_attempt(case, id, Cause { message, hint: None, class: None, stops_suite: false })
    }

    /// What is set aside for an attempt that will be sent; else what becomes of it, none when the run was stopped.
    async fn hold(
        &self,
        case: &Case,
        id: AttemptId,
        route: &Route,
        stop: &mut StopSignal,
    ) -> Result<Option<Hold>, Option<Judged>> {
        if !route.is_live() {
            return Ok(None);
        }
        match self.afford(case, stop).await {
            Afforded::Yes(hold) => Ok(hold),
            Afforded::No(reason) => Err(Some(self.unaffordable(case, id, reason))),
            Afforded::Broken(cause) => Err(Some(self.unsent_attempt(case, id, cause))),
            Afforded::Stopped => Err(None),
        }
    }

    /// An attempt that no longer fits its budgets: nothing was sent, and nothing is recorded of it.
    fn unaffordable(&self, case: &Case, id: AttemptId, reason: String) -> Judged {
        let cause = Cause { message: reason, hint: None, class: None, stops_suite: false };
        let mut judged = self.unsent_attempt(case, id, cause);
        judged.attempt.verdict = Verdict::Skipped;
        judged
    }

    /// An attempt that nothing was sent for: errored.
    fn unsent_attempt(&self, case: &Case, id: AttemptId, cause: Cause) -> Judged {
        let attempt = Attempt {
            case: case.ordinal,
            key: case.key,
            repeat: id.repeat,
            attempt: id.attempt,
            verdict: Verdict::Errored,
            cause: Some(cause),
            findings: Vec::new(),
            facts: Facts::default(),
            mode: case.test.mode,
            sent_ms: milliseconds(clock::now().saturating_duration_since(self.started)),
            waited_ms: 0.0,
            waits: Waits::default(),
            intended_ms: None,
            retried: false,
            replayed: false,
            curl: String::new(),
            outputs: None,
            contract: Vec::new(),
            judges: Vec::new(),
        };
        Judged { attempt, again: Again::Useless }
    }
}

/// A request that was made: whose, with which names, and when.
struct Made<'a> {
    case: &'a Case,
    id: AttemptId,
    scope: Scope,
    waiting: Waiting,
    sent: Instant,
    /// When the rate meant it to be sent.
    meant: Option<Instant>,
    route: Route,
}

/// Milliseconds with a fraction.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn outputs(transcript: &Transcript) -> Option<Value> {
    let outputs = transcript.run.as_ref()?.get("outputs")?;
    Some(check::clip(outputs))
}
