//! The client side of Dify's protocol: sends a request, and whatever happens becomes a Transcript.

mod assemble;
mod begin;
mod connect;
mod document;
mod encoding;
mod enquiry;
mod failure;
mod follow;
mod http;
mod http_answer;
mod judge;
mod keep;
mod leave;
mod message;
mod message_events;
mod node_index;
mod nodes;
mod pause;
mod recorded_times;
mod recover;
mod repeats;
mod room;
mod rounds;
mod side_calls;
mod stream_events;
mod stream_flaws;
mod stream_record;
#[cfg(test)]
mod tests;
mod upload;
mod wait;

use std::path::PathBuf;
use std::time::Duration;

#[cfg(any(test, fuzzing))]
pub use assemble::{BodyEnd, StreamReader};
#[cfg(any(test, fuzzing))]
pub use begin::begin;
pub use connect::ClientError;
#[cfg(any(test, fuzzing))]
pub use document::read_document;
pub use enquiry::{EndpointEnquiry, EnquiryReply};
pub use http::Client;
pub use judge::{JudgeClient, JudgeReply, NoJudgeReply};
pub use pause::retell;
pub use recorded_times::{RecordedTimes, retime};
pub use wait::StopSignal;

/// Address and transport settings of a live Dify or the mock.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Base address, ending in `/v1` as Dify's does; no trailing slash.
    pub base_url: String,
    /// Extra headers of every request.
    pub headers: Vec<(String, String)>,
    /// PEM file of an additional certificate authority.
    pub ca_file: Option<PathBuf>,
    /// Proxy address; `None`: the system's settings.
    pub proxy: Option<String>,
    /// Whether certificates are checked.
    pub certificates: Certificates,
    /// Idle connections kept for reuse; `None` where the server may end one at the moment a run is sent on it.
    pub kept_connections: usize,
    /// The waits of an exchange.
    pub timeouts: Timeouts,
    /// How lost runs are looked for.
    pub recovery: Recover,
    /// Most bytes of one answer, after decompression.
    pub max_body: u64,
}

/// Whether certificates are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificates {
    /// As they should be.
    Checked,
    /// `insecure: true`.
    Unchecked,
}

/// How a lost run is looked for: one that may go on although its answer broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recover {
    /// Since it was lost; never longer than the attempt may last.
    pub deadline: Duration,
    /// Between the first two looks; doubled after each, up to eight times as long.
    pub poll: Duration,
}

impl Default for Recover {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(120), poll: Duration::from_secs(2) }
    }
}

/// The waits of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection.
    pub connect: Duration,
    /// For the first data event of a stream, or the head of a blocking answer.
    pub first_event: Duration,
    /// For any bytes after that.
    pub idle: Duration,
    /// For the whole attempt.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_event: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(300),
        }
    }
}
