//! One test on both sides: what changed, and how much it matters.

use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;

use crate::base::diff::{JsonChange, diff_json};
use crate::base::digest::Digest;
use crate::base::similarity::Likeness;
use crate::record::attempt::{Attempt, NodeFact};
use crate::record::compare::attempts::{
    ShownAttempts, answers, currency, kept, observation, output, paths, standing, telling,
};
use crate::record::compare::likeness::{UnmeasuredOutputs, distances};
use crate::record::compare::nodes::{Attribution, NodePresence, attribute};
use crate::record::compare::noise::OutputDrift;
use crate::record::compare::sample::TestPair;
use crate::record::journal::CaseRecord;
use crate::record::verdict::{Finding, Severity, Truth, Verdict};

/// What became of a test from the first side to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CaseChange {
    /// It passed and no longer does.
    Regressed,
    /// A side could not be judged, so nothing can be said.
    NotCompared,
    /// Only one side has it.
    OneSided,
    /// It did not pass and does now.
    Improved,
    /// Its verdict is the same and its outputs are others.
    Changed,
    /// Its outputs differ, and so few repeats cannot show whether that is more than noise.
    Undecided,
    /// Its verdict and its outputs are the same, or vary as they do on one side alone.
    Unchanged,
}

/// The mean of each measure on one side; what no attempt knows is absent.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct MeasureMeans {
    /// Tokens of a run.
    pub tokens: Option<f64>,
    /// Price of a run.
    pub cost: Option<f64>,
    /// Milliseconds.
    #[serde(rename = "latency_ms")]
    pub latency: Option<f64>,
    /// Milliseconds.
    #[serde(rename = "ttft_ms")]
    pub ttft: Option<f64>,
    /// Steps of a run.
    pub steps: Option<f64>,
}

/// What is kept of one side of a test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CaseSide {
    /// Its verdict.
    pub verdict: Verdict,
    /// Its means.
    pub means: MeasureMeans,
    /// Attempts that count.
    pub attempts: usize,
    /// The currency of `means.cost`.
    pub currency: Option<String>,
    /// True where it was skipped, since it no longer fit its budget.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub over_budget: bool,
}

/// A test on both sides, without the texts of its outputs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CaseRow {
    /// The full name.
    pub name: String,
    /// The first side; `None` where it lacks the test.
    pub a: Option<CaseSide>,
    /// The second side.
    pub b: Option<CaseSide>,
    /// How alike the outputs are, of the repeats that are least alike; `None` where a side has none.
    pub similarity: Option<Likeness>,
    /// Why that is not known of every repeat.
    pub unmeasured: Option<UnmeasuredOutputs>,
    /// What the tests of the suite make of the outputs.
    pub drift: OutputDrift,
    /// What became of it.
    pub kind: CaseChange,
    /// How the way through the graph changed.
    pub way: PathChange,
    /// True where the suite of the second side writes it otherwise: its inputs, assertions or repeats.
    pub rewritten: bool,
}

/// How the path of a test through the graph changed; the first attempts of both sides are compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct PathChange {
    /// Nodes that ran on one side only.
    pub one_sided: u32,
    /// Pairs of nodes in another order.
    pub reordered: u32,
    /// Pairs of nodes that ran at the same time on one side only.
    pub regrouped: u32,
}

/// What is shown of a test whose sides differ.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct CaseDetail {
    /// How the outputs differ, of the attempts that stand for their sides.
    pub changes: Vec<JsonChange>,
    /// True where the outputs differ only beyond what was recorded of them.
    pub beyond: bool,
    /// Node by node.
    pub nodes: Attribution,
    /// The first side's executions, of the attempt that stands for it.
    pub a_path: Vec<NodeFact>,
    /// The second side's.
    pub b_path: Vec<NodeFact>,
    /// Why the first side was not judged, or which assertion it broke.
    pub a_reason: Option<String>,
    /// The same of the second.
    pub b_reason: Option<String>,
}

/// The samples of a test that both sides have.
pub(crate) fn sample(a: &CaseRecord, b: &CaseRecord) -> TestPair {
    let (of_a, of_b) = (standing(a), standing(b));
    let (kept_a, kept_b) = (kept(&of_a), kept(&of_b));
    let has_outputs = !kept_a.is_empty() && !kept_b.is_empty();
    let outputs = has_outputs.then(|| distances(&kept_a, &kept_b)).flatten();
    let observed = |side: &[&Attempt]| side.iter().map(|attempt| observation(attempt)).collect();
    TestPair { a: observed(&of_a), b: observed(&of_b), outputs, answers: [answers(&of_a), answers(&of_b)] }
}

