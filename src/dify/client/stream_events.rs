//! Reads a stream event by event: what each frame adds to the record; pure.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use crate::base::borrowed_json::BorrowedValue;
use crate::base::json_path::show_place;
use crate::dify::client::stream_flaws::decides;
use crate::dify::client::stream_record::{RunIdRule, StreamRecord};
use crate::dify::transcript::{Arrival, Ending, NodeSummary, NodesUsage, ReadableText, RunCap};
use crate::dify::wire::chunk::{ChunkTemplate, TextChunk};
use crate::dify::wire::error;
use crate::dify::wire::event::{EventKind, StreamEvent};
use crate::dify::wire::sse::SseFrame;

/// Events longer than this, bytes, are counted before a tree is made of them.
const LONG_EVENT: usize = 64 * 1024;

impl StreamRecord {
    /// Takes a frame with the time it came; breaks once the run has ended.
    pub fn take_frame(&mut self, frame: SseFrame<'_>, at: Duration) -> ControlFlow<()> {
        match frame {
            SseFrame::Event { event: b"ping", .. } | SseFrame::Bare { event: b"ping" } => {
                self.transcript.pings += 1
            }
            SseFrame::Bare { .. } => {}
            SseFrame::Event { data, .. } => return self.take_data(data, at),
        }
        ControlFlow::Continue(())
    }

    /// Takes a data event with the time it came; breaks once the run has ended.
    pub fn take_data(&mut self, data: &[u8], at: Duration) -> ControlFlow<()> {
        let number = self.transcript.events.len() + 1;
        let Ok(text) = std::str::from_utf8(data) else {
            return self.unreadable(format!("event {number} is not JSON: it is not UTF-8"));
        };
        if self.repeats.tells_again(&self.transcript.events, text) {
            return ControlFlow::Continue(());
        }
        if let Some(chunk) = self.take_chunk(text, at) {
            let chunk_length = chunk.length();
            // A chunk is taken only where it has the known fields and types, and no others.
            let fits = self.contract.as_ref().map(|contract| contract.version);
            return self.keep(chunk.fitting(fits), chunk_length);
        }
        if text.len() > LONG_EVENT && !self.room.has_room_for_tree(data) {
            let bound = self.room.bound();
            return self.unreadable(format!("event {number} holds more values than are read: {bound}"));
        }
        let readable = ReadableText::of(text);
        let text = &*readable.text;
        let json = match BorrowedValue::read(text) {
            Ok(json @ BorrowedValue::Object(_)) => json,
            Ok(_) => return self.unreadable(format!("event {number} is JSON but no object")),
            Err(error) => return self.unreadable(format!("event {number} is not JSON: {error}")),
        };
        if json["event"] == "ping" {
            self.transcript.pings += 1;
            return ControlFlow::Continue(());
        }
        if json["event"].as_str().is_none_or(str::is_empty) {
            return self.unreadable(format!("event {number} has no name in `event`: it is none of Dify's"));
        }
        let event = StreamEvent::of_app(json, &self.transcript.app);
        self.note_time(at);
        let flaws = readable.flaws(&event.json, Some(number - 1));
        if let Some(flaw) = flaws.iter().find(|flaw| decides(event.kind, flaw)) {
            let key = show_place(&flaw.place);
            return self
                .unreadable(format!("event {number} gives `{key}` twice: which value counts is not known"));
        }
        if self.ids != RunIdRule::Unchecked
            && let Some(detail) = self.foreign_id(&event)
        {
            return self.unreadable(detail);
        }
        self.take_event(&event, (text, flaws), at)
    }

