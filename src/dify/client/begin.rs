//! A transcript before anything has come.

use std::time::Duration;

use serde_json::Value;

use crate::dify::transcript::{Answer, Ending, Pauses, PostedRequest, ResponseMode, Transcript};
use crate::dify::wire::app_mode::AppMode;

/// A transcript of which nothing has come yet.
pub fn begin(mode: ResponseMode, inputs: Value, posted: PostedRequest) -> Transcript {
    Transcript {
        ending: Ending::Cut { detail: "nothing came".to_owned() },
        app: AppMode::Workflow,
        mode,
        http_status: None,
        headers: Vec::new(),
        body: None,
        events: Vec::new(),
        pings: 0,
        answer: Answer::default(),
        dify_version: None,
        elapsed: Duration::ZERO,
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
