//! Judges the answer of an attempt: asks judges, checks the assertions, the version and the contract, and decides the verdict.

use std::sync::Arc;

use serde_json::Value;

use crate::assert::check::{self, CheckResult, Context};
use crate::assert::judge::JudgeQuestions;
use crate::assert::snapshot::SnapshotAttempt;
use crate::base::clip::clip;
use crate::base::clock::milliseconds;
use crate::base::effort::Effort;
use crate::base::panics::catch;
use crate::base::redact::Redactor;
use crate::dify::transcript::Transcript;
use crate::dify::wire::contract::Contracts;
use crate::engine::blocking::judge_blocking;
use crate::engine::contract::{ContractDeviations, ContractWatch};
use crate::engine::current_run::CurrentRun;
use crate::engine::judged_attempt::JudgedAttempt;
use crate::engine::judging::{JudgePanel, Opinions};
use crate::engine::judging_limit::JudgingLimit;
use crate::engine::made_request::MadeRequest;
use crate::engine::node_names::NodeNames;
use crate::engine::retry_safety::{RetryDecision, retry_decision};
use crate::engine::route::AnswerRoute;
use crate::engine::snapshots::SnapshotQueue;
use crate::engine::usage::{over_cap, seen_use};
use crate::engine::versions::{Versions, version_finding};
use crate::record::attempt::{Attempt, Cause};
use crate::record::verdict::{self, Finding, Verdict};

/// Judges the answers of a run, with what earlier answers showed of its apps.
pub struct AttemptChecker {
    /// The versions that ran.
    pub versions: Versions,
    /// The snapshots that wait for approval.
    pub snapshots: SnapshotQueue,
    run: Arc<CurrentRun>,
    judges: JudgePanel,
    node_names: NodeNames,
    contract: ContractWatch,
    redactor: Redactor,
}

/// What an answer shows, assertions included, before it has a verdict.
struct ExaminedAnswer {
    checks: CheckResult,
    /// Why another version ran than the one that the run tests.
    other_version: Option<Cause>,
    contract: ContractDeviations,
}

impl AttemptChecker {
    /// Compares live answers with these contracts.
    pub fn new(
        run: &Arc<CurrentRun>,
        judges: JudgePanel,
        contracts: Arc<Contracts>,
        redactor: Redactor,
    ) -> Self {
        Self {
            versions: Versions::pinned(&run.plan.held, run.started),
            snapshots: SnapshotQueue::default(),
            run: run.clone(),
            judges,
            node_names: NodeNames::default(),
            contract: ContractWatch::new(contracts),
            redactor,
        }
    }

    /// Judges an answer within the limit of its attempt; `None` if the run was stopped before the checks were done.
    pub async fn judge(&self, made: &MadeRequest<'_>, transcript: &Transcript) -> Option<JudgedAttempt> {
        let limit = JudgingLimit::of(&self.run, made);
        let opinions = self.judges.ask(made, transcript, &limit).await?;
        let judge = || {
            catch(|| {
                #[cfg(test)]
                crate::engine::panic_tests::panic_while_judged(&made.case.name);
                self.judge_with(made, transcript, opinions, &limit)
            })
        };
        let judged = judge_blocking(transcript, &made.case.test.checks, judge);
        if self.run.stop_reason().is_some() && limit.was_reached() {
            return None;
        }
        Some(judged.unwrap_or_else(|panic| JudgedAttempt::panicked(&self.run, made.case, made.id, &panic)))
    }

    fn judge_with(
        &self,
        made: &MadeRequest<'_>,
        transcript: &Transcript,
        opinions: Opinions,
        limit: &JudgingLimit,
    ) -> JudgedAttempt {
        let judging = JudgeQuestions::new(opinions.answers);
        let checks = self.check(made, transcript, &judging, limit);
        let ExaminedAnswer { checks, other_version, contract } = self.examine(made, transcript, checks);
        let CheckResult { cause, findings, facts } = checks;
        let verdict = verdict::judge(&findings);
        let attempt = Attempt {
            case: made.case.ordinal,
            key: made.case.key,
            repeat: made.id.repeat,
            attempt: made.id.attempt,
            verdict,
            cause,
            findings,
            facts,
            mode: transcript.mode,
            sent_ms: self.run.offset_ms(made.sent),
            waited_ms: milliseconds(made.waits.since_due(made.sent)),
            waits: made.waits.waits(),
            intended_ms: made.intended.map(|intended| self.run.offset_ms(intended)),
            retried: false,
            replayed: !made.route.is_live(),
            curl: if verdict == Verdict::Passed { String::new() } else { transcript.curl(&self.redactor) },
            outputs: outputs(transcript),
            contract: contract.notes,
            judges: opinions.facts,
        };
        let retry = match &other_version {
            None if made.route.is_live() => retry_decision(transcript),
            Some(_) | None => RetryDecision::Useless,
        };
        JudgedAttempt { attempt, retry }
    }

    /// Checks the assertions of a case, and queues the snapshots that differ from the approved ones.
    fn check(
        &self,
        made: &MadeRequest<'_>,
        transcript: &Transcript,
        judging: &JudgeQuestions,
        limit: &JudgingLimit,
    ) -> CheckResult {
        let (plan, case) = (&self.run.plan, made.case);
        let taking = plan.snapshots.as_ref().and_then(|shelf| shelf.taking(&case.name));
        self.node_names.note(&case.test.app, &transcript.answer.nodes);
        let is_node = |name: &str| self.node_names.is_known(&self.run, made, name);
        let context = Context::new(&plan.templates, &made.scope, case.test.usage, judging)
            .taking(taking.as_ref())
            .knowing(&is_node);
        let is_over = || limit.is_over();
        let effort = Effort::until(&is_over);
        let mut checks = check::examine(&case.test.checks, transcript, &context.within(&effort));
        if effort.is_ended() {
            limit.leave_undecided(&mut checks);
            return checks;
        }
        let taken = taking.map(SnapshotAttempt::into_taken).unwrap_or_default();
        self.snapshots.queue(&self.run, case, &taken);
        checks
    }

    /// Adds what every answer must meet, whatever its test asserts.
    fn examine(
        &self,
        made: &MadeRequest<'_>,
        transcript: &Transcript,
        mut checks: CheckResult,
    ) -> ExaminedAnswer {
        let case = made.case;
        checks.facts.seen = seen_use(&checks.facts, transcript);
        if self.versions.has_events()
            && let (Some(cause), Some(hint)) = (&mut checks.cause, check::hint_beside_others(transcript))
        {
            cause.hint = Some(hint.to_owned());
        }
        checks.findings.extend(check::unused_answers(transcript));
        let other_version = self.versions.compare(&self.run, made, transcript);
        if let Some(found) = &other_version {
            checks.findings.push(version_finding(case, found));
            checks.cause.get_or_insert_with(|| found.clone());
        }
        let mut contract = match made.route {
            AnswerRoute::Replay(_) => ContractDeviations::default(),
            AnswerRoute::Send(_) => self.contract.compare(&self.run, case, transcript),
        };
        let deviation: Option<Finding> = contract.finding.take();
        checks.findings.extend(deviation);
        if made.route.is_live() {
            checks.findings.extend(over_cap(case, transcript, &checks.facts));
        }
        ExaminedAnswer { checks, other_version, contract }
    }
}

/// The outputs to be recorded, shortened.
fn outputs(transcript: &Transcript) -> Option<Value> {
    let outputs = transcript.answer.run.as_ref()?.outputs()?;
    Some(clip(outputs))
}
