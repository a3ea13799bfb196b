//! Predicates on one value.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::base::diff::{CaseRule, EqualOptions, equal, includes, mask_paths};
use crate::base::json_number;

use super::Context;
use super::difference;
use super::format;
use super::header_names::{HeaderNames, HeaderPlace};
use super::ignored_paths::{follow_all, nothing_left, options};
use super::judged::{ComparisonFlavour, ConditionGrade, JudgedCondition, compared, misfit, verdict};
use super::model::{Equality, Predicate};
use super::operand::bound::QuantityBound;
use super::operand::matcher::Matcher;
use super::operand::near::Approx;
use super::operand::predicate_kind::{JsonType, TYPES, Word};
use super::opinion;
use super::schema::Conformance;
use super::shown::show;
use super::text;

/// Judges all predicates on one value: every one must hold.
pub(super) fn judge_all(
    predicates: &[Predicate],
    value: &Value,
    equality: &Equality,
    context: &Context<'_>,
) -> JudgedCondition {
    let options = match options(equality, context) {
        Ok(options) => options,
        Err(why) => return JudgedCondition::undecided(why),
    };
    predicates.iter().fold(JudgedCondition::held(), |so_far, predicate| {
        so_far.and(judge(predicate, value, &options, context))
    })
}

fn judge(
    predicate: &Predicate,
    value: &Value,
    options: &EqualOptions,
    context: &Context<'_>,
) -> JudgedCondition {
    match predicate {
        Predicate::Plain(word, operand) => {
            match operand.get(context, |rendered| Matcher::parse(*word, rendered, options.ignore_case)) {
                Ok(test) => match context.response.and_then(|response| HeaderPlace::of(value, response)) {
                    None => apply(&test, value, options, context),
                    Some(place) => {
                        let names = HeaderNames::for_test(&test, options);
                        apply(&names.test(&test, place), &names.value(value, place), options, context)
                    }
                },
                Err(why) => JudgedCondition::undecided(why),
            }
        }
        Predicate::Not(inner) => inner.iter().fold(JudgedCondition::held(), |so_far, predicate| {
            so_far.and(negate(predicate, judge(predicate, value, options, context), value))
        }),
    }
}

/// What was broken holds; what cannot be asked of the value stays broken.
fn negate(predicate: &Predicate, judged: JudgedCondition, value: &Value) -> JudgedCondition {
    match judged.grade {
        ConditionGrade::Held => {
            let word = match predicate {
                Predicate::Plain(word, _) => word.key(),
                Predicate::Not(_) => "not",
            };
            JudgedCondition::broken(format!("`not {word}` does not hold: found {}", show(value)))
                .actual(value)
        }
        ConditionGrade::Broken => JudgedCondition::held(),
        ConditionGrade::Undecided | ConditionGrade::Misfit => judged,
    }
}

fn apply(test: &Matcher, value: &Value, options: &EqualOptions, context: &Context<'_>) -> JudgedCondition {
    let case = options.ignore_case;
    match test {
        Matcher::Equals(expected) => match follow_all(options, [expected, value], context) {
            Ok(()) => equals(expected, value, options),
            Err(why) => JudgedCondition::undecided(why),
        },
        Matcher::OneOf(choices) => one_of(choices, value, case),
        Matcher::Includes(subset) => match follow_all(options, [subset, value], context) {
            Ok(()) => includes_subset(subset, value, options),
            Err(why) => JudgedCondition::undecided(why),
        },
        Matcher::Contains(needle) => text::contains(needle, value, case),
        Matcher::ContainsAny(needles) => text::contains_any(needles, value, case),
        Matcher::ContainsAll(needles) => text::contains_all(needles, value, case),
        Matcher::StartsWith(start) => text::starts_with(start, value, case),
        Matcher::EndsWith(end) => text::ends_with(end, value, case),
        Matcher::Regex(regex) => text::matches(regex, value),
        Matcher::Similar(similar) => text::similar(similar, value, case),
        Matcher::Embedding(embedding) => opinion::alike(embedding, value, case, context),
        Matcher::Rubric(rubric) => opinion::graded(rubric, value, context),
        Matcher::Format(format) => format::judge(*format, value),
        Matcher::Gt(limit) => {
            compare(Word::Gt, limit, value, LimitTest { said: "more than", holds: Ordering::is_gt })
        }
        Matcher::Gte(limit) => {
            compare(Word::Gte, limit, value, LimitTest { said: "at least", holds: Ordering::is_ge })
        }
        Matcher::Lt(limit) => {
            compare(Word::Lt, limit, value, LimitTest { said: "less than", holds: Ordering::is_lt })
        }
        Matcher::Lte(limit) => {
            compare(Word::Lte, limit, value, LimitTest { said: "at most", holds: Ordering::is_le })
        }
        Matcher::Between(low, high) => between(low, high, value),
        Matcher::Approx(near) => approx(near, value),
        Matcher::Length(bound) => has_length(bound, value),
        Matcher::Empty(wanted) => is_empty(*wanted, value),
        Matcher::Type(wanted) => json_type(*wanted, value),
        Matcher::Schema(schema) => match schema.check(value, context.effort()) {
            Conformance::Conforms => JudgedCondition::held(),
            Conformance::Violates(why) => {
                JudgedCondition::broken(format!("the schema is violated: {why}")).actual(value)
            }
            Conformance::Unknown(why) => JudgedCondition::undecided(why).actual(value),
        },
    }
}

