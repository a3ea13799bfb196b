//! The events of chat apps: pieces of a message, an agent's thoughts, and the end of it; pure.

use std::time::Duration;

use crate::base::borrowed_json::BorrowedValue;
use crate::dify::client::stream_record::StreamRecord;
use crate::dify::transcript::{AgentThought, Ending, MessageResult, Transcript};
use crate::dify::wire::app_mode::AppMode;
use crate::dify::wire::event::StreamEvent;

impl StreamRecord {
    /// Adds a piece to the text of a message.
    pub(super) fn note_piece(&mut self, event: &StreamEvent<'_>, at: Duration) {
        let selector = event.json["from_variable_selector"].items();
        match event.json["answer"].as_str() {
            Some(piece) => self.note_text(piece, selector.first().and_then(BorrowedValue::as_str), at),
            None => self.doubt_text("an event of a message has no text in `answer`".to_owned()),
        }
    }

    /// Puts other text in the place of a message's.
    pub(super) fn replace_message(&mut self, event: &StreamEvent<'_>) {
        match event.json["answer"].as_str() {
            Some(text) => text.clone_into(&mut self.transcript.answer.text),
            None => self.doubt_text("an event `message_replace` has no text in `answer`".to_owned()),
        }
    }

    /// Notes a thought of an agent, in the place of what was reported about it before.
    pub(super) fn note_thought(&mut self, event: &StreamEvent<'_>) {
        let Some(thought) = AgentThought::of(event.json.to_value()) else { return };
        let thoughts = &mut self.transcript.answer.thoughts;
        match thoughts.iter_mut().find(|known| known.id == thought.id) {
            Some(known) => *known = thought,
            None => thoughts.push(thought),
        }
    }

    /// Notes the end of a message; `None` where a run that began has its own end to come.
    pub(super) fn note_message_end(&mut self, event: &StreamEvent<'_>) -> Option<Ending> {
        self.transcript.answer.message = Some(MessageResult::of(event.json.to_value()));
        (!awaits_run(&self.transcript)).then_some(Ending::Finished)
    }
}

/// True where a run began: of a chatflow, moderation and annotations answer without one.
fn awaits_run(transcript: &Transcript) -> bool {
    transcript.app == AppMode::AdvancedChat && transcript.answer.ids.run.is_some()
}
