//! Attempts that a kill interrupted: their runs are looked up before their tests are sent again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use crate::base::clock;
use crate::base::digest::Digest;
use crate::base::lock::lock;
use crate::dify::transcript::{Recovery, UserScope, WorkflowRequest};
use crate::engine::checker::AttemptChecker;
use crate::engine::current_run::CurrentRun;
use crate::engine::judged_attempt::JudgedAttempt;
use crate::engine::made_request::MadeRequest;
use crate::engine::request::{AttemptId, render_request, scope_of_run};
use crate::engine::route::AnswerRoute;
use crate::engine::sender::RequestSender;
use crate::engine::waiting::AttemptWaits;
use crate::plan::case::Case;
use crate::record::event::AttemptStart;

/// The interrupted attempts of a run that continues.
pub struct InterruptedAttempts {
    run: Arc<CurrentRun>,
    sender: Arc<RequestSender>,
    starts: Mutex<HashMap<RepeatKey, Vec<AttemptStart>>>,
}

/// A repeat of a case in any process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct RepeatKey {
    case: Digest,
    repeat: u32,
}

impl InterruptedAttempts {
    /// No attempt so far.
    pub fn new(run: &Arc<CurrentRun>, sender: &Arc<RequestSender>) -> Self {
        Self { run: run.clone(), sender: sender.clone(), starts: Mutex::default() }
    }

    /// Adds attempts that started and have no end in the journal.
    pub fn add(&self, interrupted: Vec<AttemptStart>) {
        let mut starts = lock(&self.starts);
        for start in interrupted {
            let key = RepeatKey { case: start.key, repeat: start.repeat };
            starts.entry(key).or_default().push(start);
        }
    }

    /// Looks up the interrupted runs of this repeat; the first that is found is judged, so that it is not sent again.
    ///
    /// A run that exists and has not ended is not sent again either: two would run at once.
    pub async fn recover(&self, case: &Case, repeat: u32, checker: &AttemptChecker) -> Option<JudgedAttempt> {
        let starts = {
            let mut starts = lock(&self.starts);
            starts.remove(&RepeatKey { case: case.key, repeat })?
        };
        for start in starts.iter().filter(|start| start.print == case.print) {
            if let Some(judged) = self.recover_one(case, start, checker).await {
                return Some(judged);
            }
        }
        None
    }

    async fn recover_one(
        &self,
        case: &Case,
        start: &AttemptStart,
        checker: &AttemptChecker,
    ) -> Option<JudgedAttempt> {
        let id = AttemptId { repeat: start.repeat, attempt: start.attempt };
        let user = start.user.clone()?;
        let sent: Timestamp = start.sent.parse().ok()?;
        let scope = scope_of_run(&self.run, case, id, &start.run).ok()?;
        let request = render_request(&self.run, case, id, &scope).ok()?;
        let request = WorkflowRequest { user, user_scope: UserScope::Attempt, ..request };
        let age = Duration::try_from(clock::wall().duration_since(sent)).unwrap_or_default();
        let transcript = self.sender.find(case, &request, age).await;
        let exists = match &transcript.recovery {
            Some(Recovery::Recovered { .. }) => true,
            Some(Recovery::Lost { going_on, .. }) => *going_on,
            None => false,
        };
        if !exists || self.run.stop_reason().is_some() {
            return None;
        }
        let made = MadeRequest {
            case,
            id,
            scope,
            waits: AttemptWaits::begin(),
            sent: clock::now(),
            limit: self.sender.timeouts_of(case).total,
            intended: None,
            route: AnswerRoute::Send(None),
        };
        checker.judge(&made, &transcript).await
    }
}
