//! Which predicates of one assertion exclude each other. Only what is certain counts: templates, likeness and judges may come out
//! either way.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::assert::check::judged::ConditionGrade;
use crate::assert::check::model::{Expectation, Predicate};
use crate::assert::check::operand::PredicateOperand;
use crate::assert::check::operand::matcher::Matcher;
use crate::assert::check::operand::predicate_kind::Word;
use crate::assert::check::predicate::judge_all;
use crate::assert::check::text::folded;
use crate::assert::check::{Context, UsageAudit};
use crate::assert::judge::JudgeQuestions;
use crate::base::diff::CaseRule;
use crate::base::effort::Effort;
use crate::base::json_number;
use crate::base::template::{TemplateScope, Templates};

use super::kinds::{EMPTY_VALUES, Kinds, Polarity, kinds_of};

/// Predicates that exclude each other.
pub(super) struct Conflict {
    /// At which of them it is reported.
    pub at: Word,
    pub message: String,
}

/// One predicate that is written out.
#[derive(Clone, Copy)]
pub(super) struct WrittenPredicate<'e> {
    pub word: Word,
    pub test: &'e Matcher,
    pub sign: Polarity,
}

impl WrittenPredicate<'_> {
    fn show(&self) -> String {
        match self.sign {
            Polarity::Must => format!("`{}`", self.word.key()),
            Polarity::MustNot => format!("`not: {{ {} }}`", self.word.key()),
        }
    }

    fn predicate(&self) -> Predicate {
        let plain = Predicate::Plain(self.word, PredicateOperand::Ready(self.test.clone()));
        match self.sign {
            Polarity::Must => plain,
            Polarity::MustNot => Predicate::Not(vec![plain]),
        }
    }
}

