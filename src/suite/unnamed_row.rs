//! Rows of data as they are found in a file or a suite, before they have names.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::base::origin::Place;
use crate::yaml::node::{FilePosition, SourceText};

/// A row as found, before it has a name.
pub struct UnnamedRow {
    /// Where it is.
    pub place: Arc<Place>,
    /// Its columns.
    pub value: Map<String, Value>,
}

/// A place in a text by its line and column, both from 1.
pub(super) fn line_place(source: &SourceText, line: usize, column: usize) -> Place {
    let clamp = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    source.place(FilePosition { line: clamp(line).max(1), column: clamp(column).max(1), width: 1 })
}
