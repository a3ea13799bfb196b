//! Votes of Dify workflows: a judge that is an app of the target, run like any other.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::assert::check::{self, CheckResult, Context, UsageAudit};
use crate::assert::judge::{JudgeQuestions, JudgeTask, JudgeVote, read_workflow};
use crate::base::clock;
use crate::base::template::TemplateScope;
use crate::dify::transcript::{
    Ending, ReportedStatus, ResponseMode, RunResult, Transcript, UserScope, WorkflowRequest,
};
use crate::engine::current_run::CurrentRun;
use crate::engine::pace::TargetPace;
use crate::engine::retry_safety::{RetryDecision, retry_decision};
use crate::engine::sender::RequestSender;
use crate::engine::target::AppAccess;
use crate::engine::usage::seen_use;
use crate::engine::wait_limit::{NoTurn, past_run, too_long};
use crate::engine::waiting::AttemptWaits;
use crate::record::attempt::AttemptUse;

use super::vote::{JudgeContext, VoteResult};

/// What running a judge needs.
pub(super) struct JudgeApps {
    /// The run.
    pub run: Arc<CurrentRun>,
    /// Sends to the target of the run.
    pub sender: Arc<RequestSender>,
    /// Judges wait for their turns as tests do.
    pub pace: Arc<TargetPace>,
}

impl JudgeApps {
    /// Runs the workflow for one vote; `None` if the run was stopped meanwhile.
    ///
    /// As for any test, the request is sent again only if it certainly did not start.
    pub async fn vote(
        &self,
        app: &Arc<str>,
        timeout: Duration,
        context: &JudgeContext,
    ) -> Option<VoteResult> {
        let JudgeTask::Rubric(rubric) = &context.task else {
            return Some(VoteResult::unsent("a Dify workflow has no embeddings"));
        };
        let retries = &self.run.plan.target.retries;
        let inputs = [("rubric", rubric), ("output", &context.value), ("context", &context.inputs)];
        let inputs: Map<String, Value> =
            inputs.into_iter().map(|(name, text)| (name.to_owned(), Value::from(text.as_str()))).collect();
        let mut result = VoteResult::unsent("it was not asked");
        let mut retry = 0;
        loop {
            let transcript = match self.send(app, timeout, inputs.clone()).await {
                Ok(transcript) => transcript,
                Err(NoTurn::Stopped) => return None,
                Err(why) => return Some(result.failed(self.not_sent(app, &why))),
            };
            if matches!(transcript.ending, Ending::Stopped { .. }) {
                return None;
            }
            result.requests += 1;
            result.vote = self.read_vote(&mut result, &transcript);
            match retry_decision(&transcript) {
                // A longer pause that the app asks for is waited for with the next turn.
                RetryDecision::Safe(_) if retry < retries.count => {
                    retry += 1;
                    let wait = self.pace.delays.delay(retries, retry, None);
                    self.run.sleep(wait).await.then_some(())?;
                }
                RetryDecision::Safe(_) => {
                    if let Err(reason) = &result.vote {
                        self.pace.give_up(app, reason);
                    }
                    return Some(result);
                }
                RetryDecision::Unsafe | RetryDecision::Useless => return Some(result),
            }
        }
    }

    /// Runs the workflow once, within the limits of the target.
    async fn send(
        &self,
        app: &Arc<str>,
        timeout: Duration,
        inputs: Map<String, Value>,
    ) -> Result<Transcript, NoTurn> {
        let request = WorkflowRequest {
            inputs,
            files: Vec::new(),
            answers: Vec::new(),
            user: self.run.next_user(),
            user_scope: UserScope::Attempt,
            mode: ResponseMode::Streaming,
            workflow_id: AppAccess::of(&self.run.plan.target, app).workflow_id.map(str::to_owned),
            mock_attempt: None,
            cap: Default::default(),
        };
        let mut stop = self.run.stop_signal();
        let turn = self.pace.turn(app, timeout, &mut AttemptWaits::begin(), &mut stop).await?;
        let sent = clock::now();
        let timeouts = self.sender.timeouts_within(timeout.saturating_sub(turn.held_back()));
        let transcript = self.sender.send(app, &request, &timeouts, &mut stop).await;
        self.pace.note_answer(app, sent, &transcript);
        Ok(transcript)
    }

    /// Why a judge was not asked.
    fn not_sent(&self, app: &str, why: &NoTurn) -> String {
        match why {
            NoTurn::Shut => self.pace.blocked.cause(app).map(|cause| cause.not_sent()).unwrap_or_default(),
            NoTurn::TooLong { wait, limit } => too_long(*wait, *limit),
            NoTurn::PastRun { wait } => past_run(*wait),
            NoTurn::Stopped => "the run was stopped".to_owned(),
        }
    }

    /// Takes the vote from the outputs of a run that succeeded, and counts what the run used.
    fn read_vote(&self, result: &mut VoteResult, transcript: &Transcript) -> Result<JudgeVote, String> {
        let (scope, judging) = (TemplateScope::new(), JudgeQuestions::default());
        let context = Context::new(&self.run.plan.templates, &scope, UsageAudit::Audit, &judging);
        let CheckResult { cause, facts, .. } = check::examine(&[], transcript, &context);
        let seen = seen_use(&facts, transcript);
        let used = AttemptUse::of(facts.tokens, &facts.cost, seen.as_ref());
        result.tokens = result.tokens.saturating_add(used.tokens);
        result.tokens_unknown += u32::from(!used.tokens_known);
        result.cost.extend_from_slice(used.cost);
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
