//! What assertions name that stands outside their suite: judges, and the files of their schemas.

use serde_json::Value;

use crate::base::digest::Digest;
use crate::base::template::Template;

use super::model::{Body, Check, Expectation, NodeWhat, Predicate, Subject};
use super::operand::Operand;
use super::operand::opinion::{Embedding, Rubric};
use super::operand::test::Test;
use super::operand::words::Word;

/// The judges that checks name, each once; none for one whose name is rendered for each attempt.
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
        if let Operand::Ready(Test::Schema(schema)) = operand {
            files.extend(schema.files());
        }
    });
    files
}

/// Takes every operand of predicates, those in groups and negations included.
fn each_operand(checks: &[Check], take: &mut dyn FnMut(Word, &Operand<Test>)) {
    for check in checks {
        match &*check.body {
            Body::Value(value) => of_expectation(&value.expect, take),
            Body::Run(subjects) => subjects.iter().for_each(|subject| of_subject(subject, take)),
            Body::Node(node) => match &node.what {
                NodeWhat::Value(value) => of_expectation(&value.expect, take),
                NodeWhat::Facts(subjects) => subjects.iter().for_each(|subject| of_subject(subject, take)),
            },
            Body::Group(group) => each_operand(&group.members, take),
        }
    }
}

fn of_subject(subject: &Subject, take: &mut dyn FnMut(Word, &Operand<Test>)) {
    match subject {
        Subject::Text(_, expect) => of_expectation(expect, take),
        Subject::Status(_)
        | Subject::Count(..)
        | Subject::Time(..)
        | Subject::Cost(_)
        | Subject::Nodes(_) => {}
    }
}

fn of_expectation(expect: &Expectation, take: &mut dyn FnMut(Word, &Operand<Test>)) {
    expect.predicates.iter().for_each(|predicate| of_predicate(predicate, take));
}

fn of_predicate(predicate: &Predicate, take: &mut dyn FnMut(Word, &Operand<Test>)) {
    match predicate {
        Predicate::Plain(word, operand) => take(*word, operand),
        Predicate::Not(inner) => inner.iter().for_each(|predicate| of_predicate(predicate, take)),
    }
}

fn judge_of(word: Word, operand: &Operand<Test>) -> Option<Option<String>> {
    match operand {
        Operand::Ready(Test::Rubric(Rubric { judge, .. }) | Test::Embedding(Embedding { judge, .. })) => {
            Some(Some(judge.clone()))
        }
        Operand::Ready(_) => None,
        Operand::Late(Template::Map(members)) => match members.iter().find(|(key, _)| key == "judge") {
            Some((_, Template::Literal(Value::String(judge)))) => Some(Some(judge.clone())),
            Some(_) => Some(None),
            None => (word == Word::LlmRubric).then_some(None),
        },
        Operand::Late(_) => Some(None),
    }
}
