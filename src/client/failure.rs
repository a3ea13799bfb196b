//! What a failed send or read proves: that nothing was sent, that it was cut, or that the answer is no HTTP.

use std::error::Error;
use std::io::ErrorKind;

use reqwest::Url;

use crate::client::assemble::BodyEnd;
use crate::exchange::Ending;

/// Judges a request that got no answer.
pub fn describe_send(error: &reqwest::Error, url: &Url) -> Ending {
    let reason = reason(error);
    if error.is_builder() {
        return Ending::NotSent {
            detail: format!("the request cannot be built: {reason}"),
            retryable: false,
        };
    }
    if error.is_connect() {
        let certificate = reason.contains("certificate");
        let hint = if certificate { "; see `ca_file` and `insecure`" } else { "" };
        return Ending::NotSent {
            detail: format!("connect to {}: {reason}{hint}", authority(url)),
            retryable: !certificate,
        };
    }
    match cause::<hyper::Error>(error) {
        Some(hyper) if hyper.is_parse() => {
            Ending::Unreadable { detail: format!("the answer is not HTTP: {reason}") }
        }
        Some(_) | None => Ending::Cut { detail: format!("{} before an answer", broken(error)) },
    }
}

/// Judges a body that broke off.
pub fn describe_body(error: &reqwest::Error) -> Result<BodyEnd, Ending> {
    if error.is_decode() && cause::<hyper::Error>(error).is_none() {
        return Err(Ending::Unreadable {
            detail: format!("the compressed answer cannot be read: {}", reason(error)),
        });
    }
    Ok(BodyEnd::Broken(broken(error)))
}

/// Says how a connection broke.
fn broken(error: &reqwest::Error) -> String {
    if let Some(io) = cause::<std::io::Error>(error) {
        match io.kind() {
            ErrorKind::ConnectionReset => return "the connection was reset".to_owned(),
            ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
                return "the connection was aborted".to_owned();
            }
            _ => {}
        }
    }
    match cause::<hyper::Error>(error) {
        Some(hyper) if hyper.is_incomplete_message() => "the connection was closed".to_owned(),
        Some(_) | None => {
            let reason = reason(error);
            if reason.contains("unexpected EOF") || reason.contains("end of file") {
                "the connection was closed".to_owned()
            } else {
                format!("the connection broke ({reason})")
            }
        }
    }
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

fn cause<'a, T: Error + 'static>(error: &'a reqwest::Error) -> Option<&'a T> {
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(found) = source.downcast_ref::<T>() {
            return Some(found);
        }
        next = source.source();
    }
    None
}
