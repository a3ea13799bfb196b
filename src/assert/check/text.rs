//! Predicates on text, and those that also look into lists and objects.

use std::borrow::Cow;

use regex::Regex;
use serde_json::Value;

use crate::base::diff::{CaseRule, EqualOptions, equal};
use crate::base::json_kind::kind;

use super::judged::{JudgedCondition, misfit, verdict};
use super::operand::near::SimilarText;
use super::operand::predicate_kind::Word;
use super::shown::{quote, show};

/// Text has the substring, a list the element, an object the key.
pub(super) fn contains(needle: &Value, value: &Value, case: CaseRule) -> JudgedCondition {
    match has(Word::Contains, needle, value, case) {
        Ok(true) => JudgedCondition::held(),
        Ok(false) => JudgedCondition::broken(format!("expected {} in {}", show(needle), show(value)))
            .expected(needle)
            .actual(value),
        Err(misfit) => *misfit,
    }
}

/// At least one of several.
pub(super) fn contains_any(needles: &[Value], value: &Value, case: CaseRule) -> JudgedCondition {
    for needle in needles {
        match has(Word::ContainsAny, needle, value, case) {
            Ok(true) => return JudgedCondition::held(),
            Ok(false) => {}
            Err(misfit) => return *misfit,
        }
    }
    let all = Value::Array(needles.to_vec());
    JudgedCondition::broken(format!("expected any of {} in {}", show(&all), show(value)))
        .expected(&all)
        .actual(value)
}

/// Every one of several.
pub(super) fn contains_all(needles: &[Value], value: &Value, case: CaseRule) -> JudgedCondition {
    let mut missing = Vec::new();
    for needle in needles {
        match has(Word::ContainsAll, needle, value, case) {
            Ok(true) => {}
            Ok(false) => missing.push(needle.clone()),
            Err(misfit) => return *misfit,
        }
    }
    if missing.is_empty() {
        return JudgedCondition::held();
    }
    let missing = Value::Array(missing);
    JudgedCondition::broken(format!("{} missing in {}", show(&missing), show(value)))
        .expected(&Value::Array(needles.to_vec()))
        .actual(value)
}

fn has(word: Word, needle: &Value, value: &Value, case: CaseRule) -> Result<bool, Box<JudgedCondition>> {
    match value {
        Value::String(text) => match needle {
            Value::String(needle) => Ok(folded(text, case).contains(&*folded(needle, case))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Err(Box::new(mismatch(word, "in a text", needle, value)))
            }
        },
        Value::Array(items) => {
            let options = EqualOptions { ignore_case: case, ignore: Vec::new() };
            Ok(items.iter().any(|item| equal(needle, item, &options)))
        }
        Value::Object(members) => match needle {
            Value::String(needle) if case == CaseRule::Ignore => {
                let needle = needle.to_lowercase();
                Ok(members.keys().any(|key| key.to_lowercase() == needle))
            }
            Value::String(needle) => Ok(members.contains_key(needle)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Err(Box::new(mismatch(word, "among the keys of an object", needle, value)))
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            Err(Box::new(misfit(word, "text, a list or an object", value)))
        }
    }
}

fn mismatch(word: Word, place: &str, needle: &Value, value: &Value) -> JudgedCondition {
    let message = format!(
        "`{}` looks for {} {place}, which can only be text: found {}",
        word.key(),
        kind(needle),
        show(value)
    );
    JudgedCondition::misfit(message).expected(needle).actual(value)
}

pub(super) fn starts_with(start: &str, value: &Value, case: CaseRule) -> JudgedCondition {
    on_text(Word::StartsWith, value, |text| {
        verdict(folded(text, case).starts_with(&*folded(start, case)), || {
            format!("expected a start of {}, found {}", quote(start), quote(text))
        })
        .map_expected(&Value::from(start), value)
    })
}

pub(super) fn ends_with(end: &str, value: &Value, case: CaseRule) -> JudgedCondition {
    on_text(Word::EndsWith, value, |text| {
        verdict(folded(text, case).ends_with(&*folded(end, case)), || {
            let count = text.chars().count();
            let tail: String = text.chars().skip(count.saturating_sub(end.chars().count().max(40))).collect();
            format!("expected an end of {}, found …{}", quote(end), quote(&tail))
        })
        .map_expected(&Value::from(end), value)
    })
}

/// The case rule is compiled into the regex.
pub(super) fn matches(regex: &Regex, value: &Value) -> JudgedCondition {
    on_text(Word::Regex, value, |text| {
        verdict(regex.is_match(text), || {
            format!("expected a match of `{}`, found {}", regex.as_str(), quote(text))
        })
        .map_expected(&Value::from(regex.as_str()), value)
    })
}

pub(super) fn similar(similar: &SimilarText, value: &Value, case: CaseRule) -> JudgedCondition {
    on_text(Word::Similar, value, |text| {
        let (to, text) = (folded(&similar.to, case), folded(text, case));
        let judged = match similar.method.measure(&to, &text) {
            Ok(likeness) => verdict(likeness >= similar.min, || {
                let (least, found) = (similar.min.to_f64(), likeness.shown());
                format!("expected a likeness of at least {least}, found {found}: {}", quote(&text))
            }),
            Err(error) => JudgedCondition::undecided(error.to_string()),
        };
        judged.map_expected(&Value::from(similar.to.as_str()), value)
    })
}

pub(super) fn on_text(
    word: Word,
    value: &Value,
    judge: impl FnOnce(&str) -> JudgedCondition,
) -> JudgedCondition {
    match value {
        Value::String(text) => judge(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            misfit(word, "text", value)
        }
    }
}

pub(super) fn folded(text: &str, case: CaseRule) -> Cow<'_, str> {
    match case {
        CaseRule::Exact => Cow::Borrowed(text),
        CaseRule::Ignore => Cow::Owned(text.to_lowercase()),
    }
}
