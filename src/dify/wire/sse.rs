//! Server-sent events by the WHATWG rules, on raw bytes.
//!
//! Bytes are never decoded to text here, so that broken UTF-8 reaches the one who reads the JSON. Each byte is scanned
//! once, however the input is split; memory is bounded by the largest event allowed. A block that is complete in one chunk is
//! handed out without a copy.

use std::ops::ControlFlow;

use memchr::{memchr, memchr2};

use crate::base::units::format_size;

const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// What a blank line set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SseFrame<'a> {
    /// A block with data: `event` is empty where the block names none; lines of data are joined with LF.
    Event {
        /// The `event:` field.
        event: &'a [u8],
        /// The `data:` field.
        data: &'a [u8],
    },
    /// A block with an `event:` and no data, which browsers drop: Dify's ping is one.
    Bare {
        /// The `event:` field.
        event: &'a [u8],
    },
}

/// What is left at the end of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SseTail {
    /// The input ended between two events.
    Clean,
    /// The input ended within an event.
    Half,
}

/// An event grew beyond the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than {}", format_size(*limit as u64))]
pub struct TooLarge {
    /// The limit, in bytes.
    pub limit: usize,
}

/// Turns bytes into frames, however they are split.
#[derive(Debug)]
pub struct Decoder {
    /// Largest line and largest data of one event, bytes.
    limit: usize,
    /// How much of a byte order mark was seen; 3 once the start is over.
    bom: usize,
    /// True after a CR that ended a line: a LF right after it belongs to it.
    after_cr: bool,
    /// The start of a line whose end has not come.
    line: Vec<u8>,
    /// Data of the block so far.
    data: Vec<u8>,
    /// True once the block has a `data:` line, an empty one too.
    has_data: bool,
    /// The block's `event:` field.
    event: Vec<u8>,
    /// True once the block has any field.
    in_block: bool,
}

/// Data lines of the current block that need not be copied, if there is but one and it lies in this chunk.
type BorrowedData<'a> = Option<&'a [u8]>;

