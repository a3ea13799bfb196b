//! What is recorded of an attempt and of a test: facts, findings and verdicts, masked before they are stored.

mod doubt;
mod judges;
mod measures;
mod node;
mod repeats;
mod used;
mod waits;

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::base::origin::Place;
use crate::dify::transcript::{RecoveredBy, ResponseMode};
use crate::dify::wire::error::ErrorClass;
use crate::record::verdict::{Finding, Verdict};

pub use self::doubt::{UsageDoubt, UsageKind};
pub use self::judges::{JudgeFact, JudgesSpent};
pub use self::node::NodeFact;
pub use self::used::{AttemptUse, ObservedUse, UsageTotals};
pub use self::waits::WaitTimes;
pub use repeats::{RateFacts, RepeatFacts, SequentialFacts, told_share};

/// Why there was nothing to judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What happened, in one sentence.
    pub message: String,
    /// What to do next, where we know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whose fault it is, when the endpoint said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<ErrorClass>,
    /// True when every further test of the same app would meet it.
    #[serde(default)]
    pub stops_suite: bool,
}

/// How the reason of a test begins that was not sent because of a cause.
const MET_BEFORE: &str = "not sent, since an earlier test met this: ";

impl Cause {
    /// Why a test is not sent that would only meet this again.
    pub fn not_sent(&self) -> String {
        format!("{MET_BEFORE}{}", self.message)
    }

    /// The message of the cause for which a test was not sent, if that is its reason.
    pub fn met_before(reason: &str) -> Option<&str> {
        reason.strip_prefix(MET_BEFORE)
    }
}

/// The status of an attempt that was refused before any node ran: a word of ours, none of Dify's.
pub const REJECTED: &str = "rejected";

/// The facts of a run that reports and thresholds use; what is unknown is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunFacts {
    /// Dify's run id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The published version that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
    /// Dify's version (`X-Version`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dify_version: Option<String>,
    /// How a run became known again whose answer broke off; its client-side times are then not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<RecoveredBy>,
    /// How it had been lost: "the stream ended after 3 events, without workflow_finished".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// Run status: `succeeded`, `partial-succeeded`, `failed`, `stopped`, `paused`, `rejected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Client clock, request sent to ending, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Client clock, request sent to first model token, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<f64>,
    /// Dify's `elapsed_time`, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_ms: Option<f64>,
    /// Dify's total tokens; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Exact decimal prices by currency, summed over leaf nodes; empty when unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cost: Vec<Price>,
    /// Dify's `total_steps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Node executions in order of start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeFact>,
    /// Stands for the outputs, what varies by itself left out, whole also where the outputs are recorded cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The outputs with a fixed word for what varies by itself, long texts cut; `None` where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<serde_json::Value>,
    /// Why Dify's total of tokens is in doubt, if the nodes do not confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageDoubt>,
    /// What Dify said went wrong, up to 64 KB: the run's error, a refusal's or that of an `error` event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What is known of its use besides; `None` where tokens and cost say it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<ObservedUse>,
}

/// An exact amount of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Decimal text.
    pub amount: String,
    /// `USD`, …
    pub currency: String,
}

/// One finished attempt: a request sent, answered and judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which case of the plan of the process that ran it, from 0.
    pub case: u32,
    /// Which case in every process: the hash of its full name; `None` before schema 2 of the journal.
    #[serde(default, skip_serializing_if = "Digest::is_none")]
    pub key: Digest,
    /// Which repeat, from 0.
    pub repeat: u32,
    /// Which try of that repeat, from 0; above 0 after an infrastructure retry.
    pub attempt: u32,
    /// The verdict on it.
    pub verdict: Verdict,
    /// Why there was nothing to judge, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// One finding an assertion.
    pub findings: Vec<Finding>,
    /// Numbers and ids.
    pub facts: RunFacts,
    /// Streaming or blocking.
    pub mode: ResponseMode,
    /// When it was sent: milliseconds since the run started.
    pub sent_ms: f64,
    /// From when it was due to when it was sent; never part of the latency.
    pub waited_ms: f64,
    /// What it waited for.
    #[serde(default, skip_serializing_if = "WaitTimes::is_none")]
    pub waits: WaitTimes,
    /// When the rate meant it to start, milliseconds since the run started; later starts are the target's doing or that of
    /// `concurrency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intended_ms: Option<f64>,
    /// True when it is followed by an infrastructure retry.
    #[serde(default)]
    pub retried: bool,
    /// True when nothing was sent: the exchange came from a cassette, and its times are those recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// A `curl` line that repeats it, key masked; only where it did not pass.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub curl: String,
    /// The run's outputs, long texts cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<serde_json::Value>,
    /// How its answer differs from what Dify is known to send, where no earlier attempt's did so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contract: Vec<ContractNote>,
    /// What judges were asked about it, in that order; their tokens and prices are in no fact of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<JudgeFact>,
}

