//! `.csv`: one row per test, for spreadsheets; a text that looks like a formula is made harmless.

use std::io::{self, Write};

use crate::record::journal::{CaseRecord, RunRecord};
use crate::record::verdict::Verdict;
use crate::report::document::{
    CaseBatch, Document, DocumentFailure, DocumentPlace, DocumentSelection, OpenDocument, WrittenDocument,
    batch_of,
};
use crate::report::headline::why;
use crate::report::spent::used;
use crate::report::text::{LineEnds, visible};

/// The names of the columns.
const COLUMNS: [&str; 23] = [
    "name",
    "suite",
    "file",
    "line",
    "tags",
    "verdict",
    "why",
    "warnings",
    "attempts",
    "replayed",
    "duration_ms",
    "latency_ms",
    "ttft_ms",
    "server_ms",
    "steps",
    "tokens",
    "cost",
    "currency",
    "run_id",
    "workflow_id",
    "dify_version",
    "tokens_unknown",
    "cost_unknown",
];

/// `report.csv`, a row for each test.
pub(super) struct CsvDocument;

impl Document for CsvDocument {
    fn word(&self) -> &'static str {
        "csv"
    }

    fn file_name(&self) -> &'static str {
        "report.csv"
    }

    fn selection(&self) -> DocumentSelection {
        DocumentSelection::Named
    }

    fn signature(&self) -> &'static str {
        "name,suite,file,line,tags,verdict"
    }

    fn begin<'r>(
        &self,
        place: DocumentPlace<'_>,
        _: &'r RunRecord,
    ) -> Result<Box<dyn OpenDocument + 'r>, DocumentFailure> {
        Ok(Box::new(CsvTable::new(place.file()?)?))
    }

    fn batch(&self, _: &RunRecord) -> Option<Box<dyn CaseBatch>> {
        Some(Box::new(CsvBatch::default()))
    }
}

/// Rows, each with its line end.
#[derive(Default)]
struct CsvBatch(Vec<u8>);

impl CaseBatch for CsvBatch {
    fn push(&mut self, case: &CaseRecord, _: &[u8]) {
        push_case(&mut self.0, case);
    }
}

/// A table that is being written.
#[derive(Debug)]
struct CsvTable<W> {
    out: W,
}

impl<W: Write> CsvTable<W> {
    /// Begins with the names of the columns.
    fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&line(&COLUMNS.map(String::from)))?;
        Ok(Self { out })
    }
}

impl<W: Write + Send> OpenDocument for CsvTable<W> {
    fn add(&mut self, batch: &dyn CaseBatch) -> io::Result<()> {
        self.out.write_all(&batch_of::<CsvBatch>(batch).0)
    }

    fn finish(mut self: Box<Self>) -> io::Result<WrittenDocument> {
        self.out.flush()?;
        Ok(WrittenDocument::File)
    }
}

/// Adds the row of a case; times, ids and versions are those of the attempt that decided.
fn push_case(out: &mut Vec<u8>, case: &CaseRecord) {
    let outcome = &case.outcome;
    let facts = case.deciding().map(|attempt| attempt.facts.clone()).unwrap_or_default();
    let number = |number: Option<f64>| {
        number.filter(|number| number.is_finite()).map_or_else(String::new, |ms| ms.to_string())
    };
    let count = |count: Option<u64>| count.map_or_else(String::new, |count| count.to_string());
    let replayed = case.attempts.iter().filter(|attempt| attempt.replayed).count();
    let spent = used(case);
    let tokens =
        (spent.tokens > 0 || spent.tokens_unknown == 0 && !case.attempts.is_empty()).then_some(spent.tokens);
    let joined = |parts: Vec<String>| parts.join("; ");
    let why = match outcome.verdict {
        Verdict::Passed if outcome.warnings == 0 => String::new(),
        Verdict::Passed
        | Verdict::Failed
        | Verdict::Errored
        | Verdict::Inconclusive
        | Verdict::Flaky
        | Verdict::Skipped => why(case),
    };
    let cells: [String; 23] = [
        text(&outcome.name),
        text(&outcome.suite),
        text(&outcome.place.file),
        outcome.place.line.to_string(),
        text(&outcome.tags.join(" ")),
        outcome.verdict.word().to_owned(),
        text(&why),
        outcome.warnings.to_string(),
        outcome.attempts.to_string(),
        replayed.to_string(),
        number(Some(outcome.duration_ms)),
        number(facts.latency_ms),
        number(facts.ttft_ms),
        number(facts.server_ms),
        count(facts.steps),
        count(tokens),
        joined(spent.cost.values().map(|amount| amount.normalize().to_string()).collect()),
        text(&joined(spent.cost.keys().cloned().collect())),
        text(facts.run_id.as_deref().unwrap_or_default()),
        text(facts.workflow_id.as_deref().unwrap_or_default()),
        text(facts.dify_version.as_deref().unwrap_or_default()),
        spent.tokens_unknown.to_string(),
        spent.cost_unknown.to_string(),
    ];
    out.extend_from_slice(&line(&cells));
}

/// A text that no spreadsheet takes for a formula: OWASP's "CSV Injection" names the signs, of both widths.
fn text(text: &str) -> String {
    let shown = visible(text, LineEnds::One);
    let formula =
        |first: char| matches!(first, '=' | '+' | '-' | '@' | '|' | '%' | '＝' | '＋' | '－' | '＠');
    let first = shown.trim_start().chars().next();
    if first.is_some_and(formula) { format!("'{shown}") } else { shown.into_owned() }
}

fn line(cells: &[String]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells).expect("a Vec takes all");
    writer.into_inner().expect("a Vec takes all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for formula in
            ["=1+1", "+1", "-1", "@SUM(A1)", "  =x", "|cmd", "＝1", "\t=1", "\r\n=cmd|' /C calc'!A0"]
        {
            let cell = text(formula);
            let first = cell.chars().next().unwrap();
            assert!(matches!(first, '\'' | '\\'), "{cell:?} would be taken for a formula");
        }
        assert_eq!(text("refund is billing"), "refund is billing");
        assert_eq!(text(""), "");
    }
}
