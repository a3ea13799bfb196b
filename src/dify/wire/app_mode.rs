//! What kind of app a key names, in Dify's words.

/// The kind of an app; one that is not known is kept as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppMode {
    /// `workflow`.
    Workflow,
    /// `advanced-chat`: a chatflow, a conversation that a graph answers.
    AdvancedChat,
    /// `chat`: a conversation with a prompt.
    Chat,
    /// `agent-chat`: a conversation with a model that calls tools.
    AgentChat,
    /// `completion`: one text for another, without a conversation.
    Completion,
    /// Any other word.
    Unknown(String),
}

impl AppMode {
    /// Reads Dify's word.
    pub fn of(word: &str) -> Self {
        match word {
            "workflow" => Self::Workflow,
            "advanced-chat" => Self::AdvancedChat,
            "chat" => Self::Chat,
            "agent-chat" => Self::AgentChat,
            "completion" => Self::Completion,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// True for an app whose answers are messages; false also for one that is not known.
    pub fn sends_messages(&self) -> bool {
        match self {
            Self::AdvancedChat | Self::Chat | Self::AgentChat | Self::Completion => true,
            Self::Workflow | Self::Unknown(_) => false,
        }
    }

    /// Dify's word.
    pub fn word(&self) -> &str {
        match self {
            Self::Workflow => "workflow",
            Self::AdvancedChat => "advanced-chat",
            Self::Chat => "chat",
            Self::AgentChat => "agent-chat",
            Self::Completion => "completion",
            Self::Unknown(word) => word,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_kept_known_or_not() {
        for word in ["workflow", "advanced-chat", "chat", "agent-chat", "completion"] {
            let mode = AppMode::of(word);
            assert!(mode.word() == word && !matches!(mode, AppMode::Unknown(_)), "{word}");
            assert_eq!(mode.sends_messages(), word != "workflow", "{word}");
        }
        for odd in ["", "Chat", "agent", "channel"] {
            assert_eq!(AppMode::of(odd), AppMode::Unknown(odd.to_owned()));
        }
    }
}
