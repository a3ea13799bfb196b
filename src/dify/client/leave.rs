//! Leaves runs that nobody waits for any more: asks Dify to stop them, once, and says what came of that.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::dify::client::failure;
use crate::dify::client::message;
use crate::dify::transcript::{Ending, Recovery, StopOutcome, Transcript};

/// How long the server is given to acknowledge a stop.
const STOP_WAIT: Duration = Duration::from_secs(3);

/// How long the end of a run is awaited after it was asked to stop; Dify reports it within a second.
pub const AFTER_STOP: Duration = Duration::from_secs(2);

/// Asks Dify to stop tasks.
#[derive(Debug, Clone, Copy)]
pub struct Stopper<'a> {
    /// The connection pool.
    pub http: &'a reqwest::Client,
    /// The address below which the calls are.
    pub base: &'a Url,
    /// `Bearer …`.
    pub authorization: &'a HeaderValue,
    /// Dify's end user: the run's own.
    pub user: &'a str,
}

impl Stopper<'_> {
    /// Asks the server to stop a task. That it says yes proves no more than that it was asked.
    pub async fn stop(&self, task_id: &str) -> StopOutcome {
        let request = message::stop(self.authorization, self.base, task_id, self.user);
        match tokio::time::timeout(STOP_WAIT, self.http.execute(request)).await {
            Ok(Ok(answer)) if answer.status().is_success() => StopOutcome::Asked,
            Ok(Ok(answer)) => StopOutcome::Failed(format!("HTTP {}", answer.status().as_u16())),
            Ok(Err(error)) => StopOutcome::Failed(failure::reason(&error)),
            Err(_) => StopOutcome::Failed(format!("no answer within {} s", STOP_WAIT.as_secs())),
        }
    }

    /// Asks for the stop of a run that was given up, if nobody did before and there is a task to name.
    pub async fn stop_left(&self, transcript: Transcript) -> Transcript {
        if transcript.stopping.is_some() || transcript.told_after.is_some() || !is_left_running(&transcript) {
            return transcript;
        }
        let stopping = match &transcript.answer.ids.task {
            Some(task_id) => self.stop(task_id).await,
            None => StopOutcome::NoTask,
        };
        Transcript { stopping: Some(stopping), ..transcript }
    }
}

/// True when the run may go on although nobody listens any more.
fn is_left_running(transcript: &Transcript) -> bool {
    match &transcript.ending {
        Ending::Stalled { .. }
        | Ending::TimedOut { .. }
        | Ending::Stopped { .. }
        | Ending::Exceeded { .. }
        | Ending::Unreadable { .. } => true,
        Ending::Cut { .. } | Ending::Rejected(_) => {
            matches!(transcript.recovery, Some(Recovery::Lost { .. }))
        }
        Ending::Finished
        | Ending::ErrorEvent(_)
        | Ending::Paused
        | Ending::Unanswered { .. }
        | Ending::NotSent { .. } => false,
    }
}

/// True where a run was given up whose end is worth one look: it was not looked for before.
pub fn is_worth_a_look(transcript: &Transcript) -> bool {
    let was_given_up = matches!(
        transcript.ending,
        Ending::TimedOut { .. } | Ending::Stopped { .. } | Ending::Exceeded { .. }
    );
    was_given_up && transcript.recovery.is_none() && transcript.told_after.is_none()
}
