//! Which predicates of one assertion exclude each other. Only what is certain counts: templates, likeness and judges may come out
//! either way.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::base::diff::CaseRule;
use crate::base::effort::Effort;
use crate::base::json_number;
use crate::base::template::{Scope, Templates};
use crate::check::judged::Grade;
use crate::check::model::{Expectation, Predicate};
use crate::check::operand::Operand;
use crate::check::operand::test::Test;
use crate::check::operand::words::Word;
use crate::check::predicate::judge_all;
use crate::check::text::folded;
use crate::check::{Context, Usage};
use crate::judge::Judging;

use super::kinds::{EMPTY_VALUES, Kinds, Sign, kinds_of};

/// Predicates that exclude each other.
pub(super) struct Conflict {
    /// At which of them it is reported.
    pub at: Word,
    pub message: String,
}

/// One predicate that is written out.
#[derive(Clone, Copy)]
pub(super) struct Part<'e> {
    pub word: Word,
    pub test: &'e Test,
    pub sign: Sign,
}

impl Part<'_> {
    fn show(&self) -> String {
        match self.sign {
            Sign::Must => format!("`{}`", self.word.key()),
            Sign::MustNot => format!("`not: {{ {} }}`", self.word.key()),
        }
    }

    fn predicate(&self) -> Predicate {
        let plain = Predicate::Plain(self.word, Operand::Ready(self.test.clone()));
        match self.sign {
            Sign::Must => plain,
            Sign::MustNot => Predicate::Not(vec![plain]),
        }
    }
}

