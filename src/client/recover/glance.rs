//! One look at a run that was given up, so that what it used is known if it has ended.

use serde_json::Value;

use crate::client::recover::Search;
use crate::client::recover::climb::Climb;
use crate::client::recover::sight::{Found, Sight};
use crate::exchange::Transcript;

impl Search<'_, '_> {
    /// Looks once at a run that was given up: notes its id, and its facts if it has ended.
    ///
    /// Dify says `running` of a run that was stopped: that proves nothing.
    pub async fn glance(mut self, transcript: Transcript) -> Transcript {
        let until = self.waiter.end;
        let mut climb = Climb::new(&mut self, &transcript, (until, Some(1)));
        let Some(id) = climb.id_at_once().await else { return transcript };
        let told_after = climb.end_at_once(&id).await;
        Transcript { run_id: Some(id), told_after, ..transcript }
    }
}

impl Climb<'_, '_, '_> {
    /// The run's id: the one that was told, else that of the one run of our user.
    async fn id_at_once(&mut self) -> Option<String> {
        match &self.lost.run_id {
            Some(id) => Some(id.clone()),
            None if self.is_unique() => match self.look_into_logs().await {
                Ok(Found::One(id)) => Some(id),
                Ok(Found::Nothing | Found::Several(_) | Found::Refused(_) | Found::Unclear(_)) | Err(_) => {
                    None
                }
            },
            None => None,
        }
    }

    /// The facts of a run that has ended, by one look.
    async fn end_at_once(&mut self, id: &str) -> Option<Value> {
        match self.look(id).await {
            Ok(Sight::Ended(run) | Sight::Paused(run)) => Some(run),
            Ok(
                Sight::Running | Sight::Unknown | Sight::Foreign(_) | Sight::Refused(_) | Sight::Unclear(_),
            )
            | Err(_) => None,
        }
    }
}
