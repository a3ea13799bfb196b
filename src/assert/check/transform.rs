//! Transforms: one value made of another before it is judged. One that does not apply breaks the assertion and says why.

use std::borrow::Cow;

use serde_json::{Number, Value};

use crate::base::borrowed_json::BorrowedValue;
use crate::base::json_kind::kind;
use crate::base::json_number::read_number;
use crate::dify::transcript::ReadableText;

use super::Context;
use super::doubt::{Doubt, doubt_read_by};
use super::ignored_paths::unfollowed;
use super::judged::JudgedCondition;
use super::model::Transform;
use super::operand::matcher::parse_group_regex;
use super::operand::parse_path;
use super::shown::{quote, show};

/// Applies the steps in order.
pub(super) fn apply<'v>(
    steps: &[Transform],
    value: &'v Value,
    context: &Context<'_>,
) -> Result<Cow<'v, Value>, Box<JudgedCondition>> {
    let mut current = Cow::Borrowed(value);
    let mut doubts: Vec<Doubt> = Vec::new();
    for step in steps {
        (current, doubts) = match step {
            Transform::Json => {
                let TextJson { value: json, doubts } =
                    parse_json(text("json", &current)?).map_err(|why| failed("json", &why, &current))?;
                (Cow::Owned(json), doubts)
            }
            Transform::JsonPath(operand) => {
                let path = operand
                    .get(context, parse_path)
                    .map_err(|why| Box::new(JudgedCondition::undecided(why)))?;
                if let Some(doubt) = doubt_read_by(&path, &current, &doubts) {
                    return Err(undecided(doubt));
                }
                (Cow::Owned(one(step, &current, context)?), Vec::new())
            }
            Transform::Trim
            | Transform::Lower
            | Transform::StripThink
            | Transform::Regex(_)
            | Transform::ToNumber => (Cow::Owned(one(step, &current, context)?), doubts),
        };
    }
    match doubts.first() {
        Some(doubt) => Err(undecided(doubt)),
        None => Ok(current),
    }
}

fn undecided(doubt: &Doubt) -> Box<JudgedCondition> {
    Box::new(JudgedCondition::undecided(format!("in the JSON of the text, {}", doubt.message())))
}

fn one(step: &Transform, value: &Value, context: &Context<'_>) -> Result<Value, Box<JudgedCondition>> {
    match step {
        Transform::Json => match parse_json(text("json", value)?) {
            Ok(json) => Ok(json.value),
            Err(why) => Err(failed("json", &why, value)),
        },
        Transform::Trim => text("trim", value).map(|text| Value::from(text.trim())),
        Transform::Lower => text("lower", value).map(|text| Value::from(text.to_lowercase())),
        Transform::StripThink => strip_think(text("strip_think", value)?)
            .map(Value::from)
            .map_err(|why| failed("strip_think", why, value)),
        Transform::ToNumber => to_number(value),
        Transform::Regex(operand) => {
            let regex = operand
                .get(context, parse_group_regex)
                .map_err(|why| Box::new(JudgedCondition::undecided(why)))?;
            let found = regex.captures(text("regex", value)?).and_then(|captures| captures.get(1));
            match found {
                Some(group) => Ok(Value::from(group.as_str())),
                None => Err(failed("regex", &format!("`{}` finds nothing", regex.as_str()), value)),
            }
        }
        Transform::JsonPath(operand) => {
            let path =
                operand.get(context, parse_path).map_err(|why| Box::new(JudgedCondition::undecided(why)))?;
            let selected = path.select_values(value, context.effort());
            let selected =
                selected.map_err(|error| Box::new(JudgedCondition::undecided(unfollowed(&path, error))))?;
            match selected.as_slice() {
                [one] => Ok((*one).clone()),
                several => Err(failed(
                    "jsonpath",
                    &format!("`{}` selects {} values", path.as_str(), several.len()),
                    value,
                )),
            }
        }
    }
}

fn text<'v>(word: &str, value: &'v Value) -> Result<&'v str, Box<JudgedCondition>> {
    value.as_str().ok_or_else(|| {
        let message = format!("the transform `{word}` is for text, found {}: {}", kind(value), show(value));
        Box::new(JudgedCondition::misfit(message).actual(value))
    })
}

fn failed(word: &str, why: &str, value: &Value) -> Box<JudgedCondition> {
    let judged =
        JudgedCondition::misfit(format!("the transform `{word}` does not apply: {why} in {}", show(value)));
    Box::new(judged.actual(value))
}

/// The JSON of a text.
struct TextJson {
    value: Value,
    /// What of it is given twice.
    doubts: Vec<Doubt>,
}

/// The value of a text, and what of it is given twice.
///
/// The whole text is JSON, or one fenced block that is; prose around it is not passed over.
fn parse_json(text: &str) -> Result<TextJson, String> {
    let trimmed = text.trim();
    let inner = match trimmed.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) {
        Some(fenced) => {
            fenced.split_once('\n').map_or(fenced, |(info, body)| if is_info(info) { body } else { fenced })
        }
        None => trimmed,
    };
    let readable = ReadableText::of(inner.trim());
    let json = BorrowedValue::read(&readable.text).map_err(|error| format!("not JSON ({error})"))?;
    let doubts = readable.flaws(&json, None).iter().map(Doubt::of).collect();
    Ok(TextJson { value: json.to_value(), doubts })
}

/// The rest of a fence's first line: `json`, or nothing.
fn is_info(line: &str) -> bool {
    line.trim().chars().all(|character| character.is_alphanumeric() || "-_+.".contains(character))
}

/// Drops `<think>…</think>`; one that never ends may hide anything, so it is refused.
fn strip_think(text: &str) -> Result<String, &'static str> {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("<think>") {
        let Some((_, after)) = inside.split_once("</think>") else { return Err("`<think>` never ends") };
        kept.push_str(before);
        rest = after;
    }
    if rest.contains("</think>") {
        return Err("`</think>` without its beginning");
    }
    kept.push_str(rest);
    Ok(kept)
}

/// The number that a text of JSON is.
fn json_number_of(text: &str) -> Option<Number> {
    serde_json::from_str::<Number>(text).ok().and_then(|number| read_number(number.as_str()))
}

fn to_number(value: &Value) -> Result<Value, Box<JudgedCondition>> {
    match value {
        Value::Number(_) => Ok(value.clone()),
        Value::String(text) => match json_number_of(text.trim()) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(Box::new(
                JudgedCondition::misfit(format!(
                    "the transform `to_number` does not apply: {} is not a number",
                    quote(text)
                ))
                .actual(value),
            )),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(Box::new(
            JudgedCondition::misfit(format!("the transform `to_number` is for text, found {}", kind(value)))
                .actual(value),
        )),
    }
}
