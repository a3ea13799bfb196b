//! Gives an answer, once, and follows the run on; where its rest is lost, the run is looked for as any other.

use std::time::Duration;

use super::call::FormReply;
use super::{FormConnection, ReadyAnswer, count};
use crate::base::clock;
use crate::dify::client::assemble::StreamReader;
use crate::dify::client::document;
use crate::dify::client::failure;
use crate::dify::client::follow::SentRun;
use crate::dify::client::http_answer::{HttpAnswer, execute};
use crate::dify::client::message;
use crate::dify::client::recover::RunSearch;
use crate::dify::client::recover::loss;
use crate::dify::client::wait::after;
use crate::dify::transcript::{Ending, SideCall, StallKind, Transcript};
use crate::dify::wire::gateway::reach;

/// How long the head of the events is waited for before the answer is sent: a proxy may hold it back until there are events.
const HEAD_WAIT: Duration = Duration::from_secs(5);

/// The events of a run that waits, as they were asked for before its answer was sent.
enum EarlyEvents {
    /// They come.
    Open(HttpAnswer),
    /// The call has no answer yet.
    Pending,
    /// The call broke, and how: the run is looked for once it is answered.
    Broken(String),
}

impl FormConnection<'_> {
    /// Follows the run, sends the answer, and reads on.
    pub(super) async fn answer(
        &self,
        sent: &mut SentRun<'_, '_>,
        ready: &ReadyAnswer,
        transcript: Transcript,
        answered: &[String],
    ) -> Transcript {
        let ended = |ending, transcript| Transcript { ending, ..transcript };
        let events =
            execute(self.http, message::events(self.authorization, self.base, &ready.run_id, self.user));
        tokio::pin!(events);
        let early = match sent.waiter.wait(after(clock::now(), HEAD_WAIT), &mut events).await {
            Ok(head) => match self.early(sent, ready, head).await {
                Ok(early) => early,
                Err(ending) => return ended(ending, transcript),
            },
            Err(given_up) => match sent.ending_of(given_up, StallKind::Idle) {
                Ending::Stalled { .. } => EarlyEvents::Pending,
                ending => return ended(ending, transcript),
            },
        };
        let asked_at = sent.at + transcript.elapsed;
        let answered_at = clock::now();
        let reply = match self.submit(sent, ready).await {
            Ok(reply) => reply,
            Err(ending) => return ended(ending, transcript),
        };
        let mut transcript = count(transcript, answered_at.saturating_duration_since(asked_at));
        sent.at = answered_at.checked_sub(transcript.elapsed).unwrap_or(sent.at);
        if let FormReply::Lost(why) = reply {
            transcript.pauses.unsure = Some(format!(
                "the answer to the form of `{}` was sent once, and its reply was lost ({why})",
                ready.name
            ));
        }
        let response = match early {
            EarlyEvents::Open(response) => Ok(response),
            EarlyEvents::Broken(detail) => Err(Ending::Cut { detail }),
            EarlyEvents::Pending => {
                let deadline = after(answered_at, sent.timeouts.first_event);
                match sent.waiter.wait(deadline, &mut events).await {
                    Ok(head) => self.late(sent, ready, head).await,
                    Err(given_up) => Err(sent.ending_of(given_up, StallKind::FirstEvent)),
                }
            }
        };
        match response {
            Ok(response) => {
                let reader = StreamReader::resume(transcript, sent.max_body, answered.to_vec());
                sent.read_stream(response, reader, answered_at).await
            }
            Err(ending) => Transcript { ending, elapsed: sent.elapsed(), ..transcript },
        }
    }

    /// Looks for a run that was answered and whose rest was lost.
    pub(super) async fn find_again(
        &self,
        sent: &mut SentRun<'_, '_>,
        ready: &ReadyAnswer,
        told: Transcript,
        answered: &[String],
    ) -> Transcript {
        let was_given = told.pauses.answered.len() == answered.len();
        let Some(loss) = loss(&told, &self.waits).filter(|_| was_given) else { return told };
        let search = RunSearch {
            caller: self.caller,
            waiter: &mut *sent.waiter,
            waits: self.waits,
            timeouts: sent.timeouts,
            request: self.request,
            sent_at: sent.at,
            users: self.users,
            answered,
        };
        let found = search.run(told, loss).await;
        match (&found.ending, &found.pauses.unsure) {
            // Nothing but the form that was answered is waited for: Dify did not take it.
            (Ending::Paused, Some(unsure)) if !waits_for_more(&found, answered) => {
                let detail = format!("{unsure}; the run {} still waits for it", ready.run_id);
                Transcript { ending: Ending::Unanswered { detail, hint: Some(AGAIN) }, ..found }
            }
            _ => found,
        }
    }

    /// The events as they are before the answer; what cannot be followed at all is reported before anything is sent.
    async fn early(
        &self,
        sent: &mut SentRun<'_, '_>,
        ready: &ReadyAnswer,
        head: Result<HttpAnswer, reqwest::Error>,
    ) -> Result<EarlyEvents, Ending> {
        match head {
            Err(error) => Ok(EarlyEvents::Broken(broken(&failure::reason(&error)))),
            Ok(head) if reach(head.status().as_u16()).is_some() => {
                Ok(EarlyEvents::Broken(broken(&format!("HTTP {}", head.status().as_u16()))))
            }
            Ok(head) => self.stream(sent, ready, head).await.map(EarlyEvents::Open),
        }
    }

    /// The events as they come once the answer was sent: whatever is wrong with them, the run goes on.
    async fn late(
        &self,
        sent: &mut SentRun<'_, '_>,
        ready: &ReadyAnswer,
        head: Result<HttpAnswer, reqwest::Error>,
    ) -> Result<HttpAnswer, Ending> {
        let cut = |why: &str| Ending::Cut { detail: broken(why) };
        let head = head.map_err(|error| cut(&failure::reason(&error)))?;
        let status = head.status().as_u16();
        self.stream(sent, ready, head).await.map_err(|ending| match ending {
            Ending::Unanswered { .. } | Ending::Unreadable { .. } => cut(&format!("HTTP {status}")),
            other => other,
        })
    }

    /// The stream behind a head; anything else means that the run cannot be followed.
    async fn stream(
        &self,
        sent: &mut SentRun<'_, '_>,
        ready: &ReadyAnswer,
        response: HttpAnswer,
    ) -> Result<HttpAnswer, Ending> {
        let what = format!("the run that waits at `{}` cannot be followed", ready.name);
        if let Some(why) = response.unreadable() {
            return Err(Ending::Unreadable { detail: format!("{what}: {why}") });
        }
        let content_type = message::content_type(response.headers());
        if response.status().as_u16() == 200 && document::is_stream(&content_type) {
            return Ok(response);
        }
        Err(self.refused(sent, &what, (SideCall::Events, response)).await)
    }
}

/// What is done about an answer that Dify did not take.
const AGAIN: &str = "run the test again: an answer is never sent twice, for a second one could be another's";

fn broken(why: &str) -> String {
    format!("the call for the run's events broke ({why})")
}

/// True where a pause is reported whose forms are not all answered.
fn waits_for_more(transcript: &Transcript, answered: &[String]) -> bool {
    let forms = super::waiting(transcript, answered);
    forms.iter().any(|form| form.id.as_ref().is_none_or(|id| !answered.contains(id)))
}
