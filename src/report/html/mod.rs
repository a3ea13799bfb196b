//! `report.html`: one page of a run that opens from disk, its data beside its script, written case by case.
//!
//! The page loads nothing from elsewhere, and its policy forbids it. The answers of workflows are only data: JSON in
//! elements that no browser runs, shown as text by `page/`. A small page opens fast, so details are bounded by size.

mod cases;
pub(crate) mod comparison;
mod embed;
mod shell;

use std::io::{self, Write};

use serde::Serialize;

use crate::assert::check::IMPLIED_STATUS;
use crate::base::plural::plural;
use crate::record::journal::{CaseRecord, JournalError, RunRecord};
use crate::record::thresholds;
use crate::report::document::{
    CaseBatch, Document, DocumentFailure, DocumentPlace, DocumentSelection, OpenDocument, WrittenDocument,
    batch_of,
};
use crate::report::gates::push_gates;
use crate::report::json;
use crate::report::json_counts;
use crate::report::run_facts::{push_run_facts, version_line};
use crate::report::standing::{HeadLine, standing};
use crate::report::terminal::screen::Verbosity;
use crate::report::text::{ColorUse, ReportText, one_line};

use cases::{GreenDetails, HtmlPiece, green, push_case};

/// The most bytes of details of tests that are green without a note.
const HELD_BYTES: usize = 48 << 20;
/// The most bytes of details of all other tests.
const TELLING_BYTES: usize = 96 << 20;
/// The most bytes of the details of one test.
const CASE_BYTES: usize = 8 << 20;
/// The most lines about the run as a whole.
const NOTES: usize = 60;

/// What the page looks like.
const STYLE: &str = include_str!("page/style.css");
/// Its content before its script has run.
const BODY: &str = concat!(include_str!("page/run.html"), include_str!("page/foot.html"));
/// The parts of its script, in the order in which they need each other; all but the last serve any page of ours.
const SCRIPTS: [&str; 11] = [
    include_str!("page/dom.js"),
    include_str!("page/values.js"),
    include_str!("page/diff.js"),
    include_str!("page/finding.js"),
    include_str!("page/waterfall.js"),
    include_str!("page/charts.js"),
    include_str!("page/list.js"),
    include_str!("page/theme.js"),
    include_str!("page/keys.js"),
    include_str!("page/test.js"),
    include_str!("page/run.js"),
];

/// What the page knows of the run as a whole.
#[derive(Serialize)]
struct PageHead<'a> {
    run: json::RunDocument<'a>,
    totals: json_counts::CountsDocument<'a>,
    suites: Vec<json::Suite<'a>>,
    standing: HeadLine,
    told: Vec<String>,
    columns: &'static [&'static str],
    /// The label of the assertion that no suite writes.
    implied: &'static str,
}

/// `report.html`, one page.
pub(super) struct HtmlDocument;

impl Document for HtmlDocument {
    fn word(&self) -> &'static str {
        "html"
    }

    fn file_name(&self) -> &'static str {
        "report.html"
    }

    fn selection(&self) -> DocumentSelection {
        DocumentSelection::Usual
    }

    fn begin<'r>(
        &self,
        place: DocumentPlace<'_>,
        record: &'r RunRecord,
    ) -> Result<Box<dyn OpenDocument + 'r>, DocumentFailure> {
        Ok(Box::new(HtmlPage::new(place.file()?, record)?))
    }

    fn batch(&self, record: &RunRecord) -> Option<Box<dyn CaseBatch>> {
        Some(Box::new(HtmlBatch { piece: HtmlPiece::default(), green: green(record) }))
    }
}

/// Cases, and which of them have details.
struct HtmlBatch {
    piece: HtmlPiece,
    green: GreenDetails,
}

impl CaseBatch for HtmlBatch {
    fn push(&mut self, case: &CaseRecord, attempts: &[u8]) {
        push_case(&mut self.piece, case, attempts, self.green);
    }
}

/// A page that is being written.
#[derive(Debug)]
pub(crate) struct HtmlPage<W> {
    out: W,
    nonce: String,
    pieces: u32,
    held_left: usize,
    telling_left: usize,
}

