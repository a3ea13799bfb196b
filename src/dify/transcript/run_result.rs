//! What Dify reports at the end of a run: named fields over its final `data`, of which nothing is copied and nothing is lost.

use serde_json::Value;

use super::field::AnswerField;
use super::status::ReportedStatus;

/// The final `data` of a run: of `workflow_finished`, of `workflow_paused`, of a blocking answer or of a run's detail.
#[derive(Debug, Clone, PartialEq)]
pub struct RunResult {
    data: Value,
}

impl From<Value> for RunResult {
    fn from(data: Value) -> Self {
        Self { data }
    }
}

impl RunResult {
    /// The whole of it, unknown fields included: where a suite's own paths start.
    pub fn data(&self) -> &Value {
        &self.data
    }

    /// A field as it came; `None` where it is missing.
    pub fn field(&self, field: AnswerField) -> Option<&Value> {
        self.data.get(field.key())
    }

    /// How the run ended; `None` where that is no text.
    pub fn status(&self) -> Option<ReportedStatus> {
        self.field(AnswerField::Status)?.as_str().map(ReportedStatus::of)
    }

    /// What came out of the run.
    pub fn outputs(&self) -> Option<&Value> {
        self.field(AnswerField::Outputs)
    }

    /// What went wrong; `None` where that is no text.
    pub fn error(&self) -> Option<&str> {
        self.field(AnswerField::Error)?.as_str()
    }

    /// The sum of its tokens.
    pub fn tokens(&self) -> Option<u64> {
        self.field(AnswerField::Tokens)?.as_u64()
    }

    /// Its steps.
    pub fn steps(&self) -> Option<u64> {
        self.field(AnswerField::Steps)?.as_u64()
    }

    /// The fields that Dify marks as cut short.
    pub fn truncated(&self) -> impl Iterator<Item = AnswerField> + use<> {
        AnswerField::truncated_in(&self.data)
    }

    /// The run's own id.
    pub fn id(&self) -> Option<&str> {
        self.data["id"].as_str()
    }

    /// The published version that ran.
    pub fn workflow_id(&self) -> Option<&str> {
        self.data["workflow_id"].as_str()
    }

    /// Dify's id of the end user for whom it ran.
    pub fn end_user_id(&self) -> Option<&str> {
        self.data["created_by"]["id"].as_str()
    }

    /// The user for whom it ran, as the request named it.
    pub fn user(&self) -> Option<&str> {
        self.data["created_by"]["user"].as_str()
    }

    /// When it began, in Unix seconds.
    pub fn created_at(&self) -> Option<i64> {
        self.data["created_at"].as_i64()
    }

    /// When it ended, in Unix seconds.
    pub fn finished_at(&self) -> Option<i64> {
        self.data["finished_at"].as_i64()
    }

    /// Why it waits: a list of its forms; `None` where it does not say.
    pub fn reasons(&self) -> Option<&Value> {
        self.data.get("reasons")
    }

    /// How many nodes wait; `None` where it does not say.
    pub fn paused_nodes(&self) -> Option<usize> {
        self.data["paused_nodes"].as_array().map(Vec::len)
    }

    /// True where the run came to its end without being stopped.
    pub fn ended_by_itself(&self) -> bool {
        match self.status() {
            Some(ReportedStatus::Succeeded | ReportedStatus::PartialSucceeded) => true,
            // Newer Difys call a run failed that was stopped.
            Some(ReportedStatus::Failed) => {
                !self.error().is_some_and(|error| error.contains("User requested stop"))
            }
            Some(
                ReportedStatus::Exception
                | ReportedStatus::Stopped
                | ReportedStatus::Paused
                | ReportedStatus::Running
                | ReportedStatus::Scheduled
                | ReportedStatus::Unknown(_),
            )
            | None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_has_another_type_is_no_field_and_stays_in_the_whole() {
        let data = json!({ "status": 1, "error": { "a": 1 }, "total_tokens": "7", "total_steps": -1, "odd": [1],
            "outputs": null, "created_by": "u", "paused_nodes": {} });
        let run = RunResult::from(data.clone());
        assert_eq!((run.status(), run.error(), run.tokens(), run.steps()), (None, None, None, None));
        assert_eq!((run.end_user_id(), run.user(), run.paused_nodes()), (None, None, None));
        assert_eq!((run.outputs(), run.field(AnswerField::Elapsed)), (Some(&Value::Null), None));
        assert_eq!((run.data(), run.field(AnswerField::Error)), (&data, Some(&json!({ "a": 1 }))));
        assert!(RunResult::from(json!([1])).field(AnswerField::Status).is_none());
    }

    #[test]
    fn a_run_that_was_stopped_did_not_end_by_itself() {
        let ended = |status: &str, error: Option<&str>| {
            RunResult::from(json!({ "status": status, "error": error })).ended_by_itself()
        };
        assert!(ended("succeeded", None) && ended("partial-succeeded", None) && ended("failed", Some("x")));
        assert!(ended("failed", None));
        for (status, error) in [
            ("stopped", None),
            ("failed", Some("Aborted: User requested stop")),
            ("paused", None),
            ("new", None),
        ] {
            assert!(!ended(status, error), "{status}");
        }
    }
}
