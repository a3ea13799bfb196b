//! A call of the API with everything that was sent.

use std::sync::Arc;

use bytes::Bytes;

use crate::dify::mock::book::MockAttemptId;

/// A call of an authorised client.
#[derive(Debug)]
pub struct MockCall {
    /// The app whose key was sent.
    pub app: Arc<str>,
    /// The runner's attempt, if it names one.
    pub attempt: Option<MockAttemptId>,
    /// The number of the recorded exchange to answer with, if it names one.
    pub recorded: Option<usize>,
    /// As sent.
    pub content_type: Option<String>,
    /// The query, undecoded.
    pub query: String,
    /// The whole body.
    pub body: Bytes,
}
