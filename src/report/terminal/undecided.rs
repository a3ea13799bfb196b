//! The tests whose repeats did not decide, where their suites take that as a warning: told, and no failure.

use crate::base::units::format_count;
use crate::record::attempt::UsageTotals;
use crate::record::journal::{JournalError, RunRecord};
use crate::record::verdict::Verdict;
use crate::report::terminal::case_line;
use crate::report::terminal::summary::NAMED;
use crate::report::text::{ReportText, TextTone};

/// Names the tests whose repeats did not decide, where the suite takes that as a warning.
pub(super) fn tolerated(text: &mut ReportText, record: &RunRecord) -> Result<(), JournalError> {
    if record.totals.tolerated == 0 {
        return Ok(());
    }
    text.end().tone(TextTone::Doubt, "not decided, which is a warning:").end();
    let wanted = [Verdict::Inconclusive];
    let cases =
        record.cases_with(&wanted).filter(|case| case.as_ref().map_or(true, |case| case.outcome.tolerated));
    for case in cases.take(NAMED) {
        case_line(text, &case?.outcome, &UsageTotals::default());
    }
    let left = (record.totals.tolerated as usize).saturating_sub(NAMED);
    if left > 0 {
        text.push(&format!("… and {} more, all in the reports", format_count(left as u64))).end();
    }
    Ok(())
}
