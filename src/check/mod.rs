//! Assertions: compiled once from a suite, then judged against a transcript, one finding each; pure.
//!
//! `compile` turns YAML into [`Check`]s and is the only part that meets nodes and files; everything else is a function of a
//! transcript. Three truths throughout: what cannot be known is undecided, and never held.

mod compile;

use crate::base::template::{Scope, Templates};
use crate::exchange::Transcript;
use crate::outcome;
use crate::verdict::Finding;

pub use self::compile::{CompileContext, FileRoot, compile_assertions, expects_rejection, implicit_status, merge_assertions, needs_status};

/// One assertion, compiled; cheap to share, judged as often as there are attempts.
#[derive(Debug, Clone)]
pub struct Check {}

/// Whether Dify's token total is audited against its nodes' sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Usage {
    /// A total that its nodes do not confirm is undecided.
    #[default]
    Audit,
    /// `usage: trust`: Dify's total is taken as it is.
    Trust,
}

/// What an attempt brings along for its checks.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The arena that compiled the operands' templates.
    pub templates: &'a Templates,
    /// The attempt's names.
    pub scope: &'a Scope,
    /// How Dify's token total is taken.
    pub usage: Usage,
}

/// Judges every check against a transcript, whatever fails; one finding each, in the order of the checks.
pub fn evaluate(checks: &[Check], transcript: &Transcript, context: &Context<'_>) -> Vec<Finding> {
    let _ = (checks, transcript, context);
    Vec::new()
}

/// Why nothing of a transcript can be judged, with the next step for its reader; none where there is something to judge.
pub fn cause(transcript: &Transcript) -> Option<outcome::Cause> {
    let _ = transcript;
    None
}

/// The numbers and ids of a transcript that reports and thresholds use; what is unknown is absent.
pub fn facts(transcript: &Transcript, usage: Usage) -> outcome::Facts {
    let _ = (transcript, usage);
    outcome::Facts::default()
}
