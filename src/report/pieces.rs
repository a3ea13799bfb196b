//! What a stretch of cases becomes in each document: made on any core, so that the documents are only put together in order.

use crate::journal::{CaseRecord, JournalError, RunRecord};
use crate::report::explain::Bounds;
use crate::report::html::{self, HtmlPiece};
use crate::report::junit::Section;
use crate::report::spent::Answers;
use crate::report::tap::{self, Point};
use crate::report::{Format, csv, diff, json, junit};

/// How testcases are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writing {
    /// How much of each is told.
    pub bounds: Bounds,
    /// Who answered.
    pub answers: Answers,
}

/// Cases that follow each other, as the documents will have them.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// For `junit.xml`.
    pub sections: Vec<Section>,
    /// For `report.json`.
    pub json: Vec<u8>,
    /// For `report.html`.
    pub html: HtmlPiece,
    /// For `report.tap`.
    pub tap: Vec<Point>,
    /// For `report.csv`.
    pub csv: Vec<u8>,
    /// Those with a difference.
    pub differing: Vec<CaseRecord>,
}

/// Reads some cases and makes of them what the documents need.
pub(super) fn render(record: &RunRecord, cases: &[u32], formats: &[Format]) -> Result<Piece, JournalError> {
    let mut piece = Piece::default();
    let green = html::green(record);
    let writing = Writing { bounds: Bounds::of_file(record.totals.red()), answers: Answers::of(record) };
    record.read_cases(cases, |case, attempts| {
        for format in formats {
            match format {
                Format::Junit => junit::push_case(&mut piece.sections, &case, writing),
                Format::Json => json::push_case(&mut piece.json, &case, attempts),
                Format::Html => html::push_case(&mut piece.html, &case, attempts, green),
                Format::Tap => tap::push_case(&mut piece.tap, &case),
                Format::Csv => csv::push_case(&mut piece.csv, &case),
                // The summary is made of a few records when it begins; a difference takes the record, so it comes last.
                Format::Markdown | Format::Diff => {}
            }
        }
        if formats.contains(&Format::Diff) && diff::differing(&case).is_some() {
            piece.differing.push(case);
        }
    })?;
    Ok(piece)
}