/// Finds predicates that no value of some kinds satisfies together.
pub(super) fn find_conflict(
    parts: &[WrittenPredicate<'_>],
    expect: &Expectation,
    kinds: Kinds,
    templates: &Templates,
) -> Option<Conflict> {
    of_kinds(parts, kinds)
        .or_else(|| of_bounds(parts))
        .or_else(|| of_texts(parts, expect))
        .or_else(|| of_lengths(parts, expect))
        .or_else(|| of_values(parts, expect, templates))
}

fn together(first: &WrittenPredicate<'_>, second: &WrittenPredicate<'_>, why: &str) -> Conflict {
    let message = format!("{} and {} can never hold together: {why}", first.show(), second.show());
    Conflict { at: second.word, message }
}

/// Predicates that take no type of value in common.
fn of_kinds(parts: &[WrittenPredicate<'_>], kinds: Kinds) -> Option<Conflict> {
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
    part: WrittenPredicate<'e>,
    number: &'e Number,
    is_open: bool,
}

/// Bounds of numbers that leave none between them.
fn of_bounds(parts: &[WrittenPredicate<'_>]) -> Option<Conflict> {
    let (mut lows, mut highs) = (Vec::new(), Vec::new());
    for part in parts {
        let must = part.sign == Polarity::Must;
        let mut add = |is_low: bool, number, is_open| {
            let edge = Edge { part: *part, number, is_open };
            if is_low { lows.push(edge) } else { highs.push(edge) }
        };
        match part.test {
            Matcher::Gt(number) => add(must, number, must),
            Matcher::Gte(number) => add(must, number, !must),
            Matcher::Lt(number) => add(!must, number, must),
            Matcher::Lte(number) => add(!must, number, !must),
            Matcher::Between(low, high) if must => {
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
fn of_texts(parts: &[WrittenPredicate<'_>], expect: &Expectation) -> Option<Conflict> {
    let case = expect.equality.options.ignore_case;
    for has in parts.iter().filter(|part| part.sign == Polarity::Must) {
        let (Matcher::StartsWith(text) | Matcher::EndsWith(text)) = has.test else { continue };
        let text = folded(text, case);
        let is_there = |part: &&WrittenPredicate<'_>| match (has.test, part.test) {
            (Matcher::StartsWith(_), Matcher::StartsWith(not)) => text.starts_with(&*folded(not, case)),
            (Matcher::EndsWith(_), Matcher::EndsWith(not)) => text.ends_with(&*folded(not, case)),
            (_, Matcher::Contains(Value::String(not))) => text.contains(&*folded(not, case)),
            (_, Matcher::ContainsAny(any)) => {
                any.iter().filter_map(Value::as_str).any(|not| text.contains(&*folded(not, case)))
            }
            _ => false,
        };
        if let Some(not) = parts.iter().filter(|part| part.sign == Polarity::MustNot).find(is_there) {
            return Some(together(has, not, "the one asks for what the other forbids"));
        }
    }
    None
}

/// A length that what must be in the value does not fit.
fn of_lengths(parts: &[WrittenPredicate<'_>], expect: &Expectation) -> Option<Conflict> {
    let kinds = parts.iter().fold(Kinds::ALL, |kinds, part| kinds.and(kinds_of(part.test, part.sign)));
    let is_exact = expect.equality.options.ignore_case == CaseRule::Exact;
    let letters = |text: &str| match is_exact || text.is_ascii() {
        true => text.chars().count() as u64,
        false => 1,
    };
    let least = |part: &WrittenPredicate<'_>| match (part.test, part.sign) {
        (Matcher::StartsWith(text) | Matcher::EndsWith(text), Polarity::Must) => letters(text),
        (Matcher::Contains(Value::String(text)), Polarity::Must) if kinds == Kinds::TEXT => letters(text),
        (Matcher::Contains(_) | Matcher::ContainsAny(_) | Matcher::ContainsAll(_), Polarity::Must) => 1,
        (Matcher::Empty(false), Polarity::Must) | (Matcher::Empty(true), Polarity::MustNot) => 1,
        _ => 0,
    };
    let bounds = parts.iter().filter_map(|part| match (part.test, part.sign) {
        (Matcher::Length(bound), Polarity::Must) => Some((part, bound)),
        _ => None,
    });
    bounds.into_iter().find_map(|(part, bound)| {
        let other = parts.iter().find(|other| least(other) > 0 && bound.is_passed(&least(other)))?;
        Some(together(other, part, "the value would be longer than that"))
    })
}

/// The few values that a predicate leaves, of which none satisfies the others.
fn of_values(
    parts: &[WrittenPredicate<'_>],
    expect: &Expectation,
    templates: &Templates,
) -> Option<Conflict> {
    let options = &expect.equality.options;
    if !options.ignore.is_empty() || !expect.equality.late.is_empty() || parts.len() < 2 {
        return None;
    }
    let is_exact = options.ignore_case == CaseRule::Exact;
    let (scope, judging) = (TemplateScope::new(), JudgeQuestions::default());
    let effort = Effort::default();
    let context = Context::new(templates, &scope, UsageAudit::Audit, &judging).within(&effort);
    for part in parts.iter().filter(|part| part.sign == Polarity::Must) {
        let candidates = match part.test {
            Matcher::Equals(value) => vec![value.clone()],
            Matcher::OneOf(values) => values.clone(),
            Matcher::Empty(true) => EMPTY_VALUES.iter().map(|kind| kind()).collect(),
            Matcher::Length(bound) if bound.is_passed(&1) => EMPTY_VALUES.iter().map(|kind| kind()).collect(),
            _ => continue,
        };
        let others: Vec<&WrittenPredicate<'_>> =
            parts.iter().filter(|other| other.word != part.word || other.sign != part.sign).collect();
        let others: Vec<&WrittenPredicate<'_>> = others
            .into_iter()
            .filter(|other| is_certain(other.test) && (is_exact || is_caseless(other.test)))
            .collect();
        let excludes = |other: &&WrittenPredicate<'_>, value: &Value| {
            let judged = judge_all(&[other.predicate()], value, &expect.equality, &context);
            matches!(judged.grade, ConditionGrade::Broken | ConditionGrade::Misfit)
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
fn is_certain(test: &Matcher) -> bool {
    !matches!(test, Matcher::Similar(_) | Matcher::Embedding(_) | Matcher::Rubric(_))
}

/// True for a test that comes out the same for a text in other letters, where case is ignored.
fn is_caseless(test: &Matcher) -> bool {
    !matches!(test, Matcher::Schema(_) | Matcher::Format(_) | Matcher::Length(_) | Matcher::Regex(_))
}
