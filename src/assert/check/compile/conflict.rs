//! Predicates that act together: those that exclude each other, and an assertion that no value of its kinds can break.

use crate::assert::check::model::{Expectation, Match, Predicate, Transform};
use crate::assert::check::operand::PredicateOperand;
use crate::assert::check::operand::matcher::Matcher;
use crate::assert::check::operand::predicate_kind::Word;
use crate::assert::check::schema::TypeShare;
use crate::yaml::node::{FilePosition, MapEntry, Node};

use super::Compiler;
use super::exclusion::{WrittenPredicate, find_conflict};
use super::kinds::{Kinds, Polarity, kinds_of};

impl Compiler<'_, '_, '_> {
    /// Notes predicates that exclude each other, and an assertion that no value of its kinds can break.
    pub(super) fn check_together(
        &mut self,
        node: &Node,
        entries: &[MapEntry],
        expect: &Expectation,
        kinds: Kinds,
    ) {
        let before = self.reader.problems.len();
        self.check_counted(entries, expect);
        self.check_negated(entries);
        if self.reader.problems.len() > before {
            return;
        }
        let kinds = after(kinds, &expect.transforms);
        let parts = parts_of(&expect.predicates);
        let is_free = |part: &WrittenPredicate<'_>| is_free_for_texts(part) && kinds == Kinds::TEXT;
        if !parts.is_empty() && parts.len() == count_of(&expect.predicates) && parts.iter().all(is_free) {
            let message = "the value is always text, so that this can never be red";
            let mark = self.mark_of(entries, parts[0].word).unwrap_or(node.mark);
            self.reader.problem(mark, message);
            return;
        }
        let Some(conflict) = find_conflict(&parts, expect, kinds, self.context.templates) else { return };
        let mark = self.mark_of(entries, conflict.at).unwrap_or(node.mark);
        match expect.matching {
            Match::None => {
                let help = "write predicates that some value could satisfy";
                let message = format!("{}: `match: none` would hold for every value", conflict.message);
                self.reader.problem_with_help(mark, message, help);
            }
            Match::One | Match::Any | Match::All => {
                let help = "all predicates of an assertion must hold; write several assertions, or `any_of`";
                self.reader.problem_with_help(mark, conflict.message, help);
            }
        }
    }

    fn mark_of(&self, entries: &[MapEntry], word: Word) -> Option<FilePosition> {
        let entry = entries.iter().find(|entry| entry.key == word.key());
        entry.or_else(|| entries.iter().find(|entry| entry.key == "not")).map(|entry| entry.mark)
    }

    /// How many values there are, beside what must hold of them.
    fn check_counted(&mut self, entries: &[MapEntry], expect: &Expectation) {
        let Some(entry) = entries.iter().find(|entry| entry.key == "count") else { return };
        let Some(count) = expect.count.as_ref().and_then(PredicateOperand::ready) else { return };
        let exists = expect.exists.as_ref().and_then(PredicateOperand::ready) == Some(&true);
        let are_judged = !expect.predicates.is_empty() || expect.snapshot.is_some();
        let needs_one = are_judged && expect.matching == Match::One;
        let message = if (are_judged || exists) && count.is_passed(&1) {
            "leaves no value that the rest of the assertion could hold for"
        } else if needs_one && !count.holds(&1) {
            "can never hold: the other predicates take exactly one value, unless `match` says otherwise"
        } else {
            return;
        };
        self.reader.problem(entry.mark, format!("`count` {message}"));
    }

    /// The same predicate with and without `not`.
    fn check_negated(&mut self, entries: &[MapEntry]) {
        let Some(not) = entries.iter().find(|entry| entry.key == "not") else { return };
        for entry in not.value.as_map().unwrap_or_default() {
            let same = entries.iter().find(|other| other.key == entry.key);
            if same.is_some_and(|same| same.value.to_json() == entry.value.to_json()) {
                let message =
                    format!("`{0}` and `not: {{ {0} }}` of the same can never hold together", entry.key);
                self.reader.problem(entry.mark, message);
            }
        }
    }
}

/// The predicates that are written out, those under `not` on their own.
fn parts_of(predicates: &[Predicate]) -> Vec<WrittenPredicate<'_>> {
    let mut parts = Vec::new();
    for predicate in predicates {
        let (inner, sign) = match predicate {
            Predicate::Plain(..) => (std::slice::from_ref(predicate), Polarity::Must),
            Predicate::Not(inner) => (inner.as_slice(), Polarity::MustNot),
        };
        parts.extend(inner.iter().filter_map(|predicate| match predicate {
            Predicate::Plain(word, PredicateOperand::Ready(test)) => {
                Some(WrittenPredicate { word: *word, test, sign })
            }
            Predicate::Plain(_, PredicateOperand::Late(_)) | Predicate::Not(_) => None,
        }));
    }
    parts
}

fn count_of(predicates: &[Predicate]) -> usize {
    predicates
        .iter()
        .map(|predicate| match predicate {
            Predicate::Plain(..) => 1,
            Predicate::Not(inner) => inner.len(),
        })
        .sum()
}

/// The kinds of values behind some transforms.
fn after(kinds: Kinds, transforms: &[Transform]) -> Kinds {
    match transforms.last() {
        None => kinds,
        Some(Transform::Trim | Transform::Lower | Transform::StripThink | Transform::Regex(_)) => Kinds::TEXT,
        Some(Transform::ToNumber) => Kinds::NUMBER,
        Some(Transform::Json | Transform::JsonPath(_)) => Kinds::ALL,
    }
}

fn is_free_for_texts(part: &WrittenPredicate<'_>) -> bool {
    match (part.test, part.sign) {
        (Matcher::Type(_), Polarity::Must) => kinds_of(part.test, part.sign) == Kinds::TEXT,
        (Matcher::Type(_), Polarity::MustNot) => kinds_of(part.test, part.sign).has(Kinds::TEXT),
        (Matcher::Schema(schema), Polarity::Must) => schema.texts() == TypeShare::All,
        (Matcher::Schema(schema), Polarity::MustNot) => schema.texts() == TypeShare::None,
        _ => false,
    }
}