impl Decoder {
    /// A decoder at the start of a stream; `limit` bounds one event, in bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            bom: 0,
            after_cr: false,
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            event: Vec::new(),
            in_block: false,
        }
    }

    /// Takes the next bytes and hands out each frame they complete, until `take` breaks; what follows a break is lost.
    pub fn feed<F>(&mut self, bytes: &[u8], mut take: F) -> Result<ControlFlow<()>, TooLarge>
    where
        F: FnMut(SseFrame<'_>) -> ControlFlow<()>,
    {
        let mut rest = self.skip_bom(bytes);
        let mut borrowed: BorrowedData<'_> = None;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = memchr2(b'\n', b'\r', rest) {
            let (line, ending) = rest.split_at(end);
            rest = self.after_ending(ending);
            let flow = if self.line.is_empty() {
                self.take_line(line, &mut borrowed, &mut take)?
            } else {
                self.take_joined_line(line, &mut borrowed, &mut take)?
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        self.keep_borrowed(&mut borrowed)?;
        self.grow_line(rest)?;
        Ok(ControlFlow::Continue(()))
    }

    /// Whether the input ended within an event.
    pub fn finish(&self) -> SseTail {
        let half_line = !self.line.is_empty() && self.line[0] != b':';
        let half_bom = self.bom > 0 && self.bom < BOM.len();
        if self.in_block || half_line || half_bom { SseTail::Half } else { SseTail::Clean }
    }

    /// Passes over a byte order mark at the very start, also one that comes in pieces.
    fn skip_bom<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let mut rest = bytes;
        while self.bom < BOM.len() && !rest.is_empty() {
            if rest[0] == BOM[self.bom] {
                self.bom += 1;
                rest = &rest[1..];
            } else {
                self.line.extend_from_slice(&BOM[..self.bom]);
                self.bom = BOM.len();
            }
        }
        rest
    }

    /// Passes over a line's ending; a CR that is the last byte may still have its LF to come.
    fn after_ending<'a>(&mut self, ending: &'a [u8]) -> &'a [u8] {
        match ending {
            [b'\r', b'\n', rest @ ..] => rest,
            [b'\r'] => {
                self.after_cr = true;
                &[]
            }
            [_, rest @ ..] => rest,
            [] => &[],
        }
    }

    /// Takes a line whose start came in an earlier chunk.
    fn take_joined_line<F>(
        &mut self,
        line_end: &[u8],
        borrowed: &mut BorrowedData<'_>,
        take: &mut F,
    ) -> Result<ControlFlow<()>, TooLarge>
    where
        F: FnMut(SseFrame<'_>) -> ControlFlow<()>,
    {
        self.grow_line(line_end)?;
        let line = std::mem::take(&mut self.line);
        let mut own: BorrowedData<'_> = None;
        self.keep_borrowed(borrowed)?;
        let flow = self.take_line(&line, &mut own, take)?;
        self.keep_borrowed(&mut own)?;
        self.line = line;
        self.line.clear();
        Ok(flow)
    }

    /// Takes a whole line, without its ending.
    fn take_line<'a, F>(
        &mut self,
        line: &'a [u8],
        borrowed: &mut BorrowedData<'a>,
        take: &mut F,
    ) -> Result<ControlFlow<()>, TooLarge>
    where
        F: FnMut(SseFrame<'_>) -> ControlFlow<()>,
    {
        if line.is_empty() {
            return Ok(self.dispatch(borrowed.take(), take));
        }
        self.check(line.len())?;
        let (name, value) = match memchr(b':', line) {
            Some(0) => return Ok(ControlFlow::Continue(())),
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[] as &[u8]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => self.add_data(value, borrowed)?,
            b"event" => {
                self.event.clear();
                self.event.extend_from_slice(value);
                self.in_block = true;
            }
            b"id" | b"retry" => self.in_block = true,
            _ => {}
        }
        Ok(ControlFlow::Continue(()))
    }

    fn add_data<'a>(&mut self, value: &'a [u8], borrowed: &mut BorrowedData<'a>) -> Result<(), TooLarge> {
        self.in_block = true;
        if self.has_data {
            self.keep_borrowed(borrowed)?;
            self.data.push(b'\n');
            self.grow_data(value)
        } else {
            self.has_data = true;
            *borrowed = Some(value);
            self.check(value.len())
        }
    }

    /// Copies data that lies in a chunk about to go.
    fn keep_borrowed(&mut self, borrowed: &mut BorrowedData<'_>) -> Result<(), TooLarge> {
        borrowed.take().map_or(Ok(()), |value| self.grow_data(value))
    }

    fn grow_data(&mut self, value: &[u8]) -> Result<(), TooLarge> {
        self.check(self.data.len() + value.len())?;
        self.data.extend_from_slice(value);
        Ok(())
    }

    fn grow_line(&mut self, piece: &[u8]) -> Result<(), TooLarge> {
        self.check(self.line.len() + piece.len())?;
        self.line.extend_from_slice(piece);
        Ok(())
    }

    fn check(&self, length: usize) -> Result<(), TooLarge> {
        if length > self.limit { Err(TooLarge { limit: self.limit }) } else { Ok(()) }
    }

    /// Ends a block at its blank line.
    fn dispatch<F>(&mut self, borrowed: BorrowedData<'_>, take: &mut F) -> ControlFlow<()>
    where
        F: FnMut(SseFrame<'_>) -> ControlFlow<()>,
    {
        let flow = if self.has_data {
            let data = borrowed.unwrap_or(&self.data);
            take(SseFrame::Event { event: &self.event, data })
        } else if self.event.is_empty() {
            ControlFlow::Continue(())
        } else {
            take(SseFrame::Bare { event: &self.event })
        };
        self.has_data = false;
        self.in_block = false;
        self.data.clear();
        self.event.clear();
        flow
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use http_body_util::Full;
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Seen {
        event: String,
        data: Option<String>,
    }

    fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Seen>, SseTail) {
        let mut decoder = Decoder::new(1 << 30);
        let mut seen = Vec::new();
        for piece in pieces {
            let flow = decoder.feed(piece, |frame| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                seen.push(match frame {
                    SseFrame::Event { event, data } => Seen { event: text(event), data: Some(text(data)) },
                    SseFrame::Bare { event } => Seen { event: text(event), data: None },
                });
                ControlFlow::Continue(())
            });
            assert_eq!(flow, Ok(ControlFlow::Continue(())));
        }
        (seen, decoder.finish())
    }

    fn event(event: &str, data: &str) -> Seen {
        Seen { event: event.into(), data: Some(data.into()) }
    }

    #[test]
    fn the_rules_of_the_standard_hold() {
        let ping = Seen { event: "ping".into(), data: None };
        let cases: [(&[u8], Vec<Seen>, SseTail); 17] = [
            (b"", vec![], SseTail::Clean),
            (b"data: a\n\n", vec![event("", "a")], SseTail::Clean),
            (b"data:a\r\rdata:  b\r\n\r\n", vec![event("", "a"), event("", " b")], SseTail::Clean),
            (b"\xEF\xBB\xBFdata: a\n\n", vec![event("", "a")], SseTail::Clean),
            (b"data: a\n\n\xEF\xBB\xBFdata: b\n\n", vec![event("", "a")], SseTail::Clean),
            (b"\xEF\xBBdata: a\n\ndata: b\n\n", vec![event("", "b")], SseTail::Clean),
            (b": comment\ndata: a\n: another\ndata: b\n\n", vec![event("", "a\nb")], SseTail::Clean),
            (b"event: ping\n\n", vec![ping.clone()], SseTail::Clean),
            (b"event: x\nevent: y\nid: 4\nretry: 10\ndata\n\n", vec![event("y", "")], SseTail::Clean),
            (b"data:\ndata:\n\n", vec![event("", "\n")], SseTail::Clean),
            (b"unknown: 1\ndatax: 2\nnothing\n\n", vec![], SseTail::Clean),
            (b"id: 1\n\nretry: 5\n\n\n\n", vec![], SseTail::Clean),
            (b"data: a\n", vec![], SseTail::Half),
            (b"data: a\n\ndat", vec![event("", "a")], SseTail::Half),
            (b"data: a\n\n: comm", vec![event("", "a")], SseTail::Clean),
            (b"event: ping\n\nevent: pi", vec![ping], SseTail::Half),
            ("data: a\u{2028}b\u{85}c\n\n".as_bytes(), vec![event("", "a\u{2028}b\u{85}c")], SseTail::Clean),
        ];
        for (bytes, expected, tail) in cases {
            let shown = String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(decode([bytes]), (expected.clone(), tail), "{shown:?} whole");
            assert_eq!(decode(bytes.chunks(1)), (expected, tail), "{shown:?} by byte");
        }
    }

    /// What the web-platform-tests for EventSource send and expect; see `tests/data/sse/README.md`.
    #[test]
    fn the_web_platform_tests_pass() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sse/wpt.json");
        let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let cases = file["cases"].as_array().unwrap();
        for case in cases {
            let name = case["name"].as_str().unwrap();
            let bytes = case["bytes"].as_str().unwrap().as_bytes();
            let expected: Vec<Seen> = case["events"]
                .as_array()
                .unwrap()
                .iter()
                .map(|seen| event(seen["event"].as_str().unwrap(), seen["data"].as_str().unwrap()))
                .collect();
            let tail = if case["half"] == true { SseTail::Half } else { SseTail::Clean };
            // Where no event is named, a browser says `message`.
            let named = |(mut seen, tail): (Vec<Seen>, SseTail)| {
                seen.iter_mut()
                    .filter(|seen| seen.event.is_empty())
                    .for_each(|seen| seen.event = "message".into());
                (seen, tail)
            };
            assert_eq!(named(decode([bytes])), (expected.clone(), tail), "{name}, whole");
            assert_eq!(named(decode(bytes.chunks(1))), (expected.clone(), tail), "{name}, by byte");
            for at in 1..bytes.len() {
                let (head, rest) = bytes.split_at(at);
                assert_eq!(named(decode([head, rest])), (expected.clone(), tail), "{name}, cut at {at}");
            }
        }
        assert_eq!(cases.len(), 23);
    }

    #[test]
    fn a_cr_at_a_chunks_end_ends_the_event_at_once() {
        let (seen, tail) = decode([b"data: a\r\n\r".as_slice()]);
        assert_eq!((seen.len(), tail), (1, SseTail::Clean));
        let (seen, _) = decode([b"data: a\r\n\r".as_slice(), b"\ndata: b\n\n"]);
        assert_eq!(seen, [event("", "a"), event("", "b")]);
    }

    #[test]
    fn a_break_ends_the_reading() {
        let mut decoder = Decoder::new(100);
        let mut count = 0;
        let flow = decoder.feed(b"data: a\n\ndata: b\n\n", |_| {
            count += 1;
            ControlFlow::Break(())
        });
        assert_eq!((flow, count), (Ok(ControlFlow::Break(())), 1));
    }

    #[test]
    fn an_event_over_the_limit_is_refused() {
        let refused = Err(TooLarge { limit: 10 });
        let whole = |bytes: &[u8]| Decoder::new(10).feed(bytes, |_| ControlFlow::Continue(()));
        assert!(whole(b"data: 1234\n\n").is_ok());
        assert_eq!(whole(b"data: 12345678901\n\n"), refused);
        assert_eq!(whole(b"data: 1234\ndata: 1234\ndata: 1234\n\n"), refused);
        assert_eq!(whole(b"unfinished line"), refused);
        assert_eq!(whole(b"unknown: 12\n\n"), refused);
        assert_eq!(whole(b": a comment\n\n"), refused);
        assert_eq!(whole(b"event: 1234\n\n"), refused);
        let mut decoder = Decoder::new(10);
        let results: Vec<_> = b"data: 12345678901"
            .chunks(1)
            .map(|piece| decoder.feed(piece, |_| ControlFlow::Continue(())))
            .collect();
        assert_eq!(results.last(), Some(&refused));
    }

    #[test]
    fn a_huge_event_takes_linear_time() {
        for (length, piece) in [(4 << 20, 1), (50 << 20, 64 << 10)] {
            let mut bytes = b"data: ".to_vec();
            bytes.resize(length, b'x');
            bytes.extend_from_slice(b"\n\n");
            let (seen, tail) = decode(bytes.chunks(piece));
            assert_eq!((seen.len(), tail), (1, SseTail::Clean));
            assert_eq!(seen[0].data.as_ref().map(String::len), Some(length - 6));
        }
    }

    /// What the crate `sse-stream` sees, without bare pings, which it reports as blocks without data.
    fn oracle(bytes: &[u8]) -> Vec<Seen> {
        let body = Full::new(bytes::Bytes::copy_from_slice(bytes));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let frames = runtime.block_on(sse_stream::SseStream::new(body).collect::<Vec<_>>());
        let frames = frames.into_iter().map(|frame| frame.expect("valid UTF-8"));
        let seen = frames.map(|frame| Seen { event: frame.event.unwrap_or_default(), data: frame.data });
        seen.filter(|seen| seen.data.is_some() || !seen.event.is_empty()).collect()
    }

    fn stream_bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            "data: ",
            "data:",
            "data",
            "event: ",
            "event: ping",
            "event",
            "id: 7",
            "retry: 3",
            ": note",
            "x",
            "{\"a\":1}",
            "\u{FEFF}",
            "é漢😀",
            "\u{2028}",
            " ",
            ":",
            "\n",
            "\n",
            "\n",
            "\n\n",
            "\r",
            "\r\n",
            "\r\n\r\n",
            "\0",
        ]);
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn the_split_does_not_matter(bytes in stream_bytes(), cuts in prop::collection::vec(0usize..200, 0..20)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            cuts.push(bytes.len());
            let mut from = 0;
            let pieces: Vec<&[u8]> = cuts.iter().map(|&to| { let piece = &bytes[from..to]; from = to; piece }).collect();
            prop_assert_eq!(decode(pieces), decode([bytes.as_slice()]));
        }

        #[test]
        fn another_decoder_sees_the_same(bytes in stream_bytes()) {
            prop_assert_eq!(decode([bytes.as_slice()]).0, oracle(&bytes));
        }

        #[test]
        fn the_limit_holds_for_any_split(bytes in stream_bytes(), limit in 0usize..30, size in 1usize..20) {
            let read = |pieces: Vec<&[u8]>| {
                let (mut decoder, mut seen) = (Decoder::new(limit), Vec::new());
                let result = pieces.into_iter().try_for_each(|piece| {
                    let fed = decoder.feed(piece, |frame| {
                        seen.push(format!("{frame:?}"));
                        ControlFlow::Continue(())
                    });
                    fed.map(drop)
                });
                (seen, result)
            };
            prop_assert_eq!(read(vec![&bytes[..]]), read(bytes.chunks(size).collect()));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), limit in 0usize..50) {
            let _ = Decoder::new(limit).feed(&bytes, |_| ControlFlow::Continue(()));
        }
    }
}
