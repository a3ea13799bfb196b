//! The cassettes of a run, by their path: what a suite has recorded, and how it is used.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::exchange::RecordedExchange;
use super::mask::Mask;
use super::mode::{Mode, Speed};
use crate::base::redact::Redactor;

/// The cassettes of a run.
#[derive(Debug)]
pub struct CassetteShelf {
    /// What is sent and recorded; `None`: nothing is recorded, and only the mock replays.
    pub mode: Option<Mode>,
    /// How fast recorded answers come.
    pub speed: Speed,
    /// What is masked.
    pub mask: Mask,
    cassettes: BTreeMap<PathBuf, Cassette>,
    all: Vec<Arc<RecordedExchange>>,
}

/// What one suite has recorded.
#[derive(Debug)]
pub struct Cassette {
    /// The file, as messages name it.
    pub shown: Arc<str>,
    pub(super) exchanges: Vec<Arc<RecordedExchange>>,
    pub(super) by_test: HashMap<String, Vec<usize>>,
    /// True where its recording ended before there was a file: what is missing has yet to be recorded.
    pub is_partial: bool,
}

impl CassetteShelf {
    /// A shelf without cassettes.
    pub fn new(mode: Option<Mode>, speed: Speed, redactor: Redactor) -> Self {
        Self { mode, speed, mask: Mask::new(redactor), cassettes: BTreeMap::new(), all: Vec::new() }
    }

    /// Puts a cassette that was read on the shelf and numbers its exchanges.
    pub fn add(&mut self, path: PathBuf, shown: Arc<str>, recorded: Vec<RecordedExchange>) {
        let (mut exchanges, mut by_test) = (Vec::with_capacity(recorded.len()), HashMap::new());
        for (at, recorded) in recorded.into_iter().enumerate() {
            let exchange = Arc::new(RecordedExchange { number: self.all.len(), ..recorded });
            by_test.entry(exchange.test.clone()).or_insert_with(Vec::new).push(at);
            self.all.push(exchange.clone());
            exchanges.push(exchange);
        }
        self.cassettes.insert(path, Cassette { shown, exchanges, by_test, is_partial: false });
    }

    /// Notes that the recording of a cassette ended before there was a file.
    pub fn mark_partial(&mut self, path: &Path) {
        if let Some(cassette) = self.cassettes.get_mut(path) {
            cassette.is_partial = true;
        }
    }

    /// The cassette at a path, where there is one.
    pub fn cassette(&self, path: &Path) -> Option<&Cassette> {
        self.cassettes.get(path)
    }

    /// True when there is any cassette, an empty one too.
    pub fn is_any(&self) -> bool {
        !self.cassettes.is_empty()
    }

    /// Every exchange, in the order of its number.
    pub fn exchanges(&self) -> &[Arc<RecordedExchange>] {
        &self.all
    }
}
