//! Records how a case ended.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::tally::outcome_of;
use crate::plan::case::Case;
use crate::record::attempt::{Attempt, CaseOutcome};
use crate::record::event::{Event, SinkError};
use crate::record::verdict::Verdict;

/// How a case ended, and the attempt that explains it.
pub struct CaseResult {
    /// The outcome, as it was recorded.
    pub outcome: Arc<CaseOutcome>,
    /// The last attempt that did not pass, for doors that report it at once.
    pub telling: Option<Arc<Attempt>>,
}

impl Engine {
    /// Records a case that was not sent.
    pub(super) fn close_unsent(
        &self,
        case: &Case,
        verdict: Verdict,
        reason: String,
    ) -> Result<CaseResult, SinkError> {
        self.close_case(None, CaseOutcome { reason: Some(reason), ..outcome_of(case, verdict) }, None)
    }

    /// Records a case, and before it the attempt that ends with it: with no other event between them, both are written together.
    pub(super) fn close_case(
        &self,
        unrecorded: Option<Arc<Attempt>>,
        outcome: CaseOutcome,
        telling: Option<Arc<Attempt>>,
    ) -> Result<CaseResult, SinkError> {
        let outcome = Arc::new(outcome);
        let ends = unrecorded.map(Event::AttemptFinished).into_iter();
        self.events.record_together(ends.chain([Event::CaseFinished(outcome.clone())]))?;
        Ok(CaseResult { outcome, telling })
    }
}