    /// Takes an event if it is a chunk and nothing more.
    fn take_chunk(&mut self, event: &str, at: Duration) -> Option<Arrival> {
        if let Some(mold) = self.mold.take() {
            let text = mold.text(event);
            let arrival = text.map(|text| {
                self.note_time(at);
                self.note_text(text, mold.node_id(), at);
                Arrival::of_mold(at, mold.clone(), text)
            });
            self.mold = Some(mold);
            if arrival.is_some() {
                return arrival;
            }
        }
        let chunk = TextChunk::read(event)?;
        let is_other = |own: &Option<String>, told: &str| own.as_deref().is_some_and(|own| own != told);
        let transcript = &self.transcript;
        if is_other(&transcript.answer.ids.run, &chunk.workflow_run_id)
            || is_other(&transcript.answer.ids.task, &chunk.task_id)
        {
            // The ordinary way says what that means.
            return None;
        }
        self.note_time(at);
        self.transcript.answer.ids.run.get_or_insert_with(|| chunk.workflow_run_id.to_string());
        self.transcript.answer.ids.task.get_or_insert_with(|| chunk.task_id.to_string());
        self.note_text(chunk.text(), chunk.node_id(), at);
        self.mold = ChunkTemplate::of(event, &chunk).map(Arc::new).or(self.mold.take());
        Some(Arrival::new(at, event))
    }

    pub(super) fn unreadable(&mut self, detail: String) -> ControlFlow<()> {
        self.ending = Some(Ending::Unreadable { detail });
        ControlFlow::Break(())
    }

    fn note_time(&mut self, at: Duration) {
        let gap = at.saturating_sub(self.last_event_at);
        self.last_event_at = at;
        let transcript = &mut self.transcript;
        transcript.answer.first_event_at.get_or_insert(at);
        transcript.answer.max_gap = Some(transcript.answer.max_gap.map_or(gap, |longest| longest.max(gap)));
    }

    /// Takes ids from whichever event has them: the first may be lost.
    pub(super) fn note_ids(&mut self, event: &StreamEvent<'_>) {
        let transcript = &mut self.transcript;
        if transcript.answer.ids.run.is_none() {
            transcript.answer.ids.run = event.run_id().map(str::to_owned);
        }
        if transcript.answer.ids.task.is_none() {
            transcript.answer.ids.task = event.task_id().map(str::to_owned);
        }
        if transcript.app.sends_messages() {
            let ids = &mut transcript.answer.ids;
            ids.message = ids.message.take().or_else(|| event.message_id().map(str::to_owned));
            ids.conversation = ids.conversation.take().or_else(|| event.conversation_id().map(str::to_owned));
        }
        if transcript.answer.ids.workflow.is_none() {
            transcript.answer.ids.workflow = event.text("workflow_id").map(str::to_owned);
        }
    }

    pub(super) fn note_event(
        &mut self,
        event: &StreamEvent<'_>,
        text: &Arc<str>,
        at: Duration,
    ) -> Option<Ending> {
        let data = event.data();
        match event.kind {
            EventKind::Message | EventKind::AgentMessage => self.note_piece(event, at),
            EventKind::MessageReplace => self.replace_message(event),
            EventKind::AgentThought => self.note_thought(event),
            EventKind::MessageEnd => return self.note_message_end(event),
            EventKind::NodeStarted => self.nodes.start(data, at),
            EventKind::NodeFinished => {
                if let Some(exceeded) = self.meter.as_mut().and_then(|meter| weigh(meter, data)) {
                    (self.left, self.meter) = (Some(exceeded), None);
                }
                self.nodes.finish(data, text, at);
            }
            EventKind::NodeRetry => {
                if self.nodes.retry(data, at) {
                    self.doubt_text(format!(
                        "text of a try of `{}` that was given up was streamed",
                        name(data)
                    ));
                }
            }
            EventKind::IterationStarted | EventKind::LoopStarted => self.nodes.start_container(data, at),
            EventKind::IterationNext | EventKind::LoopNext => self.nodes.next_round(data),
            EventKind::IterationCompleted | EventKind::LoopCompleted => {
                self.nodes.finish_container(data, text, at);
            }
            EventKind::TextChunk => {
                if let Some(text) = data["text"].as_str() {
                    self.note_text(
                        text,
                        data["from_variable_selector"].items().first().and_then(BorrowedValue::as_str),
                        at,
                    );
                }
            }
            EventKind::TextReplace => match data["text"].as_str() {
                Some(text) => text.clone_into(&mut self.transcript.answer.text),
                None => self.doubt_text("an event `text_replace` has no `data.text`".to_owned()),
            },
            EventKind::WorkflowPaused if self.repeats.is_over(&data.to_value()) => {}
            EventKind::WorkflowFinished | EventKind::WorkflowPaused => return Some(self.note_end(event)),
            EventKind::Error => {
                let mut error = error::classify_event(&event.json.to_value());
                error.not_started &= self.transcript.events.is_empty();
                return Some(Ending::ErrorEvent(error));
            }
            EventKind::WorkflowStarted | EventKind::HumanInputRequired | EventKind::Other => {}
        }
        None
    }

