//! A comparison in `compare.html`: everything that the JSON has, and a short row of the list for each test.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use crate::base::similarity::Likeness;
use crate::record::compare::{CaseDetail, CaseRow, CaseSide, Ruling, RunComparison};
use crate::report::compare::json;
use crate::report::compare::words;
use crate::report::named::look_alikes_of_changes;

/// The names of a row's parts, in their order; the page finds them by these.
const COLUMNS: [&str; 10] =
    ["name", "kind", "verdicts", "outputs", "figures", "similarity", "tokens", "cost", "latency", "alike"];

#[derive(Serialize)]
struct ComparisonPage<'c> {
    head: json::ComparisonHead<'c>,
    columns: [&'static str; 10],
}

/// What the page knows of the comparison as a whole, as JSON.
pub(super) fn head(compared: &RunComparison<'_>, ruling: &Ruling<'_>, exit: u8) -> io::Result<Vec<u8>> {
    let page = ComparisonPage { head: json::head(compared, ruling, exit), columns: COLUMNS };
    Ok(serde_json::to_vec(&page)?)
}

/// A test as a row of the list: its parts in the order of [`COLUMNS`].
pub(super) fn row(row: &CaseRow, detail: Option<&CaseDetail>) -> io::Result<Vec<u8>> {
    let alike = detail.map(|detail| look_alikes_of_changes(&detail.changes)).unwrap_or_default();
    let means = |side: &Option<CaseSide>| side.as_ref().map(|side| side.means).unwrap_or_default();
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
        alike.names().collect::<BTreeMap<_, _>>(),
    );
    Ok(serde_json::to_vec(&parts)?)
}
