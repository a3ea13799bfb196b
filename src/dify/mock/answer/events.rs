//! The bytes of a stream, event by event, in one buffer.

use std::io::Write;

use serde::Serialize;

use super::json;
use super::run::{MockRun, SystemInputs};

/// The events of a stream.
#[derive(Debug)]
pub struct MockEvents {
    /// All bytes.
    pub bytes: Vec<u8>,
    /// Where each event ends.
    pub ends: Vec<usize>,
    envelope: Vec<u8>,
    is_first: bool,
}

/// The ping Dify sends: an event without data.
pub const PING: &[u8] = b"event: ping\n\n";

impl MockEvents {
    /// No events yet.
    pub fn new(run: &MockRun) -> Self {
        let mut envelope = Vec::with_capacity(160);
        write!(envelope, "\",\"workflow_run_id\":\"{}\",\"task_id\":\"{}\",\"data\":{{", run.id, run.task)
            .expect("writing to memory does not fail");
        Self { bytes: Vec::with_capacity(8192), ends: Vec::with_capacity(24), envelope, is_first: true }
    }

    /// A ping.
    pub fn ping(&mut self) {
        self.bytes.extend_from_slice(PING);
        self.ends.push(self.bytes.len());
    }

    /// Begins an event.
    pub fn open(&mut self, name: &str) {
        self.bytes.extend_from_slice(b"data: {\"event\":\"");
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(&self.envelope);
        self.is_first = true;
    }

    /// Ends the event.
    pub fn close(&mut self) {
        self.bytes.extend_from_slice(b"}}\n\n");
        self.ends.push(self.bytes.len());
    }

    /// A member with any value.
    pub fn value<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        let out = self.member(key);
        json::push_compact(out, value);
    }

    /// A member whose value is JSON already.
    pub fn raw(&mut self, key: &str, text: &str) {
        self.member(key).extend_from_slice(text.as_bytes());
    }

    /// Members whose values are JSON already.
    pub fn raws(&mut self, members: &[(&str, &str)]) {
        for (key, text) in members {
            self.raw(key, text);
        }
    }

    /// A text that needs no escapes: an id or a word.
    pub fn word(&mut self, key: &str, word: &str) {
        let out = self.member(key);
        out.push(b'"');
        out.extend_from_slice(word.as_bytes());
        out.push(b'"');
    }

    /// The run's inputs.
    pub fn inputs(&mut self, key: &str, run: &MockRun, sys: SystemInputs) {
        let out = self.member(key);
        run.push_inputs(out, sys);
    }

    /// A chunk of streamed text.
    pub fn chunk(&mut self, text: &str, selector: &[&str]) {
        self.open("text_chunk");
        self.value("text", text);
        self.value("from_variable_selector", selector);
        self.close();
    }

    fn member(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.is_first {
            self.bytes.push(b',');
        }
        self.is_first = false;
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.extend_from_slice(b"\":");
        &mut self.bytes
    }
}
