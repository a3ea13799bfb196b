//! `compare.json`: a comparison for programs, versioned; `schema.json` describes it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use serde_json::{Value, json};

use crate::base::similarity::Likeness;
use crate::record::compare::{
    CaseChange, CaseDetail, CaseRow, CaseSide, Change, ChangeCounts, CompareVerdict, DecidedGate,
    GateDecision, MissingEvidence, OutputDrift, PathChange, PlainGated, Ruling, RunComparison,
};
use crate::record::journal::RunRecord;
use crate::report::compare::decided;
use crate::report::compare::sides;
use crate::report::compare::words;
use crate::report::judges::prices;

/// The version of the document's schema.
pub(crate) const VERSION: u32 = 1;
/// The schema, as `flowproof schema compare` prints it.
pub(crate) const SCHEMA: &str = include_str!("schema.json");

/// All but the tests.
#[derive(Serialize)]
pub(super) struct ComparisonHead<'c> {
    schema: u32,
    kind: &'static str,
    flowproof: &'static str,
    a: SideDocument<'c>,
    b: SideDocument<'c>,
    seed: u64,
    exit: u8,
    verdict: &'static str,
    reason: String,
    notes: Vec<String>,
    remarks: Vec<String>,
    counts: ChangeCounts,
    changes: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outputs_p: Option<f64>,
    answers: Value,
    gates: Vec<Value>,
}

/// A side.
#[derive(Serialize)]
struct SideDocument<'c> {
    run: &'c str,
    target: &'c str,
    profile: &'c str,
    started: &'c str,
    mock: bool,
    tests: u32,
    unfinished: u32,
    attempts: u32,
    replayed: u32,
    tokens: u64,
    tokens_unknown: u32,
    cost: BTreeMap<&'c str, String>,
    cost_unknown: u32,
    versions: &'c [crate::record::event::RanVersion],
    told: String,
}

/// A test.
#[derive(Serialize)]
pub(super) struct ComparedCaseDocument<'c> {
    name: &'c str,
    kind: CaseChange,
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<&'c CaseSide>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<&'c CaseSide>,
    #[serde(skip_serializing_if = "Option::is_none")]
    similarity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unmeasured: Option<String>,
    outputs: Drift,
    way: PathChange,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    rewritten: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'c CaseDetail>,
}

/// How the outputs differ.
#[derive(Serialize)]
struct Drift {
    drift: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeats_needed: Option<usize>,
}

/// The document that is being written.
#[derive(Debug)]
pub(crate) struct CompareJson<W> {
    out: W,
    first: Separator,
}

/// The text before a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    None,
    Comma,
}

impl<W: Write> CompareJson<W> {
    /// Begins with all but the tests.
    pub fn new(mut out: W, compared: &RunComparison<'_>, ruling: &Ruling<'_>, exit: u8) -> io::Result<Self> {
        let text = serde_json::to_string(&head(compared, ruling, exit))?;
        let open = text.strip_suffix('}').unwrap_or(&text);
        write!(out, "{open},\"cases\":[")?;
        Ok(Self { out, first: Separator::None })
    }

    /// Adds a test.
    pub fn row(&mut self, case: &[u8]) -> io::Result<()> {
        self.out.write_all(match self.first {
            Separator::None => b"\n",
            Separator::Comma => b",\n",
        })?;
        self.first = Separator::Comma;
        self.out.write_all(case)
    }

    /// Ends it.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(b"\n]}\n")?;
        Ok(self.out)
    }
}

/// A test as JSON.
pub(super) fn case(row: &CaseRow, detail: Option<&CaseDetail>) -> io::Result<Vec<u8>> {
    let case = ComparedCaseDocument {
        name: &row.name,
        kind: row.kind,
        a: row.a.as_ref(),
        b: row.b.as_ref(),
        similarity: row.similarity.map(Likeness::to_f64),
        unmeasured: row.unmeasured.map(|why| why.to_string()),
        outputs: drift(row.drift),
        way: row.way,
        rewritten: row.rewritten,
        detail,
    };
    Ok(serde_json::to_vec(&case)?)
}

fn drift(drift: OutputDrift) -> Drift {
    let (word, p, repeats_needed) = match drift {
        OutputDrift::Same => ("same", None, None),
        OutputDrift::Changed => ("changed", None, None),
        OutputDrift::Noise { p } => ("noise", Some(p), None),
        OutputDrift::Drifted { p } => ("drifted", Some(p), None),
        OutputDrift::Undecided { repeats } => ("undecided", None, repeats),
        OutputDrift::Unknown => ("unknown", None, None),
    };
    Drift { drift: word, p, repeats_needed }
}

