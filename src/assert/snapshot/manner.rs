//! How a snapshot is compared, as its assertion says.

use serde_json::Value;

use crate::base::effort::{Effort, EffortError};
use crate::base::json_path::{JsonPath, PathStep};
use crate::base::near::Tolerance;
use crate::base::similarity::Likeness;

/// How a snapshot is compared.
#[derive(Debug, Clone, Default)]
pub struct SnapshotOptions {
    /// How far the found value may be off.
    pub compare: Compare,
    /// What is replaced first, in order.
    pub redact: Vec<Redaction>,
}

/// How far a found value may be from the approved one.
#[derive(Debug, Clone, Default)]
pub enum Compare {
    /// Not at all.
    #[default]
    Exact,
    /// As long as keys and types are the same.
    Structure,
    /// Texts as long as they are this alike; all else not at all.
    Similar(Likeness),
    /// Numbers as long as they are this near; all else not at all.
    Numeric(Tolerance),
}

/// A fixed value in the place of one that changes.
#[derive(Debug, Clone)]
pub struct Redaction {
    /// The places, from the snapshot's value.
    pub path: JsonPath,
    /// What is there instead.
    pub with: Value,
}

impl SnapshotOptions {
    /// Replaces what the assertion says; an error where a path is too much work.
    pub fn redacted(&self, value: &Value, effort: &Effort<'_>) -> Result<Value, EffortError> {
        let mut redacted = value.clone();
        for redaction in &self.redact {
            for place in redaction.path.find_places(&redacted, effort)? {
                replace(&mut redacted, &place, &redaction.with);
            }
        }
        Ok(redacted)
    }
}

/// Puts a value at a place, where that still is: a parent of it may have been replaced before.
fn replace(value: &mut Value, place: &[PathStep], with: &Value) {
    let found = place.iter().try_fold(value, |value, step| match step {
        PathStep::Name(name) => value.get_mut(name.as_str()),
        PathStep::Index(index) => value.get_mut(*index),
    });
    if let Some(found) = found {
        *found = with.clone();
    }
}
