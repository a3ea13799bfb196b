//! What a stream that continues after a pause may repeat, and what of it is over; pure.

use serde_json::Value;

use crate::dify::transcript::Arrival;
use crate::dify::wire::form::HumanForm;

/// What came before a stream that goes on after a pause; nothing for a run's first stream.
#[derive(Debug, Default)]
pub struct RepeatedEvents {
    /// Events that came before this stream.
    pub before: usize,
    /// Which of them it would repeat next; `None` once it sends something new.
    next: Option<usize>,
    /// Forms that were answered.
    answered: Vec<String>,
}

impl RepeatedEvents {
    /// After this many events, with these forms answered.
    pub fn after(before: usize, answered: Vec<String>) -> Self {
        Self { before, next: (before > 0).then_some(0), answered }
    }

    /// True for an event that came before.
    ///
    /// Some of Dify's event buses begin every stream with all that the run has sent, word for word and in the same order.
    pub fn tells_again(&mut self, events: &[Arrival], text: &str) -> bool {
        let again = self.next.filter(|at| events.get(*at).is_some_and(|event| event.text() == text));
        self.next = again.map(|at| at + 1);
        again.is_some()
    }

    /// True for a pause that waits for nothing but forms that were answered.
    pub fn is_over(&self, pause: &Value) -> bool {
        let forms = HumanForm::waiting(&pause["reasons"]);
        let answered = |form: &HumanForm| form.id.as_ref().is_some_and(|id| self.answered.contains(id));
        !forms.is_empty() && forms.iter().all(answered)
    }
}
