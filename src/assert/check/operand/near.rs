//! Nearness: of numbers by `approx`, of texts by `similar`.

use serde_json::{Number, Value};

use crate::base::json_kind::kind;
use crate::base::json_number;
use crate::base::near::{Tolerance, is_near};
use crate::base::similarity::{Likeness, Method};

use super::least_score::{least_likeness, parse_min, share};
use super::operand_keys::operand_keys;
use super::opinion::EmbeddingLikeness;
use super::predicate_kind::{Word, choose};
use super::{OperandError, parse_number, parse_text};

/// Nearness of numbers, exact.
#[derive(Debug, Clone)]
pub(in crate::assert::check) struct Approx {
    /// The number to be near to.
    pub(in crate::assert::check) value: Number,
    /// How far off it may be.
    pub(in crate::assert::check) tolerance: Tolerance,
}

/// Likeness of texts.
#[derive(Debug, Clone)]
pub(in crate::assert::check) struct SimilarText {
    /// The text to be like.
    pub(in crate::assert::check) to: String,
    /// The least likeness, above 0.
    pub(in crate::assert::check) min: Likeness,
    /// How likeness is measured.
    pub(in crate::assert::check) method: Method,
}

/// What `similar` asks for.
#[derive(Debug, Clone)]
pub(super) enum SimilarOperand {
    /// Likeness by the letters or words of the texts.
    Text(SimilarText),
    /// Likeness that a judge measures.
    Embedding(EmbeddingLikeness),
}

/// By word; `None` for the one that a judge measures.
const METHODS: [(&str, Option<Method>); 4] = [
    ("ratio", Some(Method::Ratio)),
    ("levenshtein", Some(Method::Levenshtein)),
    ("token_set", Some(Method::TokenSet)),
    ("embedding", None),
];

/// Reads `{ value, abs }` or `{ value, rel }`.
pub(super) fn parse_approx(value: &Value) -> Result<Approx, OperandError> {
    let Value::Object(entries) = value else {
        return Err(OperandError::new(format!("`approx` must be a mapping, found {}", kind(value)))
            .help("write `{ value: 1.5, abs: 0.1 }`"));
    };
    let known = operand_keys(Word::Approx).unwrap_or_default();
    if let Some(key) = entries.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(OperandError::unknown_key(key, "`approx`", known));
    }
    let get = |key: &str| {
        entries.get(key).map(|entry| parse_number(entry, key).map_err(|error| error.under(key))).transpose()
    };
    let expected = get("value")?.ok_or_else(|| OperandError::new("`approx` needs a `value`"))?;
    let tolerance = match (get("abs")?, get("rel")?) {
        (Some(abs), None) => Tolerance::Absolute(abs),
        (None, Some(rel)) => Tolerance::Relative(rel),
        (Some(_), Some(_)) => return Err(OperandError::new("`approx` takes `abs` or `rel`, not both")),
        (None, None) => return Err(OperandError::new("`approx` needs `abs` or `rel`")),
    };
    let (Tolerance::Absolute(off) | Tolerance::Relative(off)) = &tolerance;
    if json_number::compare(off, &Number::from(0)).is_lt() {
        return Err(OperandError::new("a tolerance cannot be negative"));
    }
    Ok(Approx { value: expected, tolerance })
}

/// Reads `{ to, min, method }`, or with `method: embedding` a `judge` too.
pub(super) fn parse_similar(value: &Value) -> Result<SimilarOperand, OperandError> {
    let Value::Object(entries) = value else {
        return Err(OperandError::new(format!("`similar` must be a mapping, found {}", kind(value)))
            .help("write `{ to: …, min: 0.8 }`"));
    };
    let known = operand_keys(Word::Similar).unwrap_or_default();
    if let Some(key) = entries.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(OperandError::unknown_key(key, "`similar`", known));
    }
    let method = match entries.get("method") {
        None => Some(Method::Ratio),
        Some(word) => {
            let word = parse_text(word, "a method").map_err(|error| error.under("method"))?;
            choose(&word, "a method", &METHODS).map_err(|error| error.under("method"))?
        }
    };
    let to = entries.get("to").ok_or_else(|| OperandError::new("`similar` needs `to`"))?;
    let to = parse_text(to, "`to`").map_err(|error| error.under("to"))?;
    let min = parse_min(Word::Similar, entries)?;
    match (method, entries.get("judge")) {
        (Some(method), None) => {
            let min = least_likeness(&min).map_err(|error| error.under("min"))?;
            Ok(SimilarOperand::Text(SimilarText { to, min, method }))
        }
        (None, Some(judge)) => {
            let judge = parse_text(judge, "`judge`").map_err(|error| error.under("judge"))?;
            Ok(SimilarOperand::Embedding(EmbeddingLikeness { judge, to, min: share(&min) }))
        }
        (None, None) => Err(OperandError::new("`method: embedding` needs a `judge`")
            .help("name one of the project file's `judges`")
            .under("method")),
        (Some(_), Some(_)) => Err(OperandError::at_key("judge", "`judge` is only for `method: embedding`")),
    }
}

impl Approx {
    /// Returns whether a number is near enough; `None` where that is too many digits to reckon with.
    pub(in crate::assert::check) fn holds(&self, actual: &Number) -> Option<bool> {
        is_near(&self.value, actual, &self.tolerance)
    }
}
