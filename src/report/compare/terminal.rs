//! A comparison on a terminal: the tests that differ, worst first, then the totals; the last line is the decision.

use crate::base::plural::counted;
use crate::record::compare::{
    CaseChange, CaseDetail, CaseRow, CompareVerdict, GateDecision, PlainDecision, Ruling, RunComparison,
};
use crate::report::compare::case;
use crate::report::compare::decided;
use crate::report::compare::sides;
use crate::report::compare::words;
use crate::report::explain::ExcerptLimits;
use crate::report::text::{ColorUse, LineEnds, ReportText, TextTone, one_line, visible};

/// Tests that are shown in full.
const FULL: usize = 10;
/// Tests that are named after those.
const NAMED: usize = 20;
/// How much of a difference is shown.
const BOUNDS: ExcerptLimits = ExcerptLimits { width: 200, lines: 12 };

/// The text that is being written.
#[derive(Debug)]
pub(crate) struct ComparisonText {
    text: ReportText,
    shown: usize,
    named: usize,
    left: usize,
}

impl ComparisonText {
    /// Begins with the two sides.
    pub fn new(compared: &RunComparison<'_>, ink: ColorUse) -> Self {
        let mut text = ReportText::new(ink);
        for (name, record) in [("A", compared.a), ("B", compared.b)] {
            text.tone(TextTone::Strong, name).push("  ").push(&sides::side(record)).end();
        }
        Self { text, shown: 0, named: 0, left: 0 }
    }

    /// True as long as tests are shown in full.
    pub fn wants(&self, row: &CaseRow) -> bool {
        row.kind != CaseChange::Unchanged && self.shown < FULL
    }

    /// Adds a test; those that did not change are only counted.
    pub fn row(&mut self, row: &CaseRow, detail: Option<&CaseDetail>) {
        if row.kind == CaseChange::Unchanged {
            return;
        }
        if self.shown < FULL {
            self.shown += 1;
            self.text.end();
            case::headline(&mut self.text, row);
            case::explain(&mut self.text, row, detail, BOUNDS);
        } else if self.named < NAMED {
            if self.named == 0 {
                self.text.end();
            }
            self.named += 1;
            case::headline(&mut self.text, row);
        } else {
            self.left += 1;
        }
    }

    /// Ends with the totals, the gates and what decided.
    pub fn finish(
        mut self,
        compared: &RunComparison<'_>,
        ruling: &Ruling<'_>,
        end: &ComparisonEnd<'_>,
    ) -> String {
        let text = &mut self.text;
        if self.left > 0 {
            let left = counted(self.left, "test");
            text.push(&format!("… and {left} more that differ, all in the reports")).end();
        }
        totals(text, compared);
        for change in &compared.changes {
            text.push("  ").push(&words::change(change, &compared.changes)).end();
        }
        if let Some(outputs) = &compared.outputs {
            let says = if outputs.p <= crate::record::compare::ALPHA {
                "differ by more than"
            } else {
                "differ by no more than"
            };
            text.push(&format!(
                "  outputs of all tests together {says} each side varies ({})",
                words::chance(outputs.p)
            ))
            .end();
        }
        for remark in sides::remarks(compared) {
            text.push("  ").push(&visible(&remark, LineEnds::One)).end();
        }
        gates(text, compared);
        for warning in sides::warnings(compared) {
            text.tone(TextTone::Doubt, &format!("note: {}", visible(&warning, LineEnds::One))).end();
        }
        if let Some(reports) = end.reports {
            text.push("reports: ").push(&one_line(reports, 400)).end();
        }
        last(text, &decided::ruling(compared, ruling), ruling.verdict, end.code);
        self.text.out
    }
}

/// What the command knows besides the comparison.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ComparisonEnd<'e> {
    /// The exit code.
    pub code: u8,
    /// Where the documents are.
    pub reports: Option<&'e str>,
}

/// `12 tests: 1 regressed, 2 changed, 9 unchanged`.
fn totals(text: &mut ReportText, compared: &RunComparison<'_>) {
    text.end().push(&counted(compared.rows.len(), "test")).push(": ");
    let shown = words::kinds(compared).into_iter().filter(|kind| kind.count > 0);
    for (place, kind) in shown.enumerate() {
        text.push(if place > 0 { ", " } else { "" });
        text.tone(
            case::sign_of(kind.kind).tone,
            &format!("{} {}", crate::base::units::format_count(kind.count as u64), words::kind(kind.kind)),
        );
    }
    text.end();
}

fn gates(text: &mut ReportText, compared: &RunComparison<'_>) {
    for gated in &compared.gates {
        let tone = match gated.decision {
            GateDecision::Passed => TextTone::Good,
            GateDecision::Failed => TextTone::Bad,
            GateDecision::Inconclusive(_) => TextTone::Doubt,
        };
        text.push("gate ")
            .tone(tone, decided::decision(gated.decision))
            .push("  ")
            .push(&decided::gate(gated, &compared.changes))
            .end();
    }
    for gated in &compared.plain {
        let tone = match gated.decision {
            PlainDecision::Passed => TextTone::Good,
            PlainDecision::Failed => TextTone::Bad,
            PlainDecision::Inconclusive => TextTone::Doubt,
        };
        let word = decided::plain_decision(gated.decision);
        text.push("gate ").tone(tone, word).push("  ").push(&decided::plain(gated)).end();
    }
}

fn last(text: &mut ReportText, reason: &str, verdict: CompareVerdict, code: u8) {
    match verdict {
        CompareVerdict::Holds => text.tone(TextTone::Good, reason).end(),
        CompareVerdict::NothingInCommon
        | CompareVerdict::Unjudged
        | CompareVerdict::Unfinished
        | CompareVerdict::Errored
        | CompareVerdict::Regressed
        | CompareVerdict::Gate
        | CompareVerdict::OverBudget
        | CompareVerdict::Undecided => text.tone(TextTone::Strong, &format!("exit {code}: {reason}")).end(),
    };
}
