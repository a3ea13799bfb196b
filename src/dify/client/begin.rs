//! A transcript before anything has come.

use std::time::Duration;

use serde_json::Value;

use crate::dify::transcript::{Ending, Pauses, PostedRequest, ResponseMode, Transcript};

/// A transcript of which nothing has come yet.
pub fn begin(mode: ResponseMode, inputs: Value, posted: PostedRequest) -> Transcript {
    Transcript {
        ending: Ending::Cut { detail: "nothing came".to_owned() },
        mode,
        http_status: None,
        headers: Vec::new(),
        body: None,
        events: Vec::new(),
        pings: 0,
        run: None,
        nodes: Vec::new(),
        text: String::new(),
        text_doubt: None,
        flaws: Vec::new(),
        run_id: None,
        task_id: None,
        workflow_id: None,
        dify_version: None,
        elapsed: Duration::ZERO,
        first_event_at: None,
        first_token_at: None,
        max_gap: None,
        inputs,
        bytes: 0,
        posted,
        pauses: Pauses::default(),
        recovery: None,
        stopping: None,
        told_after: None,
        asides: Vec::new(),
        side_wait: None,
    }
}
