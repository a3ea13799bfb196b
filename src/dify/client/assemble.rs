//! Bytes and their arrival times become a Transcript; pure: reads no clock and does no I/O.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::base::plural::plural;
use crate::dify::client::nodes::Nodes;
use crate::dify::client::repeats::RepeatedEvents;
use crate::dify::client::room::Room;
use crate::dify::client::stream_record::{RunIdRule, StreamRecord};
use crate::dify::transcript::{Ending, NodesUsage, RunCap, Transcript};
use crate::dify::wire::contract::Contracts;
use crate::dify::wire::sse::{Decoder, SseTail};

pub use crate::dify::client::begin::begin;

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
    record: StreamRecord,
}

impl StreamReader {
    /// Begins to read into a transcript; `limit` bounds one event, in bytes.
    pub fn new(transcript: Transcript, limit: u64) -> Self {
        let record = StreamRecord::new(transcript, Room::of(limit));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { decoder: Decoder::new(limit), record }
    }

    /// Goes on with a run that was answered, in a stream of its own.
    pub fn resume(mut transcript: Transcript, limit: u64, answered: Vec<String>) -> Self {
        let nodes =
            Nodes::resume(std::mem::take(&mut transcript.answer.nodes), transcript.answer.first_token_at);
        let repeats = RepeatedEvents::after(transcript.events.len(), answered);
        let last_event_at = transcript.elapsed;
        let mut reader = Self::new(transcript, limit);
        (reader.record.nodes, reader.record.last_event_at) = (nodes, last_event_at);
        reader.record.repeats = repeats;
        reader.record.ids = RunIdRule::CheckedButTask;
        reader
    }

    /// Passes over pauses that wait for nothing but these forms.
    #[must_use]
    pub fn beyond(mut self, answered: &[String]) -> Self {
        self.record.repeats = RepeatedEvents::after(0, answered.to_vec());
        self
    }

    /// Gives the run up where the nodes that have finished used more than it may.
    #[must_use]
    pub fn capped(mut self, cap: &RunCap) -> Self {
        let spent = || NodesUsage::of(&self.record.nodes.runs);
        self.record.meter = (!cap.is_empty()).then(|| (cap.clone(), spent()));
        self
    }

    /// Notes of each event whether it is as the version of Dify that answers is known to send it.
    #[must_use]
    pub fn watched(mut self, contracts: Option<&Contracts>) -> Self {
        let version = self.record.transcript.dify_version.as_deref();
        self.record.contract = contracts.map(|contracts| contracts.of(version).clone());
        self
    }

    /// Leaves the ids in the events to whoever judges whose run it is.
    #[must_use]
    pub fn of_any_run(mut self) -> Self {
        self.record.ids = RunIdRule::Unchecked;
        self
    }

    /// Gives the run up for this reason, and reads on: what still comes says what it used.
    pub fn leave(&mut self, ending: Ending) {
        self.record.left.get_or_insert(ending);
        self.record.meter = None;
    }

    /// Why the run was given up, if it was.
    pub fn left(&self) -> Option<&Ending> {
        self.record.left.as_ref()
    }

    /// The task that runs it, once that is known.
    pub fn task_id(&self) -> Option<&str> {
        self.record.transcript.answer.ids.task.as_deref()
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
    pub fn finish(self, end: &BodyEnd) -> Transcript {
        let ending = match &self.record.ending {
            Some(own) => own.clone(),
            None => Ending::Cut { detail: self.describe_cut(end) },
        };
        self.give_up(ending)
    }

    /// Ends the reading for a reason of ours; the stream's own ending wins.
    pub fn give_up(self, ending: Ending) -> Transcript {
        let StreamRecord { mut transcript, nodes, ending: own, left, .. } = self.record;
        let has_ended = matches!(own, Some(Ending::Finished | Ending::Paused));
        if left.is_some() && has_ended {
            transcript.told_after = transcript.answer.run.take();
        }
        transcript.ending = left.or(own).unwrap_or(ending);
        transcript.answer.nodes = nodes.runs;
        transcript.answer.first_token_at = nodes.first_token_at;
        transcript
    }

    fn describe_cut(&self, end: &BodyEnd) -> String {
        let Transcript { events, pings, .. } = &self.record.transcript;
        let place = match events.len() {
            0 => "before the first event".to_owned(),
            count => format!("after {count} {}", plural(count, "event", "events")),
        };
        let mut detail = match (end, self.decoder.finish()) {
            (BodyEnd::Clean, SseTail::Clean) => {
                format!("the stream ended {place}, without workflow_finished")
            }
            (BodyEnd::Clean, SseTail::Half) => format!("the stream ended {place}, in the middle of the next"),
            (BodyEnd::Broken(how), SseTail::Clean) => format!("{how} {place}"),
            (BodyEnd::Broken(how), SseTail::Half) => format!("{how} {place}, in the middle of the next"),
        };
        if events.is_empty() && *pings > 0 {
            detail.push_str(
                ": nothing but a ping came, as Dify 1.13 and 1.14 answer bad inputs; `response_mode: blocking` shows the reason",
            );
        }
        detail
    }
}
