//! An attempt of a case in which everything held, with what documents need of it: findings and nodes are skipped.
//!
//! They are most of a line, and most lines are of this kind. Every other field is named here, so that none is forgotten.

use serde::Deserialize;

use crate::base::digest::Digest;
use crate::dify::transcript::{RecoveredBy, ResponseMode};
use crate::record::attempt::{
    Attempt, ContractNote, JudgeFact, ObservedUse, Price, RunFacts, UsageDoubt, WaitTimes,
};
use crate::record::verdict::Verdict;

/// The line of such an attempt.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HeldLine {
    /// An attempt, and nothing else.
    AttemptFinished(CompactAttempt),
}

/// [`Attempt`] without findings, and without what only one that did not pass has.
#[derive(Deserialize)]
pub(super) struct CompactAttempt {
    case: u32,
    #[serde(default)]
    key: Digest,
    repeat: u32,
    attempt: u32,
    verdict: Verdict,
    facts: HeldFacts,
    mode: ResponseMode,
    sent_ms: f64,
    waited_ms: f64,
    #[serde(default)]
    waits: WaitTimes,
    #[serde(default)]
    intended_ms: Option<f64>,
    #[serde(default)]
    retried: bool,
    #[serde(default)]
    replayed: bool,
    #[serde(default)]
    contract: Vec<ContractNote>,
    #[serde(default)]
    judges: Vec<JudgeFact>,
}

/// [`RunFacts`] without nodes.
#[derive(Deserialize)]
struct HeldFacts {
    run_id: Option<String>,
    workflow_id: Option<String>,
    dify_version: Option<String>,
    status: Option<String>,
    latency_ms: Option<f64>,
    ttft_ms: Option<f64>,
    server_ms: Option<f64>,
    tokens: Option<u64>,
    #[serde(default)]
    cost: Vec<Price>,
    steps: Option<u64>,
    recovered: Option<RecoveredBy>,
    lost: Option<String>,
    usage: Option<UsageDoubt>,
    seen: Option<ObservedUse>,
}

impl From<CompactAttempt> for Attempt {
    fn from(held: CompactAttempt) -> Self {
        Self {
            case: held.case,
            key: held.key,
            repeat: held.repeat,
            attempt: held.attempt,
            verdict: held.verdict,
            cause: None,
            findings: Vec::new(),
            facts: held.facts.into(),
            mode: held.mode,
            sent_ms: held.sent_ms,
            waited_ms: held.waited_ms,
            waits: held.waits,
            intended_ms: held.intended_ms,
            retried: held.retried,
            replayed: held.replayed,
            curl: String::new(),
            outputs: None,
            contract: held.contract,
            judges: held.judges,
        }
    }
}

impl From<HeldFacts> for RunFacts {
    fn from(held: HeldFacts) -> Self {
        Self {
            run_id: held.run_id,
            workflow_id: held.workflow_id,
            dify_version: held.dify_version,
            status: held.status,
            latency_ms: held.latency_ms,
            ttft_ms: held.ttft_ms,
            server_ms: held.server_ms,
            tokens: held.tokens,
            cost: held.cost,
            steps: held.steps,
            recovered: held.recovered,
            lost: held.lost,
            nodes: Vec::new(),
            digest: None,
            settled: None,
            usage: held.usage,
            error: None,
            seen: held.seen,
        }
    }
}