/// The row of a test; its kind follows once the drift of all outputs is known.
pub(crate) fn row(name: &str, a: Option<&CaseRecord>, b: Option<&CaseRecord>) -> CaseRow {
    let of_a = a.map(standing).unwrap_or_default();
    let of_b = b.map(standing).unwrap_or_default();
    let told = telling(&of_a, &of_b);
    let currency = currency(&of_a, &of_b);
    CaseRow {
        name: name.to_owned(),
        a: a.map(|record| side(record, currency)),
        b: b.map(|record| side(record, currency)),
        similarity: told.and_then(|told| told.similarity),
        unmeasured: told.and_then(|told| told.unmeasured),
        drift: OutputDrift::Unknown,
        kind: CaseChange::OneSided,
        way: way(&of_a, &of_b),
        rewritten: a.zip(b).is_some_and(|(a, b)| is_rewritten(a, b)),
    }
}

/// True where both records know what they sent and asserted, and it is not the same.
fn is_rewritten(a: &CaseRecord, b: &CaseRecord) -> bool {
    let (one, other, unknown) = (a.outcome.print, b.outcome.print, Digest::default());
    one != unknown && other != unknown && one != other
}

fn way(a: &[&Attempt], b: &[&Attempt]) -> PathChange {
    let found = attribute(&paths(a), &paths(b));
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let one_sided = found.nodes.iter().filter(|node| node.presence != NodePresence::Both).count();
    PathChange {
        one_sided: count(one_sided),
        reordered: count(found.reordered.len()),
        regrouped: count(found.regrouped.len()),
    }
}

impl CaseRow {
    /// Says what became of it, once the drift of its outputs is known.
    pub fn judge(&mut self, drift: OutputDrift) {
        // What looks like noise in the part that was compared may be none in the rest.
        let drift = match drift {
            OutputDrift::Noise { .. } if self.unmeasured.is_some() => OutputDrift::Unknown,
            _ => drift,
        };
        self.drift = drift;
        let (Some(a), Some(b)) = (&self.a, &self.b) else {
            self.kind = CaseChange::OneSided;
            return;
        };
        self.kind = match (a.standing(), b.standing()) {
            (VerdictClass::Good, VerdictClass::Bad) => CaseChange::Regressed,
            (VerdictClass::Bad, VerdictClass::Good) => CaseChange::Improved,
            (VerdictClass::Good, VerdictClass::Good) | (VerdictClass::Bad, VerdictClass::Bad) => {
                match drift {
                    OutputDrift::Same | OutputDrift::Noise { .. } => CaseChange::Unchanged,
                    OutputDrift::Changed | OutputDrift::Drifted { .. } => CaseChange::Changed,
                    OutputDrift::Undecided { .. } => CaseChange::Undecided,
                    OutputDrift::Unknown => CaseChange::NotCompared,
                }
            }
            (VerdictClass::Good, VerdictClass::Unjudged) if b.over_budget => CaseChange::NotCompared,
            // What was judged before and is not any more is worse; a green build must not hide it.
            (VerdictClass::Good, VerdictClass::Unjudged) => CaseChange::Regressed,
            (VerdictClass::Unjudged, VerdictClass::Good | VerdictClass::Bad | VerdictClass::Unjudged)
            | (VerdictClass::Bad, VerdictClass::Unjudged) => CaseChange::NotCompared,
        };
    }
}

/// What a verdict counts for in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VerdictClass {
    /// It passed.
    Good,
    /// It failed.
    Bad,
    /// Nothing was judged, or not enough.
    Unjudged,
}

impl CaseSide {
    /// What its verdict counts for.
    pub fn standing(&self) -> VerdictClass {
        standing_of(self.verdict)
    }
}

fn standing_of(verdict: Verdict) -> VerdictClass {
    match verdict {
        Verdict::Passed | Verdict::Flaky => VerdictClass::Good,
        Verdict::Failed => VerdictClass::Bad,
        Verdict::Errored | Verdict::Inconclusive | Verdict::Skipped => VerdictClass::Unjudged,
    }
}

