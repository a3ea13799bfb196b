//! One look at a run that was given up, so that what it used is known if it has ended.

use crate::dify::client::recover::run_search::RunSearch;
use crate::dify::client::recover::search::OngoingSearch;
use crate::dify::client::recover::sight::{DetailFinding, LogFinding};
use crate::dify::transcript::{RunResult, Transcript};

impl RunSearch<'_, '_> {
    /// Looks once at a run that was given up: notes its id, and its facts if it has ended.
    ///
    /// Dify says `running` of a run that was stopped: that proves nothing.
    pub async fn glance(mut self, transcript: Transcript) -> Transcript {
        let until = self.waiter.end;
        let mut climb = OngoingSearch::new(&mut self, &transcript, (until, Some(1)));
        let Some(id) = climb.id_at_once().await else { return transcript };
        let told_after = climb.end_at_once(&id).await;
        let mut transcript = Transcript { told_after, ..transcript };
        transcript.answer.ids.run = Some(id);
        transcript
    }
}

impl OngoingSearch<'_, '_, '_> {
    /// The run's id: the one that was reported, or that of the one run of our user.
    async fn id_at_once(&mut self) -> Option<String> {
        match &self.lost.answer.ids.run {
            Some(id) => Some(id.clone()),
            None if self.is_unique() => match self.look_into_logs().await {
                Ok(LogFinding::One(id)) => Some(id),
                Ok(
                    LogFinding::Nothing
                    | LogFinding::Several(_)
                    | LogFinding::Refused(_)
                    | LogFinding::Unclear(_),
                )
                | Err(_) => None,
            },
            None => None,
        }
    }

    /// The facts of a run that has ended, by one look.
    async fn end_at_once(&mut self, id: &str) -> Option<RunResult> {
        match self.look(id).await {
            Ok(DetailFinding::Ended(run) | DetailFinding::Paused(run)) => Some(run),
            Ok(
                DetailFinding::Running
                | DetailFinding::Unknown
                | DetailFinding::Foreign(_)
                | DetailFinding::Refused(_)
                | DetailFinding::Unclear(_),
            )
            | Err(_) => None,
        }
    }
}
