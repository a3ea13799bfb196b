//! What `compare.html` has of a comparison: all that the JSON has, and of each test a short row of the list.

use std::io;

use serde::Serialize;

use crate::base::similarity::Likeness;
use crate::compare::{CaseRow, Comparison, Ruling, Side};
use crate::report::compare::{json, words};

/// The names of a row's parts, in their order; the page finds them by these.
const COLUMNS: [&str; 9] =
    ["name", "kind", "verdicts", "outputs", "figures", "similarity", "tokens", "cost", "latency"];

#[derive(Serialize)]
struct Page<'c> {
    head: json::Head<'c>,
    columns: [&'static str; 9],
}

/// What the page knows of the comparison as a whole, as JSON.
pub(super) fn head(compared: &Comparison<'_>, ruling: &Ruling<'_>, exit: u8) -> io::Result<Vec<u8>> {
    let page = Page { head: json::head(compared, ruling, exit), columns: COLUMNS };
    Ok(serde_json::to_vec(&page)?)
}

/// A test as a row of the list: its parts in the order of [`COLUMNS`].
pub(super) fn row(row: &CaseRow) -> io::Result<Vec<u8>> {
    let means = |side: &Option<Side>| side.as_ref().map(|side| side.means).unwrap_or_default();
    let (a, b) = (means(&row.a), means(&row.b));
    let parts = (
        &row.name,
        row.kind,
        words::verdicts(row),
        words::outputs(row),
        words::figures(row).join(" · "),
        row.similarity.map(Likeness::to_f64),
        (a.tokens, b.tokens),
        (a.cost, b.cost),
        (a.latency, b.latency),
    );
    Ok(serde_json::to_vec(&parts)?)
}
