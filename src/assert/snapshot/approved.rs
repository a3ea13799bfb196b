//! What was approved of one test, and what its attempt took.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use serde_json::Value;

use crate::dify::wire::vary::Varying;

use super::clean::Cleaner;

/// The approved snapshots of a test.
#[derive(Debug, Clone, Default)]
pub struct Approved {
    /// The file they lie in, or will lie in, as messages name it.
    pub shown: String,
    /// The values by their keys.
    pub entries: BTreeMap<String, Value>,
}

/// One snapshot that an attempt took.
#[derive(Debug, Clone, PartialEq)]
pub struct TakenSnapshot {
    /// Its key.
    pub key: String,
    /// What waits for approval; `None` where the value is the approved one.
    pub pending: Option<Value>,
}

/// One attempt's look at its snapshots.
#[derive(Debug)]
pub struct SnapshotAttempt<'a> {
    /// What was approved.
    pub approved: &'a Approved,
    /// What may not be kept.
    pub cleaner: &'a Cleaner,
    /// What varies by itself in the run; set once its transcript is known.
    pub varying: OnceCell<Varying>,
    keys: RefCell<Vec<String>>,
    taken: RefCell<Vec<TakenSnapshot>>,
}

impl<'a> SnapshotAttempt<'a> {
    /// Nothing is taken yet.
    pub fn new(approved: &'a Approved, cleaner: &'a Cleaner) -> Self {
        Self {
            approved,
            cleaner,
            varying: OnceCell::new(),
            keys: RefCell::default(),
            taken: RefCell::default(),
        }
    }

    /// Takes a key for one assertion; false when another has it.
    pub fn claim(&self, key: &str) -> bool {
        let mut keys = self.keys.borrow_mut();
        let is_free = !keys.iter().any(|taken| taken == key);
        if is_free {
            keys.push(key.to_owned());
        }
        is_free
    }

    /// Notes what was taken.
    pub fn note(&self, taken: TakenSnapshot) {
        self.taken.borrow_mut().push(taken);
    }

    /// How many were taken so far.
    pub fn count(&self) -> usize {
        self.taken.borrow().len()
    }

    /// Forgets what would wait for approval since then: the group it belongs to holds without it.
    pub fn forget_since(&self, count: usize) {
        let mut taken = self.taken.borrow_mut();
        let count = count.min(taken.len());
        let later = taken.split_off(count);
        taken.extend(later.into_iter().filter(|taken| taken.pending.is_none()));
    }

    /// What was taken.
    pub fn into_taken(self) -> Vec<TakenSnapshot> {
        self.taken.into_inner()
    }
}
