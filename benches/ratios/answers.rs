//! The answers of the endpoint: two recordings of Dify 1.14.2, whole and unchanged, taken apart once.
//!
//! A workflow of four nodes (start, two language models, end), recorded as a stream and as a blocking answer.

use bytes::Bytes;
use serde_json::Value;

use crate::failure::Failure;

const STREAMING: &str = include_str!("data/llm_two.streaming.json");
const BLOCKING: &str = include_str!("data/llm_two.blocking.json");

/// Where the value stands that every case checks, and the value.
pub const CHECKED: (&str, &str) = ("$.first", "Echo: 1 x y — done ✓");

/// The most tokens a case may use; the recording used 42.
pub const TOKEN_BOUND: u64 = 3000;

/// Headers that belong to the recorded connection and not to the answer.
const OF_THE_CONNECTION: [&str; 4] = ["Connection", "Transfer-Encoding", "Content-Length", "Date"];

/// A recorded answer, ready to be sent.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its headers, without those of the connection.
    pub headers: Vec<(String, String)>,
    /// What is sent before the delay: of a stream, all up to `workflow_started`.
    pub opening: Bytes,
    /// What is sent after it.
    pub rest: Bytes,
}

/// Reads the recorded stream.
pub fn streaming() -> Result<Answer, Failure> {
    let (headers, body) = recorded(STREAMING, "llm_two.streaming.json")?;
    let started = body.find("\"workflow_started\"").unwrap_or(0);
    let split = body[started..].find("\n\n").map_or(0, |end| started + end + 2);
    let (opening, rest) = body.split_at(split);
    Ok(Answer {
        headers,
        opening: Bytes::copy_from_slice(opening.as_bytes()),
        rest: Bytes::copy_from_slice(rest.as_bytes()),
    })
}

/// Reads the recorded blocking answer.
pub fn blocking() -> Result<Answer, Failure> {
    let (headers, body) = recorded(BLOCKING, "llm_two.blocking.json")?;
    Ok(Answer { headers, opening: Bytes::new(), rest: Bytes::from(body) })
}

/// The headers and the body of a recording.
fn recorded(text: &str, name: &str) -> Result<(Vec<(String, String)>, String), Failure> {
    let recording: Value = serde_json::from_str(text).map_err(|error| Failure::unreadable(name, error))?;
    let response = &recording["response"];
    let body = response["body"].as_str().ok_or_else(|| Failure::unreadable(name, "no body"))?;
    let pairs = response["headers"].as_array().ok_or_else(|| Failure::unreadable(name, "no headers"))?;
    let headers = pairs
        .iter()
        .filter_map(|pair| Some((pair[0].as_str()?.to_owned(), pair[1].as_str()?.to_owned())))
        .filter(|(header, _)| !OF_THE_CONNECTION.iter().any(|other| header.eq_ignore_ascii_case(other)))
        .collect();
    Ok((headers, body.to_owned()))
}
