//! A comparison on a terminal: the tests that differ, worst first, then the totals; the last line says what decided.

use crate::compare::{CaseDetail, CaseRow, Comparison, Decision, Kind, Plain, Ruling, Verdict};
use crate::report::compare::{case, decided, sides, words};
use crate::report::explain::Bounds;
use crate::report::text::{Ink, Lines, Text, Tone, one_line, visible};

/// Tests that are told in full.
const FULL: usize = 10;
/// Tests that are named after those.
const NAMED: usize = 20;
/// How much of a difference is shown.
const BOUNDS: Bounds = Bounds { width: 200, lines: 12 };

/// The text that is being written.
#[derive(Debug)]
pub(crate) struct Screen {
    text: Text,
    told: usize,
    named: usize,
    left: usize,
}

impl Screen {
    /// Begins with the two sides.
    pub fn new(compared: &Comparison<'_>, ink: Ink) -> Self {
        let mut text = Text::new(ink);
        for (name, record) in [("A", compared.a), ("B", compared.b)] {
            text.tone(Tone::Strong, name).push("  ").push(&sides::side(record)).end();
        }
        Self { text, told: 0, named: 0, left: 0 }
    }

    /// True as long as tests are told in full.
    pub fn wants(&self, row: &CaseRow) -> bool {
        row.kind != Kind::Unchanged && self.told < FULL
    }

    /// Adds a test; those that did not change are only counted.
    pub fn row(&mut self, row: &CaseRow, detail: Option<&CaseDetail>) {
        if row.kind == Kind::Unchanged {
            return;
        }
        if self.told < FULL {
            self.told += 1;
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
    pub fn finish(mut self, compared: &Comparison<'_>, ruling: &Ruling<'_>, end: &End<'_>) -> String {
        let text = &mut self.text;
        if self.left > 0 {
            let left = words::counted(self.left, "test");
            text.push(&format!("… and {left} more that differ, all in the reports")).end();
        }
        totals(text, compared);
        for change in &compared.changes {
            text.push("  ").push(&words::change(change, &compared.changes)).end();
        }
        if let Some(outputs) = &compared.outputs {
            let says = if outputs.p <= crate::compare::ALPHA {
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
            text.push("  ").push(&visible(&remark, Lines::One)).end();
        }
        gates(text, compared);
        for warning in sides::warnings(compared) {
            text.tone(Tone::Doubt, &format!("note: {}", visible(&warning, Lines::One))).end();
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
pub(crate) struct End<'e> {
    /// The exit code.
    pub code: u8,
    /// Where the documents are.
    pub reports: Option<&'e str>,
}

/// `12 tests: 1 regressed, 2 changed, 9 unchanged`.
fn totals(text: &mut Text, compared: &Comparison<'_>) {
    text.end().push(&words::counted(compared.rows.len(), "test")).push(": ");
    let shown = words::kinds(compared).into_iter().filter(|(_, _, count)| *count > 0);
    for (place, (kind, word, count)) in shown.enumerate() {
        text.push(if place > 0 { ", " } else { "" });
        text.tone(case::sign(kind).1, &format!("{} {word}", crate::base::units::format_count(count as u64)));
    }
    text.end();
}

fn gates(text: &mut Text, compared: &Comparison<'_>) {
    for gated in &compared.gates {
        let tone = match gated.decision {
            Decision::Passed => Tone::Good,
            Decision::Failed => Tone::Bad,
            Decision::Inconclusive(_) => Tone::Doubt,
        };
        text.push("gate ")
            .tone(tone, decided::decision(gated.decision))
            .push("  ")
            .push(&decided::gate(gated, &compared.changes))
            .end();
    }
    for gated in &compared.plain {
        let tone = match gated.decision {
            Plain::Passed => Tone::Good,
            Plain::Failed => Tone::Bad,
            Plain::Inconclusive => Tone::Doubt,
        };
        let word = decided::plain_decision(gated.decision);
        text.push("gate ").tone(tone, word).push("  ").push(&decided::plain(gated)).end();
    }
}

fn last(text: &mut Text, told: &str, verdict: Verdict, code: u8) {
    match verdict {
        Verdict::Holds => text.tone(Tone::Good, told).end(),
        Verdict::NothingInCommon
        | Verdict::Unjudged
        | Verdict::Unfinished
        | Verdict::Errored
        | Verdict::Regressed
        | Verdict::Gate
        | Verdict::OverBudget
        | Verdict::Undecided => text.tone(Tone::Strong, &format!("exit {code}: {told}")).end(),
    };
}