/// Finds predicates that no value of some kinds satisfies together.
pub(super) fn find_conflict(
    parts: &[Part<'_>],
    expect: &Expectation,
    (kinds, templates): (Kinds, &Templates),
) -> Option<Conflict> {
    of_kinds(parts, kinds)
        .or_else(|| of_bounds(parts))
        .or_else(|| of_texts(parts, expect))
        .or_else(|| of_lengths(parts, expect))
        .or_else(|| of_values(parts, expect, templates))
}

fn together(first: &Part<'_>, second: &Part<'_>, why: &str) -> Conflict {
    let message = format!("{} and {} can never hold together: {why}", first.show(), second.show());
    Conflict { at: second.word, message }
}

/// Predicates that take no type of value in common.
fn of_kinds(parts: &[Part<'_>], kinds: Kinds) -> Option<Conflict> {
    let mut left = kinds;
    for (index, part) in parts.iter().enumerate() {
        let own = kinds_of(part.test, part.sign);
        if kinds.and(own).is_none() {
            let message = format!("{} can never hold: the value is always {}", part.show(), kinds.show());
            return Some(Conflict { at: part.word, message });
        }
        left = left.and(own);
        if left.is_none() {
            let other = parts[..index]
                .iter()
                .find(|other| kinds_of(other.test, other.sign).and(own).and(kinds).is_none());
            return Some(match other {
                Some(other) => together(other, part, "they take values of other types"),
                None => Conflict {
                    at: part.word,
                    message: format!(
                        "{} can never hold beside the others: they take values of other types",
                        part.show()
                    ),
                },
            });
        }
    }
    None
}

/// A bound of numbers; one that is `open` leaves its own number out.
struct Edge<'e> {
    part: Part<'e>,
    number: &'e Number,
    is_open: bool,
}

/// Bounds of numbers that leave none between them.
fn of_bounds(parts: &[Part<'_>]) -> Option<Conflict> {
    let (mut lows, mut highs) = (Vec::new(), Vec::new());
    for part in parts {
        let must = part.sign == Sign::Must;
        let mut add = |is_low: bool, number, is_open| {
            let edge = Edge { part: *part, number, is_open };
            if is_low { lows.push(edge) } else { highs.push(edge) }
        };
        match part.test {
            Test::Gt(number) => add(must, number, must),
            Test::Gte(number) => add(must, number, !must),
            Test::Lt(number) => add(!must, number, must),
            Test::Lte(number) => add(!must, number, !must),
            Test::Between(low, high) if must => {
                add(true, low, false);
                add(false, high, false);
            }
            _ => {}
        }
    }
    let crosses = |low: &Edge<'_>, high: &Edge<'_>| match json_number::compare(low.number, high.number) {
        Ordering::Less => false,
        Ordering::Equal => low.is_open || high.is_open,
        Ordering::Greater => true,
    };
    let pairs = lows.iter().flat_map(|low| highs.iter().map(move |high| (low, high)));
    let (low, high) = pairs.into_iter().find(|(low, high)| crosses(low, high))?;
    Some(together(&low.part, &high.part, "the limits are reversed"))
}

/// Starts, ends and parts of texts, one of which must be there and must not.
fn of_texts(parts: &[Part<'_>], expect: &Expectation) -> Option<Conflict> {
    let case = expect.equality.options.ignore_case;
    for has in parts.iter().filter(|part| part.sign == Sign::Must) {
        let (Test::StartsWith(text) | Test::EndsWith(text)) = has.test else { continue };
        let text = folded(text, case);
        let is_there = |part: &&Part<'_>| match (has.test, part.test) {
            (Test::StartsWith(_), Test::StartsWith(not)) => text.starts_with(&*folded(not, case)),
            (Test::EndsWith(_), Test::EndsWith(not)) => text.ends_with(&*folded(not, case)),
            (_, Test::Contains(Value::String(not))) => text.contains(&*folded(not, case)),
            (_, Test::ContainsAny(any)) => {
                any.iter().filter_map(Value::as_str).any(|not| text.contains(&*folded(not, case)))
            }
            _ => false,
        };
        if let Some(not) = parts.iter().filter(|part| part.sign == Sign::MustNot).find(is_there) {
            return Some(together(has, not, "the one asks for what the other forbids"));
        }
    }
    None
}

/// A length that what must be in the value does not fit.
fn of_lengths(parts: &[Part<'_>], expect: &Expectation) -> Option<Conflict> {
    let kinds = parts.iter().fold(Kinds::ALL, |kinds, part| kinds.and(kinds_of(part.test, part.sign)));
    let is_exact = expect.equality.options.ignore_case == CaseRule::Exact;
    let letters = |text: &str| match is_exact || text.is_ascii() {
        true => text.chars().count() as u64,
        false => 1,
    };
    let least = |part: &Part<'_>| match (part.test, part.sign) {
        (Test::StartsWith(text) | Test::EndsWith(text), Sign::Must) => letters(text),
        (Test::Contains(Value::String(text)), Sign::Must) if kinds == Kinds::TEXT => letters(text),
        (Test::Contains(_) | Test::ContainsAny(_) | Test::ContainsAll(_), Sign::Must) => 1,
        (Test::Empty(false), Sign::Must) | (Test::Empty(true), Sign::MustNot) => 1,
        _ => 0,
    };
    let bounds = parts.iter().filter_map(|part| match (part.test, part.sign) {
        (Test::Length(bound), Sign::Must) => Some((part, bound)),
        _ => None,
    });
    bounds.into_iter().find_map(|(part, bound)| {
        let other = parts.iter().find(|other| least(other) > 0 && bound.is_passed(&least(other)))?;
        Some(together(other, part, "the value would be longer than that"))
    })
}

/// The few values that a predicate leaves, of which none satisfies the others.
fn of_values(parts: &[Part<'_>], expect: &Expectation, templates: &Templates) -> Option<Conflict> {
    let options = &expect.equality.options;
    if !options.ignore.is_empty() || !expect.equality.late.is_empty() || parts.len() < 2 {
        return None;
    }
    let is_exact = options.ignore_case == CaseRule::Exact;
    let (scope, judging) = (Scope::new(), Judging::default());
    let effort = Effort::default();
    let context = Context::new(templates, &scope, Usage::Audit, &judging).within(&effort);
    for part in parts.iter().filter(|part| part.sign == Sign::Must) {
        let candidates = match part.test {
            Test::Equals(value) => vec![value.clone()],
            Test::OneOf(values) => values.clone(),
            Test::Empty(true) => EMPTY_VALUES.iter().map(|kind| kind()).collect(),
            Test::Length(bound) if bound.is_passed(&1) => EMPTY_VALUES.iter().map(|kind| kind()).collect(),
            _ => continue,
        };
        let others: Vec<&Part<'_>> =
            parts.iter().filter(|other| other.word != part.word || other.sign != part.sign).collect();
        let others: Vec<&Part<'_>> = others
            .into_iter()
            .filter(|other| is_certain(other.test) && (is_exact || is_caseless(other.test)))
            .collect();
        let excludes = |other: &&Part<'_>, value: &Value| {
            let judged = judge_all(&[other.predicate()], value, &expect.equality, &context);
            matches!(judged.grade, Grade::Broken | Grade::Misfit)
        };
        if !candidates.iter().all(|value| others.iter().any(|other| excludes(other, value))) {
            continue;
        }
        let alone = others.iter().find(|other| candidates.iter().all(|value| excludes(other, value)));
        return Some(match alone {
            Some(other) => together(part, other, "no value satisfies both"),
            None => Conflict {
                at: part.word,
                message: format!(
                    "{} and the other predicates can never hold together: no value satisfies all",
                    part.show()
                ),
            },
        });
    }
    None
}

/// True for a test that comes out the same whenever it is asked.
fn is_certain(test: &Test) -> bool {
    !matches!(test, Test::Similar(_) | Test::Embedding(_) | Test::Rubric(_))
}

/// True for a test that comes out the same for a text in other letters, where case is ignored.
fn is_caseless(test: &Test) -> bool {
    !matches!(test, Test::Schema(_) | Test::Format(_) | Test::Length(_) | Test::Regex(_))
}
