//! What may be in no file of snapshots: secrets, and the signatures of addresses.

use std::borrow::Cow;

use serde_json::Value;

use crate::base::redact::{Redactor, Signatures};

/// Masks what is compared and written.
#[derive(Debug, Clone)]
pub struct Cleaner {
    redactor: Redactor,
    signatures: Signatures,
}

impl Cleaner {
    /// Masks these secrets, and all signatures.
    pub fn new(redactor: Redactor) -> Self {
        Self { redactor, signatures: Signatures::new() }
    }

    /// The value with secrets and signatures masked.
    pub fn clean(&self, mut value: Value) -> Value {
        self.redactor.json(&mut value);
        self.sign(&mut value);
        value
    }

    fn sign(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(masked) = self.signatures.mask(text) {
                    *text = masked;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.sign(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.sign(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
