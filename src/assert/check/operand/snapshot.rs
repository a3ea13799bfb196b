//! The operand of `snapshot`: how the found value is compared with the approved one, and what of it is replaced first.

use serde_json::{Number, Value};

use crate::assert::snapshot::{Compare, Redaction, SnapshotOptions};
use crate::base::json_kind::kind;
use crate::base::json_number;
use crate::base::json_path::JsonPath;
use crate::base::near::Tolerance;

use super::least_score::{least_likeness, share};
use super::parse_number;
use super::predicate_kind::choose;
use super::{OperandError, parse_path, parse_text};

/// The keys of a mapping.
pub(in crate::assert::check) const KEYS: [&str; 2] = ["compare", "redact"];
const HELP: &str = "write `snapshot: true`, or a mapping with `compare` or `redact`";

/// A way to compare that is one word.
#[derive(Debug, Clone, Copy)]
enum PlainManner {
    Exact,
    Structure,
}

/// Reads `true` or `{ compare, redact }`.
pub(in crate::assert::check) fn parse_manner(value: &Value) -> Result<SnapshotOptions, OperandError> {
    let entries = match value {
        Value::Bool(true) => return Ok(SnapshotOptions::default()),
        Value::Bool(false) => {
            return Err(OperandError::new("`snapshot: false` says nothing: it would hold for every value")
                .help("leave it out"));
        }
        Value::Object(entries) if !entries.is_empty() => entries,
        Value::Object(_) => return Err(OperandError::new("`snapshot` is an empty mapping").help(HELP)),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err(OperandError::new(format!(
                "`snapshot` must be `true` or a mapping, found {}",
                kind(value)
            ))
            .help(HELP));
        }
    };
    if let Some(key) = entries.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(OperandError::unknown_key(key, "`snapshot`", &KEYS));
    }
    let mut manner = SnapshotOptions::default();
    if let Some(compare) = entries.get("compare") {
        manner.compare = parse_compare(compare).map_err(|error| error.under("compare"))?;
    }
    if let Some(redact) = entries.get("redact") {
        manner.redact = parse_redactions(redact).map_err(|error| error.under("redact"))?;
    }
    Ok(manner)
}

/// The key under which a snapshot is kept: a label or what stands for it.
pub(in crate::assert::check) fn parse_key(value: &Value) -> Result<String, OperandError> {
    match value {
        Value::String(text) if text.trim().is_empty() => {
            Err(OperandError::new("the key of a snapshot is empty"))
        }
        Value::String(text) => Ok(text.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Ok(value.to_string())
        }
    }
}

fn parse_compare(value: &Value) -> Result<Compare, OperandError> {
    let Value::Object(entries) = value else {
        let words = [("exact", PlainManner::Exact), ("structure", PlainManner::Structure)];
        return Ok(match choose(&parse_text(value, "`compare`")?, "a way to compare", &words)? {
            PlainManner::Exact => Compare::Exact,
            PlainManner::Structure => Compare::Structure,
        });
    };
    let known = ["similar", "numeric"];
    if let Some(key) = entries.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(OperandError::unknown_key(key, "`compare`", &known));
    }
    match (entries.get("similar"), entries.get("numeric")) {
        (Some(least), None) => parse_similar(least).map_err(|error| error.under("similar")),
        (None, Some(tolerance)) => parse_numeric(tolerance).map_err(|error| error.under("numeric")),
        (Some(_), Some(_)) => Err(OperandError::new("`compare` takes `similar` or `numeric`, not both")),
        (None, None) => Err(OperandError::new("`compare` is an empty mapping")
            .help("write `exact`, `structure`, `{ similar: 0.9 }` or `{ numeric: { rel: 0.01 } }`")),
    }
}

fn parse_similar(value: &Value) -> Result<Compare, OperandError> {
    let number = parse_number(value, "similar")?;
    if share(&number) <= 0.0 {
        return Err(OperandError::new(format!("`similar: {value}` holds for every text")));
    }
    if share(&number) > 1.0 {
        return Err(OperandError::new(format!("`similar: {value}` can never hold: the most is 1")));
    }
    Ok(Compare::Similar(least_likeness(&number)?))
}

fn parse_numeric(value: &Value) -> Result<Compare, OperandError> {
    let Value::Object(entries) = value else {
        return Err(OperandError::new(format!("`numeric` must be a mapping, found {}", kind(value)))
            .help("write `{ rel: 0.01 }` or `{ abs: 0.5 }`"));
    };
    let known = ["abs", "rel"];
    if let Some(key) = entries.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(OperandError::unknown_key(key, "`numeric`", &known));
    }
    let get = |key: &str| {
        entries.get(key).map(|entry| parse_number(entry, key).map_err(|error| error.under(key))).transpose()
    };
    let tolerance = match (get("abs")?, get("rel")?) {
        (Some(abs), None) => Tolerance::Absolute(abs),
        (None, Some(rel)) => Tolerance::Relative(rel),
        (Some(_), Some(_)) => return Err(OperandError::new("`numeric` takes `abs` or `rel`, not both")),
        (None, None) => return Err(OperandError::new("`numeric` needs `abs` or `rel`")),
    };
    let (Tolerance::Absolute(off) | Tolerance::Relative(off)) = &tolerance;
    if json_number::compare(off, &Number::from(0)).is_lt() {
        return Err(OperandError::new("a tolerance cannot be negative"));
    }
    Ok(Compare::Numeric(tolerance))
}

fn parse_redactions(value: &Value) -> Result<Vec<Redaction>, OperandError> {
    let Value::Object(entries) = value else {
        return Err(OperandError::new(format!(
            "`redact` must be a mapping of paths and their replacements, found {}",
            kind(value)
        ))
        .help("write `redact: { $.ticket_id: \"[id]\" }`"));
    };
    if entries.is_empty() {
        return Err(OperandError::new("`redact` is an empty mapping"));
    }
    let redactions = entries.iter().map(|(path, with)| {
        let path: JsonPath = parse_path(&Value::from(path.as_str())).map_err(|error| OperandError {
            at: vec![path.clone()],
            spot: super::OperandPlace::Key,
            ..error
        })?;
        if path.as_str().trim() == "$" {
            return Err(OperandError::at_key("$", "`redact` of `$` leaves nothing to compare"));
        }
        Ok(Redaction { path, with: with.clone() })
    });
    redactions.collect()
}
