//! What came besides the answer to a run: to uploads, to forms, to looking for a lost run.

use serde_json::Value;

/// A call that goes with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SideCall {
    /// `POST /files/upload`.
    Upload,
    /// `GET /workflows/run/{id}`.
    Detail,
    /// `GET /workflows/logs`.
    Logs,
    /// `GET /workflow/{id}/events`, where it is refused: its events are reported as a run's are.
    Events,
    /// `GET /form/human_input/{token}`.
    Form,
    /// `POST /form/human_input/{token}`.
    Submit,
}

/// The answer to such a call, where it is JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct SideAnswer {
    /// What was asked.
    pub call: SideCall,
    /// HTTP status.
    pub status: u16,
    /// `X-Version`.
    pub dify_version: Option<String>,
    /// The document.
    pub json: Value,
}