    pub(super) fn note_text(&mut self, text: &str, node_id: Option<&str>, at: Duration) {
        self.transcript.answer.text.push_str(text);
        if let Some(node_id) = node_id
            && !text.trim().is_empty()
        {
            self.nodes.token(node_id, at);
        }
    }

    fn note_end(&mut self, event: &StreamEvent<'_>) -> Ending {
        let data = event.data();
        let paused = event.kind == EventKind::WorkflowPaused || data["status"] == "paused";
        if !paused && data["status"].as_str().is_none() {
            let number = self.transcript.events.len() + 1;
            return Ending::Unreadable {
                detail: format!("event {number}, workflow_finished, has no `data.status`"),
            };
        }
        if self.transcript.answer.ids.run.is_none() {
            self.transcript.answer.ids.run = event.text("id").map(str::to_owned);
        }
        self.transcript.answer.run = Some(data.to_value().into());
        if paused { Ending::Paused } else { Ending::Finished }
    }
}

/// A node as people know it.
fn name<'d>(data: &'d BorrowedValue<'_>) -> &'d str {
    data["title"].as_str().or_else(|| data["node_id"].as_str()).unwrap_or_default()
}

/// Adds what a finished node used; a run that used more than it may is given up.
fn weigh((cap, spent): &mut (RunCap, NodesUsage), data: &BorrowedValue<'_>) -> Option<Ending> {
    let node_type = data["node_type"].as_str().unwrap_or_default();
    if !matches!(node_type, "iteration" | "loop") {
        spent.add(&NodeSummary::of(node_type, data));
    }
    cap.exceeded_by(spent).map(|detail| Ending::Exceeded { detail })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert::check::contract_deviations;
    use crate::dify::client::assemble::{BodyEnd, StreamReader, begin};
    use crate::dify::transcript::{PostedRequest, ResponseMode, Transcript};
    use crate::dify::wire::contract::Contracts;

    #[test]
    fn an_event_that_fits_is_noted_and_one_that_does_not_is_told() {
        let contracts = Contracts::new();
        let chunk = |more: &str| {
            format!(
                r#"{{"event":"text_chunk","workflow_run_id":"r","task_id":"t","data":{{"text":"a","from_variable_selector":["n","text"]{more}}}}}"#
            )
        };
        let error = r#"{"event":"error","workflow_run_id":null,"code":"x","status":400,"message":"m"}"#;
        let events = [chunk(""), chunk(""), chunk(r#","surprise":1"#), chunk(""), error.to_owned()];
        for (version, fitting) in [("1.14.2", "1.14"), ("1.12.1", "1.12")] {
            let read = |contracts| {
                let begun = begin(ResponseMode::Streaming, serde_json::json!({}), PostedRequest::default());
                let begun = Transcript { dify_version: Some(version.to_owned()), ..begun };
                let mut reader = StreamReader::new(begun, 1_000).watched(contracts);
                for event in &events {
                    let _ = reader.take_event(event, Duration::ZERO);
                }
                reader.finish(&BodyEnd::Clean)
            };
            let (watched, unwatched) = (read(Some(&contracts)), read(None));
            let fits: Vec<_> = watched.events.iter().map(|event| event.fits).collect();
            let known = Some(fitting);
            assert_eq!(fits, [known, known, None, known, known]);
            assert!(unwatched.events.iter().all(|event| event.fits.is_none()));
            let told = contract_deviations(&watched, &contracts);
            assert_eq!(told, contract_deviations(&unwatched, &contracts));
            let said = told.1.iter().map(|(deviation, event)| (deviation.to_string(), *event));
            let surprise = ("`text_chunk` has a new field `data.surprise` (integer)".to_owned(), Some(3));
            assert!(said.collect::<Vec<_>>().contains(&surprise), "{told:?}");
        }
    }
}
