//! How Dify says that a run, or an execution of a node, has ended or goes on.

/// A status in Dify's words; one that is not known is kept as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportedStatus {
    /// `succeeded`.
    Succeeded,
    /// `partial-succeeded`: of a run in which an error strategy or a retry helped.
    PartialSucceeded,
    /// `failed`.
    Failed,
    /// `exception`: of a node whose error strategy took over.
    Exception,
    /// `stopped`.
    Stopped,
    /// `paused`: the run waits for a person.
    Paused,
    /// `running`.
    Running,
    /// `scheduled`: reserved by Dify for runs that have not begun.
    Scheduled,
    /// Any other word.
    Unknown(String),
}

const WORDS: [(&str, ReportedStatus); 8] = [
    ("succeeded", ReportedStatus::Succeeded),
    ("partial-succeeded", ReportedStatus::PartialSucceeded),
    ("failed", ReportedStatus::Failed),
    ("exception", ReportedStatus::Exception),
    ("stopped", ReportedStatus::Stopped),
    ("paused", ReportedStatus::Paused),
    ("running", ReportedStatus::Running),
    ("scheduled", ReportedStatus::Scheduled),
];

impl ReportedStatus {
    /// Reads Dify's word.
    pub fn of(word: &str) -> Self {
        let known = WORDS.iter().find(|(known, _)| *known == word);
        known.map_or_else(|| Self::Unknown(word.to_owned()), |(_, status)| status.clone())
    }

    /// Dify's word.
    pub fn word(&self) -> &str {
        match self {
            Self::Succeeded => "succeeded",
            Self::PartialSucceeded => "partial-succeeded",
            Self::Failed => "failed",
            Self::Exception => "exception",
            Self::Stopped => "stopped",
            Self::Paused => "paused",
            Self::Running => "running",
            Self::Scheduled => "scheduled",
            Self::Unknown(word) => word,
        }
    }

    /// True where a run came to its result, be it with the help of an error strategy or a retry.
    pub fn went_well(&self) -> bool {
        match self {
            Self::Succeeded | Self::PartialSucceeded => true,
            Self::Failed
            | Self::Exception
            | Self::Stopped
            | Self::Paused
            | Self::Running
            | Self::Scheduled
            | Self::Unknown(_) => false,
        }
    }

    /// True where a run has surely not ended.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Paused | Self::Running | Self::Scheduled => true,
            Self::Succeeded
            | Self::PartialSucceeded
            | Self::Failed
            | Self::Exception
            | Self::Stopped
            | Self::Unknown(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_kept_known_or_not() {
        for (word, status) in &WORDS {
            assert_eq!((&ReportedStatus::of(word), status.word()), (status, *word));
        }
        for odd in ["", "Succeeded", "partial_succeeded", "retry", "rejected"] {
            let status = ReportedStatus::of(odd);
            assert_eq!(status, ReportedStatus::Unknown(odd.to_owned()));
            assert!(status.word() == odd && !status.went_well() && !status.is_open(), "{odd}");
        }
    }
}
