//! One case a row, or one for a test without rows; all share the compiled test.

use std::sync::Arc;

use crate::base::digest::Digest;
use crate::plan::case::{Case, CompiledTest};
use crate::plan::print::case_print;
use crate::suite::spec::TestSpec;
use crate::yaml::row::DataRow;

/// The cases of a test, in order of its rows.
pub fn expand<'t>(
    spec: &'t TestSpec,
    test: &'t Arc<CompiledTest>,
    skip: Option<Arc<str>>,
) -> impl Iterator<Item = Case> + 't {
    let base = format!("{}::{}", test.suite.name, test.name);
    let single = if spec.rows.is_none() { Some((Arc::from(base.as_str()), None)) } else { None };
    let rows = spec.rows.iter().flat_map(|rows| rows.rows.iter());
    let rows = rows.map(move |row| (Arc::from(format!("{base}[{}]", row.name)), Some(row)));
    single.into_iter().chain(rows).map(move |(name, row): (Arc<str>, Option<&DataRow>)| {
        let key = Digest::of(&name);
        Case {
            ordinal: 0,
            place_in_all: 0,
            name,
            key,
            print: case_print(key, test.print, row, skip.as_deref()),
            test: test.clone(),
            row: row.map(|row| row.value.clone()),
            skip: skip.clone(),
        }
    })
}