/// What is shown of a test that both sides have.
pub(crate) fn detail(a: &CaseRecord, b: &CaseRecord) -> CaseDetail {
    let (of_a, of_b) = (standing(a), standing(b));
    let told = telling(&of_a, &of_b);
    let (changes, beyond) = told.map(|ShownAttempts { a, b, .. }| changes(a, b)).unwrap_or_default();
    let path =
        |side: &[&Attempt]| side.first().map(|attempt| attempt.facts.nodes.clone()).unwrap_or_default();
    CaseDetail {
        changes,
        beyond,
        nodes: attribute(&paths(&of_a), &paths(&of_b)),
        a_path: path(&of_a),
        b_path: path(&of_b),
        a_reason: reason(a),
        b_reason: reason(b),
    }
}

/// How the outputs differ, and whether they do only beyond what was recorded.
fn changes(a: &Attempt, b: &Attempt) -> (Vec<JsonChange>, bool) {
    let (Some(one), Some(other)) = (output(a), output(b)) else { return (Vec::new(), false) };
    let changes = diff_json(one.value, other.value);
    let beyond = changes.is_empty() && !one.is_same(&other);
    (changes, beyond)
}

fn side(record: &CaseRecord, currency: Option<&str>) -> CaseSide {
    let standing = standing(record);
    let mean =
        |known: fn(&Attempt) -> Option<f64>| self::mean(standing.iter().filter_map(|attempt| known(attempt)));
    let price = |attempt: &&Attempt| attempt.facts.prices()?.get(currency?)?.to_f64();
    let means = MeasureMeans {
        tokens: mean(|attempt| Some(attempt.facts.trusted_tokens()? as f64)),
        cost: self::mean(standing.iter().filter_map(price)),
        latency: mean(|attempt| attempt.facts.latency_ms),
        ttft: mean(|attempt| attempt.facts.ttft_ms),
        steps: mean(|attempt| Some(attempt.facts.steps? as f64)),
    };
    CaseSide {
        verdict: record.outcome.verdict,
        means,
        attempts: standing.len(),
        currency: currency.map(str::to_owned),
        over_budget: record.outcome.over_budget && record.outcome.verdict == Verdict::Skipped,
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// The cause, or the first assertion that does not hold, of a side that is red.
fn reason(record: &CaseRecord) -> Option<String> {
    let deciding = record.deciding().filter(|_| record.outcome.verdict.is_red())?;
    let cause = deciding.cause.as_ref().map(|cause| cause.message.clone());
    let unmet = |finding: &&Finding| finding.severity == Severity::Error && finding.truth != Truth::Held;
    let finding = || {
        let finding = deciding.findings.iter().find(unmet)?;
        Some(if finding.message.is_empty() {
            finding.label.clone()
        } else {
            format!("{}: {}", finding.label, finding.message)
        })
    };
    cause.or_else(finding).or_else(|| record.outcome.reason.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::record::journal::sample as journal_sample;

    fn record(verdict: Verdict, outputs: &[(&str, u64)]) -> CaseRecord {
        let attempts = outputs.iter().enumerate().map(|(repeat, (text, tokens))| {
            let mut attempt = journal_sample::attempt(0, verdict, Vec::new());
            attempt.repeat = u32::try_from(repeat).unwrap();
            attempt.outputs = Some(json!({"reply": text}));
            attempt.facts.digest = Some((*text).to_owned());
            attempt.facts.tokens = Some(*tokens);
            attempt
        });
        CaseRecord { outcome: journal_sample::outcome(0, "s", "t", verdict), attempts: attempts.collect() }
    }

    fn kind(a: &CaseRecord, b: &CaseRecord, drift: OutputDrift) -> CaseChange {
        let mut row = row("s::t", Some(a), Some(b));
        row.judge(drift);
        row.kind
    }

    #[test]
    fn a_verdict_that_turns_matters_more_than_outputs() {
        use Verdict::{Errored, Failed, Passed, Skipped};
        let one = |verdict| record(verdict, &[("x", 1)]);
        for (a, b, expected) in [
            (Passed, Failed, CaseChange::Regressed),
            (Passed, Errored, CaseChange::Regressed),
            (Failed, Passed, CaseChange::Improved),
            (Errored, Passed, CaseChange::NotCompared),
            (Failed, Errored, CaseChange::NotCompared),
            (Skipped, Skipped, CaseChange::NotCompared),
            (Passed, Passed, CaseChange::Unchanged),
        ] {
            assert_eq!(kind(&one(a), &one(b), OutputDrift::Same), expected, "{a:?} {b:?}");
        }
        let passed = one(Passed);
        assert_eq!(kind(&passed, &passed, OutputDrift::Changed), CaseChange::Changed);
        assert_eq!(kind(&passed, &passed, OutputDrift::Noise { p: 0.5 }), CaseChange::Unchanged);
        assert_eq!(
            kind(&passed, &passed, OutputDrift::Unknown),
            CaseChange::NotCompared,
            "silence is no sameness"
        );
        for repeats in [None, Some(8)] {
            let undecided = OutputDrift::Undecided { repeats };
            assert_eq!(
                kind(&passed, &passed, undecided),
                CaseChange::Undecided,
                "what is not decided is not changed"
            );
        }
        let mut skipped = one(Skipped);
        assert_eq!(kind(&passed, &skipped, OutputDrift::Unknown), CaseChange::Regressed);
        skipped.outcome.over_budget = true;
        assert_eq!(kind(&passed, &skipped, OutputDrift::Unknown), CaseChange::NotCompared);
        let mut lonely = row("s::t", Some(&passed), None);
        lonely.judge(OutputDrift::Unknown);
        assert_eq!(lonely.kind, CaseChange::OneSided);
    }

    #[test]
    fn the_repeats_that_are_least_alike_are_shown() {
        let a = record(Verdict::Passed, &[("the same", 10), ("one two three four", 30)]);
        let b = record(Verdict::Passed, &[("the same", 20), ("one two three five", 40)]);
        let worse = |last| record(Verdict::Passed, &[("the sama", 1), ("one two three five", 2), (last, 3)]);
        let similarity = |last| row("s::t", Some(&worse("a b c d")), Some(&worse(last))).similarity.unwrap();
        assert_eq!(similarity("a b c d"), Likeness::ALL);
        assert_eq!(
            similarity("a b x d"),
            Likeness::of(3, 4),
            "a likeness that only the first repeats have hides the last"
        );
        assert_eq!(similarity("w x y z"), Likeness::NONE);
        let found = detail(&a, &b);
        assert_eq!(found.changes[0].path, "$['reply']");
        let row = row("s::t", Some(&a), Some(&b));
        assert_eq!(row.similarity, Some(Likeness::of(3, 4)));
        assert_eq!((row.a.unwrap().means.tokens, row.b.unwrap().means.tokens), (Some(20.0), Some(30.0)));
        assert!(sample(&a, &b).outputs.unwrap().largest() > 0.2);
    }

    #[test]
    fn outputs_that_were_cut_differ_by_their_digest() {
        let a = record(Verdict::Passed, &[("cut…", 1)]);
        let mut b = a.clone();
        b.attempts[0].facts.digest = Some("another".to_owned());
        let found = detail(&a, &b);
        assert!(found.changes.is_empty() && found.beyond);
        let mut row = row("s::t", Some(&a), Some(&b));
        assert_eq!((row.similarity, row.unmeasured), (None, Some(UnmeasuredOutputs::Cut)));
        row.judge(OutputDrift::Noise { p: 0.5 });
        assert_eq!(row.kind, CaseChange::NotCompared, "the rest may have drifted");
    }

    #[test]
    fn a_retried_attempt_is_no_sample() {
        let mut a = record(Verdict::Passed, &[("x", 1), ("y", 2)]);
        a.attempts[0].retried = true;
        assert_eq!(sample(&a, &a).a.len(), 1);
    }

    #[test]
    fn prices_in_two_currencies_have_no_common_mean() {
        let a = record(Verdict::Passed, &[("x", 1)]);
        let mut b = a.clone();
        b.attempts[0].facts.cost[0].currency = "EUR".to_owned();
        let mean = |a, b| row("s::t", Some(a), Some(b)).a.unwrap().means.cost;
        assert_eq!(mean(&a, &b), None);
        assert!(mean(&a, &a).is_some());
        assert_eq!(sample(&a, &b).b[0].prices.as_ref().unwrap().keys().collect::<Vec<_>>(), ["EUR"]);
    }

    #[test]
    fn answers_are_numbered_in_the_order_in_which_they_were_sent() {
        let mut a = record(Verdict::Passed, &[("x", 1), ("y", 1), ("x", 1), ("z", 1)]);
        for (sent, attempt) in [3.0, 2.0, 1.0, 0.0].into_iter().zip(&mut a.attempts) {
            attempt.sent_ms = sent;
        }
        assert_eq!(sample(&a, &a).answers, [vec![0, 1, 2, 1], vec![0, 1, 2, 1]]);
    }
}
