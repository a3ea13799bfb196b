//! Votes of Dify workflows: a judge that is an app of the target, run like any.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::assert::check::{self, CheckResult, Context, UsageAudit};
use crate::assert::judge::{JudgeQuestions, JudgeTask, JudgeVote, read_workflow};
use crate::base::clock;
use crate::base::template::TemplateScope;
use crate::dify::client::Timeouts;
use crate::dify::transcript::{
    Ending, ReportedStatus, ResponseMode, RunResult, Transcript, UserScope, WorkflowRequest,
};
use crate::engine::limiter::NoTurn;
use crate::engine::retry_safety::{RetryDecision, again};
use crate::engine::turn::{past_run, too_long};
use crate::engine::usage::seen_use;
use crate::engine::{Engine, app_of};
use crate::record::attempt::AttemptUse;

use super::{JudgeContext, VoteResult};

impl Engine {
    /// Runs the workflow; as for any test, only what surely did not start is sent again.
    pub(super) async fn vote_by_app(
        &self,
        app: &Arc<str>,
        timeout: Duration,
        brief: &JudgeContext,
    ) -> Option<VoteResult> {
        let JudgeTask::Rubric(rubric) = &brief.ask else {
            return Some(VoteResult::unasked("a Dify workflow has no embeddings"));
        };
        let mut ballot = VoteResult::unasked("it was not asked");
        let mut retry = 0;
        loop {
            let ran = self.run_judge(app, timeout, [rubric, &brief.value, &brief.context]).await;
            let transcript = match ran {
                Ok(transcript) => transcript,
                Err(NoTurn::Stopped) => return None,
                Err(why) => {
                    ballot.vote = Err(self.not_asked(app, &why));
                    return Some(ballot);
                }
            };
            if matches!(transcript.ending, Ending::Stopped { .. }) {
                return None;
            }
            ballot.requests += 1;
            ballot.vote = self.read_judge(&mut ballot, &transcript);
            match again(&transcript) {
                // What it asks for beyond the back-off is waited at the gate.
                RetryDecision::Safe(_) if retry < self.plan.target.retries.count => {
                    retry += 1;
                    let wait = self.pace.back_off(&self.plan.target.retries, retry, None);
                    self.sleep(wait).await.then_some(())?;
                }
                RetryDecision::Safe(_) => {
                    if let Err(why) = &ballot.vote {
                        self.give_up(app, why);
                    }
                    return Some(ballot);
                }
                RetryDecision::Unsafe | RetryDecision::Useless => return Some(ballot),
            }
        }
    }

    /// One run, within the limits of the target.
    async fn run_judge(
        &self,
        app: &Arc<str>,
        timeout: Duration,
        [rubric, output, context]: [&str; 3],
    ) -> Result<Transcript, NoTurn> {
        let (key, pinned) = app_of(&self.plan.target, app);
        let inputs = [("rubric", rubric), ("output", output), ("context", context)];
        let inputs: Map<String, Value> =
            inputs.into_iter().map(|(name, text)| (name.to_owned(), Value::from(text))).collect();
        let request = WorkflowRequest {
            inputs,
            files: Vec::new(),
            answers: Vec::new(),
            user: format!("flowproof-{}-{}", self.run_id, self.next_number()),
            user_scope: UserScope::Attempt,
            mode: ResponseMode::Streaming,
            workflow_id: pinned.map(str::to_owned),
            mock_attempt: None,
            cap: Default::default(),
        };
        let mut stop = self.stop.subscribe();
        let patience = self.patience(timeout);
        let turn = async {
            let entered = self.pace.gate.enter(app, &patience).await;
            self.pace.turn().await;
            entered
        };
        let (inside, held) = tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => return Err(NoTurn::Stopped),
            entered = turn => entered?,
        };
        let sent = clock::now();
        let timeouts = Timeouts { total: timeout.saturating_sub(held), ..self.timeouts };
        let transcript = self.client.run(&key, &request, &timeouts, &mut stop).await;
        self.hear(app, sent, &transcript);
        drop(inside);
        Ok(transcript)
    }

    /// Why a judge was not asked.
    fn not_asked(&self, app: &Arc<str>, why: &NoTurn) -> String {
        match why {
            NoTurn::Shut => self.blocked(app).map(|cause| cause.not_sent()).unwrap_or_default(),
            NoTurn::TooLong { wait, limit } => too_long(*wait, *limit),
            NoTurn::PastRun { wait } => past_run(*wait),
            NoTurn::Stopped => "the run was stopped".to_owned(),
        }
    }

    /// Takes the vote from the outputs of a run that succeeded, and counts what it took.
    fn read_judge(&self, ballot: &mut VoteResult, transcript: &Transcript) -> Result<JudgeVote, String> {
        let (scope, judging) = (TemplateScope::new(), JudgeQuestions::default());
        let context = Context::new(&self.plan.templates, &scope, UsageAudit::Audit, &judging);
        let CheckResult { cause, facts, .. } = check::examine(&[], transcript, &context);
        let seen = seen_use(&facts, transcript);
        let used = AttemptUse::of(facts.tokens, &facts.cost, seen.as_ref());
        ballot.tokens = ballot.tokens.saturating_add(used.tokens);
        ballot.tokens_unknown += u32::from(!used.tokens_known);
        ballot.cost.extend_from_slice(used.cost);
        if let Some(cause) = cause {
            return Err(format!("its workflow gave no answer: {}", cause.message));
        }
        let status = facts.status.as_deref().map(ReportedStatus::of);
        match (status, &transcript.answer.run) {
            (Some(ReportedStatus::Succeeded), Some(run)) => {
                read_workflow(run.outputs().unwrap_or(&Value::Null))
            }
            (status, run) => {
                let status = status.as_ref().map_or("unknown", ReportedStatus::word);
                let error = run.as_ref().and_then(RunResult::error);
                let error = error.map(|error| format!(": {}", Value::from(error))).unwrap_or_default();
                Err(format!("its workflow ended as {status}{error}"))
            }
        }
    }
}
