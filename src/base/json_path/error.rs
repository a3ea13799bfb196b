//! Why a text is no path.

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JsonPathError {
    /// What is wrong, without the place.
    pub message: String,
    /// The byte in the path's text where it goes wrong, where that is known.
    pub offset: Option<usize>,
    /// How to write what was meant, where that is certain.
    pub help: Option<String>,
}
