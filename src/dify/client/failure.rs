//! What a failed send or read proves: that nothing was sent, that it was cut, or that the answer is no HTTP.

use std::error::Error;
use std::io::ErrorKind;

use reqwest::Url;

use crate::dify::client::assemble::BodyEnd;
use crate::dify::transcript::Ending;

/// What a request proves that got no answer; each with what happened.
#[derive(Debug)]
pub enum SendFailure {
    /// Nothing was sent.
    NotSent {
        /// What happened.
        detail: String,
        /// Whether trying again can help.
        retryable: bool,
    },
    /// It was sent, or part of it, and the connection broke.
    Cut(String),
    /// What came back is no HTTP.
    Unreadable(String),
}

impl SendFailure {
    /// What happened.
    pub fn detail(self) -> String {
        match self {
            Self::NotSent { detail, .. } | Self::Cut(detail) | Self::Unreadable(detail) => detail,
        }
    }
}

impl From<SendFailure> for Ending {
    fn from(failure: SendFailure) -> Self {
        match failure {
            SendFailure::NotSent { detail, retryable } => Self::NotSent { detail, retryable },
            SendFailure::Cut(detail) => Self::Cut { detail },
            SendFailure::Unreadable(detail) => Self::Unreadable { detail },
        }
    }
}

/// Why the body of an answer cannot be read on.
#[derive(Debug)]
pub enum ReadFailure {
    /// The connection broke.
    Broken(reqwest::Error),
    /// What came cannot be read as it is encoded, and why.
    Unreadable(String),
}

impl ReadFailure {
    /// What happened.
    pub fn reason(&self) -> String {
        match self {
            Self::Broken(error) => reason(error),
            Self::Unreadable(why) => why.clone(),
        }
    }
}

/// Judges a request that got no answer.
pub fn describe_send(error: &reqwest::Error, url: &Url) -> SendFailure {
    let reason = reason(error);
    if error.is_builder() {
        let detail = format!("the request cannot be built: {reason}");
        return SendFailure::NotSent { detail, retryable: false };
    }
    if error.is_connect() {
        let certificate = reason.contains("certificate");
        let hint = if certificate { "; see `ca_file` and `insecure`" } else { "" };
        return SendFailure::NotSent {
            detail: format!("connect to {}: {reason}{hint}", authority(url)),
            retryable: !certificate,
        };
    }
    if reason.ends_with(" parsed") || reason.contains("message head") {
        return SendFailure::Unreadable(format!("the answer is not HTTP: {reason}"));
    }
    SendFailure::Cut(format!("{} before an answer", broken(error)))
}

/// Judges a body that broke off.
pub fn describe_body(failure: &ReadFailure) -> Result<BodyEnd, Ending> {
    match failure {
        ReadFailure::Broken(error) => Ok(BodyEnd::Broken(broken(error))),
        ReadFailure::Unreadable(detail) => Err(Ending::Unreadable { detail: detail.clone() }),
    }
}

/// Says how a connection broke.
fn broken(error: &reqwest::Error) -> String {
    match io_kind(error) {
        Some(ErrorKind::ConnectionReset) => "the connection was reset".to_owned(),
        Some(ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe) => "the connection was aborted".to_owned(),
        _ if is_close(&reason(error)) => "the connection was closed".to_owned(),
        _ => format!("the connection broke ({})", reason(error)),
    }
}

/// The HTTP library's words for a peer that closed before it had said everything.
fn is_close(reason: &str) -> bool {
    [
        "connection closed before message completed",
        "end of file before message length",
        "unexpected EOF during chunk",
    ]
    .iter()
    .any(|words| reason.contains(words))
}

/// Host and port of an address, without a user or a path.
pub fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The innermost reason, which is the system's.
pub fn reason(error: &reqwest::Error) -> String {
    let mut last: &dyn Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    if error.is_timeout() && std::ptr::addr_eq(last, error) {
        "timed out".to_owned()
    } else {
        last.to_string()
    }
}

/// The system's kind of failure, if the system is the cause.
fn io_kind(error: &reqwest::Error) -> Option<ErrorKind> {
    let mut next = error.source();
    let mut kind = None;
    while let Some(source) = next {
        kind = source.downcast_ref::<std::io::Error>().map(std::io::Error::kind).or(kind);
        next = source.source();
    }
    kind
}
