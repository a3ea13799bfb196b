//! Bytes and their arrival times become a Transcript; pure: reads no clock and does no I/O.

use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::Value;

use crate::client::nodes::Nodes;
use crate::client::repeats::Repeats;
use crate::exchange::{Arrival, Cap, Ending, Spent, Transcript};
use crate::wire::error;
use crate::wire::event::{Event, EventKind, TextChunk};
use crate::wire::sse::{Decoder, Frame, Tail};

pub use crate::client::begin::begin;

/// How a body came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyEnd {
    /// As HTTP ends a body.
    Clean,
    /// The connection broke; says how.
    Broken(String),
}

/// Reads a stream as it comes.
#[derive(Debug)]
pub struct StreamReader {
    decoder: Decoder,
    record: Record,
}

/// What the stream told so far.
#[derive(Debug)]
struct Record {
    transcript: Transcript,
    nodes: Nodes,
    /// Set by the event that ends the run.
    ending: Option<Ending>,
    last_event_at: Duration,
    repeats: Repeats,
    /// The most the run may use, and what its nodes used so far; none where nothing is capped.
    meter: Option<(Cap, Spent)>,
}

impl StreamReader {
    /// Begins to read into a transcript; `limit` bounds one event, in bytes.
    pub fn new(transcript: Transcript, limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let record = Record {
            transcript,
            nodes: Nodes::default(),
            ending: None,
            last_event_at: Duration::ZERO,
            repeats: Repeats::default(),
            meter: None,
        };
        Self { decoder: Decoder::new(limit), record }
    }

    /// Goes on with a run that was answered, in a stream of its own.
    pub fn resume(mut transcript: Transcript, limit: u64, answered: Vec<String>) -> Self {
        let nodes = Nodes::resume(std::mem::take(&mut transcript.nodes), transcript.first_token_at);
        let repeats = Repeats::after(transcript.events.len(), answered);
        let last_event_at = transcript.elapsed;
        let mut reader = Self::new(transcript, limit);
        (reader.record.nodes, reader.record.last_event_at) = (nodes, last_event_at);
        reader.record.repeats = repeats;
        reader
    }

    /// Breaks also where the nodes that have finished used more than the run may.
    #[must_use]
    pub fn capped(mut self, cap: &Cap) -> Self {
        let spent = || Spent::of(&self.record.nodes.runs);
        self.record.meter = (!cap.is_empty()).then(|| (cap.clone(), spent()));
        self
    }

    /// Bytes that came before this stream.
    pub fn bytes_before(&self) -> u64 {
        self.record.transcript.bytes
    }

    /// Takes the next bytes with the time they came; breaks once the run has ended, whatever may follow.
    pub fn take(&mut self, bytes: &[u8], at: Duration) -> ControlFlow<()> {
        let record = &mut self.record;
        match self.decoder.feed(bytes, |frame| record.take_frame(frame, at)) {
            Ok(flow) => flow,
            Err(too_large) => {
                record.ending = Some(Ending::Unreadable { detail: too_large.to_string() });
                ControlFlow::Break(())
            }
        }
    }

    /// Takes one data event that was read before, with the time it came; breaks once the run has ended.
    pub fn take_event(&mut self, text: &str, at: Duration) -> ControlFlow<()> {
        self.record.take_data(text.as_bytes(), at)
    }

    /// True once a data event came in this stream.
    pub fn has_events(&self) -> bool {
        self.record.transcript.events.len() > self.record.repeats.before
    }

    /// Ends the reading where the body ended.
    pub fn finish(mut self, end: &BodyEnd) -> Transcript {
        let ending = self.record.ending.take();
        let ending = ending.unwrap_or_else(|| Ending::Cut { detail: self.describe_cut(end) });
        self.give_up(ending)
    }

    /// Ends the reading for a reason of ours; the stream's own ending wins.
    pub fn give_up(self, ending: Ending) -> Transcript {
        let Record { mut transcript, nodes, ending: own, .. } = self.record;
        transcript.ending = own.unwrap_or(ending);
        transcript.nodes = nodes.runs;
        transcript.first_token_at = nodes.first_token_at;
        transcript
    }

    fn describe_cut(&self, end: &BodyEnd) -> String {
        let Transcript { events, pings, .. } = &self.record.transcript;
        let place = match events.len() {
            0 => "before the first event".to_owned(),
            1 => "after 1 event".to_owned(),
            count => format!("after {count} events"),
        };
        let mut detail = match (end, self.decoder.finish()) {
            (BodyEnd::Clean, Tail::Clean) => format!("the stream ended {place}, without workflow_finished"),
            (BodyEnd::Clean, Tail::Half) => format!("the stream ended {place}, in the middle of the next"),
            (BodyEnd::Broken(how), Tail::Clean) => format!("{how} {place}"),
            (BodyEnd::Broken(how), Tail::Half) => format!("{how} {place}, in the middle of the next"),
        };
        if events.is_empty() && *pings > 0 {
            detail.push_str(
                ": nothing but a ping came, as Dify 1.13 and 1.14 answer bad inputs; `response_mode: blocking` tells the reason",
            );
        }
        detail
    }
}

impl Record {
    fn take_frame(&mut self, frame: Frame<'_>, at: Duration) -> ControlFlow<()> {
        match frame {
            Frame::Event { event: b"ping", .. } | Frame::Bare { event: b"ping" } => {
                self.transcript.pings += 1
            }
            Frame::Bare { .. } => {}
            Frame::Event { data, .. } => return self.take_data(data, at),
        }
        ControlFlow::Continue(())
    }

