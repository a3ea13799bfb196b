//! Predicates on one value.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::base::diff::{CaseRule, EqualOptions, equal, includes, mask_paths};
use crate::base::json_number;

use super::Context;
use super::difference;
use super::format;
use super::header_names::{HeaderNames, HeaderPlace};
use super::judged::{ComparisonFlavour, ConditionGrade, JudgedCondition, compared, misfit, show, verdict};
use super::model::{Equality, Predicate};
use super::operand::matcher::Matcher;
use super::operand::near::Approx;
use super::operand::parse_path;
use super::operand::predicate_kind::{JsonType, TYPES, Word};
use super::opinion;
use super::schema::Conformance;
use super::text;
use super::values::unfollowed;

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

/// The paths to ignore, late ones rendered.
pub(super) fn options<'a>(
    equality: &'a Equality,
    context: &Context<'_>,
) -> Result<Cow<'a, EqualOptions>, String> {
    if equality.late.is_empty() {
        return Ok(Cow::Borrowed(&equality.options));
    }
    let mut options = equality.options.clone();
    for template in &equality.late {
        let rendered = context.templates.render(template, context.scope);
        let rendered = rendered.map_err(|error| format!("a path of `ignore` cannot be rendered: {error}"))?;
        options.ignore.push(parse_path(&rendered).map_err(|error| format!("`ignore`: {}", error.message))?);
    }
    Ok(Cow::Owned(options))
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
        Matcher::Gt(limit) => compare((Word::Gt, "more than"), limit, value, Ordering::is_gt),
        Matcher::Gte(limit) => compare((Word::Gte, "at least"), limit, value, Ordering::is_ge),
        Matcher::Lt(limit) => compare((Word::Lt, "less than"), limit, value, Ordering::is_lt),
        Matcher::Lte(limit) => compare((Word::Lte, "at most"), limit, value, Ordering::is_le),
        Matcher::Between(low, high) => between(low, high, value),
        Matcher::Approx(near) => approx(near, value),
        Matcher::Length(bound) => match length(value) {
            Some(length) => verdict(bound.holds(&length), || {
                format!("expected a length of {}, found {length}: {}", bound.show(), show(value))
            })
            .map_actual(value),
            None => misfit(Word::Length, "text, a list or an object", value),
        },
        Matcher::Empty(wanted) => match length(value) {
            Some(length) => verdict((length == 0) == *wanted, || {
                format!(
                    "expected {}, found {}",
                    if *wanted { "nothing in it" } else { "something in it" },
                    show(value)
                )
            })
            .map_actual(value),
            None => misfit(Word::Empty, "text, a list or an object", value),
        },
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

/// Follows the paths of `ignore` in each value; an error says why one of them was not followed to its end.
fn follow_all(options: &EqualOptions, values: [&Value; 2], context: &Context<'_>) -> Result<(), String> {
    values.into_iter().try_for_each(|value| follow_ignored(options, value, context))
}

/// Follows the paths of `ignore`, so that what is taken out of a value is known to be all of it.
pub(super) fn follow_ignored(
    options: &EqualOptions,
    value: &Value,
    context: &Context<'_>,
) -> Result<(), String> {
    options.ignore.iter().try_for_each(|path| {
        let effort = context.effort();
        let followed = effort.renew().and_then(|()| path.find_places(value, effort)).map(drop);
        followed.map_err(|error| unfollowed(path, error))
    })
}

/// A comparison from which everything was taken out would hold for every value.
pub(super) fn nothing_left(expected: &Value, options: &EqualOptions) -> Option<&'static str> {
    if options.ignore.is_empty() {
        return None;
    }
    let is_bare = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    (is_bare(&mask_paths(expected, &options.ignore)) && !is_bare(expected))
        .then_some("`ignore` leaves nothing to compare")
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

/// `said` is the word and how a message says it.
fn compare(
    (word, said): (Word, &str),
    limit: &Number,
    value: &Value,
    holds: fn(Ordering) -> bool,
) -> JudgedCondition {
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
