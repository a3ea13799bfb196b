//! What a stretch of cases becomes in each document: made on any core, so that the documents are only put together in order.

use crate::journal::{CaseRecord, JournalError, RunRecord};
use crate::report::junit::Section;
use crate::report::{Format, diff, json, junit};

/// Cases that follow each other, as the documents will have them.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// For `junit.xml`.
    pub sections: Vec<Section>,
    /// For `report.json`.
    pub json: Vec<u8>,
    /// Those with a difference.
    pub differing: Vec<CaseRecord>,
}

/// Reads some cases and makes of them what the documents need.
pub(super) fn render(record: &RunRecord, cases: &[u32], formats: &[Format]) -> Result<Piece, JournalError> {
    let mut piece = Piece::default();
    let wanted = |format| formats.contains(&format);
    let (in_junit, in_json, in_diff) = (wanted(Format::Junit), wanted(Format::Json), wanted(Format::Diff));
    record.read_cases(cases, |case, attempts| {
        if in_junit {
            junit::push_case(&mut piece.sections, &case);
        }
        if in_json {
            json::push_case(&mut piece.json, &case, attempts);
        }
        if in_diff && diff::differing(&case).is_some() {
            piece.differing.push(case);
        }
    })?;
    Ok(piece)
}
