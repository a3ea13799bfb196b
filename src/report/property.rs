//! A fact of a test or a run that a document shows under a name.

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReportProperty {
    /// The name.
    pub name: &'static str,
    /// The value.
    pub value: String,
}

impl ReportProperty {
    /// A property.
    pub fn new(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: value.into() }
    }
}
