//! `.tap`: the Test Anything Protocol, version 14; one line per test; a test that is not green has diagnostics as YAML.
//!
//! <https://testanything.org/tap-version-14-specification.html>

use std::io::{self, Write};

use crate::record::journal::{CaseRecord, RunRecord};
use crate::record::thresholds::{self, RunConclusion};
use crate::record::verdict::Verdict;
use crate::report::document::{
    CaseBatch, Document, DocumentFailure, DocumentPlace, DocumentSelection, OpenDocument, WrittenDocument,
    batch_of,
};
use crate::report::facts::plain_explanation;
use crate::report::gates::gate_line;
use crate::report::headline::why;
use crate::report::provenance;
use crate::report::text::{LineEnds, one_line, visible};

/// `report.tap`, the Test Anything Protocol.
pub(super) struct TapDocument;

impl Document for TapDocument {
    fn word(&self) -> &'static str {
        "tap"
    }

    fn file_name(&self) -> &'static str {
        "report.tap"
    }

    fn selection(&self) -> DocumentSelection {
        DocumentSelection::Named
    }

    fn begin<'r>(
        &self,
        place: DocumentPlace<'_>,
        record: &'r RunRecord,
    ) -> Result<Box<dyn OpenDocument + 'r>, DocumentFailure> {
        Ok(Box::new(Tap::new(place.file()?, record)?))
    }

    fn batch(&self, _: &RunRecord) -> Option<Box<dyn CaseBatch>> {
        Some(Box::new(TapBatch::default()))
    }
}

/// Tests, without their numbers.
#[derive(Default)]
struct TapBatch(Vec<TestPoint>);

impl CaseBatch for TapBatch {
    fn push(&mut self, case: &CaseRecord, _: &[u8]) {
        push_case(&mut self.0, case);
    }
}

/// A line of the protocol without its number, and what is below it.
#[derive(Debug)]
struct TestPoint {
    /// `ok` or `not ok`.
    word: &'static str,
    /// What follows the number, with its line end.
    rest: String,
}

/// A stream that is being written.
#[derive(Debug)]
struct Tap<W> {
    out: W,
    /// Why the run is not green, apart from its tests and thresholds.
    beyond: Option<String>,
    /// The thresholds that do not hold, a test each.
    missed: Vec<String>,
    number: u32,
}

impl<W: Write> Tap<W> {
    /// Begins with the plan: what did not finish counts as one more test.
    fn new(mut out: W, record: &RunRecord) -> io::Result<Self> {
        let start = &record.start;
        let gates = thresholds::judge(record).map_err(io::Error::other)?;
        let missed: Vec<String> = gates.judged.iter().filter(|gate| gate.is_red()).map(gate_line).collect();
        let beyond = RunConclusion::of(record, &gates).beyond_tests(record);
        let plan = record.totals.cases() as usize + usize::from(beyond.is_some()) + missed.len();
        writeln!(out, "TAP version 14\n1..{plan}")?;
        let (run, version) = (one_line(&start.run, 100), one_line(&start.flowproof, 40));
        writeln!(out, "# flowproof {version}, run {run}, target {}", one_line(&start.target, 100))?;
        if let Some(note) = provenance::note(start, &record.totals) {
            writeln!(out, "# {note}")?;
        }
        Ok(Self { out, beyond, missed, number: 0 })
    }

    fn point(&mut self, point: &TestPoint) -> io::Result<()> {
        self.number += 1;
        write!(self.out, "{} {} - {}", point.word, self.number, point.rest)
    }
}

impl<W: Write + Send> OpenDocument for Tap<W> {
    fn add(&mut self, batch: &dyn CaseBatch) -> io::Result<()> {
        batch_of::<TapBatch>(batch).0.iter().try_for_each(|point| self.point(point))
    }

    /// Ends the stream; a run that did not judge all its tests is not ok.
    fn finish(mut self: Box<Self>) -> io::Result<WrittenDocument> {
        for missed in std::mem::take(&mut self.missed) {
            self.point(&TestPoint { word: "not ok", rest: format!("threshold {}\n", escaped(&missed)) })?;
        }
        if let Some(why) = self.beyond.take() {
            self.point(&TestPoint {
                word: "not ok",
                rest: format!("the run is complete: {}\n", escaped(&why)),
            })?;
        }
        self.out.flush()?;
        Ok(WrittenDocument::File)
    }
}

/// Adds a case to those before it.
fn push_case(points: &mut Vec<TestPoint>, case: &CaseRecord) {
    let outcome = &case.outcome;
    let name = escaped(&outcome.name);
    let point = match outcome.verdict {
        Verdict::Passed if outcome.warnings == 0 => TestPoint { word: "ok", rest: format!("{name}\n") },
        Verdict::Skipped if outcome.over_budget => {
            TestPoint { word: "not ok", rest: format!("{name}\n{}", diagnostics(case)) }
        }
        Verdict::Skipped => TestPoint {
            word: "ok",
            rest: format!("{name} # SKIP {}\n", escaped(outcome.reason.as_deref().unwrap_or_default())),
        },
        Verdict::Inconclusive if outcome.tolerated => TestPoint {
            word: "ok",
            rest: format!("{name} # SKIP inconclusive, which the suite tolerates: {}\n", escaped(&why(case))),
        },
        Verdict::Passed | Verdict::Flaky => {
            TestPoint { word: "ok", rest: format!("{name}\n{}", diagnostics(case)) }
        }
        Verdict::Failed | Verdict::Errored | Verdict::Inconclusive => {
            TestPoint { word: "not ok", rest: format!("{name}\n{}", diagnostics(case)) }
        }
    };
    points.push(point);
}

/// A YAML block of the verdict, why, where, and the whole explanation.
fn diagnostics(case: &CaseRecord) -> String {
    let outcome = &case.outcome;
    let quoted = |text: &str| serde_json::Value::from(visible(text, LineEnds::One)).to_string();
    let mut block = format!(
        "  ---\n  verdict: {}\n  message: {}\n  at:\n    file: {}\n    line: {}\n",
        outcome.verdict.word(),
        quoted(&why(case)),
        quoted(&outcome.place.file),
        outcome.place.line
    );
    let shown = case.deciding().filter(|attempt| attempt.verdict != Verdict::Passed);
    let shown = shown.or_else(|| case.attempts.iter().find(|attempt| attempt.verdict != Verdict::Passed));
    let explained = shown.map(plain_explanation);
    if let Some(explained) = explained.filter(|explained| !explained.is_empty()) {
        // The number is the indentation, since the text begins with blanks of its own.
        block.push_str("  explanation: |2\n");
        explained.lines().for_each(|line| block.push_str(&format!("    {line}\n")));
    }
    block.push_str("  ...\n");
    block
}

/// One line in which nothing is a directive.
fn escaped(text: &str) -> String {
    visible(text, LineEnds::One).replace('\\', "\\\\").replace('#', "\\#")
}
