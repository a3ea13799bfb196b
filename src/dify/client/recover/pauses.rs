//! When a run that is found paused is taken for one that waits; pure.

use crate::dify::client::recover::loss::has_events;
use crate::dify::client::recover::run_search::RunSearch;
use crate::dify::transcript::RunResult;

/// Looks that found a run paused.
#[derive(Default)]
pub(super) struct PausedLooks {
    /// Such looks so far.
    looks: u32,
    /// What the last one reported.
    pub last: Option<RunResult>,
}

/// Polls of a paused run that are spent on the forms it waits at, which only its events show.
const FORM_LOOKS: u32 = 3;

impl PausedLooks {
    /// Whether a further look that finds the run paused settles it: after an answer it may show what was before it, and
    /// where there are answers left, the events may yet show the form.
    pub fn settles(&mut self, search: &RunSearch<'_, '_>, version: Option<&str>) -> bool {
        self.looks += 1;
        if !search.answered.is_empty() {
            return false;
        }
        let wants_form = has_events(version) && !search.request.answers.is_empty();
        !wants_form || self.looks > FORM_LOOKS
    }
}
