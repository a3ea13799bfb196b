//! What the names of a test's templates mean, if known while suites load: what cannot be rendered with them
//! is a problem before anything is sent.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::base::template::{Template, TemplateError, TemplateScope, Templates};
use crate::yaml::row::DataRow;

/// Repeats for which a template that reads `repeat.index` is tried: it may be meant for some of them only.
const REPEATS: u64 = 10;
/// Rows that a message names.
const MOST_NAMED: usize = 3;

/// The values of a test's names.
#[derive(Debug, Clone)]
pub struct LoadedValues {
    scope: TemplateScope,
    rows: Arc<Vec<DataRow>>,
}

/// Why a template cannot be rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderFault {
    /// What the engine says.
    pub error: TemplateError,
    /// In which rows; empty where it has nothing to do with rows.
    pub rows: String,
}

impl LoadedValues {
    /// The values of a test, its rows left out.
    pub fn new(scope: TemplateScope) -> Self {
        Self { scope, rows: Arc::default() }
    }

    /// Adds the rows of the test.
    pub fn with_rows(self, rows: Arc<Vec<DataRow>>) -> Self {
        Self { rows, ..self }
    }

    /// Renders a template with every row; says why it cannot be.
    pub fn fault(&self, template: &Template, templates: &mut Templates) -> Option<RenderFault> {
        let names = templates.names(template);
        let reads = |root: &str| names.iter().any(|name| name.split('.').next() == Some(root));
        let repeats = if reads("repeat") { 0..REPEATS } else { 0..1 };
        if !reads("row") {
            let error = try_repeats(templates, template, &self.scope, repeats)?;
            return Some(RenderFault { error, rows: String::new() });
        }
        let path = templates.dotted(template).and_then(|path| path.strip_prefix("row.")).map(str::to_owned);
        let mut failed: Option<(TemplateError, Vec<&str>)> = None;
        let mut count = 0;
        for row in self.rows.iter() {
            if path.as_ref().is_some_and(|path| has(&row.value, path)) {
                continue;
            }
            let scope = self.scope.clone().with_row(Some(&row.value));
            let Some(error) = try_repeats(templates, template, &scope, repeats.clone()) else { continue };
            count += 1;
            let (_, rows) = failed.get_or_insert_with(|| (error, Vec::new()));
            if rows.len() < MOST_NAMED {
                rows.push(&row.name);
            }
        }
        let (error, rows) = failed?;
        Some(RenderFault { error, rows: said(&rows, count) })
    }
}

/// Renders for some repeats; an error if it can be for none of them.
fn try_repeats(
    templates: &mut Templates,
    template: &Template,
    scope: &TemplateScope,
    repeats: Range<u64>,
) -> Option<TemplateError> {
    let mut first = None;
    for repeat in repeats {
        let error = templates.try_out(template, &scope.clone().with_repeat(repeat)).err()?;
        first.get_or_insert(error);
    }
    first
}

/// True for a row in which a dotted path leads to a value.
fn has(row: &Value, path: &str) -> bool {
    path.split('.').try_fold(row, |value, part| value.get(part)).is_some()
}

fn said(rows: &[&str], count: usize) -> String {
    let named: Vec<String> = rows.iter().map(|row| format!("`{row}`")).collect();
    let more = count - rows.len();
    match (named.as_slice(), more) {
        ([only], 0) => format!("the row {only}"),
        (_, 0) => format!("the rows {}", named.join(", ")),
        (_, more) => format!("the rows {} and {more} more", named.join(", ")),
    }
}