/// A difference between what Dify sent and what it is known to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractNote {
    /// What differs, in a few words.
    pub message: String,
    /// The version of Dify whose recordings it was compared with.
    pub known: String,
    /// The event that showed it first, from 1; `None` for an answer that is no stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<usize>,
}

/// What became of one test (one row of it, where it has rows).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseOutcome {
    /// Which case of the plan of the process that ran it, from 0.
    pub case: u32,
    /// Which case in every process: the hash of its full name; `None` before schema 2 of the journal.
    #[serde(default, skip_serializing_if = "Digest::is_none")]
    pub key: Digest,
    /// The fingerprint of what the test sends and asserts.
    #[serde(default, skip_serializing_if = "Digest::is_none")]
    pub print: Digest,
    /// `<suite>::<test>` or `<suite>::<test>[<row>]`: unique in the project.
    pub name: String,
    /// The suite's name.
    pub suite: String,
    /// Where the test is written (its `name`).
    pub place: Place,
    /// The test's tags, the suite's first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it was skipped, or not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Attempts made, retries included.
    pub attempts: u32,
    /// Attempts whose answer broke off and whose run became known again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recovered: u32,
    /// From the first attempt's sending to the end of the last, milliseconds.
    pub duration_ms: f64,
    /// Warnings: findings of severity warn that do not hold.
    #[serde(default)]
    pub warnings: u32,
    /// True for a test that was skipped, since it no longer fit its budget.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over_budget: bool,
    /// True for repeats that did not decide, where the suite takes that as a warning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tolerated: bool,
    /// What its repeats came to, where more than one was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<RepeatFacts>,
}

impl CaseOutcome {
    /// True when it turns a build red.
    pub fn is_red(&self) -> bool {
        self.verdict.is_red() && !self.tolerated
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::record::journal::sample;

    #[test]
    fn what_was_counted_is_written_and_what_was_not_takes_no_room() {
        let written = |outcome: &CaseOutcome| serde_json::to_value(outcome).unwrap();
        let mut outcome = sample::outcome(0, "s", "t", Verdict::Flaky);
        assert_eq!(written(&outcome)["recovered"], Value::Null);
        outcome.recovered = 2;
        outcome.repeats = Some(RepeatFacts {
            passed: 2,
            failed: 1,
            errored: 3,
            rate: None,
            pass_rate: 1.0,
            confidence: 0.95,
            sticks: None,
            sequential: None,
        });
        let json = written(&outcome);
        assert_eq!((&json["recovered"], &json["repeats"]["errored"]), (&json!(2), &json!(3)));
        assert_eq!(serde_json::from_value::<CaseOutcome>(json).unwrap(), outcome);

        let mut attempt = sample::attempt(0, Verdict::Passed, Vec::new());
        attempt.waits =
            WaitTimes { slot_ms: 0.0, budget_ms: 1.5, retry_ms: 2.0, limit_ms: 3.0, rate_ms: 4.0 };
        attempt.facts.seen = Some(ObservedUse { tokens: 7, unpriced: true, ..ObservedUse::default() });
        let json = serde_json::to_value(&attempt).unwrap();
        assert_eq!(
            json["waits"],
            json!({ "budget_ms": 1.5, "retry_ms": 2.0, "limit_ms": 3.0, "rate_ms": 4.0 })
        );
        assert_eq!(json["facts"]["seen"], json!({ "tokens": 7, "unpriced": true }));
        assert_eq!(serde_json::from_value::<Attempt>(json).unwrap(), attempt);
        attempt.waits = WaitTimes::default();
        attempt.facts.seen = None;
        let json = serde_json::to_value(&attempt).unwrap();
        assert_eq!((json.get("waits"), json["facts"].get("seen")), (None, None));
    }

    #[test]
    fn a_tolerated_test_is_not_red() {
        for (verdict, tolerated, red) in [
            (Verdict::Failed, false, true),
            (Verdict::Errored, false, true),
            (Verdict::Inconclusive, false, true),
            (Verdict::Inconclusive, true, false),
            (Verdict::Passed, false, false),
            (Verdict::Flaky, false, false),
            (Verdict::Skipped, false, false),
        ] {
            let outcome = CaseOutcome { tolerated, ..sample::outcome(0, "s", "t", verdict) };
            assert_eq!(outcome.is_red(), red, "{verdict:?} {tolerated}");
        }
    }
}
