//! What was found, and the verdict that follows: computed here and nowhere else.

mod repeats;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::diff::Diff;
use crate::base::origin::Place;

pub use repeats::{RepeatCounts, RepeatRule, Undecided};

/// Whether an assertion holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// It holds.
    Held,
    /// It does not hold.
    Broken,
    /// What it looks at cannot be known.
    Undecided,
}

impl Truth {
    /// Both must hold; broken wins over undecided.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Broken, _) | (_, Self::Broken) => Self::Broken,
            (Self::Undecided, _) | (_, Self::Undecided) => Self::Undecided,
            (Self::Held, Self::Held) => Self::Held,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Held } else { Self::Broken }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Held => Self::Broken,
            Self::Broken => Self::Held,
            Self::Undecided => Self::Undecided,
        }
    }
}

/// How an assertion counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Decides the verdict.
    Error,
    /// Is reported and decides nothing.
    Warn,
}

/// What became of one assertion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Whether it holds.
    pub truth: Truth,
    /// How it counts.
    pub severity: Severity,
    /// Where the assertion is written.
    pub place: Arc<Place>,
    /// The assertion in one line: its `label`, else "$.category equals \"billing\"".
    pub label: String,
    /// Why it is broken or undecided, in one sentence; empty when held.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What was expected, long texts cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Value>,
    /// What was found, long texts cut; `None` when nothing was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<Value>,
    /// The difference, where two values can be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<Diff>,
    /// The findings of a group's members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Finding>,
}

/// The verdict on an attempt or a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every assertion held.
    Passed,
    /// An assertion was broken.
    Failed,
    /// There was nothing to judge, or an assertion was undecided.
    Errored,
    /// The repeats did not decide.
    Inconclusive,
    /// Passed, but only after an infrastructure retry, or with mixed repeats.
    Flaky,
    /// Not run, for a reason that is reported.
    Skipped,
}

impl Verdict {
    /// True when it turns a build red.
    pub fn is_red(self) -> bool {
        match self {
            Self::Failed | Self::Errored | Self::Inconclusive => true,
            Self::Passed | Self::Flaky | Self::Skipped => false,
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Inconclusive => "inconclusive",
            Self::Flaky => "flaky",
            Self::Skipped => "skipped",
        }
    }
}

/// The verdict on one attempt: broken wins over undecided; no finding at all is errored.
pub fn judge(findings: &[Finding]) -> Verdict {
    let deciding = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let truth = deciding.map(|finding| finding.truth).reduce(Truth::and);
    match truth {
        Some(Truth::Held) => Verdict::Passed,
        Some(Truth::Broken) => Verdict::Failed,
        Some(Truth::Undecided) | None => Verdict::Errored,
    }
}
