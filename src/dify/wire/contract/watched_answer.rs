//! Which answers of Dify are checked, and their names in the tables.

/// The names in the tables that are not names of events.
pub(super) const ANSWERS: [&str; 8] =
    ["blocking", "blocking_paused", "refusal", "detail", NO_DETAIL, "logs", "form", "upload"];
/// The detail of a run that Dify does not know.
pub(super) const NO_DETAIL: &str = "detail_unknown";

/// An answer of Dify's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchedAnswer {
    /// A run that has ended.
    Run,
    /// A run that waits for a person.
    Paused,
    /// An error.
    Refusal,
    /// The detail of a run.
    Detail,
    /// A page of the logs.
    Logs,
    /// A form's own page.
    Form,
    /// The answer to an upload.
    Upload,
    /// A stream of events: it has a head, and events that are checked one by one.
    Stream,
}

impl WatchedAnswer {
    /// Its name in the tables.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Run => "blocking",
            Self::Paused => "blocking_paused",
            Self::Refusal => "refusal",
            Self::Detail => "detail",
            Self::Logs => "logs",
            Self::Form => "form",
            Self::Upload => "upload",
            Self::Stream => "stream",
        }
    }
}
