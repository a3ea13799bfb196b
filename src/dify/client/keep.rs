//! What is kept of a stream, event by event, while there is room; pure.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use crate::base::units::format_count;
use crate::dify::client::stream_record::StreamRecord;
use crate::dify::transcript::{Arrival, Flaw};
use crate::dify::wire::event::StreamEvent;

impl StreamRecord {
    /// Notes and keeps an event of this run, with the parts of it that are not known.
    pub(super) fn take_event(
        &mut self,
        event: &StreamEvent<'_>,
        (text, flaws): (&str, Vec<Flaw>),
        at: Duration,
    ) -> ControlFlow<()> {
        self.note_ids(event);
        let fits = self.contract.as_ref().filter(|contract| contract.fits(&event.json));
        let fits = fits.map(|contract| contract.version);
        let again = self.transcript.events.last().and_then(|last| last.same(text));
        let length = if again.is_some() { 0 } else { text.len() };
        let text: Arc<str> = again.unwrap_or_else(|| text.into());
        let (nodes, seen) = (self.nodes.runs.len(), flaws.len());
        let ending = self.note_event(event, &text, at);
        self.note_flaws(event, flaws);
        self.room.grown(self.nodes.runs.len() - nodes, seen);
        let kept = self.keep(Arrival::new(at, text).fitting(fits), length);
        if ending.is_some() {
            self.ending = ending;
            return ControlFlow::Break(());
        }
        kept
    }

    /// Keeps an event of which this many bytes are its own, as far as there is room.
    pub(super) fn keep(&mut self, event: Arrival, length: usize) -> ControlFlow<()> {
        self.transcript.events.push(event);
        self.room.event(length);
        if !self.room.is_full() {
            return ControlFlow::Continue(());
        }
        let (events, nodes) = (self.transcript.events.len(), self.nodes.runs.len());
        let bound = self.room.bound();
        self.unreadable(format!(
            "it has more than {} events, of {} executions of nodes: {bound}",
            format_count(events as u64),
            format_count(nodes as u64)
        ))
    }
}
