//! Runs one case: waits for its slot, and runs its repeats.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::case_end::CaseResult;
use crate::engine::side_by_side::{CaseRepeats, RepeatingCase};
use crate::engine::tally::CaseTally;
use crate::engine::waiting::{AttemptWaits, WaitReason};
use crate::plan::case::Case;
use crate::record::event::SinkError;
use crate::record::verdict::Verdict;

/// Whether a case begins.
pub(super) enum CaseAdmission {
    /// It begins.
    Begins,
    /// Nothing was sent, and that is recorded.
    Unsent(CaseResult),
    /// The run was stopped meanwhile.
    Stopped,
}

impl Engine {
    /// Runs the case at this place of the plan to its end and records it; `None` if the run was stopped meanwhile.
    pub async fn run_case(self: &Arc<Self>, place: usize) -> Result<Option<CaseResult>, SinkError> {
        let case = &self.plan.cases[place];
        if let Some(skipped) = self.skip(case)? {
            return Ok(Some(skipped));
        }
        let mut waits = AttemptWaits::begin();
        let slot = self.pace.slot().await;
        match self.admit(case)? {
            CaseAdmission::Begins => {}
            CaseAdmission::Unsent(unsent) => return Ok(Some(unsent)),
            CaseAdmission::Stopped => return Ok(None),
        }
        waits.waited_for(WaitReason::Slot);
        if case.test.repeats.times.most() > 1 {
            RepeatingCase::new(self, place, slot).run(waits).await
        } else {
            self.run_once(place, waits).await
        }
    }

    /// Runs a case of one repeat, whose end is recorded with that of its attempt.
    async fn run_once(
        self: &Arc<Self>,
        place: usize,
        waits: AttemptWaits,
    ) -> Result<Option<CaseResult>, SinkError> {
        let mut repeats = CaseRepeats::begin(self, place);
        let mut tally = CaseTally::of_single_attempt();
        let result = self.repeat(&self.plan.cases[place], 0, waits, &mut tally).await?;
        let unrecorded = tally.unrecorded.take();
        repeats.add(result, tally);
        repeats.finish(unrecorded)
    }

    /// Records a case that is skipped; `None` for any other.
    pub(super) fn skip(&self, case: &Case) -> Result<Option<CaseResult>, SinkError> {
        let unsent = |reason: &Arc<str>| self.close_unsent(case, Verdict::Skipped, reason.to_string());
        case.skip.as_ref().map(unsent).transpose()
    }

    /// Whether a case may begin that is not skipped and has its slot.
    pub(super) fn admit(&self, case: &Case) -> Result<CaseAdmission, SinkError> {
        if self.stopping().is_some() {
            return Ok(CaseAdmission::Stopped);
        }
        match self.pace.blocked.cause(&case.test.app) {
            Some(cause) => {
                self.close_unsent(case, Verdict::Errored, cause.not_sent()).map(CaseAdmission::Unsent)
            }
            None => Ok(CaseAdmission::Begins),
        }
    }
}
