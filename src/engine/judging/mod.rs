//! Asks judges what the checks of an attempt left open: after its run has ended, and in none of its times.

mod app;
mod endpoint;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::assert::check::{self, Context};
use crate::assert::judge::{
    AnswerForm, JudgeAnswer, JudgeAnswers, JudgeQuestions, JudgeTask, JudgeVote, LONGEST, Question,
    shown_json,
};
use crate::base::clock;
use crate::base::effort::Effort;
use crate::base::lock::lock;
use crate::base::units::format_duration;
use crate::dify::client::{JudgeClient, JudgeReply, NoJudgeReply};
use crate::dify::transcript::Transcript;
use crate::engine::attempt::{MadeRequest, milliseconds};
use crate::engine::blocking::aside;
use crate::engine::limit::JudgingLimit;
use crate::engine::streak::Streak;
use crate::engine::{Engine, EngineError};
use crate::plan::case::Plan;
use crate::plan::judge::{JudgeWay, PlannedJudge};
use crate::record::attempt::{JudgeFact, Price};

/// The connections to the judges of a plan, by name.
pub struct JudgeClients {
    askers: HashMap<String, JudgeConnection>,
}

/// The connection to one judge.
struct JudgeConnection {
    asker: JudgeClient,
    /// True once it said that it does not know `response_format`.
    in_words: AtomicBool,
    streak: Mutex<Streak>,
}

impl JudgeConnection {
    fn streak(&self) -> MutexGuard<'_, Streak> {
        lock(&self.streak)
    }

    /// Takes what an answer says of the judge, to a request that was sent at a time.
    fn hear(&self, sent: Instant, told: &Result<JudgeReply, NoJudgeReply>) {
        let at = (sent, clock::now());
        match told {
            Ok(JudgeReply { status: 429 | 500..=u16::MAX, retry_after, .. }) => {
                self.streak().refused(at, *retry_after)
            }
            Ok(_) => self.streak().answered(),
            Err(_) => self.streak().refused(at, None),
        }
    }

    fn form(&self) -> AnswerForm {
        if self.in_words.load(Ordering::Relaxed) { AnswerForm::InWords } else { AnswerForm::Enforced }
    }
}

impl JudgeClients {
    /// Prepares the connections; sends nothing.
    pub fn of(plan: &Arc<Plan>) -> Result<Self, EngineError> {
        let mut askers = HashMap::new();
        let needed = |name: &String| {
            plan.cases.iter().any(|case| {
                case.skip.is_none()
                    && case.test.judges.iter().any(|judge| judge.as_ref().is_none_or(|judge| judge == name))
            })
        };
        for (name, judge) in plan.judges.iter().filter(|(name, _)| needed(name)) {
            if let Ok(PlannedJudge { kind: JudgeWay::Endpoint { endpoint, api_key, .. }, .. }) = judge {
                let asker = JudgeClient::new(endpoint, api_key.as_ref())
                    .map_err(|source| EngineError::Judge { judge: name.clone(), source })?;
                askers.insert(
                    name.clone(),
                    JudgeConnection { asker, in_words: AtomicBool::new(false), streak: Mutex::default() },
                );
            }
        }
        Ok(Self { askers })
    }
}

/// What judges answered to the questions of one attempt.
#[derive(Default)]
pub struct Opinions {
    /// For the checks.
    pub answers: JudgeAnswers,
    /// For the record.
    pub facts: Vec<JudgeFact>,
}

/// One vote that was asked for, or why it did not come, and what that took.
struct VoteResult {
    vote: Result<JudgeVote, String>,
    requests: u32,
    tokens: u64,
    tokens_unknown: u32,
    cost: Vec<Price>,
}

impl VoteResult {
    /// Nothing was sent.
    fn unasked(why: impl Into<String>) -> Self {
        Self { vote: Err(why.into()), requests: 0, tokens: 0, tokens_unknown: 0, cost: Vec::new() }
    }
}

/// What a judge is told: masked, and short enough.
struct JudgeContext {
    ask: JudgeTask,
    value: String,
    /// The inputs of the run, as JSON in one line.
    context: String,
    /// When the time of its attempt is over.
    end: Instant,
}

impl JudgeContext {
    /// Why a wait is not waited that is over after the attempt; none where it is.
    fn left_before(&self, wait: Duration) -> Option<String> {
        let is_late = clock::now().checked_add(wait).is_none_or(|until| until >= self.end);
        is_late.then(|| {
            format!("another try would be in {}, after the limit of the attempt", format_duration(wait))
        })
    }
}

