//! `summary.md`: the run in short, for a comment of a pull request or the summary of a job; each red test folds open.
//!
//! Nothing in it is live: names and outputs are written as code, where GitHub looks for no mentions, issues or HTML.

use std::io::{self, Write};
use std::time::Duration;

use crate::base::plural::{counted, plural};
use crate::base::units::{format_count, format_duration};
use crate::record::journal::{CaseRecord, JournalError, RunRecord};
use crate::record::thresholds;
use crate::record::verdict::Verdict;
use crate::report::diff::{fence_for, markdown_text};
use crate::report::document::{
    CaseBatch, Document, DocumentFailure, DocumentPlace, DocumentSelection, OpenDocument, WrittenDocument,
};
use crate::report::explain::{ExcerptLimits, ExplainedFindings};
use crate::report::facts::explain_attempt;
use crate::report::gates::push_gates;
use crate::report::headline::why;
use crate::report::provenance;
use crate::report::run_facts::push_run_facts;
use crate::report::spent::usage_texts;
use crate::report::standing::standing;
use crate::report::terminal::screen::Verbosity;
use crate::report::text::{ColorUse, ReportText, one_line};

/// The most bytes of a summary: GitHub takes 65,536 characters in a comment, and a character is at least one byte.
pub(crate) const COMMENT: usize = 65_536;
/// Room for the lines that count what is left out.
const RESERVE: usize = 1_024;
/// The most bytes of what folds open.
const FOLDED: usize = 6_000;
/// How much of a value and of a difference is shown.
const BOUNDS: ExcerptLimits = ExcerptLimits { width: 400, lines: 40 };
/// Tests with a note that are named.
const NAMED: usize = 20;

/// `summary.md`, for a comment of a pull request.
pub(super) struct MarkdownDocument;

impl Document for MarkdownDocument {
    fn word(&self) -> &'static str {
        "markdown"
    }

    fn file_name(&self) -> &'static str {
        "summary.md"
    }

    fn selection(&self) -> DocumentSelection {
        DocumentSelection::Usual
    }

    fn begin<'r>(
        &self,
        place: DocumentPlace<'_>,
        record: &'r RunRecord,
    ) -> Result<Box<dyn OpenDocument + 'r>, DocumentFailure> {
        let mut out = place.file()?;
        out.write_all(render_markdown(record)?.as_bytes())?;
        Ok(Box::new(WholeSummary(out)))
    }

    fn batch(&self, _: &RunRecord) -> Option<Box<dyn CaseBatch>> {
        None
    }
}

/// A summary that is whole since it began.
struct WholeSummary<W>(W);

