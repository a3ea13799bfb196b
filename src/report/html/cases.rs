//! A case on the page: a row of the list, and its attempts as the journal has them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::record::journal::{CaseRecord, RunRecord};
use crate::record::verdict::{Finding, Truth, Verdict};
use crate::report::headline::why;
use crate::report::named::look_alikes;
use crate::report::spent::used;

/// The most tests of a run whose green tests have details; of a larger run only the others have.
const MOST_WITH_HELD: u32 = 20_000;

/// The names of a row's parts, in their order; the page finds them by these.
pub(super) const COLUMNS: [&str; 20] = [
    "case",
    "suite",
    "name",
    "file",
    "line",
    "tags",
    "verdict",
    "why",
    "warnings",
    "attempts",
    "duration",
    "latency",
    "ttft",
    "tokens",
    "cost",
    "replayed",
    "alike",
    "tolerated",
    "tokens_unknown",
    "cost_unknown",
];

/// A row, its parts in the order of [`COLUMNS`].
#[derive(Serialize)]
struct TableRow<'a>(
    u32,
    &'a str,
    &'a str,
    &'a str,
    u32,
    &'a [String],
    Verdict,
    String,
    u32,
    u32,
    f64,
    Option<f64>,
    Option<f64>,
    Option<u64>,
    Vec<(String, String)>,
    usize,
    BTreeMap<String, String>,
    bool,
    u32,
    u32,
);

/// Cases that follow each other, as the page has them.
#[derive(Debug, Default)]
pub(crate) struct HtmlPiece {
    /// Rows as the members of a list.
    pub rows: Vec<u8>,
    /// The attempts of each case that is red or has a note, as the members of a list.
    pub telling: Vec<(u32, Vec<u8>)>,
    /// The attempts of the others, by case, as the members of an object.
    pub held: Vec<u8>,
}

/// Whether tests that are green without a note have details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GreenDetails {
    /// They have.
    Detailed,
    /// They are rows only: the run is too large.
    Listed,
}

/// Which details a run of this size has.
pub(crate) fn green(record: &RunRecord) -> GreenDetails {
    if record.start.cases <= MOST_WITH_HELD { GreenDetails::Detailed } else { GreenDetails::Listed }
}

/// Adds a case after those before it.
pub(crate) fn push_case(piece: &mut HtmlPiece, case: &CaseRecord, attempts: &[u8], green: GreenDetails) {
    let outcome = &case.outcome;
    if !piece.rows.is_empty() {
        piece.rows.extend_from_slice(b",\n");
    }
    serde_json::to_writer(&mut piece.rows, &row(case)).expect("names, numbers and texts become JSON");
    if attempts.is_empty() {
        return;
    }
    if outcome.verdict != Verdict::Passed || outcome.warnings > 0 {
        piece.telling.push((outcome.case, attempts.to_vec()));
    } else if green == GreenDetails::Detailed {
        let separator = if piece.held.is_empty() { "" } else { ",\n" };
        piece.held.extend_from_slice(format!("{separator}\"{}\":[", outcome.case).as_bytes());
        piece.held.extend_from_slice(attempts);
        piece.held.push(b']');
    }
}

fn row(case: &CaseRecord) -> TableRow<'_> {
    let outcome = &case.outcome;
    let facts = case.deciding().map(|attempt| &attempt.facts);
    let prefix = outcome.name.strip_prefix(outcome.suite.as_str());
    let name = prefix.and_then(|name| name.strip_prefix("::")).unwrap_or(&outcome.name);
    let why = match (outcome.verdict, outcome.warnings) {
        (Verdict::Passed, 0) => String::new(),
        _ => why(case),
    };
    let spent = used(case);
    let tokens =
        (spent.tokens > 0 || spent.tokens_unknown == 0 && !case.attempts.is_empty()).then_some(spent.tokens);
    let (tokens_unknown, cost_unknown) = (spent.tokens_unknown, spent.cost_unknown);
    TableRow(
        outcome.case,
        &outcome.suite,
        name,
        &outcome.place.file,
        outcome.place.line,
        &outcome.tags,
        outcome.verdict,
        why,
        outcome.warnings,
        outcome.attempts,
        outcome.duration_ms,
        facts.and_then(|facts| facts.latency_ms),
        facts.and_then(|facts| facts.ttft_ms),
        tokens,
        spent.cost.into_iter().map(|(currency, amount)| (currency, amount.normalize().to_string())).collect(),
        case.attempts.iter().filter(|attempt| attempt.replayed).count(),
        alike(case),
        outcome.tolerated,
        tokens_unknown,
        cost_unknown,
    )
}

/// The words of what does not hold that look like others and are not them, with their names.
fn alike(case: &CaseRecord) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let mut waiting: Vec<&Finding> = case.attempts.iter().flat_map(|attempt| &attempt.findings).collect();
    while let Some(finding) = waiting.pop() {
        if finding.truth != Truth::Held {
            let alike = look_alikes(finding);
            names.extend(alike.names().map(|(word, name)| (word.to_owned(), name.to_owned())));
            waiting.extend(&finding.members);
        }
    }
    names
}
