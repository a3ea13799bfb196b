//! Why a figure could not be measured, or may not be believed.

use std::io;

/// Why a figure could not be measured, or may not be believed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A child did not end as it should; the end of its output follows.
    #[error("{what}\n{output}")]
    Child {
        /// Which child, and what it did.
        what: String,
        /// The last lines it wrote.
        output: String,
    },
    /// A contestant did not do the work that the other one did.
    #[error("not the same work: {0}")]
    Work(String),
    /// Something that was read is not what it should be.
    #[error("{what}: {detail}")]
    Unreadable {
        /// What was read.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl Failure {
    /// Names what was being done when the system refused.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// Names what was read and says what is wrong with it.
    pub fn unreadable(what: impl Into<String>, detail: impl std::fmt::Display) -> Self {
        Self::Unreadable { what: what.into(), detail: detail.to_string() }
    }
}
