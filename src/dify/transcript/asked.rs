//! What is asked of an endpoint: a run with its inputs, its files, and the answers to its forms.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{ResponseMode, RunCap};
use crate::base::files::Fence;
use crate::base::origin::Place;

/// A file to be given to a workflow variable.
#[derive(Debug, Clone, PartialEq)]
pub enum FileInput {
    /// Uploaded first, then referenced as `local_file`.
    Upload {
        /// Path on disk, absolute.
        path: std::path::PathBuf,
        /// May not be left when it is opened.
        fence: Fence,
        /// Dify's type: document, image, audio, video, custom.
        kind: String,
    },
    /// Fetched by Dify.
    Remote {
        /// The address Dify fetches.
        url: String,
        /// Dify's type: document, image, audio, video, custom.
        kind: String,
    },
}

/// The files of one workflow variable.
#[derive(Debug, Clone, PartialEq)]
pub enum FileVariable {
    /// A `file` variable.
    One(FileInput),
    /// A `file-list` variable.
    Many(Vec<FileInput>),
}

/// A person's answer to a form of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct HumanAnswer {
    /// Title or id of the node that asks.
    pub node: String,
    /// Id or title of the action taken.
    pub action: String,
    /// What is filled in.
    pub inputs: Map<String, Value>,
    /// Files by field, uploaded before the answer is sent.
    pub files: Vec<(String, FileVariable)>,
    /// Where the answer is written.
    pub place: Arc<Place>,
}

/// What a user reports about whose run it is: only a user that no other attempt has finds a lost run in the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserScope {
    /// Made for this attempt and no other.
    Attempt,
    /// The suite's own, with the run's id and the repeat's number in it: unique unless several tests share it.
    Repeat,
    /// The suite's own; other attempts may have it too.
    Shared,
}

/// A run of a workflow, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowRequest {
    /// The workflow's variables, rendered.
    pub inputs: Map<String, Value>,
    /// Files by variable; joined into the inputs once uploaded.
    pub files: Vec<(String, FileVariable)>,
    /// Dify's end user.
    pub user: String,
    /// Whether the user distinguishes this attempt from all others.
    pub user_scope: UserScope,
    /// Streaming or blocking.
    pub mode: ResponseMode,
    /// The published version to run, if one is pinned.
    pub workflow_id: Option<String>,
    /// Answers to the forms of its pauses, in the order they are used.
    pub answers: Vec<HumanAnswer>,
    /// The most it may use; more stops it.
    pub cap: RunCap,
    /// Names the attempt to the built-in mock (header `X-Flowproof-Attempt`); never sent to a live target.
    pub mock_attempt: Option<String>,
}
