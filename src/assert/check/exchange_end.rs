//! What kind of end an exchange came to, and which answers prove a refusal.

use crate::dify::transcript::{Ending, ReportedStatus, RunResult, Transcript};
use crate::dify::wire::error::{ErrorClass, WireError};
use crate::dify::wire::input_refusal::is_input_refusal;
use crate::record::attempt::Cause;

/// What kind of end the exchange came to.
#[derive(Debug)]
pub(super) enum ExchangeEnd<'t> {
    /// A run with a final `data`.
    Ran(&'t RunResult),
    /// Refused before any node ran.
    Rejected {
        /// Dify's words.
        message: &'t str,
        /// Dify's code, where it sent one.
        code: Option<&'t str>,
        /// The final `data`, where this version of Dify makes a failed run of it.
        run: Option<&'t RunResult>,
    },
    /// Nothing can be judged.
    Unjudged(Cause),
}

/// A refusal, in one of the three forms that prove one.
pub(super) fn rejected(transcript: &Transcript) -> Option<ExchangeEnd<'_>> {
    let refused =
        |error| ExchangeEnd::Rejected { message: message(error), code: error.code.as_deref(), run: None };
    match &transcript.ending {
        Ending::Rejected(error) if error.class == ErrorClass::Rejected => Some(refused(error)),
        Ending::ErrorEvent(error) => {
            let is_refusal = error.class == ErrorClass::Rejected || is_input_refusal(&error.message);
            (is_refusal && transcript.answer.nodes.is_empty() && transcript.answer.text.is_empty())
                .then(|| refused(error))
        }
        Ending::Finished => {
            let run = transcript.answer.run.as_ref()?;
            let message = run.error()?;
            let is_refusal = run.status() == Some(ReportedStatus::Failed)
                && run.steps() == Some(0)
                && transcript.answer.nodes.is_empty()
                && is_input_refusal(message);
            is_refusal.then_some(ExchangeEnd::Rejected { message, code: None, run: Some(run) })
        }
        Ending::Rejected(_)
        | Ending::Stalled { .. }
        | Ending::Cut { .. }
        | Ending::Unreadable { .. }
        | Ending::TimedOut { .. } => None,
        Ending::Stopped { .. }
        | Ending::Exceeded { .. }
        | Ending::Paused
        | Ending::Unanswered { .. }
        | Ending::NotSent { .. } => None,
    }
}

fn message(error: &WireError) -> &str {
    &error.message
}
