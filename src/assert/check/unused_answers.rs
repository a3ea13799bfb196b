//! Answers to forms that nobody asked for.

use crate::dify::transcript::{Ending, Transcript, UnusedAnswer};
use crate::record::verdict::{Finding, Severity, Truth};

use super::cause::cause;

/// An undecided finding for each answer that was never used: the test meant another run than the one that came.
pub fn unused_answers(transcript: &Transcript) -> Vec<Finding> {
    if cause(transcript).is_some() && transcript.ending != Ending::Paused {
        return Vec::new();
    }
    let finding = |unused: &UnusedAnswer| Finding {
        truth: Truth::Undecided,
        severity: Severity::Error,
        place: unused.place.clone(),
        label: format!("human_input `{}`", unused.node),
        message: match unused.used_before {
            _ if is_partly_unseen(transcript) => format!(
                "the answer was not used: whether the run waited at `{}` was not seen, since its answer broke off",
                unused.node
            ),
            0 => format!("the answer was not used: the run never waited at `{}`", unused.node),
            _ => format!("the answer was not used: the run did not wait at `{}` again", unused.node),
        },
        expected: None,
        actual: None,
        diff: None,
        members: Vec::new(),
    };
    transcript.pauses.unused.iter().map(finding).collect()
}

/// True where a pause may have gone by unseen.
fn is_partly_unseen(transcript: &Transcript) -> bool {
    transcript.recovery.is_some() || transcript.pauses.is_torn
}
