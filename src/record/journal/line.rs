//! The lines of a journal, with the fields that the fold reads.

use std::borrow::Cow;

use serde::Deserialize;

use crate::base::digest::Digest;
use crate::record::attempt::{
    AttemptUse, CaseOutcome, ContractNote, JudgeFact, ObservedUse, Price, RepeatFacts, UsageDoubt,
};
use crate::record::event::{AttemptStart, LeftAttempt, RunContinuation, RunEnd, RunStart};
use crate::record::journal::cases::PlannedLine;
use crate::record::verdict::Verdict;

/// A further line, with what the fold needs.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum JournalLine<'a> {
    RunStarted(Box<RunStart>),
    CasesPlanned(Vec<PlannedLine>),
    RunContinued(RunContinuation),
    AttemptStarted(AttemptStart),
    AttemptLeft(LeftAttempt),
    AttemptFinished(AttemptLine),
    #[serde(borrow)]
    CaseFinished(OutcomeLine<'a>),
    RunFinished(RunEnd),
}

/// An attempt.
#[derive(Deserialize)]
pub(super) struct AttemptLine {
    pub case: u32,
    #[serde(default)]
    pub key: Digest,
    #[serde(default)]
    pub repeat: u32,
    #[serde(default)]
    pub attempt: u32,
    #[serde(default)]
    pub replayed: bool,
    pub facts: FactsLine,
    #[serde(default)]
    pub contract: Vec<ContractNote>,
    #[serde(default)]
    pub judges: Vec<JudgeFact>,
}

/// Its numbers.
#[derive(Deserialize)]
pub(super) struct FactsLine {
    pub tokens: Option<u64>,
    #[serde(default)]
    pub cost: Vec<Price>,
    pub usage: Option<UsageDoubt>,
    pub seen: Option<ObservedUse>,
}

impl FactsLine {
    /// What the attempt used.
    pub fn used(&self) -> AttemptUse<'_> {
        AttemptUse::of(self.tokens, &self.cost, self.seen.as_ref())
    }
}

/// The outcome of a case.
#[derive(Deserialize)]
pub(super) struct OutcomeLine<'a> {
    pub case: u32,
    #[serde(default)]
    pub key: Digest,
    #[serde(default)]
    pub print: Digest,
    #[serde(borrow)]
    pub suite: Cow<'a, str>,
    pub verdict: Verdict,
    pub duration_ms: f64,
    #[serde(default)]
    pub warnings: u32,
    #[serde(default)]
    pub over_budget: bool,
    #[serde(default)]
    pub tolerated: bool,
    pub repeats: Option<RepeatFacts>,
}

impl<'a> From<&'a CaseOutcome> for OutcomeLine<'a> {
    fn from(outcome: &'a CaseOutcome) -> Self {
        Self {
            case: outcome.case,
            key: outcome.key,
            print: outcome.print,
            suite: Cow::Borrowed(&outcome.suite),
            verdict: outcome.verdict,
            duration_ms: outcome.duration_ms,
            warnings: outcome.warnings,
            over_budget: outcome.over_budget,
            tolerated: outcome.tolerated,
            repeats: outcome.repeats.clone(),
        }
    }
}
