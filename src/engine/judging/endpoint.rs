//! Votes of OpenAI-compatible endpoints.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::assert::judge::{
    AnswerForm, JudgeTask, JudgeVote, chat_message, embeddings_message, read_chat, read_embeddings,
    read_tokens, read_trouble,
};
use crate::base::clock;
use crate::dify::client::{JudgeReply, NoJudgeReply};
use crate::engine::Engine;

use super::{JudgeConnection, JudgeContext, VoteResult, tokens_of};

/// What an answer means.
enum AnswerMeaning {
    /// A vote, or that there is none.
    Vote(Result<JudgeVote, String>),
    /// The endpoint does not know `response_format`: it is asked again without.
    InWords,
    /// It is busy or broken; another try, not before this, may help.
    Again(String, Option<Duration>),
}

impl Engine {
    /// Asks until it answers; too many requests and faults of the server are tried again, as those of the target are.
    pub(super) async fn vote_by_endpoint(
        &self,
        line: &JudgeConnection,
        model: &str,
        brief: &JudgeContext,
    ) -> Option<VoteResult> {
        let mut ballot = VoteResult::unasked("it was not asked");
        let mut retry = 0;
        loop {
            if let Some(why) = line.streak().hopeless() {
                ballot.vote = Err(format!("it is asked no more: {why}"));
                return Some(ballot);
            }
            let (nonce, form) = (nonce(), line.form());
            let sent = clock::now();
            let told = self.post(line, brief, message(model, brief, &nonce, form)).await?;
            line.hear(sent, &told);
            ballot.requests += 1;
            let (why, after) = match means(&mut ballot, told, brief, (&nonce, form)) {
                AnswerMeaning::Vote(vote) => {
                    ballot.vote = vote;
                    return Some(ballot);
                }
                // At most once: from now on it is asked in words.
                AnswerMeaning::InWords => {
                    line.in_words.store(true, Ordering::Relaxed);
                    continue;
                }
                AnswerMeaning::Again(why, after) => (why, after),
            };
            if retry >= self.plan.target.retries.count {
                line.streak().give_up(&why);
                ballot.vote = Err(why);
                return Some(ballot);
            }
            retry += 1;
            let wait = self.pace.back_off(&self.plan.target.retries, retry, after);
            if let Some(end) = after.and_then(|_| brief.left_before(wait)) {
                ballot.vote = Err(format!("{why}; {end}"));
                return Some(ballot);
            }
            self.sleep(wait).await.then_some(())?;
        }
    }

    /// None when the run was stopped meanwhile.
    async fn post(
        &self,
        line: &JudgeConnection,
        brief: &JudgeContext,
        body: String,
    ) -> Option<Result<JudgeReply, NoJudgeReply>> {
        let path = match brief.ask {
            JudgeTask::Rubric(_) => "/chat/completions",
            JudgeTask::Likeness(_) => "/embeddings",
        };
        let mut stop = self.stop.subscribe();
        tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => None,
            told = line.asker.post(path, body) => Some(told),
        }
    }
}

fn message(model: &str, brief: &JudgeContext, nonce: &str, form: AnswerForm) -> String {
    match &brief.ask {
        JudgeTask::Rubric(rubric) => chat_message(model, [rubric, &brief.context, &brief.value], nonce, form),
        JudgeTask::Likeness(to) => embeddings_message(model, [to, &brief.value]),
    }
}

/// What an answer means; counts the tokens it took, also where it holds no vote.
fn means(
    ballot: &mut VoteResult,
    told: Result<JudgeReply, NoJudgeReply>,
    brief: &JudgeContext,
    (nonce, form): (&str, AnswerForm),
) -> AnswerMeaning {
    let told = match told {
        Ok(told) => told,
        Err(NoJudgeReply::NotSent(why)) => return AnswerMeaning::Again(why, None),
        Err(NoJudgeReply::Lost(why)) => {
            ballot.tokens_unknown += 1;
            return AnswerMeaning::Vote(Err(why));
        }
    };
    let trouble = || format!("it answers HTTP {}{}", told.status, read_trouble(&told.body));
    match told.status {
        200 => {
            let (tokens, unknown) = tokens_of(read_tokens(&told.body));
            ballot.tokens = ballot.tokens.saturating_add(tokens);
            ballot.tokens_unknown += unknown;
            AnswerMeaning::Vote(match brief.ask {
                JudgeTask::Rubric(_) => read_chat(&told.body, nonce),
                JudgeTask::Likeness(_) => read_embeddings(&told.body),
            })
        }
        400 | 422 if form == AnswerForm::Enforced && names_the_form(brief, &told.body) => {
            AnswerMeaning::InWords
        }
        429 => AnswerMeaning::Again(trouble(), told.retry_after),
        500..=u16::MAX => {
            ballot.tokens_unknown += 1;
            AnswerMeaning::Again(trouble(), told.retry_after)
        }
        0..=499 => AnswerMeaning::Vote(Err(trouble())),
    }
}

/// True where a refusal of a chat request is about `response_format`.
fn names_the_form(brief: &JudgeContext, body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    matches!(brief.ask, JudgeTask::Rubric(_))
        && (text.contains("response_format") || text.contains("json_schema"))
}

/// A word that nobody can have known before the run had ended.
fn nonce() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