pub(super) fn head<'c>(compared: &RunComparison<'c>, ruling: &Ruling<'_>, exit: u8) -> ComparisonHead<'c> {
    let measured = compared.gates.iter().map(|gated| gate(gated, &compared.changes));
    ComparisonHead {
        schema: VERSION,
        kind: "comparison",
        flowproof: env!("CARGO_PKG_VERSION"),
        a: run(compared.a),
        b: run(compared.b),
        seed: compared.seed,
        exit,
        verdict: verdict(ruling.verdict),
        reason: decided::ruling(compared, ruling),
        notes: sides::warnings(compared),
        remarks: sides::remarks(compared),
        counts: compared.counts,
        changes: compared.changes.iter().map(|found| change(found, &compared.changes)).collect(),
        outputs_p: compared.outputs.map(|test| test.p),
        answers: json!({ "a": compared.answers[0], "b": compared.answers[1] }),
        gates: measured.chain(compared.plain.iter().map(plain)).collect(),
    }
}

fn run(record: &RunRecord) -> SideDocument<'_> {
    let start = &record.start;
    SideDocument {
        run: &start.run,
        target: &start.target,
        profile: &start.profile,
        started: &start.started,
        mock: start.mock,
        tests: record.totals.cases(),
        unfinished: record.unfinished(),
        attempts: record.totals.attempts,
        replayed: record.totals.replayed,
        tokens: record.totals.used.tokens,
        tokens_unknown: record.totals.used.tokens_unknown,
        cost: prices(&record.totals.used.cost),
        cost_unknown: record.totals.used.cost_unknown,
        versions: record.end.as_ref().map_or(&[], |end| &end.versions),
        told: sides::side(record),
    }
}

/// The word of a verdict.
fn verdict(verdict: CompareVerdict) -> &'static str {
    match verdict {
        CompareVerdict::NothingInCommon => "nothing_in_common",
        CompareVerdict::Unjudged => "unjudged",
        CompareVerdict::Unfinished => "unfinished",
        CompareVerdict::Errored => "errored",
        CompareVerdict::Regressed => "regressed",
        CompareVerdict::Gate => "gate_failed",
        CompareVerdict::OverBudget => "over_budget",
        CompareVerdict::Undecided => "undecided",
        CompareVerdict::Holds => "holds",
    }
}

fn change(change: &Change, all: &[Change]) -> Value {
    json!({
        "measure": change.metric.key(),
        "currency": change.currency,
        "worse_by": change.worse_by,
        "typical_worse_by": change.typical,
        "interval": change.interval.map(|(low, high)| [low, high]),
        "p": change.worse.p,
        "p_better": change.better.p,
        "attainable_p": change.worse.attainable,
        "tests": change.cases,
        "pairs": change.pairs,
        "one_sided": change.one_sided,
        "missing": { "a": change.missing.a, "b": change.missing.b, "both": change.missing.both },
        "sticks_p": change.sticks,
        "told": words::change(change, all),
    })
}

fn gate(gated: &DecidedGate, changes: &[Change]) -> Value {
    let (needs_repeats, needs_tests) = match gated.decision {
        GateDecision::Inconclusive(MissingEvidence::Repeats(repeats) | MissingEvidence::Noise(repeats)) => {
            (Some(repeats), None)
        }
        GateDecision::Inconclusive(MissingEvidence::Cases(cases)) => (None, Some(cases)),
        GateDecision::Inconclusive(
            MissingEvidence::Pairs | MissingEvidence::Missing(_) | MissingEvidence::Currencies,
        )
        | GateDecision::Passed
        | GateDecision::Failed => (None, None),
    };
    let seen: Vec<&Change> = changes.iter().filter(|change| change.metric == gated.bound.metric).collect();
    // Changes in several currencies have no one number.
    let found = if let [change] = seen[..] { Some(change.worse_by) } else { None };
    json!({
        "gate": gated.bound.metric.key(),
        "decision": decided::decision(gated.decision),
        "worse_by": gated.bound.worse_by.to_f64(),
        "alpha": gated.bound.alpha,
        "found": found,
        "p": (!seen.is_empty()).then_some(gated.p),
        "needs_repeats": needs_repeats,
        "needs_tests": needs_tests,
        "told": decided::gate(gated, changes),
    })
}

fn plain(gated: &PlainGated) -> Value {
    json!({
        "gate": gated.key,
        "decision": decided::plain_decision(gated.decision),
        "needs_repeats": gated.repeats,
        "told": decided::plain(gated),
    })
}
