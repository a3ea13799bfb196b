//! What judges are asked for: a rubric's fulfilment, the likeness of embeddings.

use serde_json::Value;

use crate::base::json_kind::kind;

use super::least_score::{parse_min, share};
use super::operand_keys::operand_keys;
use super::predicate_kind::Word;
use super::{OperandError, parse_text};

/// A rubric that a judge grades the value by.
#[derive(Debug, Clone)]
pub(in crate::assert::check) struct Rubric {
    /// The judge's name.
    pub(in crate::assert::check) judge: String,
    /// What is good.
    pub(in crate::assert::check) rubric: String,
    /// The least score, above 0, at most 1.
    pub(in crate::assert::check) min: f64,
}

/// Likeness of texts by their embeddings.
#[derive(Debug, Clone)]
pub(in crate::assert::check) struct EmbeddingLikeness {
    /// The name of the judge that embeds.
    pub(in crate::assert::check) judge: String,
    /// The text to be like.
    pub(in crate::assert::check) to: String,
    /// The least likeness, above 0, at most 1.
    pub(in crate::assert::check) min: f64,
}

/// Reads `{ judge, rubric, min }`.
pub(super) fn parse_rubric(value: &Value) -> Result<Rubric, OperandError> {
    let Value::Object(entries) = value else {
        return Err(OperandError::new(format!("`llm_rubric` must be a mapping, found {}", kind(value)))
            .help("write `{ judge: …, rubric: …, min: 0.7 }`"));
    };
    let known = operand_keys(Word::LlmRubric).unwrap_or_default();
    if let Some(key) = entries.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(OperandError::unknown_key(key, "`llm_rubric`", known));
    }
    let text = |key: &str| {
        let missing = || OperandError::new(format!("`llm_rubric` needs a `{key}`"));
        let text = parse_text(entries.get(key).ok_or_else(missing)?, &format!("`{key}`"));
        let text = text.map_err(|error| error.under(key))?;
        if text.trim().is_empty() {
            return Err(OperandError::new(format!("`{key}` is empty")).under(key));
        }
        Ok(text)
    };
    let min = share(&parse_min(Word::LlmRubric, entries)?);
    Ok(Rubric { judge: text("judge")?, rubric: text("rubric")?, min })
}