impl<W: Write + Send> OpenDocument for WholeSummary<W> {
    fn add(&mut self, _: &dyn CaseBatch) -> io::Result<()> {
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<WrittenDocument> {
        self.0.flush()?;
        Ok(WrittenDocument::File)
    }
}

/// Renders the summary; most important first, and what does not fit is counted.
pub(crate) fn render_markdown(record: &RunRecord) -> Result<String, JournalError> {
    let mut text = String::new();
    head(&mut text, record)?;
    counts(&mut text, record);
    run_facts(&mut text, record)?;
    red(&mut text, record)?;
    if record.totals.flaky > 0 {
        named(&mut text, record, Verdict::Flaky, "Flaky: passed, but not at once")?;
    }
    if record.totals.tolerated > 0 {
        named(&mut text, record, Verdict::Inconclusive, "Not decided, which is a warning")?;
    }
    if record.totals.skipped > 0 {
        named(&mut text, record, Verdict::Skipped, "Skipped")?;
    }
    debug_assert!(text.len() <= COMMENT, "the parts are bounded");
    Ok(text)
}

fn head(text: &mut String, record: &RunRecord) -> Result<(), JournalError> {
    let line = standing(record)?;
    push(text, &format!("## {} flowproof: {}\n\n", line.light.sign(), markdown_text(&line.text)));
    if let Some(note) = provenance::note(&record.start, &record.totals) {
        push(text, &format!("> **{}**\n\n", markdown_text(&note)));
    }
    Ok(())
}

fn counts(text: &mut String, record: &RunRecord) {
    let totals = &record.totals;
    let counts = [
        ("passed", totals.passed),
        ("failed", totals.failed),
        ("errored", totals.errored),
        ("inconclusive", totals.inconclusive),
        ("flaky", totals.flaky),
        ("skipped", totals.skipped),
        ("not finished", record.unfinished()),
        ("warnings", totals.warnings),
    ];
    let shown: Vec<_> = counts.iter().filter(|(word, count)| *count > 0 || *word == "passed").collect();
    let cells = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    push(text, &cells(shown.iter().map(|(word, _)| (*word).to_owned()).collect()));
    push(text, &cells(shown.iter().map(|_| String::from("---:")).collect()));
    push(text, &cells(shown.iter().map(|(_, count)| format_count(u64::from(*count))).collect()));
    push(text, "\n");
}

/// Target, versions, time, tokens and price, a line each.
fn run_facts(text: &mut String, record: &RunRecord) -> Result<(), JournalError> {
    let (start, totals) = (&record.start, &record.totals);
    let mut facts =
        vec![format!("target {}, profile {}", code(&start.target, 100), code(&start.profile, 100))];
    if let Some(end) = &record.end {
        let took = Duration::try_from_secs_f64(end.duration_ms / 1e3).unwrap_or_default();
        facts.push(format!("{} in {}", counted(totals.attempts, "attempt"), format_duration(took)));
    }
    facts.extend(usage_texts(record).iter().take(9).map(|usage| markdown_text(usage)));
    facts.push(format!(
        "run {}, flowproof {}",
        code(&start.run, 100),
        markdown_text(&one_line(&start.flowproof, 40))
    ));
    push(text, &format!("{}\n\n", facts.join(" · ")));
    let mut notes = ReportText::new(ColorUse::Plain);
    push_gates(&mut notes, &thresholds::judge(record)?, Verbosity::Normal);
    push_run_facts(&mut notes, record)?;
    for damage in record.damage.iter().take(3) {
        let line = format!("line {} of the journal {}", damage.line, damage.reason);
        notes.push(&one_line(&line, 300)).end();
    }
    for line in notes.out.lines().take(20) {
        push(text, &format!("- {}\n", code(line.trim(), 400)));
    }
    push(text, if notes.out.is_empty() { "" } else { "\n" });
    Ok(())
}

/// The red tests, those that failed first; each with all that explains it, as long as there is room.
fn red(text: &mut String, record: &RunRecord) -> Result<(), JournalError> {
    let total = record.totals.red();
    if total == 0 {
        return Ok(());
    }
    push(text, "### Red tests\n\n");
    let mut shown = 0_u32;
    for case in record.failures() {
        let part = red_case(&case?);
        if text.len() + part.len() + RESERVE + listed(record) > COMMENT {
            break;
        }
        push(text, &part);
        shown += 1;
    }
    left_out(text, total - shown, "red");
    Ok(())
}

/// Room for the lists that follow the red tests.
fn listed(record: &RunRecord) -> usize {
    let lists = [record.totals.flaky, record.totals.tolerated, record.totals.skipped];
    // A line is at most two texts of 200 characters of 4 bytes each, and their signs.
    lists.iter().map(|count| (*count as usize).min(NAMED) * 400).sum()
}

fn red_case(case: &CaseRecord) -> String {
    let outcome = &case.outcome;
    let verdict = outcome.verdict.word();
    let [name, why] = [&outcome.name, &why(case)].map(|text| html(text));
    let mut explained = ReportText::new(ColorUse::Plain);
    match case.deciding() {
        Some(attempt) => explain_attempt(&mut explained, attempt, ExplainedFindings::NotHeld, BOUNDS),
        None => {
            explained.push("nothing was sent").end();
        }
    }
    let explained = shortened(&explained.out, FOLDED, "report.html");
    let fence = fence_for(&explained);
    format!(
        "<details><summary>{verdict}: <code>{name}</code><br><code>{why}</code></summary>\n\n{}\n\n{fence}diff\n{explained}{fence}\n\n</details>\n\n",
        code(&outcome.place.to_string(), 300)
    )
}

/// Whole lines up to this many bytes, and the number of lines left out, which another document has.
pub(super) fn shortened(text: &str, most: usize, elsewhere: &str) -> String {
    if text.len() <= most {
        return unindented(text);
    }
    let bound = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let end = text[..bound].rfind('\n').map_or(0, |end| end + 1);
    let left = text[end..].lines().count();
    let head = if end == 0 { format!("{}\n", one_line(text, most / 4)) } else { unindented(&text[..end]) };
    format!("{head}… {left} more {}, in {elsewhere}\n", plural(left, "line", "lines"))
}

/// Without the blanks before `-` and `+`, so that GitHub colours a difference.
fn unindented(text: &str) -> String {
    let line = |line: &str| {
        let inner = line.trim_start();
        let signed = inner.starts_with("- ") || inner.starts_with("+ ");
        format!("{}\n", if signed { inner } else { line })
    };
    text.lines().map(line).collect()
}

/// The cases of a verdict in a folded list.
fn named(text: &mut String, record: &RunRecord, verdict: Verdict, title: &str) -> Result<(), JournalError> {
    push(text, &format!("<details><summary>{title}</summary>\n\n"));
    let mut shown = 0_u32;
    let is_wanted = |case: &CaseRecord| verdict != Verdict::Inconclusive || case.outcome.tolerated;
    let wanted = [verdict];
    let cases = record.cases_with(&wanted).filter(|case| case.as_ref().map_or(true, is_wanted));
    for case in cases.take(NAMED) {
        let case = case?;
        let line = format!("- {}: {}\n", code(&case.outcome.name, 150), code(&why(&case), 150));
        if text.len() + line.len() + RESERVE / 2 <= COMMENT {
            push(text, &line);
            shown += 1;
        }
    }
    let total = match verdict {
        Verdict::Flaky => record.totals.flaky,
        Verdict::Skipped => record.totals.skipped,
        Verdict::Inconclusive => record.totals.tolerated,
        Verdict::Passed | Verdict::Failed | Verdict::Errored => shown,
    };
    push(text, "\n");
    left_out(text, total - shown, verdict.word());
    push(text, "</details>\n\n");
    Ok(())
}

fn left_out(text: &mut String, count: u32, word: &str) {
    if count > 0 {
        let tests = plural(count, "test is", "tests are");
        let count = format_count(u64::from(count));
        push(text, &format!("… {count} more {tests} {word} and left out here: see `report.html`\n\n"));
    }
}

fn push(text: &mut String, part: &str) {
    text.push_str(part);
}

/// One line of a text as a code span, in which nothing has a meaning.
pub(super) fn code(text: &str, most: usize) -> String {
    let line = one_line(text, most);
    let longest = line.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    if longest > 0 || line.trim().is_empty() {
        format!("{ticks} {line} {ticks}")
    } else {
        format!("{ticks}{line}{ticks}")
    }
}

/// One line of a text inside an element of HTML, where Markdown is not read.
pub(super) fn html(text: &str) -> String {
    one_line(text, 300).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_explanations_are_cut_at_a_line() {
        let text: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let cut = shortened(&text, 50, "report.html");
        assert!(cut.len() < 100 && cut.ends_with(" more lines, in report.html\n"), "{cut}");
        let one = shortened(&"ä".repeat(1000), 101, "report.html");
        assert!(one.len() < 200, "{one}");
    }

    #[test]
    fn a_difference_begins_its_lines() {
        assert_eq!(unindented("    - a\n    + b\n      c\n"), "- a\n+ b\n      c\n");
    }

    #[test]
    fn nothing_is_live() {
        assert_eq!(html("@a <img src=x> & </summary>"), "@a &lt;img src=x&gt; &amp; &lt;/summary&gt;");
        assert_eq!(code("@someone #12", 100), "`@someone #12`");
        assert_eq!(code("a `b` ``c", 100), "``` a `b` ``c ```");
        assert_eq!(code("", 100), "`  `");
    }
}
