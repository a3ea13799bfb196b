//! The line of a suite that a finding is about.

use crate::base::origin::Place;
use crate::base::visible::{LineEnds, visible};
use crate::report::text::{ReportText, TextTone};

/// The source line, with carets below the assertion where it does not begin the line; nothing where the line is not known.
pub(crate) fn source_line(text: &mut ReportText, place: &Place, indent: &str) {
    if place.line == 0 || place.excerpt.trim().is_empty() {
        return;
    }
    let number = place.line.to_string();
    let shown = place.excerpt.replace('\t', " ");
    text.push(indent)
        .tone(TextTone::Faint, &format!("{number} | "))
        .push(&visible(&shown, LineEnds::One))
        .end();
    let (column, length) = (place.column as usize, shown.chars().count());
    let before: String = shown.chars().take(column.saturating_sub(1)).collect();
    if column == 0 || column > length || before.chars().all(|c| matches!(c, ' ' | '-')) {
        return;
    }
    let marked: String = shown.chars().skip(column - 1).take(place.width.max(1) as usize).collect();
    // Names are longer than what they name.
    let [before, carets] = [&before, &marked].map(|part| visible(part, LineEnds::One).chars().count());
    text.push(indent).tone(TextTone::Faint, &format!("{} | ", " ".repeat(number.len())));
    text.push(&" ".repeat(before)).tone(TextTone::Bad, &"^".repeat(carets)).end();
}
