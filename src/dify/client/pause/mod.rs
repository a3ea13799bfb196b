//! Runs that wait for people: their forms are answered from the request, and the run is followed to its end.
//!
//! The events are followed from before the answer is sent, so that nothing falls between. The clock of the transcript stops
//! still from the pause until the answer is sent: that time is ours, not the workflow's.

mod answer;
mod call;
mod given;
mod retell;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::base::clock;
use crate::dify::client::follow::SentRun;
use crate::dify::client::wait::after;
use crate::dify::transcript::{
    Ending, FormAnswerTime, HumanAnswer, NodeRun, ResponseMode, RunResult, Transcript, UnusedAnswer,
};
use crate::dify::wire::form::HumanForm;

pub use self::call::FormConnection;
pub use self::retell::retell;

impl FormConnection<'_> {
    /// Answers the forms of a run for as long as it pauses and there are answers; notes the answers left over.
    pub async fn go_on(
        &self,
        sent: &mut SentRun<'_, '_>,
        answers: &[HumanAnswer],
        mut transcript: Transcript,
    ) -> Transcript {
        let mut giving = AnswerDelivery::of(answers);
        while let Some((form, answer)) = giving.next(&mut transcript) {
            transcript = match self.prepare(sent, form, answer, &transcript).await {
                Ok(ready) => {
                    let told = self.answer(sent, &ready, transcript, &giving.answered).await;
                    self.find_again(sent, &ready, told, &giving.answered).await
                }
                Err(ending) => Transcript { ending, ..transcript },
            };
        }
        giving.close(transcript)
    }

    /// Everything that can be wrong with an answer, before anything is sent.
    async fn prepare(
        &self,
        sent: &mut SentRun<'_, '_>,
        mut form: HumanForm,
        answer: &HumanAnswer,
        transcript: &Transcript,
    ) -> Result<ReadyAnswer, Ending> {
        let token = form.token.clone().ok_or_else(|| Ending::Unanswered {
            detail: format!("the form of `{}` has no token: it goes out by e-mail only", form.name()),
            hint: Some("let the node deliver its form by Web App too: the API answers no other"),
        })?;
        let run_id = transcript.answer.ids.run.clone().ok_or_else(|| Ending::Unanswered {
            detail: format!("the run that waits at `{}` did not report its id", form.name()),
            hint: None,
        })?;
        let page = self.fetch(sent, form.name(), &token).await?;
        if !form.complete(&page) {
            let detail = format!(
                "the form of `{}` cannot be read: it has no `inputs` and `user_actions`",
                form.name()
            );
            return Err(Ending::Unreadable { detail });
        }
        let given = given::check(&form, answer)?;
        let inputs = self.upload(sent, given.inputs, &answer.files).await?;
        let body = serde_json::json!({ "inputs": inputs, "action": given.action, "user": self.user });
        Ok(ReadyAnswer { name: form.name().to_owned(), token, run_id, body })
    }
}

/// The answers of a request while they are given one after the other.
struct AnswerDelivery<'a> {
    all: &'a [HumanAnswer],
    left: Vec<&'a HumanAnswer>,
    /// The forms that were answered.
    answered: Vec<String>,
}

impl<'a> AnswerDelivery<'a> {
    fn of(answers: &'a [HumanAnswer]) -> Self {
        Self { all: answers, left: answers.iter().collect(), answered: Vec::new() }
    }

    /// The form that is answered next, with its answer; `None` where the run does not wait or nobody answers it.
    fn next(&mut self, transcript: &mut Transcript) -> Option<(HumanForm, &'a HumanAnswer)> {
        if transcript.ending != Ending::Paused {
            return None;
        }
        transcript.pauses.waiting = waiting(transcript, &self.answered);
        let (form, answer) = next_answer(&transcript.pauses.waiting, &mut self.left)?;
        self.answered.extend(form.id.clone());
        Some((form, answer))
    }

