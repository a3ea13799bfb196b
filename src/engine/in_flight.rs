//! What is noted of attempts at work, and how those are looked for that a kill interrupted.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::assert::check;
use crate::base::clock;
use crate::base::digest::Digest;
use crate::base::lock::lock;
use crate::dify::transcript::{Recovery, StopOutcome, Transcript, UserScope, WorkflowRequest};
use crate::engine::Engine;
use crate::engine::attempt::{JudgedAttempt, MadeRequest};
use crate::engine::cassettes::AnswerRoute;
use crate::engine::request::AttemptId;
use crate::engine::waiting::AttemptWaits;
use crate::plan::case::{Case, TargetKind};
use crate::record::attempt::ObservedUse;
use crate::record::event::{AbandonedHow, AttemptStart, Event, LeftAttempt, SinkError};

/// Attempts that a kill interrupted, by case and repeat.
pub type InterruptedAttempts = HashMap<(Digest, u32), Vec<AttemptStart>>;

impl Engine {
    /// Looks for these attempts before their tests are sent again.
    #[must_use]
    pub fn taking_up(self, interrupted: Vec<AttemptStart>) -> Self {
        {
            let mut known = lock(&self.interrupted);
            for start in interrupted {
                known.entry((start.key, start.repeat)).or_default().push(start);
            }
        }
        self
    }

    /// Notes that an attempt is about to be sent to a live target; nothing is sent that could not be noted.
    pub(super) fn note_start(
        &self,
        case: &Case,
        id: AttemptId,
        request: &WorkflowRequest,
    ) -> Result<(), SinkError> {
        match self.plan.target.kind {
            TargetKind::Live { .. } => {}
            TargetKind::Mock(_) | TargetKind::Replay { .. } => return Ok(()),
        }
        let user = match request.user_scope {
            // That no other attempt has it is seen when the record is read again.
            UserScope::Attempt | UserScope::Repeat => Some(request.user.clone()),
            UserScope::Shared => None,
        };
        self.tell(&Event::AttemptStarted(AttemptStart {
            case: case.ordinal,
            key: case.key,
            print: case.print,
            repeat: id.repeat,
            attempt: id.attempt,
            run: self.run_id.to_string(),
            sent: clock::timestamp_text(clock::wall()),
            user,
        }))
    }

    /// Notes an attempt that was given up with the run: what it used was paid.
    pub(super) fn note_left(
        &self,
        case: &Case,
        id: AttemptId,
        transcript: &Transcript,
    ) -> Result<(), SinkError> {
        let never_ran = transcript.ending.nothing_ran();
        let how = match &transcript.stopping {
            _ if never_ran || transcript.ended_by_itself() => AbandonedHow::Ended,
            None => AbandonedHow::Ended,
            Some(StopOutcome::Asked) => AbandonedHow::AskedToStop,
            Some(StopOutcome::Failed(_)) => AbandonedHow::StopFailed,
            Some(StopOutcome::NoTask) => AbandonedHow::NotStoppable,
        };
        let seen = check::seen_at_least(transcript);
        self.tell(&Event::AttemptLeft(LeftAttempt {
            case: case.ordinal,
            key: case.key,
            repeat: id.repeat,
            attempt: id.attempt,
            run_id: transcript.answer.ids.run.clone(),
            how,
            seen: if never_ran { ObservedUse { nothing: true, ..ObservedUse::default() } } else { seen },
        }))
    }

    /// Looks for the runs of this repeat that a kill interrupted; the first that is found is judged, and not sent again.
    ///
    /// A run that is there and has not ended is not sent again either: two would run at once.
    pub(super) async fn interrupted(&self, case: &Case, repeat: u32) -> Option<JudgedAttempt> {
        let starts = {
            let mut known = lock(&self.interrupted);
            known.remove(&(case.key, repeat))?
        };
        for start in starts.iter().filter(|start| start.print == case.print) {
            let id = AttemptId { repeat, attempt: start.attempt };
            if let Some(judged) = self.look_for(case, id, start).await {
                return Some(judged);
            }
        }
        None
    }

    async fn look_for(&self, case: &Case, id: AttemptId, start: &AttemptStart) -> Option<JudgedAttempt> {
        let user = start.user.clone()?;
        let sent: Timestamp = start.sent.parse().ok()?;
        let scope = self.scope_of_run(case, id, &start.run).ok()?;
        let request = self.request(case, id, &scope).ok()?;
        let request = WorkflowRequest { user, user_scope: UserScope::Attempt, ..request };
        let ago = Duration::try_from(clock::wall().duration_since(sent)).unwrap_or_default();
        let (key, _) = super::app_of(&self.plan.target, &case.test.app);
        let (timeouts, mut stop) = (self.timeouts_of(case), self.stop.subscribe());
        let transcript = self.client.find(&key, &request, (&timeouts, ago), &mut stop).await;
        let is_there = match &transcript.recovery {
            Some(Recovery::Recovered { .. }) => true,
            Some(Recovery::Lost { going_on, .. }) => *going_on,
            None => false,
        };
        if !is_there || self.stopping().is_some() {
            return None;
        }
        let (waiting, sent) = (AttemptWaits::begin(), clock::now());
        let made = MadeRequest {
            case,
            id,
            scope,
            waiting,
            sent,
            held: Duration::ZERO,
            meant: None,
            route: AnswerRoute::Send(None),
        };
        self.judge_answer(&made, &transcript).await
    }
}
