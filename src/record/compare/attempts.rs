//! The attempts of one side of a test: which of them count, which explains the verdict, and what each of them gave.

use serde_json::Value;

use crate::base::similarity::Likeness;
use crate::dify::transcript::ReportedStatus;
use crate::record::attempt::{Attempt, NodeFact, REJECTED};
use crate::record::compare::likeness::{RecordedOutputs, UnmeasuredOutputs};
use crate::record::compare::sample::{FirstToken, Observation};
use crate::record::journal::CaseRecord;
use crate::record::verdict::Verdict;

/// The most repeats of a side whose outputs are compared with each other.
const MOST_OUTPUTS: usize = 20;

/// The node executions of each attempt that has any.
pub(super) fn paths<'a>(side: &[&'a Attempt]) -> Vec<&'a [NodeFact]> {
    side.iter().map(|attempt| attempt.facts.nodes.as_slice()).filter(|path| !path.is_empty()).collect()
}

/// The attempts that count, repeat by repeat: those that an infrastructure retry followed do not.
pub(super) fn standing(record: &CaseRecord) -> Vec<&Attempt> {
    let mut standing: Vec<&Attempt> = record.attempts.iter().filter(|attempt| !attempt.retried).collect();
    standing.sort_by_key(|attempt| attempt.repeat);
    standing
}

/// The attempts that stand for their sides.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShownAttempts<'a> {
    /// The first side's.
    pub a: &'a Attempt,
    /// The second side's.
    pub b: &'a Attempt,
    /// How alike their outputs are; `None` where that was not measured.
    pub similarity: Option<Likeness>,
    /// Why it was not measured, of these or of another repeat.
    pub unmeasured: Option<UnmeasuredOutputs>,
}

/// The attempts that stand for their sides: those of the repeat whose outputs are least alike, so that a bound on likeness
/// holds for every repeat; `None` where no repeat has outputs on both sides.
pub(super) fn telling<'a>(a: &[&'a Attempt], b: &[&'a Attempt]) -> Option<ShownAttempts<'a>> {
    let both = a.iter().copied().zip(b.iter().copied());
    let told = both.filter_map(|(a, b)| {
        let likeness = output(a)?.likeness(&output(b)?);
        Some(ShownAttempts { a, b, similarity: likeness.ok(), unmeasured: likeness.err() })
    });
    let told: Vec<ShownAttempts> = told.collect();
    let unmeasured = told.iter().find_map(|told| told.unmeasured);
    // Of those that are equally alike, the first; one that was not measured is only where none was.
    let least = told.into_iter().min_by_key(|told| (told.similarity.is_none(), told.similarity))?;
    Some(ShownAttempts { unmeasured, ..least })
}

/// What an attempt gave; that it gave none is known where its run did not succeed.
pub(super) fn output(attempt: &Attempt) -> Option<RecordedOutputs<'_>> {
    let facts = &attempt.facts;
    if let Some(value) = facts.settled.as_ref().or(attempt.outputs.as_ref()) {
        return Some(RecordedOutputs { value, digest: facts.digest.as_deref() });
    }
    let none = facts.status.as_deref().filter(|status| gives_no_outputs(status))?;
    Some(RecordedOutputs { value: &Value::Null, digest: Some(none) })
}

/// True where a run that ended so gives no outputs.
fn gives_no_outputs(status: &str) -> bool {
    let reported = ReportedStatus::of(status);
    status == REJECTED
        || matches!(reported, ReportedStatus::Failed | ReportedStatus::Stopped | ReportedStatus::Paused)
}

/// The outputs of the first repeats: the work grows by the square of their number.
pub(super) fn kept<'a>(side: &[&'a Attempt]) -> Vec<RecordedOutputs<'a>> {
    side.iter().copied().filter_map(output).take(MOST_OUTPUTS).collect()
}

/// The one currency that every price of both sides is in.
pub(super) fn currency<'a>(a: &[&'a Attempt], b: &[&'a Attempt]) -> Option<&'a str> {
    let prices = a.iter().chain(b).flat_map(|attempt| &attempt.facts.cost);
    let mut named = prices.map(|price| price.currency.as_str());
    let first = named.next()?;
    named.all(|other| other == first).then_some(first)
}

/// What an attempt showed.
pub(super) fn observation(attempt: &Attempt) -> Observation {
    let facts = &attempt.facts;
    let prices = facts
        .prices()
        .map(|prices| prices.into_iter().map(|(currency, amount)| (currency.to_owned(), amount)).collect());
    Observation {
        passed: match attempt.verdict {
            Verdict::Passed | Verdict::Flaky => Some(true),
            Verdict::Failed => Some(false),
            Verdict::Errored | Verdict::Inconclusive | Verdict::Skipped => None,
        },
        tokens: facts.trusted_tokens(),
        prices,
        latency: facts.latency_ms,
        ttft: match facts.ttft_ms {
            Some(ms) => FirstToken::Known(ms),
            None if facts.recovered.is_some() => FirstToken::Unknown,
            None => FirstToken::Absent,
        },
        sent: attempt.sent_ms,
    }
}

/// The answers of a side in the order in which they were sent, by number: the same answer has the same number.
pub(super) fn answers(side: &[&Attempt]) -> Vec<u32> {
    let mut ordered = side.to_vec();
    ordered.sort_by(|one, other| one.sent_ms.total_cmp(&other.sent_ms));
    let kept = kept(&ordered);
    let first =
        |answer: &RecordedOutputs<'_>| kept.iter().position(|other| other.is_same(answer)).unwrap_or(0);
    kept.iter().map(|answer| u32::try_from(first(answer)).unwrap_or(u32::MAX)).collect()
}
