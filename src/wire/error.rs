//! Dify's errors and what each proves: whether anything ran, and whose fault it is.
//!
//! Source: the error table of Dify's Service API as recorded from 1.12.1 and 1.14.2.

use serde::{Deserialize, Serialize};

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The input was refused before any node ran.
    Rejected,
    /// Address, key, app or version are wrong: every further test would fail alike.
    Config,
    /// A limit: too many requests, or a used-up plan.
    Quota,
    /// A proxy, a server bug or a broken connection: it proves nothing about the workflow.
    Transport,
}

/// An answer or event that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireError {
    /// HTTP status, or the `status` of an `error` event; 0 when there was no answer.
    pub status: u16,
    /// Dify's code, when it sent one.
    pub code: Option<String>,
    /// Dify's message, or a short text of what came instead (an HTML page's title, "empty body").
    pub message: String,
    /// Whose fault it is.
    pub class: ErrorClass,
    /// True when surely nothing ran, so that sending again costs nothing twice.
    pub not_started: bool,
    /// True when every further test of the app would meet the same error.
    pub stops_suite: bool,
}
