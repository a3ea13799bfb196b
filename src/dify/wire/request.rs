//! What the client sends: the bodies of Dify's calls and the path they go to.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The body of a run.
#[derive(Debug, Clone, Serialize)]
pub struct RunBody<'a> {
    /// The workflow's variables; Dify drops keys it does not know, silently.
    pub inputs: &'a Map<String, Value>,
    /// `streaming` or `blocking`.
    pub response_mode: &'a str,
    /// Dify's end user: owns uploads, may stop the task.
    pub user: &'a str,
}

impl RunBody<'_> {
    /// The JSON as it is sent.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("maps with text keys and values always become JSON")
    }
}

/// The body that stops a task; Dify wants the user, and checks nothing.
pub fn encode_stop(user: &str) -> String {
    json!({ "user": user }).to_string()
}

/// Where a run goes, after the base address: the version published, or a pinned one.
pub fn run_path(workflow_id: Option<&str>) -> String {
    match workflow_id {
        Some(id) => format!("/workflows/{}/run", encode_segment(id)),
        None => "/workflows/run".to_owned(),
    }
}

/// Where a task is stopped, after the base address.
pub fn stop_path(task_id: &str) -> String {
    format!("/workflows/tasks/{}/stop", encode_segment(task_id))
}

/// Where the detail of a run is, after the base address.
pub fn detail_path(run_id: &str) -> String {
    format!("/workflows/run/{}", encode_segment(run_id))
}

/// Where the events of a run are, after the base address; since Dify 1.14, and `workflow` is no slip.
pub fn events_path(run_id: &str) -> String {
    format!("/workflow/{}/events", encode_segment(run_id))
}

/// The query that follows a run from now on, past its pauses.
pub fn follow_query(user: &str) -> [(&'static str, &str); 2] {
    [("user", user), ("continue_on_pause", "true")]
}

/// Where a form is fetched and answered, after the base address; since Dify 1.14.
pub fn form_path(token: &str) -> String {
    format!("/form/human_input/{}", encode_segment(token))
}

/// Where the logs of an app are, after the base address.
pub fn logs_path() -> &'static str {
    "/workflows/logs"
}

/// The query that follows a run's events and begins with what was missed.
pub fn events_query(user: &str) -> [(&'static str, &str); 2] {
    [("user", user), ("include_state_snapshot", "true")]
}

/// The query for the newest runs of a user; a Dify that does not know a key ignores it.
pub fn logs_query(user: &str) -> [(&'static str, &str); 2] {
    [("created_by_end_user_session_id", user), ("limit", "100")]
}

/// How an uploaded file is named in the inputs.
pub fn uploaded_file(kind: &str, upload_id: &str) -> Value {
    json!({ "type": kind, "transfer_method": "local_file", "upload_file_id": upload_id })
}

/// How a file that Dify fetches is named in the inputs.
pub fn remote_file(kind: &str, url: &str) -> Value {
    json!({ "type": kind, "transfer_method": "remote_url", "url": url })
}

/// Percent-encodes what could leave one segment of a path.
fn encode_segment(text: &str) -> String {
    /// A segment of points alone would name another folder.
    const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');
    utf8_percent_encode(text, UNSAFE).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_encoded_in_difys_keys() {
        let Value::Object(inputs) = json!({ "text": "é\n", "n": 9007199254740993_i64, "x": 2.0 }) else {
            panic!()
        };
        let body = RunBody { inputs: &inputs, response_mode: "streaming", user: "u" }.encode();
        assert_eq!(
            body,
            "{\"inputs\":{\"text\":\"é\\n\",\"n\":9007199254740993,\"x\":2.0},\"response_mode\":\"streaming\",\"user\":\"u\"}"
        );
    }

    #[test]
    fn ids_stay_in_their_segment() {
        assert_eq!(run_path(None), "/workflows/run");
        assert_eq!(run_path(Some("7c3e33d4-2a8b")), "/workflows/7c3e33d4-2a8b/run");
        assert_eq!(run_path(Some("a/../b?c")), "/workflows/a%2F%2E%2E%2Fb%3Fc/run");
        assert_eq!(detail_path("a/b"), "/workflows/run/a%2Fb");
        assert_eq!(events_path("r-1"), "/workflow/r-1/events");
        assert_eq!(stop_path("é"), "/workflows/tasks/%C3%A9/stop");
    }
}
