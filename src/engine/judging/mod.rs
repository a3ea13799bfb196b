//! Asks judges what the checks of an attempt leave open: after its run has ended, so that none of its times includes it.

mod app;
mod endpoint;
mod vote;

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;

use crate::assert::check::{self, Context};
use crate::assert::judge::{
    JudgeAnswer, JudgeAnswers, JudgeQuestions, JudgeTask, JudgeVote, LONGEST, Question, shown_json,
};
use crate::base::clock::{self, milliseconds};
use crate::base::effort::Effort;
use crate::base::redact::Redactor;
use crate::dify::client::JudgeClient;
use crate::dify::transcript::Transcript;
use crate::engine::blocking::judge_blocking;
use crate::engine::current_run::CurrentRun;
use crate::engine::judging_limit::JudgingLimit;
use crate::engine::made_request::MadeRequest;
use crate::engine::pace::TargetPace;
use crate::engine::sender::RequestSender;
use crate::engine::target::EngineError;
use crate::plan::case::Plan;
use crate::plan::judge::{JudgeWay, PlannedJudge};
use crate::record::attempt::JudgeFact;

use self::app::JudgeApps;
use self::endpoint::JudgeEndpoint;
use self::vote::{JudgeContext, VoteResult};

/// The judges of a run.
pub struct JudgePanel {
    /// By the name of the judge.
    endpoints: HashMap<String, JudgeEndpoint>,
    apps: JudgeApps,
    /// Masks what judges receive.
    redactor: Redactor,
}

/// What judges answered to the questions of one attempt.
#[derive(Default)]
pub struct Opinions {
    /// For the checks.
    pub answers: JudgeAnswers,
    /// For the record.
    pub facts: Vec<JudgeFact>,
}

/// What one question came to.
struct AnsweredQuestion {
    answer: JudgeAnswer,
    fact: JudgeFact,
}

impl JudgePanel {
    /// Prepares the connections to the judges that some case needs; sends nothing.
    pub fn open(
        run: &Arc<CurrentRun>,
        sender: &Arc<RequestSender>,
        pace: &Arc<TargetPace>,
        redactor: Redactor,
    ) -> Result<Self, EngineError> {
        let plan = &run.plan;
        let mut endpoints = HashMap::new();
        for (name, judge) in plan.judges.iter().filter(|(name, _)| is_needed(plan, name)) {
            if let Ok(PlannedJudge { kind: JudgeWay::Endpoint { endpoint, api_key, .. }, .. }) = judge {
                let client = JudgeClient::new(endpoint, api_key.as_ref())
                    .map_err(|source| EngineError::Judge { judge: name.clone(), source })?;
                endpoints.insert(name.clone(), JudgeEndpoint::new(run, pace, client));
            }
        }
        let apps = JudgeApps { run: run.clone(), sender: sender.clone(), pace: pace.clone() };
        Ok(Self { endpoints, apps, redactor })
    }

    /// Asks what the checks of an attempt leave open, each question once; `None` if the run was stopped meanwhile.
    pub(super) async fn ask(
        &self,
        made: &MadeRequest<'_>,
        transcript: &Transcript,
        limit: &JudgingLimit,
    ) -> Option<Opinions> {
        let mut opinions = Opinions::default();
        if made.case.test.judges.is_empty() {
            return Some(opinions);
        }
        for question in self.open_questions(made, transcript, limit) {
            let began = clock::now();
            let AnsweredQuestion { answer, mut fact } = self.ask_one(&question, transcript, limit).await?;
            fact.ms = milliseconds(clock::now().saturating_duration_since(began));
            opinions.answers.insert(question, answer);
            opinions.facts.push(fact);
        }
        Some(opinions)
    }

    /// The questions of the checks, which are known once the checks have read the run without any answer.
    fn open_questions(
        &self,
        made: &MadeRequest<'_>,
        transcript: &Transcript,
        limit: &JudgingLimit,
    ) -> Vec<Question> {
        let judging = JudgeQuestions::default();
        let (plan, test) = (&self.apps.run.plan, &made.case.test);
        let is_over = || limit.is_over();
        let effort = Effort::until(&is_over);
        let context = Context::new(&plan.templates, &made.scope, test.usage, &judging).within(&effort);
        judge_blocking(transcript, &test.checks, || {
            drop(check::examine(&test.checks, transcript, &context));
        });
        judging.into_open()
    }