fn has_length(bound: &QuantityBound<u64>, value: &Value) -> JudgedCondition {
    match length(value) {
        Some(length) => verdict(bound.holds(&length), || {
            format!("expected a length of {}, found {length}: {}", bound.show(), show(value))
        })
        .map_actual(value),
        None => misfit(Word::Length, "text, a list or an object", value),
    }
}

#[expect(clippy::fn_params_excessive_bools, reason = "the operand of `empty` is a bool")]
fn is_empty(wanted: bool, value: &Value) -> JudgedCondition {
    match length(value) {
        Some(length) => verdict((length == 0) == wanted, || {
            let expected = if wanted { "nothing in it" } else { "something in it" };
            format!("expected {expected}, found {}", show(value))
        })
        .map_actual(value),
        None => misfit(Word::Empty, "text, a list or an object", value),
    }
}

fn equals(expected: &Value, actual: &Value, options: &EqualOptions) -> JudgedCondition {
    if let Some(why) = nothing_left(expected, options) {
        return JudgedCondition::undecided(why);
    }
    if equal(expected, actual, options) {
        return JudgedCondition::held();
    }
    let mut judged = JudgedCondition::broken(compared(ComparisonFlavour::Equal, expected, actual))
        .expected(expected)
        .actual(actual);
    judged.diff = difference::of_values(expected, actual, options);
    judged
}

fn includes_subset(subset: &Value, actual: &Value, options: &EqualOptions) -> JudgedCondition {
    if let Some(why) = nothing_left(subset, options) {
        return JudgedCondition::undecided(why);
    }
    let holds = match options.ignore.is_empty() {
        true => includes(actual, subset, options.ignore_case),
        false => includes(
            &mask_paths(actual, &options.ignore),
            &mask_paths(subset, &options.ignore),
            options.ignore_case,
        ),
    };
    if holds {
        return JudgedCondition::held();
    }
    let mut judged = JudgedCondition::broken(compared(ComparisonFlavour::Included, subset, actual))
        .expected(subset)
        .actual(actual);
    judged.diff = difference::of_subset(subset, actual, options);
    judged
}

fn one_of(choices: &[Value], actual: &Value, case: CaseRule) -> JudgedCondition {
    let options = EqualOptions { ignore_case: case, ignore: Vec::new() };
    if choices.iter().any(|choice| equal(choice, actual, &options)) {
        return JudgedCondition::held();
    }
    let choices = Value::Array(choices.to_vec());
    JudgedCondition::broken(format!("expected one of {}, found {}", show(&choices), show(actual)))
        .expected(&choices)
        .actual(actual)
}

/// How a number is compared with a limit, and how a message says it.
struct LimitTest {
    said: &'static str,
    holds: fn(Ordering) -> bool,
}

fn compare(word: Word, limit: &Number, value: &Value, test: LimitTest) -> JudgedCondition {
    let LimitTest { said, holds } = test;
    on_number(word, value, |number| {
        verdict(holds(json_number::compare(number, limit)), || {
            format!("expected {said} {limit}, found {number}")
        })
        .map_expected(&Value::Number(limit.clone()), value)
    })
}

fn between(low: &Number, high: &Number, value: &Value) -> JudgedCondition {
    on_number(Word::Between, value, |number| {
        let within = json_number::compare(number, low).is_ge() && json_number::compare(number, high).is_le();
        verdict(within, || format!("expected {low} to {high}, found {number}")).map_actual(value)
    })
}

fn approx(approx: &Approx, value: &Value) -> JudgedCondition {
    on_number(Word::Approx, value, |number| match approx.holds(number) {
        Some(near) => verdict(near, || format!("expected about {}, found {number}", approx.value))
            .map_expected(&Value::Number(approx.value.clone()), value),
        None => JudgedCondition::undecided("the numbers have too many digits to be subtracted"),
    })
}

fn on_number(word: Word, value: &Value, judge: impl FnOnce(&Number) -> JudgedCondition) -> JudgedCondition {
    match value {
        Value::Number(number) => judge(number),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            misfit(word, "a number", value)
        }
    }
}

/// Characters of text (Unicode scalar values), items of a list, keys of an object.
fn length(value: &Value) -> Option<u64> {
    let length = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    u64::try_from(length).ok()
}

fn json_type(wanted: JsonType, value: &Value) -> JudgedCondition {
    let holds = match (wanted, value) {
        (JsonType::String, Value::String(_))
        | (JsonType::Boolean, Value::Bool(_))
        | (JsonType::Null, Value::Null) => true,
        (JsonType::Array, Value::Array(_))
        | (JsonType::Object, Value::Object(_))
        | (JsonType::Number, Value::Number(_)) => true,
        (JsonType::Integer, Value::Number(number)) => json_number::is_integer(number),
        _ => false,
    };
    let word = TYPES.iter().find(|(_, known)| *known == wanted).map_or("", |(word, _)| word);
    verdict(holds, || format!("expected the type {word}, found {}", show(value))).map_actual(value)
}
