//! A piece of streamed text, read without making a tree of its event: most events of a stream are one.

use std::borrow::Cow;

use memchr::memchr2;
use serde::Deserialize;

/// A `text_chunk`.
///
/// It takes exactly the keys that Dify sends; anything else in the event makes it no chunk but an ordinary [`Event`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextChunk<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    /// The run's id.
    #[serde(borrow)]
    pub workflow_run_id: Cow<'a, str>,
    /// The task's id.
    #[serde(borrow)]
    pub task_id: Cow<'a, str>,
    #[serde(borrow)]
    data: ChunkBody<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChunkBody<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow)]
    from_variable_selector: Vec<MemberName<'a>>,
}

#[derive(Debug, Deserialize)]
struct MemberName<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> TextChunk<'a> {
    /// Reads an event that is only a chunk; `None` where it must be read as an ordinary event.
    pub fn read(text: &'a str) -> Option<Self> {
        const NAME: &str = "text_chunk";
        if !text.get(..NAME.len() + 16)?.contains(NAME) {
            return None;
        }
        serde_json::from_str::<Self>(text).ok().filter(|chunk| chunk.event == NAME)
    }

    /// The piece of text.
    pub fn text(&self) -> &str {
        &self.data.text
    }

    /// The node whose text it is.
    pub fn node_id(&self) -> Option<&str> {
        self.data.from_variable_selector.first().map(|name| &*name.0)
    }
}

/// What a stream's chunks have in common: all of their events but the text itself.
///
/// Chunks that follow each other differ in nothing else, so that one which is alike needs no reading.
#[derive(Debug)]
pub struct ChunkTemplate {
    /// Up to the quote that begins the text, and with it.
    before: String,
    /// From the quote that ends it.
    after: String,
    /// The node whose text it is.
    node_id: Option<String>,
}

impl ChunkTemplate {
    /// The mold of a chunk that was read from an event; `None` where the event does not hold its text unchanged.
    pub fn of(event: &str, chunk: &TextChunk<'_>) -> Option<Self> {
        let Cow::Borrowed(text) = chunk.data.text else { return None };
        let start = (text.as_ptr() as usize).checked_sub(event.as_ptr() as usize)?;
        let (before, rest) = event.split_at_checked(start)?;
        let after = rest.strip_prefix(text)?;
        let node_id = chunk.node_id().map(str::to_owned);
        Some(Self { before: before.to_owned(), after: after.to_owned(), node_id })
    }

    /// The node whose text all of them are.
    pub fn node_id(&self) -> Option<&str> {
        self.node_id.as_deref()
    }

    /// The event that has this text.
    pub fn event(&self, text: &str) -> String {
        [&self.before, text, &self.after].concat()
    }

    /// The text of an event that differs only in its text; `None` where the event must be read.
    pub fn text<'a>(&self, event: &'a str) -> Option<&'a str> {
        let text = event.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str())?;
        let bytes = text.as_bytes();
        // What could end the text, escape something or be forbidden in it is for the reader.
        let is_plain = memchr2(b'"', b'\\', bytes).is_none() && bytes.iter().all(|byte| *byte >= b' ');
        is_plain.then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::borrowed_json::BorrowedValue;
    use crate::dify::wire::event::{EventKind, StreamEvent};

    #[test]
    fn a_chunk_is_read_as_the_event_it_is() {
        let text = r#"{"event":"text_chunk","workflow_run_id":"r","task_id":"t","data":{"text":"a\n\u00e9\"","from_variable_selector":["one","text"]}}"#;
        let chunk = TextChunk::read(text).unwrap();
        let event = StreamEvent::from_json(BorrowedValue::read(text).unwrap());
        assert_eq!(event.kind, EventKind::TextChunk);
        assert_eq!((Some(chunk.text()), chunk.node_id()), (event.text("text"), Some("one")));
        assert_eq!((Some(&*chunk.workflow_run_id), Some(&*chunk.task_id)), (event.run_id(), event.task_id()));
    }

    #[test]
    fn whatever_is_not_quite_a_chunk_is_left_to_the_ordinary_way() {
        let rest =
            r#""workflow_run_id":"r","task_id":"t","data":{"text":"a","from_variable_selector":["one"]}"#;
        for text in [
            String::new(),
            format!(r#"{{"event":"text_chunk",{rest},"more":"\ud800"}}"#),
            format!(r#"{{"event":"text_chunk2",{rest}}}"#),
            format!(r#"{{"event":"text_chunk","event":"error",{rest}}}"#),
            format!(r#"{{"event":"text_chunk",{}}}"#, rest.replace("\"a\"", "null")),
            format!(r#"{{"event":"text_chunk",{}}}"#, rest.replace("\"a\"", r#""\ud800""#)),
            format!(r#"{{"event":"text_chunk",{}}}"#, rest.replace("\"one\"", "1")),
            format!(r#"{{"event":"text_chunk",{rest}}} x"#),
        ] {
            assert!(TextChunk::read(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_comes_out_of_a_mold_is_what_reading_gives() {
        let event = |text: &str| {
            format!(
                r#"{{"event":"text_chunk","workflow_run_id":"r","task_id":"t","data":{{"text":"{text}","from_variable_selector":["one","text"]}}}}"#
            )
        };
        let first = event("Hello");
        let mold = ChunkTemplate::of(&first, &TextChunk::read(&first).unwrap()).unwrap();
        for text in ["", " world", "é ✓ \u{2028}", "}}", "','"] {
            let event = event(text);
            assert_eq!(mold.text(&event), Some(TextChunk::read(&event).unwrap().text()), "{text}");
            assert_eq!(mold.event(text), event);
        }
        for text in [r#"a\"b"#, r"\u00e9", "tab\t", r#"x","from_variable_selector":["two"]}},"a":{"text":""#]
        {
            assert_eq!(mold.text(&event(text)), None, "{text}");
        }
        let start = &first[..first.len() - 30];
        for other in ["", start, &first.replace("\"t\"", "\"u\""), &first.replace("one", "two")] {
            assert_eq!(mold.text(other), None, "{other}");
        }
        let escaped = event(r"\n");
        assert!(ChunkTemplate::of(&escaped, &TextChunk::read(&escaped).unwrap()).is_none());
        let empty = event("");
        let mold = ChunkTemplate::of(&empty, &TextChunk::read(&empty).unwrap());
        assert_eq!(mold.as_ref().and_then(|mold| mold.text(&first)), Some("Hello"));
        assert_eq!(mold.unwrap().node_id(), Some("one"));
    }
}