    /// Asks for all votes at once.
    async fn ask_one(
        &self,
        question: &Question,
        transcript: &Transcript,
        limit: &JudgingLimit,
    ) -> Option<AnsweredQuestion> {
        let votes = match self.apps.run.plan.judges.get(&question.judge) {
            Some(Ok(judge)) => match self.context(question, transcript, limit) {
                Ok(context) => {
                    let votes = (0..judge.repeat).map(|_| self.vote(&question.judge, judge, &context));
                    join_all(votes).await.into_iter().collect::<Option<Vec<_>>>()?
                }
                Err(reason) => vec![VoteResult::unsent(reason)],
            },
            Some(Err(reason)) => vec![VoteResult::unsent(reason.clone())],
            None => {
                let reason = format!("the project file has no judge `{}`", question.judge);
                vec![VoteResult::unsent(reason)]
            }
        };
        Some(count_votes(&question.judge, votes))
    }

    async fn vote(&self, name: &str, judge: &PlannedJudge, context: &JudgeContext) -> Option<VoteResult> {
        match &judge.kind {
            JudgeWay::Endpoint { model, .. } => match self.endpoints.get(name) {
                Some(endpoint) => endpoint.vote(model, context).await,
                None => Some(VoteResult::unsent("it was not made ready")),
            },
            JudgeWay::App(app) => self.apps.vote(app, judge.timeout, context).await,
        }
    }

    /// Masks secrets. A text that is too long is an error instead of being cut, since a judge would not see the rest.
    fn context(
        &self,
        question: &Question,
        transcript: &Transcript,
        limit: &JudgingLimit,
    ) -> Result<JudgeContext, String> {
        let mask = |text: &str| self.redactor.text(text).into_owned();
        let task = match &question.ask {
            JudgeTask::Rubric(rubric) => JudgeTask::Rubric(mask(rubric)),
            JudgeTask::Likeness(to) => JudgeTask::Likeness(mask(to)),
        };
        let mut inputs = transcript.inputs.clone();
        self.redactor.json(&mut inputs);
        let (value, inputs) = (mask(&question.value), shown_json(&inputs));
        let (asked, sent_inputs) = match &task {
            JudgeTask::Rubric(rubric) => (rubric, inputs.as_str()),
            JudgeTask::Likeness(to) => (to, ""),
        };
        let texts = [
            ("the value has", value.as_str()),
            ("what is asked has", asked),
            ("the inputs have", sent_inputs),
        ];
        for (what, text) in texts {
            let length = text.chars().count();
            if length > LONGEST {
                return Err(format!("{what} {length} characters, and a judge is sent at most {LONGEST}"));
            }
        }
        Ok(JudgeContext { task, value, inputs, attempt_ends: limit.deadline() })
    }
}

/// True if some case that runs asks this judge.
fn is_needed(plan: &Plan, name: &str) -> bool {
    plan.cases.iter().any(|case| {
        case.skip.is_none()
            && case.test.judges.iter().any(|judge| judge.as_ref().is_none_or(|judge| judge == name))
    })
}

/// Adds up the votes, for the checks and for the record.
fn count_votes(judge: &str, votes: Vec<VoteResult>) -> AnsweredQuestion {
    let mut answer = JudgeAnswer { asked: votes.len(), ..JudgeAnswer::default() };
    let mut fact = JudgeFact {
        judge: judge.to_owned(),
        scores: Vec::new(),
        reason: String::new(),
        trouble: None,
        requests: 0,
        tokens: 0,
        tokens_unknown: 0,
        cost: Vec::new(),
        ms: 0.0,
    };
    for result in votes {
        fact.requests += result.requests;
        fact.tokens = fact.tokens.saturating_add(result.tokens);
        fact.tokens_unknown += result.tokens_unknown;
        fact.cost.extend(result.cost);
        match result.vote {
            Ok(vote) => {
                fact.scores.push(vote.score);
                answer.votes.push(vote);
            }
            Err(reason) => drop(answer.trouble.get_or_insert(reason)),
        }
    }
    let mut by_score: Vec<&JudgeVote> = answer.votes.iter().collect();
    by_score.sort_by(|a, b| a.score.total_cmp(&b.score));
    fact.reason = by_score.get(by_score.len() / 2).map(|vote| vote.reason.clone()).unwrap_or_default();
    fact.trouble = answer.trouble.clone();
    AnsweredQuestion { answer, fact }
}
