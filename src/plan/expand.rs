//! One case a row, or one for a test without rows; all share the compiled test.

use std::sync::Arc;

use crate::plan::case::{Case, Test};
use crate::suite::spec::TestSpec;

/// The cases of a test, in order of its rows.
pub fn expand<'t>(
    spec: &'t TestSpec,
    test: &'t Arc<Test>,
    skip: Option<Arc<str>>,
) -> impl Iterator<Item = Case> + 't {
    let base = format!("{}::{}", test.suite.name, test.name);
    let single = if spec.rows.is_none() { Some((Arc::from(base.as_str()), None)) } else { None };
    let rows = spec.rows.iter().flat_map(|rows| &rows.rows);
    let rows = rows.map(move |row| (Arc::from(format!("{base}[{}]", row.name)), Some(row.value.clone())));
    single.into_iter().chain(rows).map(move |(name, row)| Case {
        ordinal: 0,
        place_in_all: None,
        name,
        test: test.clone(),
        row,
        skip: skip.clone(),
    })
}
