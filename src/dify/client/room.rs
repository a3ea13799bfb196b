//! How much memory an answer may come to: what is kept of it, and all answers that are being read together.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::base::units::format_size;
use crate::dify::transcript::{Arrival, NodeRun};

/// What the allocator and the maps need beside a kept text, bytes.
const BESIDE_TEXT: usize = 48;
/// What is kept beside an execution: its names, and where it is found.
const BESIDE_NODE: usize = 256;
/// What is kept of a part of an event that is not known.
const FLAW: usize = 160;
/// What a value in a tree takes beside itself: its key, its place in an object.
const BESIDE_VALUE: usize = 32;
/// Room that every answer has, however small `max_body` is.
const LEAST: u64 = 1_000_000;
/// Answers of the largest size that are read at once.
const AT_ONCE: u64 = 8;
/// An answer up to this size is read however many there are.
const SMALL: u64 = 64 * 1024;

/// What is kept of one answer, estimated, and the most that may be: two and a half times the largest answer.
#[derive(Debug)]
pub(super) struct Room {
    most: u64,
    kept: u64,
}

impl Room {
    /// Room for an answer of at most this many bytes.
    pub fn of(max_body: u64) -> Self {
        Self { most: max_body.saturating_mul(5).div_euclid(2).max(LEAST), kept: 0 }
    }

    /// Notes a kept event, with what the stream has come to by it.
    pub fn event(&mut self, text: usize) {
        self.add(size_of::<Arrival>() + if text == 0 { 0 } else { text + BESIDE_TEXT });
    }

    /// Notes further executions and parts that are not known.
    pub fn grown(&mut self, nodes: usize, flaws: usize) {
        self.add(nodes * (size_of::<NodeRun>() + BESIDE_NODE) + flaws * FLAW);
    }

    /// True once more is kept than may be.
    pub fn is_full(&self) -> bool {
        self.kept > self.most
    }

    /// True where the tree of a JSON text fits.
    pub fn has_room_for_tree(&self, json: &[u8]) -> bool {
        let tree = values_in(json).saturating_mul((size_of::<Value>() + BESIDE_VALUE) as u64);
        tree.saturating_add(json.len() as u64) <= self.most
    }

    /// What the bound is, a clause.
    pub fn bound(&self) -> String {
        format!(
            "kept, it would take more than {} of memory, 2.5 times `max_body` of the target",
            format_size(self.most)
        )
    }

    fn add(&mut self, bytes: usize) {
        self.kept = self.kept.saturating_add(bytes as u64);
    }
}

/// At least as many values as a JSON text holds: what is between its commas and brackets, outside of texts.
fn values_in(json: &[u8]) -> u64 {
    let (mut values, mut in_text, mut is_escaped) = (1, false, false);
    for byte in json {
        match (in_text, byte) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b',' | b'[' | b'{') => values += 1,
            _ => {}
        }
    }
    values
}

/// The bytes of all answers that are being read.
#[derive(Debug)]
pub(super) struct AllAnswers {
    bytes: AtomicU64,
    most: u64,
}

/// The part that one answer has of them; given back when dropped.
#[derive(Debug)]
pub(super) struct AnswerShare<'a> {
    all: &'a AllAnswers,
    bytes: u64,
}

impl AllAnswers {
    /// Of a target whose answers are at most so large.
    pub fn of(max_body: u64) -> Self {
        Self { bytes: AtomicU64::new(0), most: max_body.saturating_mul(AT_ONCE) }
    }

    /// An answer begins.
    pub fn begin(&self) -> AnswerShare<'_> {
        AnswerShare { all: self, bytes: 0 }
    }
}

impl AnswerShare<'_> {
    /// The answer is this many bytes longer; why it cannot be read on, if so.
    pub fn grow(&mut self, bytes: usize) -> Result<(), String> {
        let bytes = bytes as u64;
        self.bytes = self.bytes.saturating_add(bytes);
        let all = self.all.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if all > self.all.most && self.bytes > SMALL {
            return Err(format!(
                "all answers that are being read are together larger than {}, {AT_ONCE} times `max_body` of the target: lower `concurrency`",
                format_size(self.all.most)
            ));
        }
        Ok(())
    }
}

impl Drop for AnswerShare<'_> {
    fn drop(&mut self) {
        self.all.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_outside_of_texts() {
        for (json, least) in [("1", 1), ("[1,2,3]", 3), (r#"{"a":[{},{}],"b":"x,[{\",,\\"}"#, 4), ("[[[[", 4)]
        {
            let counted = values_in(json.as_bytes());
            assert!((least..=2 * least + 2).contains(&counted), "{json}: {counted}");
        }
        assert_eq!(values_in(br#""a,b,c,[[[""#), 1);
    }

    #[test]
    fn a_tree_that_takes_many_times_its_text_has_no_room() {
        let room = Room::of(1_000_000);
        let wide = format!("[{}1]", "1,".repeat(400_000));
        assert!(!room.has_room_for_tree(wide.as_bytes()));
        assert!(room.has_room_for_tree(format!("\"{}\"", "1,".repeat(400_000)).as_bytes()), "one text");
    }

    #[test]
    fn what_is_kept_is_bounded_by_what_an_answer_may_be() {
        let mut room = Room::of(1_000_000);
        let events = (0..).take_while(|_| {
            room.event(20);
            !room.is_full()
        });
        let events = events.count();
        assert!((10_000..30_000).contains(&events), "{events} events of 20 bytes in 2.5 MB");
    }

    #[test]
    fn answers_share_their_room_and_give_it_back() {
        let all = AllAnswers::of(100_000);
        let (mut first, mut second, mut small) = (all.begin(), all.begin(), all.begin());
        assert_eq!(first.grow(700_000), Ok(()));
        let why = second.grow(200_000).unwrap_err();
        assert!(why.contains("larger than 800 KB, 8 times `max_body`"), "{why}");
        assert_eq!(small.grow(1_000), Ok(()), "a small answer is read however many there are");
        drop(first);
        assert_eq!(second.grow(1), Ok(()));
        drop((second, small));
        assert_eq!(all.bytes.load(Ordering::Relaxed), 0);
    }
}
