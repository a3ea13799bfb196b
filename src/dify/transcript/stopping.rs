//! What became of the wish to end a run.

/// What became of the wish to end a run that nobody waits for any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopOutcome {
    /// Dify took the request to stop its task; a model call or an iteration that has begun goes on all the same.
    Asked,
    /// The request failed, and why: the run goes on.
    Failed(String),
    /// No task is known, as in blocking mode and before the first event of a stream: it cannot be stopped.
    NoTask,
}
