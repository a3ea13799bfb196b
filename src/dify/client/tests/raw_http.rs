//! HTTP/1.1 as bytes, for the servers of tests: a request cut off what was read, and the parts of answers.
//!
//! The integration tests include this file too (`tests/it/main.rs`); it may use nothing of the crate.

/// A request as it came.
#[derive(Debug, Clone)]
pub struct RawRequest {
    /// `POST /v1/workflows/run`.
    pub target: String,
    /// The head, in lower case.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Takes the first request off `pending`, once it is there whole.
pub fn take_request(pending: &mut Vec<u8>) -> Option<RawRequest> {
    let end = pending.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&pending[..end]).into_owned();
    let lower = head.to_lowercase();
    let length =
        lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let whole = end + 4 + length;
    if pending.len() < whole {
        return None;
    }
    let body = pending[end + 4..whole].to_vec();
    pending.drain(..whole);
    let target = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    Some(RawRequest { target, head: lower, body })
}

/// An answer with a length.
pub fn document(status: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    with_headers(status, content_type, "", body)
}

/// An answer with a length and more headers, each ended by CRLF.
pub fn with_headers(status: &str, content_type: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n{headers}Content-Length: {length}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The head of a stream in chunks.
pub fn stream_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nX-Version: 1.14.2\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec()
}

/// One chunk of a body.
pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    framed
}
