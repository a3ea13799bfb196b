//! Predicates with their operands read: what holds for every value, or for none, is refused here.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use serde_json::{Number, Value};

use crate::assert::check::schema::CompiledSchema;
use crate::base::diff::CaseRule;
use crate::base::json_kind::kind;
use crate::base::json_number;

use super::bound::{BareMeaning, QuantityBound};
use super::near::{Approx, SimilarOperand, SimilarText, parse_approx, parse_similar};
use super::opinion::{EmbeddingLikeness, Rubric, parse_rubric};
use super::predicate_kind::{FORMATS, JsonType, TYPES, TextFormat, Word, choose};
use super::{OperandError, parse_bool, parse_number, parse_text};

/// A predicate, ready to be applied.
#[derive(Debug, Clone)]
pub(in crate::assert::check) enum Matcher {
    Equals(Value),
    OneOf(Vec<Value>),
    Contains(Value),
    ContainsAny(Vec<Value>),
    ContainsAll(Vec<Value>),
    Includes(Value),
    StartsWith(String),
    EndsWith(String),
    Regex(Regex),
    Gt(Number),
    Gte(Number),
    Lt(Number),
    Lte(Number),
    Between(Number, Number),
    Approx(Approx),
    Length(QuantityBound<u64>),
    Empty(bool),
    Type(JsonType),
    Format(TextFormat),
    Schema(Arc<CompiledSchema>),
    Similar(SimilarText),
    Embedding(EmbeddingLikeness),
    Rubric(Rubric),
}

impl Matcher {
    /// Reads the operand of a predicate. Schema files are read by the compiler, never here.
    pub(in crate::assert::check) fn parse(
        word: Word,
        value: &Value,
        case: CaseRule,
    ) -> Result<Self, OperandError> {
        Ok(match word {
            Word::Equals => Self::Equals(value.clone()),
            Word::OneOf => Self::OneOf(items(value, word)?),
            Word::Contains => Self::Contains(something(value, word)?),
            Word::ContainsAny => Self::ContainsAny(some_things(value, word)?),
            Word::ContainsAll => Self::ContainsAll(some_things(value, word)?),
            Word::Includes => Self::Includes(something(value, word)?),
            Word::StartsWith => Self::StartsWith(text(value, word)?),
            Word::EndsWith => Self::EndsWith(text(value, word)?),
            Word::Regex => Self::Regex(parse_regex(&text(value, word)?, case)?),
            Word::Gt => Self::Gt(parse_number(value, word.key())?),
            Word::Gte => Self::Gte(parse_number(value, word.key())?),
            Word::Lt => Self::Lt(parse_number(value, word.key())?),
            Word::Lte => Self::Lte(parse_number(value, word.key())?),
            Word::Between => parse_between(value)?,
            Word::Approx => Self::Approx(parse_approx(value)?),
            Word::Length => Self::Length(QuantityBound::parse(value, BareMeaning::Exactly)?),
            Word::Empty => Self::Empty(parse_bool(value, "`empty`")?),
            Word::Type => Self::Type(choose(&text(value, word)?, "a type", &TYPES)?),
            Word::Format => Self::Format(choose(&text(value, word)?, "a format", &FORMATS)?),
            Word::Schema => Self::Schema(Arc::new(CompiledSchema::compile(value, None)?)),
            Word::Similar => match parse_similar(value)? {
                SimilarOperand::Text(similar) => Self::Similar(similar),
                SimilarOperand::Embedding(embedding) => Self::Embedding(embedding),
            },
            Word::LlmRubric => Self::Rubric(parse_rubric(value)?),
        })
    }
}

/// Compiles a regex; one that matches every text is refused.
pub(in crate::assert::check) fn parse_regex(pattern: &str, case: CaseRule) -> Result<Regex, OperandError> {
    let regex = compile_regex(pattern, case)?;
    if matches_everything(&regex) {
        return Err(OperandError::new(format!("`{pattern}` matches every text")));
    }
    Ok(regex)
}

