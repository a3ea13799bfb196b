//! Some consecutive cases as they appear in each document. They are rendered on any core; the documents only join them in order.

use crate::record::journal::{CaseRecord, JournalError, RunRecord};
use crate::report::csv;
use crate::report::diff;
use crate::report::explain::ExcerptLimits;
use crate::report::format::ReportFormat;
use crate::report::html::{self, HtmlPiece};
use crate::report::json;
use crate::report::junit_cases::{self, SuiteSection, TestcaseContext};
use crate::report::spent::AttemptSources;
use crate::report::tap::{self, TestPoint};

/// Consecutive cases, rendered for each document.
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
    /// The cases with a difference.
    pub differing: Vec<CaseRecord>,
}

/// Reads some cases and renders them for the documents.
pub(super) fn render(
    record: &RunRecord,
    cases: &[u32],
    formats: &[ReportFormat],
) -> Result<CaseBatch, JournalError> {
    let mut batch = CaseBatch::default();
    let green = html::green(record);
    let context = TestcaseContext {
        limits: ExcerptLimits::of_file(record.totals.red()),
        sources: AttemptSources::of(record),
    };
    record.read_cases(cases, |case, attempts| {
        for format in formats {
            match format {
                ReportFormat::Junit => junit_cases::push_case(&mut batch.sections, &case, context),
                ReportFormat::Json => json::push_case(&mut batch.json, &case, attempts),
                ReportFormat::Html => html::push_case(&mut batch.html, &case, attempts, green),
                ReportFormat::Tap => tap::push_case(&mut batch.tap, &case),
                ReportFormat::Csv => csv::push_case(&mut batch.csv, &case),
                // The summary is made of a few records when it begins; a difference takes the record, so it comes last.
                ReportFormat::Markdown | ReportFormat::Diff => {}
            }
        }
        if formats.contains(&ReportFormat::Diff) && diff::differing(&case).is_some() {
            batch.differing.push(case);
        }
    })?;
    Ok(batch)
}
