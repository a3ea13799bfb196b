//! A row of data as templates see it.

use std::sync::Arc;

use serde_json::Value;

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct DataRow {
    /// Its `id`, else its number from 1.
    pub name: Arc<str>,
    /// An object.
    pub value: Arc<Value>,
}
