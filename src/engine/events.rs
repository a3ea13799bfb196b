//! Reports the facts of a run to its listeners, those of one case in order.

use std::sync::{Arc, Mutex};

use crate::assert::check;
use crate::base::clock;
use crate::base::lock::lock;
use crate::dify::transcript::{StopOutcome, Transcript, UserScope, WorkflowRequest};
use crate::engine::current_run::CurrentRun;
use crate::engine::request::AttemptId;
use crate::plan::case::Case;
use crate::record::attempt::ObservedUse;
use crate::record::event::{AbandonedHow, AttemptStart, Event, LeftAttempt, Sink, SinkError};

/// The journal and the other listeners of a run.
pub struct EventLog {
    run: Arc<CurrentRun>,
    sink: Mutex<Box<dyn Sink + Send>>,
}

impl EventLog {
    /// Reports the events of this run.
    pub fn new(run: &Arc<CurrentRun>, sink: Box<dyn Sink + Send>) -> Self {
        Self { run: run.clone(), sink: Mutex::new(sink) }
    }

    /// Records an event.
    pub fn record(&self, event: &Event) -> Result<(), SinkError> {
        lock(&self.sink).take(event)
    }

    /// Records events with no other event between them.
    pub fn record_together(&self, events: impl Iterator<Item = Event>) -> Result<(), SinkError> {
        let mut sink = lock(&self.sink);
        for event in events {
            sink.take(&event)?;
        }
        Ok(())
    }

    /// Records that an attempt is about to be sent to a live target; it must not be sent if that fails.
    pub fn record_start(
        &self,
        case: &Case,
        id: AttemptId,
        request: &WorkflowRequest,
    ) -> Result<(), SinkError> {
        if !self.run.is_live() {
            return Ok(());
        }
        let user = match request.user_scope {
            // Whether no other attempt has this user is checked when the record is read again.
            UserScope::Attempt | UserScope::Repeat => Some(request.user.clone()),
            UserScope::Shared => None,
        };
        self.record(&Event::AttemptStarted(AttemptStart {
            case: case.ordinal,
            key: case.key,
            print: case.print,
            repeat: id.repeat,
            attempt: id.attempt,
            run: self.run.id.to_string(),
            sent: clock::timestamp_text(clock::wall()),
            user,
        }))
    }

    /// Records that an attempt was abandoned when the run was stopped: what it used is paid nevertheless.
    pub fn record_abandoned(
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
        let seen = if never_ran {
            ObservedUse { nothing: true, ..ObservedUse::default() }
        } else {
            check::seen_at_least(transcript)
        };
        self.record(&Event::AttemptLeft(LeftAttempt {
            case: case.ordinal,
            key: case.key,
            repeat: id.repeat,
            attempt: id.attempt,
            run_id: transcript.answer.ids.run.clone(),
            how,
            seen,
        }))
    }
}
