//! What a stretch of cases becomes in each document: made on any core, so that the documents are only put together in order.

use crate::record::journal::{CaseRecord, JournalError, RunRecord};
use crate::report::ReportFormat;
use crate::report::csv;
use crate::report::diff;
use crate::report::explain::ExcerptLimits;
use crate::report::html::{self, HtmlPiece};
use crate::report::json;
use crate::report::junit;
use crate::report::junit::SuiteSection;
use crate::report::spent::AttemptSources;
use crate::report::tap::{self, TestPoint};

/// How testcases are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct TestcaseWriter {
    /// How much of each is told.
    pub bounds: ExcerptLimits,
    /// Who answered.
    pub answers: AttemptSources,
}

/// Cases that follow each other, as the documents will have them.
#[derive(Debug, Default)]
pub(super) struct CaseBatch {
    /// For `junit.xml`.
    pub sections: Vec<SuiteSection>,
    /// For `report.json`.
    pub json: Vec<u8>,
    /// For `report.html`.
    pub html: HtmlPiece,
    /// For `report.tap`.
    pub tap: Vec<TestPoint>,
    /// For `report.csv`.
    pub csv: Vec<u8>,
    /// Those with a difference.
    pub differing: Vec<CaseRecord>,
}

/// Reads some cases and makes of them what the documents need.
pub(super) fn render(
    record: &RunRecord,
    cases: &[u32],
    formats: &[ReportFormat],
) -> Result<CaseBatch, JournalError> {
    let mut piece = CaseBatch::default();
    let green = html::green(record);
    let writing = TestcaseWriter {
        bounds: ExcerptLimits::of_file(record.totals.red()),
        answers: AttemptSources::of(record),
    };
    record.read_cases(cases, |case, attempts| {
        for format in formats {
            match format {
                ReportFormat::Junit => junit::push_case(&mut piece.sections, &case, writing),
                ReportFormat::Json => json::push_case(&mut piece.json, &case, attempts),
                ReportFormat::Html => html::push_case(&mut piece.html, &case, attempts, green),
                ReportFormat::Tap => tap::push_case(&mut piece.tap, &case),
                ReportFormat::Csv => csv::push_case(&mut piece.csv, &case),
                // The summary is made of a few records when it begins; a difference takes the record, so it comes last.
                ReportFormat::Markdown | ReportFormat::Diff => {}
            }
        }
        if formats.contains(&ReportFormat::Diff) && diff::differing(&case).is_some() {
            piece.differing.push(case);
        }
    })?;
    Ok(piece)
}