impl<W: Write> HtmlPage<W> {
    /// Begins the page with all that is known of the run as a whole.
    pub fn new(mut out: W, record: &RunRecord) -> Result<Self, DocumentFailure> {
        let start = &record.start;
        let nonce = shell::nonce(&[&start.run, &start.started, &start.seed.to_string()]);
        let standing = standing(record)?;
        let title = format!("{} {} · {} · flowproof", standing.light.sign(), standing.text, start.target);
        shell::begin(&mut out, &nonce, &title, STYLE)?;
        out.write_all(BODY.as_bytes())?;
        let head = PageHead {
            run: json::run(record),
            totals: json_counts::counts(&record.totals, record.unfinished()),
            suites: record.suites.iter().map(json::suite).collect(),
            standing,
            told: run_notes(record)?,
            columns: &cases::COLUMNS,
            implied: IMPLIED_STATUS,
        };
        let json = serde_json::to_vec(&head).map_err(io::Error::from)?;
        embed::element(&mut out, "id=\"head\"", &json)?;
        Ok(Self { out, nonce, pieces: 0, held_left: HELD_BYTES, telling_left: TELLING_BYTES })
    }

    /// Adds cases; details beyond the bound are left out, and the page says so in their place.
    pub fn piece(&mut self, piece: &HtmlPiece) -> io::Result<()> {
        if piece.rows.is_empty() {
            return Ok(());
        }
        let number = self.pieces;
        self.pieces += 1;
        embed::list(&mut self.out, "class=\"rows\"", &piece.rows)?;
        for (case, details) in &piece.telling {
            if details.len() <= self.telling_left.min(CASE_BYTES) {
                self.telling_left -= details.len();
                embed::list(&mut self.out, &format!("id=\"case-{case}\""), details)?;
            }
        }
        if !piece.held.is_empty() && piece.held.len() <= self.held_left {
            self.held_left -= piece.held.len();
            embed::object(&mut self.out, &format!("id=\"held-{number}\""), &piece.held)?;
        }
        Ok(())
    }

    /// Ends the page with its script.
    pub fn finish(mut self) -> io::Result<W> {
        shell::end(&mut self.out, &self.nonce, &SCRIPTS)?;
        Ok(self.out)
    }
}

impl<W: Write + Send> OpenDocument for HtmlPage<W> {
    fn add(&mut self, batch: &dyn CaseBatch) -> io::Result<()> {
        self.piece(&batch_of::<HtmlBatch>(batch).piece)
    }

    fn finish(self: Box<Self>) -> io::Result<WrittenDocument> {
        HtmlPage::finish(*self)?.flush()?;
        Ok(WrittenDocument::File)
    }
}

/// Notes on the run besides its counts: versions, limits, doubts, damage.
fn run_notes(record: &RunRecord) -> Result<Vec<String>, JournalError> {
    let mut text = ReportText::new(ColorUse::Plain);
    push_gates(&mut text, &thresholds::judge(record)?, Verbosity::Verbose);
    push_run_facts(&mut text, record)?;
    let mut notes: Vec<String> = Vec::new();
    notes.extend(text.out.lines().map(|line| line.trim().to_owned()));
    if let Some(reason) = record.end.as_ref().and_then(|end| end.stopped_early.as_deref()) {
        notes.push(one_line(reason, 400));
    }
    let damage = record.damage.iter();
    notes.extend(
        damage.map(|damage| format!("line {} of the journal {}", damage.line, one_line(&damage.reason, 300))),
    );
    if record.start.mock {
        let ran = record.end.iter().flat_map(|end| &end.versions);
        notes.extend(ran.map(|ran| format!("{} (invented by the mock)", version_line(ran))));
    }
    let left = notes.len().saturating_sub(NOTES);
    if left > 0 {
        notes.truncate(NOTES);
        notes.push(format!("… and {left} {} more, in report.json", plural(left, "line", "lines")));
    }
    Ok(notes)
}

#[cfg(test)]
mod tests;
