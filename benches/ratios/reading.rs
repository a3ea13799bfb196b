//! How the bare loop reads a stream: every event as JSON, or only counting events.

use std::time::{Duration, Instant};

use memchr::memmem::Finder;
use serde_json::Value;

use crate::long_stream::{CHUNKS, EVENTS};

/// What the loop does with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Reading {
    /// Reads every event as JSON and makes the four checks.
    Checked,
    /// The same, and notes when the first model token came.
    Timed,
    /// Counts the events and knows the last one; reads no JSON.
    Counted,
}

impl Reading {
    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::Timed => "timed",
            Self::Counted => "counted",
        }
    }
}

/// What was read as JSON.
#[derive(Debug, Default)]
pub struct Read {
    /// `data` of `workflow_finished`; null if it did not come.
    pub run: Value,
    /// When that came.
    pub latency: Duration,
}

/// Looks for the first model token: the first chunk of a language model's or an agent's that is not blank.
#[derive(Debug, Default)]
pub struct FirstToken {
    models: Vec<Value>,
    /// When it came.
    pub at: Option<Duration>,
}

impl FirstToken {
    fn look(&mut self, event: &Value, sent: Instant) {
        let data = &event["data"];
        if event["event"] == "node_started" && (data["node_type"] == "llm" || data["node_type"] == "agent") {
            self.models.push(data["node_id"].clone());
        } else if self.at.is_none()
            && event["event"] == "text_chunk"
            && self.models.contains(&data["from_variable_selector"][0])
            && data["text"].as_str().is_some_and(|text| !text.trim().is_empty())
        {
            self.at = Some(sent.elapsed());
        }
    }
}

/// Reads a stream to its end, each event as JSON; looks for the first model token where that is asked for.
pub async fn read_stream(
    mut response: reqwest::Response,
    sent: Instant,
    mut first_token: Option<&mut FirstToken>,
) -> Result<Read, reqwest::Error> {
    let mut pending: Vec<u8> = Vec::new();
    let mut finished = Read::default();
    while let Some(chunk) = response.chunk().await? {
        pending.extend_from_slice(&chunk);
        let mut from = 0;
        while let Some(length) = memchr::memchr(b'\n', &pending[from..]) {
            let line = &pending[from..from + length];
            from += length + 1;
            let Some(data) = line.strip_prefix(b"data: ") else { continue };
            let Ok(mut event) = serde_json::from_slice::<Value>(data) else { continue };
            if let Some(first_token) = first_token.as_deref_mut() {
                first_token.look(&event, sent);
            }
            if event["event"] == "workflow_finished" {
                finished = Read { run: event["data"].take(), latency: sent.elapsed() };
            }
        }
        pending.drain(..from);
    }
    Ok(finished)
}

/// What was counted.
#[derive(Debug, Default)]
pub struct Count {
    /// Data events; a ping is none.
    pub events: usize,
    chunks: usize,
    /// When the terminal event came.
    pub finished: Option<Duration>,
}

impl Count {
    /// Whether it is all of the stream of many chunks.
    pub fn is_whole(&self) -> bool {
        self.chunks == CHUNKS && self.events == EVENTS && self.finished.is_some()
    }

    fn take(&mut self, event: &[u8], sent: Instant) {
        let Some(data) = event.strip_prefix(b"data: ") else { return };
        self.events += 1;
        if data.starts_with(b"{\"event\":\"text_chunk\"") {
            self.chunks += 1;
        } else if data.starts_with(b"{\"event\":\"workflow_finished\"") {
            self.finished = Some(sent.elapsed());
        }
    }
}

/// Reads a stream to its end, splits it where events end, and counts them by their first bytes.
pub async fn count_events(mut response: reqwest::Response, sent: Instant) -> Result<Count, reqwest::Error> {
    let end_of_event = Finder::new(b"\n\n");
    let mut pending: Vec<u8> = Vec::new();
    let mut count = Count::default();
    while let Some(chunk) = response.chunk().await? {
        pending.extend_from_slice(&chunk);
        let mut from = 0;
        while let Some(length) = end_of_event.find(&pending[from..]) {
            count.take(&pending[from..from + length], sent);
            from += length + 2;
        }
        pending.drain(..from);
    }
    Ok(count)
}
