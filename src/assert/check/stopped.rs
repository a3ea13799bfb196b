//! What became of a run that flowproof gave up, in words: never more than what was asked, answered and seen.

use crate::base::plural::counted;
use crate::dify::transcript::{Ending, ReportedStatus, ResponseMode, RunResult, StopOutcome, Transcript};

/// A clause on what goes on; `None` where nothing was given up, or nothing is known of it.
pub(super) fn told_stop(transcript: &Transcript) -> Option<String> {
    if transcript.ended_by_itself() {
        return Some(told_end(transcript));
    }
    let run = match &transcript.answer.ids.run {
        Some(id) => format!("the run {id}"),
        None => "the run".to_owned(),
    };
    match (transcript.stopping.as_ref()?, transcript.mode) {
        (StopOutcome::Asked, _) => Some(
            "Dify was asked to stop the run: a model call or an iteration that had begun may go on, and cost"
                .to_owned(),
        ),
        (StopOutcome::Failed(why), _) => {
            Some(format!("the request to stop {run} failed ({why}): it may go on at Dify, and cost"))
        }
        (StopOutcome::NoTask, _) if !may_run(transcript) => None,
        (StopOutcome::NoTask, ResponseMode::Blocking) => {
            Some(format!("a blocking run has no task to stop: {run} may go on at Dify, and cost"))
        }
        (StopOutcome::NoTask, ResponseMode::Streaming) => Some(format!(
            "no event named its task, so it cannot be stopped: {run} may go on at Dify, and cost"
        )),
    }
}

/// What is said of a run that ended before it could be stopped.
fn told_end(transcript: &Transcript) -> String {
    let run = transcript.told_after.as_ref();
    let status = run.and_then(RunResult::status);
    let status = status.as_ref().map(ReportedStatus::word).unwrap_or_default();
    let tokens = run.and_then(RunResult::tokens).filter(|tokens| *tokens > 0);
    let tokens = tokens.map(|tokens| format!(", with {}", counted(tokens, "token"))).unwrap_or_default();
    format!("meanwhile it ended by itself, as {status}{tokens}")
}

/// True where the request was sent and its answer says nothing against a run.
fn may_run(transcript: &Transcript) -> bool {
    match &transcript.ending {
        Ending::TimedOut { .. }
        | Ending::Stopped { .. }
        | Ending::Exceeded { .. }
        | Ending::Stalled { .. }
        | Ending::Cut { .. } => true,
        // What came is perhaps no answer of Dify's.
        Ending::Unreadable { .. } | Ending::Rejected(_) => transcript.answer.ids.run.is_some(),
        Ending::Finished
        | Ending::ErrorEvent(_)
        | Ending::Paused
        | Ending::Unanswered { .. }
        | Ending::NotSent { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{PostedRequest, StallKind};
    use crate::dify::wire::error::{ErrorClass, WireError};

    fn left(mode: ResponseMode, stopping: Option<StopOutcome>) -> Transcript {
        let ending = Ending::TimedOut { after: Duration::from_secs(2) };
        Transcript { ending, stopping, ..begin(mode, json!({}), PostedRequest::default()) }
    }

    #[test]
    fn only_a_stop_that_was_sent_is_told() {
        use ResponseMode::{Blocking, Streaming};
        let told = |transcript: &Transcript| told_stop(transcript).unwrap_or_default();
        assert_eq!(told(&left(Streaming, None)), "");
        assert!(
            told(&left(Streaming, Some(StopOutcome::Asked))).starts_with("Dify was asked to stop the run")
        );
        let failed = told(&left(Streaming, Some(StopOutcome::Failed("HTTP 500".to_owned()))));
        assert_eq!(failed, "the request to stop the run failed (HTTP 500): it may go on at Dify, and cost");
        let mut blocking = left(Blocking, Some(StopOutcome::NoTask));
        blocking.answer.ids.run = Some("r-1".to_owned());
        assert_eq!(
            told(&blocking),
            "a blocking run has no task to stop: the run r-1 may go on at Dify, and cost"
        );
        assert!(told(&left(Streaming, Some(StopOutcome::NoTask))).contains("it cannot be stopped"));
    }

    #[test]
    fn an_end_of_its_own_is_told_as_such_and_one_that_was_asked_for_is_not() {
        let ended = |status: &str, error: Option<&str>| Transcript {
            told_after: Some(json!({ "status": status, "error": error, "total_tokens": 19 }).into()),
            ..left(ResponseMode::Streaming, Some(StopOutcome::Asked))
        };
        let told = told_stop(&ended("succeeded", None)).unwrap();
        assert_eq!(told, "meanwhile it ended by itself, as succeeded, with 19 tokens");
        assert!(told_stop(&ended("failed", Some("a node broke"))).unwrap().contains("as failed"));
        let ours = [("stopped", Some("Stopped by user.")), ("failed", Some("Aborted: User requested stop"))];
        for (status, error) in ours {
            assert!(told_stop(&ended(status, error)).unwrap().starts_with("Dify was asked"), "{status}");
        }
    }

    #[test]
    fn an_end_without_tokens_tells_none() {
        let told = |tokens: Option<u64>| {
            told_stop(&Transcript {
                told_after: Some(json!({ "status": "succeeded", "total_tokens": tokens }).into()),
                ..left(ResponseMode::Streaming, None)
            })
        };
        for (tokens, expected) in [
            (Some(12_345), "meanwhile it ended by itself, as succeeded, with 12,345 tokens"),
            (Some(1), "meanwhile it ended by itself, as succeeded, with 1 token"),
            (Some(0), "meanwhile it ended by itself, as succeeded"),
            (None, "meanwhile it ended by itself, as succeeded"),
        ] {
            assert_eq!(told(tokens).as_deref(), Some(expected), "{tokens:?}");
        }
    }

    #[test]
    fn a_run_that_cannot_be_stopped_is_told_only_where_there_may_be_one() {
        let (detail, after) = (|| "x".to_owned(), Duration::from_secs(1));
        let error = || WireError {
            status: 502,
            code: None,
            message: detail(),
            class: ErrorClass::Transport,
            not_started: false,
            stops_suite: false,
        };
        for (ending, without_id, with_id) in [
            (Ending::TimedOut { after }, true, true),
            (Ending::Stopped { reason: detail() }, true, true),
            (Ending::Exceeded { detail: detail() }, true, true),
            (Ending::Stalled { wait: StallKind::Idle, after }, true, true),
            (Ending::Cut { detail: detail() }, true, true),
            (Ending::Unreadable { detail: detail() }, false, true),
            (Ending::Rejected(error()), false, true),
            (Ending::ErrorEvent(error()), false, false),
            (Ending::Finished, false, false),
            (Ending::Paused, false, false),
            (Ending::Unanswered { detail: detail(), hint: None }, false, false),
            (Ending::NotSent { detail: detail(), retryable: true }, false, false),
        ] {
            for (run_id, expected) in [(None, without_id), (Some("r-1".to_owned()), with_id)] {
                let mut transcript = left(ResponseMode::Streaming, Some(StopOutcome::NoTask));
                transcript.ending = ending.clone();
                transcript.answer.ids.run = run_id.clone();
                assert_eq!(told_stop(&transcript).is_some(), expected, "{ending:?} {run_id:?}");
            }
        }
    }
}
