//! `report.json`: the whole run for programs, versioned, one case a line; its schema is `schema.json` beside this file.

mod run;

use std::io::{self, Write};

use serde::Serialize;

use crate::base::origin::Place;
use crate::record::attempt::{ContractNote, RepeatFacts, UsageDoubt};
use crate::record::journal::{AttemptNotes, CaseRecord, DamagedLine, RecordLoss, RunRecord, SuiteTotals};
use crate::record::thresholds::{self, RunConclusion, ThresholdGates};
use crate::record::verdict::Verdict;
use crate::report::document::{
    CaseBatch, Document, DocumentFailure, DocumentPlace, DocumentSelection, OpenDocument, WrittenDocument,
    batch_of,
};
use crate::report::gates::documents;
pub(super) use crate::report::json::run::{RunDocument, run};
use crate::report::json_counts::counts;

/// The version of the document.
pub(crate) const VERSION: u32 = 1;

/// The JSON Schema of the document.
pub(crate) const SCHEMA: &str = include_str!("../schema.json");

/// `report.json`, versioned.
pub(super) struct JsonDocument;

impl Document for JsonDocument {
    fn word(&self) -> &'static str {
        "json"
    }

    fn file_name(&self) -> &'static str {
        "report.json"
    }

    fn selection(&self) -> DocumentSelection {
        DocumentSelection::Usual
    }

    fn begin<'r>(
        &self,
        place: DocumentPlace<'_>,
        record: &'r RunRecord,
    ) -> Result<Box<dyn OpenDocument + 'r>, DocumentFailure> {
        Ok(Box::new(JsonReport::new(place.file()?, record)?))
    }

    fn batch(&self, _: &RunRecord) -> Option<Box<dyn CaseBatch>> {
        Some(Box::new(JsonBatch::default()))
    }
}

/// Cases as the members of a list.
#[derive(Default)]
struct JsonBatch(Vec<u8>);

impl CaseBatch for JsonBatch {
    fn push(&mut self, case: &CaseRecord, attempts: &[u8]) {
        push_case(&mut self.0, case, attempts);
    }
}

/// A `report.json` that is being written.
#[derive(Debug)]
struct JsonReport<W> {
    out: W,
    separator: &'static [u8],
}

/// The counts of one suite.
#[derive(Serialize)]
pub(super) struct Suite<'a> {
    name: &'a str,
    tests: u32,
    passed: u32,
    failed: u32,
    errored: u32,
    inconclusive: u32,
    flaky: u32,
    skipped: u32,
    duration_ms: f64,
}

#[derive(Serialize)]
struct UsageDocument<'a> {
    doubted: u32,
    trusted: u32,
    doubts: Vec<DoubtDocument<'a>>,
}

#[derive(Serialize)]
struct DoubtDocument<'a> {
    case: u32,
    doubt: &'a UsageDoubt,
}

#[derive(Serialize)]
struct DeviationDocument<'a> {
    case: u32,
    note: &'a ContractNote,
}

#[derive(Serialize)]
struct DamagedDocument<'a> {
    line: u64,
    reason: &'a str,
    loss: &'static str,
}

#[derive(Serialize)]
struct CaseDocument<'a> {
    case: u32,
    name: &'a str,
    suite: &'a str,
    place: &'a Place,
    tags: &'a [String],
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    duration_ms: f64,
    warnings: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tolerated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeats: Option<&'a RepeatFacts>,
}

/// How the run ends, as `flowproof run` reports it.
#[derive(Serialize)]
struct ConclusionDocument {
    exit_code: u8,
    green: bool,
    reason: String,
}

impl ConclusionDocument {
    fn of(record: &RunRecord, gates: &ThresholdGates) -> Self {
        let conclusion = RunConclusion::of(record, gates);
        let reason = conclusion.beyond_tests(record).unwrap_or_else(|| conclusion.reason().to_owned());
        Self { exit_code: conclusion.code(), green: conclusion.is_green(), reason }
    }
}

