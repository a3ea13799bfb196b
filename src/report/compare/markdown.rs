//! `compare.md`: a comparison in short, for a comment of a pull request; each test that differs folds open.
//!
//! Nothing in it is live: names and outputs are written as code, where GitHub looks for no mentions, issues or HTML.

use crate::base::plural::counted;
use crate::base::units::format_count;
use crate::record::compare::{CaseChange, CaseDetail, CaseRow, CompareVerdict, Ruling, RunComparison};
use crate::report::compare::case;
use crate::report::compare::decided;
use crate::report::compare::sides;
use crate::report::compare::words;
use crate::report::diff::{fence_for, markdown_text};
use crate::report::explain::ExcerptLimits;
use crate::report::markdown::{COMMENT, code, html, shortened};
use crate::report::text::{ColorUse, ReportText};

/// Room for the end of the document.
const RESERVE: usize = 2_048;
/// The most bytes of what folds open.
const FOLDED: usize = 6_000;
/// How much of a difference is shown.
const BOUNDS: ExcerptLimits = ExcerptLimits { width: 400, lines: 40 };

/// The document that is being written.
#[derive(Debug)]
pub(crate) struct Comment {
    text: String,
    left: usize,
}

impl Comment {
    /// Begins with what decided, the totals and the gates.
    pub fn new(compared: &RunComparison<'_>, ruling: &Ruling<'_>) -> Self {
        let reason = markdown_text(&decided::ruling(compared, ruling));
        let mut text = format!("## {} flowproof compare: {reason}\n\n", light(ruling.verdict));
        for warning in sides::warnings(compared) {
            text.push_str(&format!("> **{}**\n>\n", markdown_text(&warning)));
        }
        text.push_str("\n| | side |\n| --- | --- |\n");
        for (name, record) in [("A", compared.a), ("B", compared.b)] {
            text.push_str(&format!("| **{name}** | {} |\n", cell(&sides::side(record))));
        }
        counts(&mut text, compared);
        measures(&mut text, compared);
        Self { text, left: 0 }
    }

    /// True as long as there is room for the details of tests.
    pub fn wants(&self, row: &CaseRow) -> bool {
        row.kind != CaseChange::Unchanged && self.left == 0
    }

    /// Adds a test that differs; those for which there is no room are counted.
    pub fn row(&mut self, row: &CaseRow, detail: Option<&CaseDetail>) {
        if row.kind == CaseChange::Unchanged {
            return;
        }
        if self.left == 0 {
            let part = folded_case(row, detail);
            if self.text.len() + part.len() + RESERVE <= COMMENT {
                self.text.push_str(&part);
                return;
            }
        }
        self.left += 1;
    }

    /// Ends it.
    pub fn finish(mut self) -> String {
        if self.left > 0 {
            let left = counted(self.left, "test");
            self.text.push_str(&format!("… {left} more that differ: see `compare.html`\n\n"));
        }
        self.text
    }
}

fn light(verdict: CompareVerdict) -> &'static str {
    match verdict {
        CompareVerdict::Holds => "✓",
        CompareVerdict::Undecided => "?",
        CompareVerdict::NothingInCommon
        | CompareVerdict::Unjudged
        | CompareVerdict::Unfinished
        | CompareVerdict::Errored
        | CompareVerdict::Regressed
        | CompareVerdict::OverBudget
        | CompareVerdict::Gate => "✗",
    }
}

fn counts(text: &mut String, compared: &RunComparison<'_>) {
    let kinds = words::kinds(compared);
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    text.push('\n');
    text.push_str(&line(kinds.iter().map(|kind| words::kind(kind.kind).to_owned()).collect()));
    text.push_str(&line(kinds.iter().map(|_| String::from("---:")).collect()));
    text.push_str(&line(kinds.iter().map(|kind| format_count(kind.count as u64)).collect()));
    text.push('\n');
}

fn measures(text: &mut String, compared: &RunComparison<'_>) {
    for change in &compared.changes {
        text.push_str(&format!("- {}\n", markdown_text(&words::change(change, &compared.changes))));
    }
    for remark in sides::remarks(compared) {
        text.push_str(&format!("- {}\n", markdown_text(&remark)));
    }
    for gated in &compared.gates {
        let word = decided::decision(gated.decision);
        text.push_str(&format!(
            "- gate **{word}**: {}\n",
            markdown_text(&decided::gate(gated, &compared.changes))
        ));
    }
    for gated in &compared.plain {
        let word = decided::plain_decision(gated.decision);
        text.push_str(&format!("- gate **{word}**: {}\n", markdown_text(&decided::plain(gated))));
    }
    text.push('\n');
}

/// A test that folds open.
fn folded_case(row: &CaseRow, detail: Option<&CaseDetail>) -> String {
    let sign = case::sign_of(row.kind).sign;
    let [name, verdicts] = [row.name.as_str(), &words::verdicts(row)].map(html);
    let mut explained = ReportText::new(ColorUse::Plain);
    case::explain(&mut explained, row, detail, BOUNDS);
    let explained = shortened(&explained.out, FOLDED, "compare.html");
    let fence = fence_for(&explained);
    let kind = words::kind(row.kind);
    format!(
        "<details><summary>{sign} {kind}: <code>{name}</code> {verdicts}</summary>\n\n{fence}diff\n{explained}{fence}\n\n</details>\n\n"
    )
}

/// One line of a text as a cell of a table.
fn cell(text: &str) -> String {
    code(text, 400).replace('|', "\\|")
}
