//! The forms of runs that pause, by their tokens.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use super::stored_run::StoredRun;
use crate::dify::mock::answer::pauses::PendingForm;

/// Forms that are remembered.
const MOST_FORMS: usize = 10_000;

/// Forms by their tokens; beyond the bound, the oldest are forgotten.
#[derive(Default)]
pub struct StoredForms {
    order: VecDeque<String>,
    by_token: HashMap<String, FormEntry>,
}

/// A form of a run that may already be forgotten.
struct FormEntry {
    run: Weak<StoredRun>,
    pause: usize,
    form: usize,
}

/// A form of a run.
pub struct StoredForm {
    /// The run.
    pub run: Arc<StoredRun>,
    /// Which pause of the run, from 0.
    pub pause: usize,
    /// Which form of the pause, from 0.
    pub form: usize,
}

impl StoredForms {
    /// Remembers the forms of a pause.
    pub fn remember(&mut self, stored: &Arc<StoredRun>, pause: usize) {
        let count = stored.run.graph.pauses.get(pause).map_or(0, Vec::len);
        for form in 0..count {
            let token = PendingForm::find(&stored.run, pause, form).and_then(|form| form.token());
            let Some(token) = token else { continue };
            self.order.push_back(token.clone());
            self.by_token.insert(token, FormEntry { run: Arc::downgrade(stored), pause, form });
        }
        while self.order.len() > MOST_FORMS {
            if let Some(oldest) = self.order.pop_front() {
                self.by_token.remove(&oldest);
            }
        }
    }

    /// The form of a token, while its run is remembered.
    pub fn find(&self, token: &str) -> Option<StoredForm> {
        let entry = self.by_token.get(token)?;
        Some(StoredForm { run: entry.run.upgrade()?, pause: entry.pause, form: entry.form })
    }
}
