//! Sends requests to the target, and replays recorded exchanges through the same client.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::dify::cassette::{FilePrint, RecordedExchange, RecordedResponse, Speed};
use crate::dify::client::{RecordedTimes, StopSignal, Timeouts, retell, retime};
use crate::dify::mock::book::recorded_name;
use crate::dify::transcript::{Ending, FileVariable, Transcript, WorkflowRequest};
use crate::dify::wire::contract::Contracts;
use crate::dify::wire::request::{remote_file, uploaded_file};
use crate::engine::current_run::CurrentRun;
use crate::engine::target::{AppAccess, EngineError, ServerConnection, mock_key, replay_speed};
use crate::plan::case::Case;

/// The connections of a run.
pub struct RequestSender {
    run: Arc<CurrentRun>,
    target: ServerConnection,
    /// Replays exchanges if the target is live; otherwise the target does.
    cassettes: Option<ServerConnection>,
}

impl RequestSender {
    /// Connects to the target; starts the mock servers that the run needs.
    pub fn open(run: &Arc<CurrentRun>, contracts: &Arc<Contracts>) -> Result<Self, EngineError> {
        Ok(Self {
            run: run.clone(),
            target: ServerConnection::to_target(run, contracts)?,
            cassettes: ServerConnection::to_cassettes(run)?,
        })
    }

    /// Stops the mock servers.
    pub async fn close(&self) {
        self.target.close().await;
        if let Some(cassettes) = &self.cassettes {
            cassettes.close().await;
        }
    }

    /// The waits of an attempt of this case.
    pub fn timeouts_of(&self, case: &Case) -> Timeouts {
        case.test.timeout.map_or(self.target.timeouts, |total| self.timeouts_within(total))
    }

    /// The waits of the target, all within this limit.
    pub fn timeouts_within(&self, total: Duration) -> Timeouts {
        Timeouts { total, ..self.target.timeouts }
    }

    /// Sends a request to an app and follows its run to the end.
    pub async fn send(
        &self,
        app: &str,
        request: &WorkflowRequest,
        timeouts: &Timeouts,
        stop: &mut StopSignal,
    ) -> Transcript {
        let AppAccess { key, .. } = AppAccess::of(&self.run.plan.target, app);
        self.target.client.run(&key, request, timeouts, stop).await
    }

    /// Looks up the run of a request that an interrupted process sent `age` ago; sends no request to run anything.
    pub async fn find(&self, case: &Case, request: &WorkflowRequest, age: Duration) -> Transcript {
        let AppAccess { key, .. } = AppAccess::of(&self.run.plan.target, &case.test.app);
        let (timeouts, mut stop) = (self.timeouts_of(case), self.run.stop_signal());
        self.target.client.find(&key, request, (&timeouts, age), &mut stop).await
    }

    /// Replays an exchange; if it is replayed at once, the transcript gets the recorded times.
    pub async fn replay(
        &self,
        recorded: &RecordedExchange,
        request: &WorkflowRequest,
        timeouts: &Timeouts,
        stop: &mut StopSignal,
    ) -> Transcript {
        let answers = request.answers.as_slice();
        let (key, request) = (mock_key(&recorded.asked.app), replay_request(recorded, request));
        let client = &self.cassettes.as_ref().unwrap_or(&self.target).client;
        let transcript = client.run(&key, &request, timeouts, stop).await;
        let RecordedResponse { after, elapsed, .. } = &recorded.heard;
        let paused_at = recorded.heard.first_elapsed();
        let transcript = match replay_speed(&self.run.plan) {
            Speed::RealTime => transcript,
            Speed::AtOnce => {
                let events = recorded.heard.times();
                retime(
                    transcript,
                    &RecordedTimes { events: &events, elapsed: paused_at, total: timeouts.total },
                )
            }
        };
        if transcript.ending != Ending::Paused {
            let elapsed = transcript.elapsed;
            return retell(transcript, &[], answers, (elapsed, timeouts.total));
        }
        if replay_speed(&self.run.plan) == Speed::RealTime {
            let rest = elapsed.min(&timeouts.total).saturating_sub(paused_at);
            tokio::select! {
                biased;
                _ = stop.wait_for(Option::is_some) => {
                    let reason = "the run was stopped".to_owned();
                    return Transcript { ending: Ending::Stopped { reason }, ..transcript };
                }
                () = tokio::time::sleep(rest) => {}
            }
        }
        retell(transcript, after, answers, (*elapsed, timeouts.total))
    }
}

/// The request by which the mock finds a recorded exchange. Nothing is uploaded: files are named by what was recorded of them.
fn replay_request(recorded: &RecordedExchange, request: &WorkflowRequest) -> WorkflowRequest {
    let mut request = WorkflowRequest {
        cap: Default::default(),
        answers: Vec::new(),
        mock_attempt: Some(recorded_name(recorded.number)),
        workflow_id: None,
        ..request.clone()
    };
    for (name, variable) in std::mem::take(&mut request.files) {
        let prints = recorded.asked.files.iter().find(|(known, _)| *known == name);
        let mut values = prints.iter().flat_map(|(_, prints)| prints).map(recorded_file);
        let value = match variable {
            FileVariable::One(_) => values.next().unwrap_or_default(),
            FileVariable::Many(_) => Value::Array(values.collect()),
        };
        request.inputs.insert(name, value);
    }
    request
}

/// A file as the inputs name it; the id of an upload is made from its content.
fn recorded_file(print: &FilePrint) -> Value {
    match &print.blake3 {
        None => remote_file(&print.kind, &print.name),
        Some(hash) => uploaded_file(&print.kind, &format!("recorded-{hash}")),
    }
}
