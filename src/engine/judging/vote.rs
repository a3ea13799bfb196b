//! What a judge is asked, and what becomes of one vote.

use std::time::{Duration, Instant};

use crate::assert::judge::{JudgeTask, JudgeVote};
use crate::base::clock;
use crate::base::units::format_duration;
use crate::record::attempt::Price;

/// One question as a judge receives it: masked, and short enough.
pub(super) struct JudgeContext {
    /// The rubric, or the text to compare with.
    pub task: JudgeTask,
    /// The value to be judged.
    pub value: String,
    /// The inputs of the run, as JSON in one line.
    pub inputs: String,
    /// When the time of the attempt is over.
    pub attempt_ends: Instant,
}

impl JudgeContext {
    /// Why a wait is pointless that ends after the attempt; `None` if it ends before.
    pub fn too_late(&self, wait: Duration) -> Option<String> {
        let is_late = clock::now().checked_add(wait).is_none_or(|until| until >= self.attempt_ends);
        is_late.then(|| {
            format!("another try would be in {}, after the limit of the attempt", format_duration(wait))
        })
    }
}

/// One vote or why there is none, and what asking for it used.
pub(super) struct VoteResult {
    /// The vote, or the reason why there is none.
    pub vote: Result<JudgeVote, String>,
    /// Requests sent.
    pub requests: u32,
    /// Tokens used, if known.
    pub tokens: u64,
    /// Answers whose tokens are unknown.
    pub tokens_unknown: u32,
    /// Prices, if known.
    pub cost: Vec<Price>,
}

impl VoteResult {
    /// Nothing was sent, for this reason.
    pub fn unsent(reason: impl Into<String>) -> Self {
        Self { vote: Err(reason.into()), requests: 0, tokens: 0, tokens_unknown: 0, cost: Vec::new() }
    }

    /// The same without a vote, for this reason.
    #[must_use]
    pub fn failed(self, reason: String) -> Self {
        Self { vote: Err(reason), ..self }
    }
}
