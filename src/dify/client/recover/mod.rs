//! Finds a lost run again: follows its events, reads its detail, looks for it in the logs; never sends it anew.
//!
//! What a look means is decided by pure files (`loss`, `sight`, `same`, `replay`); this one and `ask` wait and call.

mod ask;
mod glance;
mod loss;
mod pauses;
mod replay;
mod run_search;
mod same;
mod search;
mod search_result;
mod sight;
mod users;

#[cfg(test)]
mod tests;

use crate::base::clock;
use crate::dify::client::wait::{WaitEnd, after};
use crate::dify::transcript::{Ending, NodeRun, RecoveredBy, Recovery, Trace, Transcript};

pub use self::ask::Caller;
pub use self::loss::{LostRun, loss};
pub use self::run_search::RunSearch;
pub use self::users::Users;

use self::search::OngoingSearch;
use self::search_result::{KnownRun, SearchEnd, SearchResult};

impl RunSearch<'_, '_> {
    /// Looks for a lost run until its end is known or the patience ends; total time and the word to stop end it sooner.
    pub async fn run(mut self, lost: Transcript, loss: LostRun) -> Transcript {
        let now = clock::now();
        let until = after(now, loss.patience).min(self.waiter.end);
        let once_seen = after(now, self.waits.deadline).min(self.waiter.end);
        let mut climb = OngoingSearch::new(&mut self, &lost, (until, loss.looks)).patient_until(once_seen);
        let found = match lost.answer.ids.run.clone() {
            Some(id) => climb.watch(&id, RecoveredBy::Detail).await.map(|known| (id, known)),
            None => climb.find_and_watch().await,
        };
        let SearchResult { nodes, version, shown, going_on } = climb.gathered();
        let elapsed = clock::now().saturating_duration_since(self.sent_at);
        let transcript = Transcript { elapsed, dify_version: version, ..lost };
        match found {
            Ok((id, known)) => recovered(transcript, (id, known), nodes, loss.how),
            Err(SearchEnd::Lost(why, trace)) => Transcript {
                recovery: Some(Recovery::Lost { lost: loss.how, why, trace, going_on }),
                ..transcript
            },
            Err(SearchEnd::GivenUp(given_up)) => {
                let why = shown.unwrap_or_else(|| "no look for it was answered".to_owned());
                let recovery = Some(Recovery::Lost { lost: loss.how, why, trace: Trace::Seen, going_on });
                let ending = match given_up {
                    WaitEnd::Deadline => Ending::TimedOut { after: self.timeouts.total },
                    WaitEnd::Stopped(reason) => Ending::Stopped { reason: reason.to_string() },
                };
                Transcript { ending, recovery, ..transcript }
            }
        }
    }
}

/// The transcript of a run whose end is known; its times are not.
fn recovered(
    transcript: Transcript,
    (id, KnownRun { ending, run, by }): (String, KnownRun),
    told: Vec<NodeRun>,
    lost: String,
) -> Transcript {
    let mut answer = transcript.answer;
    replay::join(&mut answer.nodes, told);
    answer.nodes.iter_mut().for_each(|node| node.first_token_at = None);
    answer.ids.workflow = answer.ids.workflow.or_else(|| run.workflow_id().map(str::to_owned));
    answer.ids.run = Some(id);
    (answer.run, answer.first_token_at, answer.max_gap) = (Some(run), None, None);
    Transcript { ending, answer, recovery: Some(Recovery::Recovered { by, lost }), ..transcript }
}
