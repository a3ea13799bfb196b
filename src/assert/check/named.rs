//! What assertions name that is outside their suite: judges, and the files of their schemas.

use serde_json::Value;

use crate::base::digest::Digest;
use crate::base::template::Template;

use super::model::{AssertionTarget, Check, CheckSubject, Expectation, NodeAspect, Predicate};
use super::operand::PredicateOperand;
use super::operand::matcher::Matcher;
use super::operand::opinion::{EmbeddingLikeness, Rubric};
use super::operand::predicate_kind::Word;

/// The judges that checks name, each once; `None` for one whose name is rendered for each attempt.
pub fn judges_of(checks: &[Check]) -> Vec<Option<String>> {
    let mut named = Vec::new();
    each_operand(checks, &mut |word, operand| {
        if matches!(word, Word::LlmRubric | Word::Similar) {
            named.extend(judge_of(word, operand));
        }
    });
    named.sort();
    named.dedup();
    named
}

/// What the schema files hold that checks name or refer to, one hash an assertion, in the order of the checks.
pub fn schema_files_of(checks: &[Check]) -> Vec<Digest> {
    let mut files = Vec::new();
    each_operand(checks, &mut |_, operand| {
        if let PredicateOperand::Ready(Matcher::Schema(schema)) = operand {
            files.extend(schema.files());
        }
    });
    files
}

/// Takes every operand of predicates, those in groups and negations included.
fn each_operand(checks: &[Check], take: &mut dyn FnMut(Word, &PredicateOperand<Matcher>)) {
    for check in checks {
        match &*check.body {
            AssertionTarget::Value(value) => of_expectation(&value.expect, take),
            AssertionTarget::Run(subjects) => subjects.iter().for_each(|subject| of_subject(subject, take)),
            AssertionTarget::Node(node) => match &node.what {
                NodeAspect::Value(value) => of_expectation(&value.expect, take),
                NodeAspect::Facts(subjects) => subjects.iter().for_each(|subject| of_subject(subject, take)),
            },
            AssertionTarget::Group(group) => each_operand(&group.members, take),
        }
    }
}

fn of_subject(subject: &CheckSubject, take: &mut dyn FnMut(Word, &PredicateOperand<Matcher>)) {
    match subject {
        CheckSubject::Text(_, expect) => of_expectation(expect, take),
        CheckSubject::Status(_)
        | CheckSubject::Count(..)
        | CheckSubject::Time(..)
        | CheckSubject::Cost(_)
        | CheckSubject::Nodes(_) => {}
    }
}

fn of_expectation(expect: &Expectation, take: &mut dyn FnMut(Word, &PredicateOperand<Matcher>)) {
    expect.predicates.iter().for_each(|predicate| of_predicate(predicate, take));
}

fn of_predicate(predicate: &Predicate, take: &mut dyn FnMut(Word, &PredicateOperand<Matcher>)) {
    match predicate {
        Predicate::Plain(word, operand) => take(*word, operand),
        Predicate::Not(inner) => inner.iter().for_each(|predicate| of_predicate(predicate, take)),
    }
}

fn judge_of(word: Word, operand: &PredicateOperand<Matcher>) -> Option<Option<String>> {
    match operand {
        PredicateOperand::Ready(
            Matcher::Rubric(Rubric { judge, .. }) | Matcher::Embedding(EmbeddingLikeness { judge, .. }),
        ) => Some(Some(judge.clone())),
        PredicateOperand::Ready(_) => None,
        PredicateOperand::Late(Template::Map(members)) => {
            match members.iter().find(|(key, _)| key == "judge") {
                Some((_, Template::Literal(Value::String(judge)))) => Some(Some(judge.clone())),
                Some(_) => Some(None),
                None => (word == Word::LlmRubric).then_some(None),
            }
        }
        PredicateOperand::Late(_) => Some(None),
    }
}