    fn take_data(&mut self, data: &[u8], at: Duration) -> ControlFlow<()> {
        let number = self.transcript.events.len() + 1;
        let Ok(text) = std::str::from_utf8(data) else {
            return self.unreadable(format!("event {number} is not JSON: it is not UTF-8"));
        };
        if self.repeats.tells_again(&self.transcript.events, text) {
            return ControlFlow::Continue(());
        }
        if let Some(chunk) = TextChunk::read(text) {
            self.take_chunk(&chunk, at);
            self.transcript.events.push(Arrival { at, text: text.into() });
            return ControlFlow::Continue(());
        }
        let json = match serde_json::from_str::<Value>(text) {
            Ok(json) if json.is_object() => json,
            Ok(_) => return self.unreadable(format!("event {number} is JSON but no object")),
            Err(error) => return self.unreadable(format!("event {number} is not JSON: {error}")),
        };
        if json["event"] == "ping" {
            self.transcript.pings += 1;
            return ControlFlow::Continue(());
        }
        let event = Event::from_json(json);
        self.note_time(at);
        self.note_ids(&event);
        let ending = self.note_event(event, at);
        self.transcript.events.push(Arrival { at, text: text.into() });
        if ending.is_some() {
            self.ending = ending;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn take_chunk(&mut self, chunk: &TextChunk<'_>, at: Duration) {
        self.note_time(at);
        self.transcript.run_id.get_or_insert_with(|| chunk.workflow_run_id.to_string());
        self.transcript.task_id.get_or_insert_with(|| chunk.task_id.to_string());
        self.note_text(chunk.text(), chunk.node_id(), at);
    }

    fn unreadable(&mut self, detail: String) -> ControlFlow<()> {
        self.ending = Some(Ending::Unreadable { detail });
        ControlFlow::Break(())
    }

    fn note_time(&mut self, at: Duration) {
        let gap = at.saturating_sub(self.last_event_at);
        self.last_event_at = at;
        let transcript = &mut self.transcript;
        transcript.first_event_at.get_or_insert(at);
        transcript.max_gap = Some(transcript.max_gap.map_or(gap, |longest| longest.max(gap)));
    }

    /// Takes ids from whichever event has them: the first may be lost.
    fn note_ids(&mut self, event: &Event) {
        let transcript = &mut self.transcript;
        if transcript.run_id.is_none() {
            transcript.run_id = event.run_id().map(str::to_owned);
        }
        if transcript.task_id.is_none() {
            transcript.task_id = event.task_id().map(str::to_owned);
        }
        if transcript.workflow_id.is_none() {
            transcript.workflow_id = event.text("workflow_id").map(str::to_owned);
        }
    }

    fn note_event(&mut self, mut event: Event, at: Duration) -> Option<Ending> {
        let data = event.data();
        match event.kind {
            EventKind::NodeStarted => self.nodes.start(data, at),
            EventKind::NodeFinished => {
                let exceeded = self.meter.as_mut().and_then(|meter| weigh(meter, data));
                self.nodes.finish(event.take_data(), at);
                return exceeded;
            }
            EventKind::NodeRetry => self.nodes.retry(data, at),
            EventKind::IterationStarted | EventKind::LoopStarted => self.nodes.start_container(data, at),
            EventKind::IterationNext | EventKind::LoopNext => self.nodes.next_round(data),
            EventKind::IterationCompleted | EventKind::LoopCompleted => {
                self.nodes.finish_container(event.take_data(), at);
            }
            EventKind::TextChunk => {
                if let Some(text) = data["text"].as_str() {
                    self.note_text(text, data["from_variable_selector"][0].as_str(), at);
                }
            }
            EventKind::WorkflowPaused if self.repeats.is_over(data) => {}
            EventKind::WorkflowFinished | EventKind::WorkflowPaused => return Some(self.note_end(event)),
            EventKind::Error => {
                let mut error = error::classify_event(&event.json);
                error.not_started &= self.transcript.events.is_empty();
                return Some(Ending::ErrorEvent(error));
            }
            EventKind::WorkflowStarted | EventKind::HumanInputRequired | EventKind::Other => {}
        }
        None
    }

    fn note_text(&mut self, text: &str, node_id: Option<&str>, at: Duration) {
        self.transcript.text.push_str(text);
        if let Some(node_id) = node_id
            && !text.trim().is_empty()
        {
            self.nodes.token(node_id, at);
        }
    }

    fn note_end(&mut self, mut event: Event) -> Ending {
        let data = event.data();
        let paused = event.kind == EventKind::WorkflowPaused || data["status"] == "paused";
        if !paused && !data["status"].is_string() {
            let number = self.transcript.events.len() + 1;
            return Ending::Unreadable {
                detail: format!("event {number}, workflow_finished, has no `data.status`"),
            };
        }
        if let (Some(own), Some(other)) = (self.transcript.run_id.as_deref(), event.run_id())
            && own != other
            && !own.is_empty()
        {
            return Ending::Unreadable {
                detail: format!("the stream of the run {own} ends with another's, {other}"),
            };
        }
        if self.transcript.run_id.is_none() {
            self.transcript.run_id = event.text("id").map(str::to_owned);
        }
        self.transcript.run = Some(event.take_data());
        if paused { Ending::Paused } else { Ending::Finished }
    }
}

/// Adds what a finished node used; a run that used more than it may has ended for us.
fn weigh((cap, spent): &mut (Cap, Spent), data: &Value) -> Option<Ending> {
    let node_type = data["node_type"].as_str().unwrap_or_default();
    if !matches!(node_type, "iteration" | "loop") {
        spent.add(node_type, data);
    }
    cap.exceeded_by(spent).map(|detail| Ending::Exceeded { detail })
}
