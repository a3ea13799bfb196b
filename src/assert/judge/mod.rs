//! What judges are asked and what they answer: questions, the words they are asked in, the only way to read an answer; pure.
//!
//! `check` meets questions and answers as data, `dify/client/judge` sends, and the engine decides when and how often.

mod message;
mod read;

use std::cell::RefCell;
use std::collections::HashMap;

pub use message::{AnswerForm, chat_message, embeddings_message, shown_json};
pub use read::{read_chat, read_embeddings, read_tokens, read_trouble, read_workflow};

/// The most questions of one attempt: a path that selects a thousand values asks no thousand times.
pub const MOST_QUESTIONS: usize = 50;
/// The most characters of a value, a rubric or the inputs that a judge is sent; what is longer is not cut but not asked.
pub const LONGEST: usize = 100_000;
/// The most bytes of a reason that are kept.
const LONGEST_REASON: usize = 1_000;

/// A judge that a suite may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgeName {
    /// Its name in the project file.
    pub name: String,
    /// What it is.
    pub kind: JudgeKind,
}

/// What a judge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JudgeKind {
    /// An OpenAI-compatible endpoint.
    Endpoint,
    /// A Dify workflow.
    App,
}

/// What one attempt asks one judge.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// The judge's name.
    pub judge: String,
    /// What is asked.
    pub ask: JudgeTask,
    /// What is judged: text as it is, anything else as JSON.
    pub value: String,
}

/// What a judge is asked of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum JudgeTask {
    /// How well it fulfils this.
    Rubric(String),
    /// How like it is to this, by the angle between their embeddings.
    Likeness(String),
}

/// One vote.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgeVote {
    /// 0 to 1.
    pub score: f64,
    /// Why, in the judge's words; may be empty.
    pub reason: String,
}

impl JudgeVote {
    /// A vote with a score that was checked; a long reason is cut.
    fn new(score: f64, reason: &str) -> Self {
        let most = LONGEST_REASON.min(reason.len());
        let at = (0..=most).rev().find(|at| reason.is_char_boundary(*at)).unwrap_or(0);
        Self { score, reason: reason[..at].to_owned() }
    }
}

/// What a judge answered to a question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JudgeAnswer {
    /// How many votes were asked for.
    pub asked: usize,
    /// The votes that came.
    pub votes: Vec<JudgeVote>,
    /// Why one did not come, if so.
    pub trouble: Option<String>,
}

/// Answers by question.
pub type JudgeAnswers = HashMap<Question, JudgeAnswer>;

/// The answers that an attempt has, and what was asked without an answer.
#[derive(Debug, Default)]
pub struct JudgeQuestions {
    answers: JudgeAnswers,
    open: RefCell<Vec<Question>>,
}

impl JudgeQuestions {
    /// With these answers.
    pub fn new(answers: JudgeAnswers) -> Self {
        Self { answers, open: RefCell::default() }
    }

    /// The answer to a question; one that has none is noted, each once.
    pub fn answer(&self, question: Question) -> Option<&JudgeAnswer> {
        if let Some(answer) = self.answers.get(&question) {
            return Some(answer);
        }
        let mut open = self.open.borrow_mut();
        if open.len() < MOST_QUESTIONS && !open.contains(&question) {
            open.push(question);
        }
        None
    }

    /// The questions without an answer, in the order they were met.
    pub fn into_open(self) -> Vec<Question> {
        self.open.into_inner()
    }
}
