//! The answers of the endpoint: two recordings of Dify 1.14.2, whole and unchanged, taken apart once; and a stream
//! of many chunks that is made from one of them.
//!
//! A workflow of four nodes (start, two language models, end), recorded as a stream and as a blocking answer.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::failure::Failure;
use crate::long_stream::LongStream;

const STREAMING: &str = include_str!("data/llm_two.streaming.json");
const BLOCKING: &str = include_str!("data/llm_two.blocking.json");

/// What the recordings are called in messages.
const STREAMING_NAME: &str = "llm_two.streaming.json";

/// Where the value is that every case checks, and the value.
pub const CHECKED: (&str, &str) = ("$.first", "Echo: 1 x y — done ✓");

/// The most tokens a case may use; the recording used 42, the stream of many chunks 523.
pub const TOKEN_BOUND: u64 = 3000;

/// Headers that belong to the recorded connection and not to the answer.
const OF_THE_CONNECTION: [&str; 4] = ["Connection", "Transfer-Encoding", "Content-Length", "Date"];

/// How the endpoint sends a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Sending {
    /// All up to `workflow_started`; after the delay the rest.
    Recorded,
    /// As recorded, but the first model token comes half-way through the delay, and the endpoint notes its own times.
    Timed,
    /// Many chunks, each event a part of its own.
    Chunks,
}

impl Sending {
    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Timed => "timed",
            Self::Chunks => "chunks",
        }
    }
}

/// An answer, ready to be sent.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its headers, without those of the connection.
    pub headers: Vec<(String, String)>,
    /// Its parts in order; the delay is spread evenly over the gaps between them.
    pub parts: Arc<[Bytes]>,
}

/// Reads the recorded stream and takes it apart.
pub fn streaming(sending: Sending) -> Result<Answer, Failure> {
    let (headers, body) = recorded(STREAMING, STREAMING_NAME)?;
    let started = end_of_event(&body, "\"workflow_started\"");
    let parts = match sending {
        Sending::Recorded => cut(&body, &[started]),
        Sending::Timed => cut(&body, &[started, end_of_event(&body, "\"text_chunk\"")]),
        Sending::Chunks => LongStream::from(&body)?.events.into_iter().map(Bytes::from).collect(),
    };
    Ok(Answer { headers, parts })
}

/// Reads the recorded blocking answer.
pub fn blocking() -> Result<Answer, Failure> {
    let (headers, body) = recorded(BLOCKING, "llm_two.blocking.json")?;
    Ok(Answer { headers, parts: Arc::new([Bytes::from(body)]) })
}

/// The stream of many chunks, and what can be checked of it.
pub fn long_stream() -> Result<LongStream, Failure> {
    LongStream::from(&recorded(STREAMING, STREAMING_NAME)?.1)
}

/// Where the first event with this word ends; 0 if there is none.
fn end_of_event(body: &str, word: &str) -> usize {
    let at = body.find(word).unwrap_or(0);
    body[at..].find("\n\n").map_or(0, |end| at + end + 2)
}

/// A body in parts that end at these places, and what is left.
fn cut(body: &str, ends: &[usize]) -> Arc<[Bytes]> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let ends = ends.iter().copied().chain([body.len()]);
    starts.zip(ends).map(|(start, end)| Bytes::copy_from_slice(&body.as_bytes()[start..end])).collect()
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
