//! Counts tries and runs, for `times` and for versions that change.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

use serde_json::{Map, Value};

use crate::base::lock::lock;

/// Chains that are counted; beyond them counting starts again, so that memory stays bounded.
const MOST_CHAINS: usize = 65_536;

/// Counts the tries of chains that name no attempt, and the runs of apps.
#[derive(Debug, Default)]
pub struct TryCounts {
    counts: Mutex<HashMap<u64, u64>>,
}

impl TryCounts {
    /// The number of this try, from 0: all requests to one app with the same inputs are one chain.
    pub fn next_try(&self, app: &str, inputs: &Map<String, Value>) -> u32 {
        let mut hasher = DefaultHasher::new();
        (app, serde_json::to_string(inputs).unwrap_or_default()).hash(&mut hasher);
        u32::try_from(self.next(hasher.finish())).unwrap_or(u32::MAX)
    }

    /// How many runs of an app came before this one.
    pub fn runs_before(&self, app: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        ("runs of", app).hash(&mut hasher);
        self.next(hasher.finish())
    }

    fn next(&self, key: u64) -> u64 {
        let mut counts = lock(&self.counts);
        if counts.len() >= MOST_CHAINS && !counts.contains_key(&key) {
            counts.clear();
        }
        let count = counts.entry(key).or_insert(0);
        *count += 1;
        *count - 1
    }
}