impl<W: Write> JsonReport<W> {
    /// Begins the document with all that is known of the run as a whole.
    fn new(mut out: W, record: &RunRecord) -> io::Result<Self> {
        write!(out, "{{\n\"version\": {VERSION},\n\"run\": ")?;
        serde_json::to_writer(&mut out, &run(record))?;
        out.write_all(b",\n\"conclusion\": ")?;
        let gates = thresholds::judge(record).map_err(io::Error::other)?;
        serde_json::to_writer(&mut out, &ConclusionDocument::of(record, &gates))?;
        out.write_all(b",\n\"totals\": ")?;
        serde_json::to_writer(&mut out, &counts(&record.totals, record.unfinished()))?;
        out.write_all(b",\n\"suites\": ")?;
        let suites: Vec<Suite<'_>> = record.suites.iter().map(suite).collect();
        serde_json::to_writer(&mut out, &suites)?;
        out.write_all(b",\n\"thresholds\": ")?;
        serde_json::to_writer(&mut out, &documents(&gates))?;
        out.write_all(b",\n\"usage\": ")?;
        serde_json::to_writer(&mut out, &usage(&record.watched))?;
        out.write_all(b",\n\"contract\": ")?;
        let contract =
            record.watched.contract.iter().map(|(case, note)| DeviationDocument { case: *case, note });
        serde_json::to_writer(&mut out, &contract.collect::<Vec<_>>())?;
        out.write_all(b",\n\"damage\": ")?;
        let damage: Vec<DamagedDocument<'_>> = record.damage.iter().map(damaged).collect();
        serde_json::to_writer(&mut out, &damage)?;
        out.write_all(b",\n\"cases\": [")?;
        Ok(Self { out, separator: b"\n" })
    }
}

impl<W: Write + Send> OpenDocument for JsonReport<W> {
    fn add(&mut self, batch: &dyn CaseBatch) -> io::Result<()> {
        let JsonBatch(cases) = batch_of(batch);
        if cases.is_empty() {
            return Ok(());
        }
        self.out.write_all(self.separator)?;
        self.separator = SEPARATOR;
        self.out.write_all(cases)
    }

    fn finish(mut self: Box<Self>) -> io::Result<WrittenDocument> {
        self.out.write_all(b"\n]\n}\n")?;
        self.out.flush()?;
        Ok(WrittenDocument::File)
    }
}

/// The text between two cases.
const SEPARATOR: &[u8] = b",\n";

/// Adds a case to those that will be before it; its attempts are written as the journal has them.
fn push_case(out: &mut Vec<u8>, case: &CaseRecord, attempts: &[u8]) {
    if !out.is_empty() {
        out.extend_from_slice(SEPARATOR);
    }
    let outcome = &case.outcome;
    let head = CaseDocument {
        case: outcome.case,
        name: &outcome.name,
        suite: &outcome.suite,
        place: &outcome.place,
        tags: &outcome.tags,
        verdict: outcome.verdict,
        reason: outcome.reason.as_deref(),
        duration_ms: outcome.duration_ms,
        warnings: outcome.warnings,
        tolerated: outcome.tolerated,
        repeats: outcome.repeats.as_ref(),
    };
    serde_json::to_writer(&mut *out, &head).expect("names, numbers and texts become JSON");
    let end = out.pop();
    debug_assert_eq!(end, Some(b'}'), "an object was written");
    out.extend_from_slice(b",\"attempts\":[");
    out.extend_from_slice(attempts);
    out.extend_from_slice(b"]}");
}

/// The counts of a suite.
pub(super) fn suite(suite: &SuiteTotals) -> Suite<'_> {
    let totals = &suite.totals;
    Suite {
        name: &suite.name,
        tests: totals.cases(),
        passed: totals.passed,
        failed: totals.failed,
        errored: totals.errored,
        inconclusive: totals.inconclusive,
        flaky: totals.flaky,
        skipped: totals.skipped,
        duration_ms: suite.duration_ms,
    }
}

fn usage(watched: &AttemptNotes) -> UsageDocument<'_> {
    let doubts = watched.doubts.iter().map(|(case, doubt)| DoubtDocument { case: *case, doubt });
    UsageDocument { doubted: watched.doubted, trusted: watched.trusted, doubts: doubts.collect() }
}

fn damaged(damage: &DamagedLine) -> DamagedDocument<'_> {
    let loss = match damage.loss {
        RecordLoss::Torn => "torn",
        RecordLoss::Unreadable => "unreadable",
        RecordLoss::Mended => "mended",
    };
    DamagedDocument { line: damage.line, reason: &damage.reason, loss }
}
