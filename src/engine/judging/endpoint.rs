//! Votes of OpenAI-compatible endpoints.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::assert::judge::{
    AnswerForm, JudgeTask, JudgeVote, chat_message, embeddings_message, read_chat, read_embeddings,
    read_tokens, read_trouble,
};
use crate::base::clock;
use crate::base::lock::lock;
use crate::dify::client::{JudgeClient, JudgeReply, NoJudgeReply};
use crate::engine::current_run::CurrentRun;
use crate::engine::pace::TargetPace;
use crate::engine::streak::{RefusalStreak, RoundTrip};

use super::vote::{JudgeContext, VoteResult};

/// A judge that is an endpoint.
pub(super) struct JudgeEndpoint {
    run: Arc<CurrentRun>,
    pace: Arc<TargetPace>,
    client: JudgeClient,
    /// True once the endpoint has rejected `response_format`.
    rejects_format: AtomicBool,
    refusals: Mutex<RefusalStreak>,
}

/// The request for one vote.
struct VoteRequest<'a> {
    context: &'a JudgeContext,
    /// A word that cannot have been known before the run had ended.
    nonce: String,
    form: AnswerForm,
}

/// What an answer means.
enum AnswerMeaning {
    /// A vote, or why there is none.
    Vote(Result<JudgeVote, String>),
    /// The endpoint does not support `response_format`: ask again without.
    NoFormat,
    /// It is busy or broken: another try may help.
    Retry {
        /// What is wrong.
        reason: String,
        /// The pause that it asks for.
        after: Option<Duration>,
    },
}

impl JudgeEndpoint {
    /// Nothing is sent so far.
    pub fn new(run: &Arc<CurrentRun>, pace: &Arc<TargetPace>, client: JudgeClient) -> Self {
        Self {
            run: run.clone(),
            pace: pace.clone(),
            client,
            rejects_format: AtomicBool::new(false),
            refusals: Mutex::default(),
        }
    }

    /// Asks until the endpoint answers: it gets the retries of the target; `None` if the run was stopped meanwhile.
    pub async fn vote(&self, model: &str, context: &JudgeContext) -> Option<VoteResult> {
        let retries = &self.run.plan.target.retries;
        let mut result = VoteResult::unsent("it was not asked");
        let mut retry = 0;
        loop {
            if let Some(reason) = self.refusals().end_reason() {
                return Some(result.failed(format!("it is asked no more: {reason}")));
            }
            let request = VoteRequest { context, nonce: nonce(), form: self.form() };
            let sent = clock::now();
            let reply = self.post(context, request.body(model)).await?;
            self.note_reply(sent, &reply);
            result.requests += 1;
            let (reason, after) = match request.meaning(reply, &mut result) {
                AnswerMeaning::Vote(vote) => return Some(VoteResult { vote, ..result }),
                // At most once: from now on the form of the answer is described in words.
                AnswerMeaning::NoFormat => {
                    self.rejects_format.store(true, Ordering::Relaxed);
                    continue;
                }
                AnswerMeaning::Retry { reason, after } => (reason, after),
            };
            if retry >= retries.count {
                self.refusals().give_up(&reason);
                return Some(result.failed(reason));
            }
            retry += 1;
            let wait = self.pace.delays.delay(retries, retry, after);
            if let Some(too_late) = after.and_then(|_| context.too_late(wait)) {
                return Some(result.failed(format!("{reason}; {too_late}")));
            }
            self.run.sleep(wait).await.then_some(())?;
        }
    }

    /// `None` if the run was stopped meanwhile.
    async fn post(&self, context: &JudgeContext, body: String) -> Option<Result<JudgeReply, NoJudgeReply>> {
        let path = match context.task {
            JudgeTask::Rubric(_) => "/chat/completions",
            JudgeTask::Likeness(_) => "/embeddings",
        };
        let mut stop = self.run.stop_signal();
        tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => None,
            reply = self.client.post(path, body) => Some(reply),
        }
    }

    fn refusals(&self) -> MutexGuard<'_, RefusalStreak> {
        lock(&self.refusals)
    }

    /// Counts refusals in a row.
    fn note_reply(&self, sent: Instant, reply: &Result<JudgeReply, NoJudgeReply>) {
        let trip = RoundTrip { sent, answered: clock::now() };
        match reply {
            Ok(JudgeReply { status: 429 | 500..=u16::MAX, retry_after, .. }) => {
                self.refusals().note_refusal(trip, *retry_after)
            }
            Ok(_) => self.refusals().note_answer(),
            Err(_) => self.refusals().note_refusal(trip, None),
        }
    }

    fn form(&self) -> AnswerForm {
        if self.rejects_format.load(Ordering::Relaxed) { AnswerForm::InWords } else { AnswerForm::Enforced }
    }
}

impl VoteRequest<'_> {
    fn body(&self, model: &str) -> String {
        let JudgeContext { task, value, inputs, .. } = self.context;
        match task {
            JudgeTask::Rubric(rubric) => chat_message(model, [rubric, inputs, value], &self.nonce, self.form),
            JudgeTask::Likeness(to) => embeddings_message(model, [to, value]),
        }
    }

    /// What an answer means; counts the tokens it used, even if it contains no vote.
    fn meaning(&self, reply: Result<JudgeReply, NoJudgeReply>, result: &mut VoteResult) -> AnswerMeaning {
        let reply = match reply {
            Ok(reply) => reply,
            Err(NoJudgeReply::NotSent(reason)) => return AnswerMeaning::Retry { reason, after: None },
            Err(NoJudgeReply::Lost(reason)) => {
                result.tokens_unknown += 1;
                return AnswerMeaning::Vote(Err(reason));
            }
        };
        let reason = || format!("it answers HTTP {}{}", reply.status, read_trouble(&reply.body));
        match reply.status {
            200 => {
                let tokens = read_tokens(&reply.body);
                result.tokens = result.tokens.saturating_add(tokens.unwrap_or(0));
                result.tokens_unknown += u32::from(tokens.is_none());
                AnswerMeaning::Vote(match self.context.task {
                    JudgeTask::Rubric(_) => read_chat(&reply.body, &self.nonce),
                    JudgeTask::Likeness(_) => read_embeddings(&reply.body),
                })
            }
            400 | 422 if self.form == AnswerForm::Enforced && self.is_about_format(&reply.body) => {
                AnswerMeaning::NoFormat
            }
            429 => AnswerMeaning::Retry { reason: reason(), after: reply.retry_after },
            500..=u16::MAX => {
                result.tokens_unknown += 1;
                AnswerMeaning::Retry { reason: reason(), after: reply.retry_after }
            }
            0..=499 => AnswerMeaning::Vote(Err(reason())),
        }
    }

    /// True if a chat request was refused because of `response_format`.
    fn is_about_format(&self, body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body);
        matches!(self.context.task, JudgeTask::Rubric(_))
            && (text.contains("response_format") || text.contains("json_schema"))
    }
}

fn nonce() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
