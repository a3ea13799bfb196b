//! What an app answered in one exchange, as named fields: of a workflow run, a turn of a conversation or a completion.

use std::time::Duration;

use super::agent_thought::AgentThought;
use super::flaw::Flaw;
use super::message_result::MessageResult;
use super::node::NodeRun;
use super::run_result::RunResult;
use super::status::ReportedStatus;

/// What came of an answer so far; nothing of what Dify sent is lost, known to us or not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// What names it in Dify.
    pub ids: AnswerIds,
    /// What Dify reports at the end of a run; `None` of an app without runs, and before the end.
    pub run: Option<RunResult>,
    /// What Dify reports at the end of a message; `None` of a workflow, and of a chatflow whose run did not come to its end.
    pub message: Option<MessageResult>,
    /// Node executions in order of start; empty in blocking mode.
    pub nodes: Vec<NodeRun>,
    /// What an agent thought, in order, each as it was reported last.
    pub thoughts: Vec<AgentThought>,
    /// The streamed text, joined; of a blocking message its text.
    pub text: String,
    /// Why the text that was streamed is not known to be what a client shows at the end.
    pub text_doubt: Option<String>,
    /// Parts of the answer that are not known although there is something.
    pub flaws: Vec<Flaw>,
    /// Request sent to the first data event.
    pub first_event_at: Option<Duration>,
    /// Request sent to the first non-blank text of an llm or agent node.
    pub first_token_at: Option<Duration>,
    /// Longest silence between two data events (the sending counts as the first).
    pub max_gap: Option<Duration>,
}

/// The ids of an answer, from whichever event or document has them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerIds {
    /// The run.
    pub run: Option<String>,
    /// The task that runs it; lets it be stopped.
    pub task: Option<String>,
    /// The published version that ran.
    pub workflow: Option<String>,
    /// The message of a chat app or a completion.
    pub message: Option<String>,
    /// The conversation it belongs to.
    pub conversation: Option<String>,
}

impl Answer {
    /// How it ended; `None` before that, and where the run's status is no text.
    ///
    /// A message that came to its end without a run has succeeded: a failure has no end of a message.
    pub fn status(&self) -> Option<ReportedStatus> {
        match (&self.run, &self.message) {
            (Some(run), _) => run.status(),
            (None, Some(_)) => Some(ReportedStatus::Succeeded),
            (None, None) => None,
        }
    }
}