fn compile_regex(pattern: &str, case: CaseRule) -> Result<Regex, OperandError> {
    RegexBuilder::new(pattern).case_insensitive(case == CaseRule::Ignore).build().map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        OperandError::new(format!("`{pattern}` is not a regex: {reason}"))
    })
}

/// A regex with a group, whose text is taken; it judges nothing, so that `^(.*)`, the first line, is as good as any.
pub(in crate::assert::check) fn parse_group_regex(value: &Value) -> Result<Regex, OperandError> {
    let text = parse_text(value, "a regex")?;
    let regex = compile_regex(&text, CaseRule::Exact)?;
    if regex.captures_len() < 2 {
        return Err(OperandError::new(format!("`{text}` has no group to take"))
            .help("put parentheses around what is wanted"));
    }
    Ok(regex)
}

/// Probes with texts that no pattern but one without demands matches all of: empty, every ASCII character in both orders, long.
fn matches_everything(regex: &Regex) -> bool {
    if !regex.is_match("") {
        return false;
    }
    let forwards: String = (0..128_u8).map(char::from).chain("\u{e9}\u{4f60}\u{1f600}".chars()).collect();
    let backwards: String = forwards.chars().rev().collect();
    let singles = forwards.chars().all(|character| regex.is_match(character.encode_utf8(&mut [0; 4])));
    singles
        && regex.is_match(&forwards)
        && regex.is_match(&backwards)
        && regex.is_match(&backwards.repeat(80))
}

fn text(value: &Value, word: Word) -> Result<String, OperandError> {
    if value.as_str() == Some("") {
        return Err(holds_always(word, "empty text"));
    }
    parse_text(value, &format!("`{}`", word.key()))
}

fn something(value: &Value, word: Word) -> Result<Value, OperandError> {
    match value {
        Value::String(text) if text.is_empty() => Err(holds_always(word, "empty text")),
        Value::Array(items) if items.is_empty() => Err(holds_always(word, "an empty list")),
        Value::Object(members) if members.is_empty() => Err(holds_always(word, "an empty mapping")),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => Ok(value.clone()),
    }
}

fn some_things(value: &Value, word: Word) -> Result<Vec<Value>, OperandError> {
    let items = items(value, word)?;
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| something(item, word).map(drop).map_err(|error| error.under(index)))?;
    Ok(items)
}

fn items(value: &Value, word: Word) -> Result<Vec<Value>, OperandError> {
    match value {
        Value::Array(items) if items.is_empty() && word == Word::ContainsAll => {
            Err(holds_always(word, "an empty list"))
        }
        Value::Array(items) if items.is_empty() => {
            Err(OperandError::new(format!("`{}` is an empty list and can never hold", word.key())))
        }
        Value::Array(items) => Ok(items.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Err(OperandError::new(format!("`{}` must be a list, found {}", word.key(), kind(value)))
                .help("write `[a, b]`"))
        }
    }
}

fn holds_always(word: Word, what: &str) -> OperandError {
    OperandError::new(format!("`{}` with {what} says nothing: it would hold for every value", word.key()))
        .help("use `empty`, `exists`, `length` or `equals`, whichever is meant")
}

fn parse_between(value: &Value) -> Result<Matcher, OperandError> {
    let Some([low, high]) = value.as_array().map(Vec::as_slice) else {
        return Err(OperandError::new("`between` takes a list of two numbers, as in `[1, 3]`"));
    };
    let low = parse_number(low, "between").map_err(|error| error.under(0))?;
    let high = parse_number(high, "between").map_err(|error| error.under(1))?;
    if json_number::compare(&low, &high).is_gt() {
        return Err(OperandError::new(format!(
            "`between: [{low}, {high}]` can never hold: the limits are reversed"
        )));
    }
    Ok(Matcher::Between(low, high))
}