impl Engine {
    /// Asks what an attempt's checks leave open, each question once; none when the run was stopped meanwhile.
    pub(super) async fn ask_judges(
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
            let (answer, mut fact) = self.ask(&question, transcript, limit).await?;
            fact.ms = milliseconds(clock::now().saturating_duration_since(began));
            opinions.answers.insert(question, answer);
            opinions.facts.push(fact);
        }
        Some(opinions)
    }

    /// What the checks ask of judges: known once they have looked at the run without any answer.
    fn open_questions(
        &self,
        made: &MadeRequest<'_>,
        transcript: &Transcript,
        limit: &JudgingLimit,
    ) -> Vec<Question> {
        let judging = JudgeQuestions::default();
        let test = &made.case.test;
        let is_over = || limit.is_over();
        let effort = Effort::until(&is_over);
        let context = Context::new(&self.plan.templates, &made.scope, test.usage, &judging).within(&effort);
        aside(transcript, &test.checks, || drop(check::examine(&test.checks, transcript, &context)));
        judging.into_open()
    }

    /// Asks for all votes at once.
    async fn ask(
        &self,
        question: &Question,
        transcript: &Transcript,
        limit: &JudgingLimit,
    ) -> Option<(JudgeAnswer, JudgeFact)> {
        let (votes, why_not) = match self.plan.judges.get(&question.judge) {
            Some(Ok(judge)) => match self.brief(question, transcript, limit) {
                Ok(brief) => {
                    let votes = (0..judge.repeat).map(|_| self.vote(&question.judge, judge, &brief));
                    (join_all(votes).await.into_iter().collect::<Option<Vec<_>>>()?, None)
                }
                Err(why) => (Vec::new(), Some(why)),
            },
            Some(Err(why)) => (Vec::new(), Some(why.clone())),
            None => (Vec::new(), Some(format!("the project file has no judge `{}`", question.judge))),
        };
        Some(match why_not {
            None => count(&question.judge, votes),
            Some(why) => count(&question.judge, vec![VoteResult::unasked(why)]),
        })
    }

    async fn vote(&self, name: &str, judge: &PlannedJudge, brief: &JudgeContext) -> Option<VoteResult> {
        match &judge.kind {
            JudgeWay::Endpoint { model, .. } => match self.judges.askers.get(name) {
                Some(line) => self.vote_by_endpoint(line, model, brief).await,
                None => Some(VoteResult::unasked("it was not made ready")),
            },
            JudgeWay::App(app) => self.vote_by_app(app, judge.timeout, brief).await,
        }
    }

    /// Masks secrets, which are no judge's business; what is too long is not cut, since a judge would grade the rest unseen.
    fn brief(
        &self,
        question: &Question,
        transcript: &Transcript,
        limit: &JudgingLimit,
    ) -> Result<JudgeContext, String> {
        let mask = |text: &str| self.redactor.text(text).into_owned();
        let ask = match &question.ask {
            JudgeTask::Rubric(rubric) => JudgeTask::Rubric(mask(rubric)),
            JudgeTask::Likeness(to) => JudgeTask::Likeness(mask(to)),
        };
        let mut inputs = transcript.inputs.clone();
        self.redactor.json(&mut inputs);
        let (value, context) = (mask(&question.value), shown_json(&inputs));
        let (JudgeTask::Rubric(asked) | JudgeTask::Likeness(asked)) = &ask;
        let shown = match ask {
            JudgeTask::Rubric(_) => context.as_str(),
            JudgeTask::Likeness(_) => "",
        };
        for (what, text) in
            [("the value has", value.as_str()), ("what is asked has", asked), ("the inputs have", shown)]
        {
            let length = text.chars().count();
            if length > LONGEST {
                return Err(format!("{what} {length} characters, and a judge is sent at most {LONGEST}"));
            }
        }
        Ok(JudgeContext { ask, value, context, end: limit.deadline() })
    }
}

/// What the votes come to, for the checks and for the record.
fn count(judge: &str, ballots: Vec<VoteResult>) -> (JudgeAnswer, JudgeFact) {
    let mut answer = JudgeAnswer { asked: ballots.len(), ..JudgeAnswer::default() };
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
    for ballot in ballots {
        fact.requests += ballot.requests;
        fact.tokens = fact.tokens.saturating_add(ballot.tokens);
        fact.tokens_unknown += ballot.tokens_unknown;
        fact.cost.extend(ballot.cost);
        match ballot.vote {
            Ok(vote) => {
                fact.scores.push(vote.score);
                answer.votes.push(vote);
            }
            Err(why) => drop(answer.trouble.get_or_insert(why)),
        }
    }
    let mut by_score: Vec<&JudgeVote> = answer.votes.iter().collect();
    by_score.sort_by(|a, b| a.score.total_cmp(&b.score));
    fact.reason = by_score.get(by_score.len() / 2).map(|vote| vote.reason.clone()).unwrap_or_default();
    fact.trouble = answer.trouble.clone();
    (answer, fact)
}

/// The tokens an answer tells of, and how many answers told of none.
fn tokens_of(told: Option<u64>) -> (u64, u32) {
    match told {
        Some(tokens) => (tokens, 0),
        None => (0, 1),
    }
}
