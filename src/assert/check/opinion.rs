//! Predicates that judges decide: their answers come as data, and a judge that did not answer leaves them undecided.

use serde_json::Value;

use crate::assert::judge::{JudgeAnswer, JudgeTask, JudgeVote, MOST_QUESTIONS, Question};
use crate::base::diff::CaseRule;
use crate::base::long_text::tell_end;

use super::Context;
use super::judged::JudgedCondition;
use super::operand::opinion::{EmbeddingLikeness, Rubric};
use super::operand::predicate_kind::Word;
use super::shown::quote;
use super::text::{folded, on_text};
use crate::record::verdict::Truth;

/// Grades a value by a rubric; anything but text is graded as JSON.
pub(super) fn graded(rubric: &Rubric, value: &Value, context: &Context<'_>) -> JudgedCondition {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    };
    let ask = JudgeTask::Rubric(rubric.rubric.clone());
    let question = Question { judge: rubric.judge.clone(), ask, value: text };
    if_broken(decide(question, rubric.min, context), &rubric.rubric, value)
}

/// Holds a text against another by their embeddings; an empty text is like no other.
pub(super) fn alike(
    embedding: &EmbeddingLikeness,
    value: &Value,
    case: CaseRule,
    context: &Context<'_>,
) -> JudgedCondition {
    let judged = on_text(Word::Similar, value, |text| {
        if text.trim().is_empty() {
            return JudgedCondition::broken(format!(
                "expected a text like {}, found {}",
                quote(&embedding.to),
                quote(text)
            ));
        }
        let ask = JudgeTask::Likeness(folded(&embedding.to, case).into_owned());
        let value = folded(text, case).into_owned();
        decide(Question { judge: embedding.judge.clone(), ask, value }, embedding.min, context)
    });
    if_broken(judged, &embedding.to, value)
}

/// With what was asked for and what was found, where the two do not agree.
fn if_broken(judged: JudgedCondition, expected: &str, actual: &Value) -> JudgedCondition {
    match judged.truth() {
        Truth::Broken => judged.expected(&Value::from(expected)).actual(actual),
        Truth::Held | Truth::Undecided => judged,
    }
}

fn decide(question: Question, min: f64, context: &Context<'_>) -> JudgedCondition {
    let (judge, value) = (question.judge.clone(), quote(&question.value));
    match context.judging.answer(question) {
        Some(answer) => by_majority(&judge, &value, answer, min),
        None => JudgedCondition::undecided(format!(
            "the judge `{judge}` was not asked: an attempt asks at most {MOST_QUESTIONS} questions"
        )),
    }
}

/// More than half of the votes that were asked for decide; votes that are missing decide nothing.
fn by_majority(judge: &str, value: &str, answer: &JudgeAnswer, min: f64) -> JudgedCondition {
    let (good, bad): (Vec<&JudgeVote>, Vec<&JudgeVote>) =
        answer.votes.iter().partition(|vote| vote.score >= min);
    if good.len() * 2 > answer.asked {
        return JudgedCondition::held();
    }
    if bad.len() * 2 > answer.asked {
        let scores: Vec<String> = answer.votes.iter().map(|vote| shown(vote.score)).collect();
        let of = if answer.asked > 1 { format!(" by most of {} votes", answer.asked) } else { String::new() };
        let reason = bad.iter().map(|vote| vote.reason.trim()).find(|reason| !reason.is_empty());
        let reason = reason.map(|reason| format!(": {}", quote(reason))).unwrap_or_default();
        return JudgedCondition::broken(format!(
            "the judge `{judge}` gives {} to {value}, expected at least {min}{of}{reason}",
            scores.join(", ")
        ));
    }
    let trouble = answer.trouble.as_deref().unwrap_or("there is no majority");
    JudgedCondition::undecided(format!("the judge `{judge}` did not decide: {}", tell_end(trouble)))
}

/// Cut, never rounded up: 0.69999 does not read as the 0.7 that it is not.
fn shown(score: f64) -> String {
    let text = score.to_string();
    if text.len() > 6 { format!("{}…", &text[..6]) } else { text }
}