    /// Notes what is left over, and forgets what was reported about a part of the run only.
    fn close(&self, mut transcript: Transcript) -> Transcript {
        if transcript.ending != Ending::Paused {
            transcript.pauses.waiting.clear();
        }
        let is_answered = !transcript.pauses.answered.is_empty();
        if transcript.mode == ResponseMode::Blocking && is_answered {
            forget_stream(&mut transcript);
        }
        if transcript.mode == ResponseMode::Streaming && is_answered && is_torn(&transcript) {
            transcript.pauses.is_torn = true;
            (transcript.answer.first_token_at, transcript.answer.max_gap) = (None, None);
        }
        let count = |answers: &[&HumanAnswer], node: &str| {
            answers.iter().filter(|answer| answer.node == node).count()
        };
        let all: Vec<&HumanAnswer> = self.all.iter().collect();
        let unused = self.left.iter().map(|answer| UnusedAnswer {
            node: answer.node.clone(),
            place: answer.place.clone(),
            used_before: count(&all, &answer.node) - count(&self.left, &answer.node),
        });
        transcript.pauses.unused = unused.collect();
        transcript
    }
}

/// An answer that can be sent.
struct ReadyAnswer {
    /// The node's name.
    name: String,
    token: String,
    run_id: String,
    body: Value,
}

/// The forms a pause waits for; a token that the pause leaves out may be in the event of the form.
fn waiting(transcript: &Transcript, answered: &[String]) -> Vec<HumanForm> {
    let Some(reasons) = transcript.answer.run.as_ref().and_then(RunResult::reasons) else {
        return seen(transcript, answered);
    };
    let mut forms = HumanForm::waiting(reasons);
    for form in forms.iter_mut().filter(|form| form.token.is_none()) {
        let told =
            transcript.events.iter().rev().filter(|event| event.text().contains("human_input_required"));
        let mut same =
            told.map(|event| HumanForm::decode(&event.json()["data"])).filter(|told| told.id == form.id);
        form.token = same.find_map(|told| told.token);
    }
    forms
}

/// The forms that events reported and nobody answered: a pause that only the run's detail shows has no others.
fn seen(transcript: &Transcript, answered: &[String]) -> Vec<HumanForm> {
    let told = transcript.events.iter().filter(|event| event.text().contains("human_input_required"));
    let mut forms: Vec<HumanForm> = told.map(|event| HumanForm::decode(&event.json()["data"])).collect();
    forms.retain(|form| form.id.as_ref().is_some_and(|id| !answered.contains(id)));
    forms
}

/// The first form for which there is an answer, with the first answer for it.
fn next_answer<'a>(
    forms: &[HumanForm],
    left: &mut Vec<&'a HumanAnswer>,
) -> Option<(HumanForm, &'a HumanAnswer)> {
    forms.iter().find_map(|form| {
        let at = left.iter().position(|answer| form.is_of(&answer.node))?;
        Some((form.clone(), left.remove(at)))
    })
}

/// Counts an answer, and what Dify begins again for it.
fn count(mut transcript: Transcript, waited: Duration) -> Transcript {
    let nodes = transcript.answer.run.as_ref().and_then(RunResult::paused_nodes);
    let nodes = nodes.unwrap_or(transcript.pauses.waiting.len());
    transcript.pauses.restarts += nodes as u64;
    let given = FormAnswerTime { events: transcript.events.len(), at: transcript.elapsed };
    transcript.pauses.answered.push(given);
    transcript.pauses.lasted += waited;
    transcript
}

/// True where the run ended unseen: its end was repeated by a run that was over, or a node that was answered never
/// finished in what was reported.
fn is_torn(transcript: &Transcript) -> bool {
    let Ending::Finished = transcript.ending else { return false };
    let last = transcript.events.last().map(|event| event.json()["task_id"].take());
    let told_again =
        last.is_some_and(|task| task.is_string() && task.as_str() == transcript.answer.ids.run.as_deref());
    told_again || transcript.answer.nodes.iter().any(NodeRun::waits_for_person)
}

/// A blocking answer reports nothing about nodes and text; what a part of the run reported about them would be half the truth.
fn forget_stream(transcript: &mut Transcript) {
    transcript.answer.nodes.clear();
    transcript.answer.text.clear();
    (transcript.answer.first_event_at, transcript.answer.first_token_at, transcript.answer.max_gap) =
        (None, None, None);
}

/// When the silence of a call has lasted too long.
fn quiet(sent: &SentRun<'_, '_>) -> Instant {
    after(clock::now(), sent.timeouts.idle)
}
