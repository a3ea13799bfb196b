//! Writes XML piece by piece: well-formed, with only the characters that XML 1.0 allows, for any texts.

use std::io::{self, Write};

use crate::report::text::{LineEnds, visible};

/// An XML document that is being written, elements closed in turn.
#[derive(Debug)]
pub(crate) struct Xml<W> {
    out: W,
    open: Vec<&'static str>,
    in_tag: bool,
}

impl<W: Write> Xml<W> {
    /// Begins a document.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        Ok(Self { out, open: Vec::with_capacity(8), in_tag: false })
    }

    /// Begins a piece of a document, to be added inside these open elements.
    pub fn inside(out: W, open: &[&'static str]) -> Self {
        Self { out, open: open.to_vec(), in_tag: false }
    }

    /// Adds a piece that was written for this place.
    pub fn piece(&mut self, piece: &[u8]) -> io::Result<()> {
        self.close_tag()?;
        self.out.write_all(piece)
    }

    /// Opens an element on a line of its own.
    pub fn open(&mut self, name: &'static str) -> io::Result<&mut Self> {
        self.close_tag()?;
        self.out.write_all(b"\n")?;
        for _ in &self.open {
            self.out.write_all(b" ")?;
        }
        self.out.write_all(b"<")?;
        self.out.write_all(name.as_bytes())?;
        self.open.push(name);
        self.in_tag = true;
        Ok(self)
    }

    /// Adds an attribute to the element just opened.
    pub fn attribute(&mut self, name: &'static str, value: &str) -> io::Result<&mut Self> {
        debug_assert!(self.in_tag, "attributes come before content");
        self.out.write_all(b" ")?;
        self.out.write_all(name.as_bytes())?;
        self.out.write_all(b"=\"")?;
        self.escaped(value)?;
        self.out.write_all(b"\"")?;
        Ok(self)
    }

    /// Adds text.
    pub fn text(&mut self, text: &str) -> io::Result<&mut Self> {
        self.close_tag()?;
        self.escaped(text)?;
        Ok(self)
    }

    /// Closes the innermost element.
    pub fn close(&mut self) -> io::Result<&mut Self> {
        let Some(name) = self.open.pop() else { return Ok(self) };
        if self.in_tag {
            self.in_tag = false;
            self.out.write_all(b"/>")?;
        } else {
            self.out.write_all(b"</")?;
            self.out.write_all(name.as_bytes())?;
            self.out.write_all(b">")?;
        }
        Ok(self)
    }

    /// Closes what is open and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        while !self.open.is_empty() {
            self.close()?;
        }
        self.out.write_all(b"\n")?;
        Ok(self.out)
    }

    fn close_tag(&mut self) -> io::Result<()> {
        if self.in_tag {
            self.in_tag = false;
            self.out.write_all(b">")?;
        }
        Ok(())
    }

    /// Escapes the characters that have a meaning in XML; `>` too, since text may not contain `]]>`. Line ends and tabs are written as
    /// references, since a reader turns them into blanks in attributes; in text they may stay.
    fn escaped(&mut self, text: &str) -> io::Result<()> {
        if text.bytes().all(is_plain) {
            return self.out.write_all(text.as_bytes());
        }
        let text = visible(text, LineEnds::Kept);
        let mut rest = text.as_bytes();
        while let Some(place) =
            rest.iter().position(|byte| matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\n' | b'\t'))
        {
            self.out.write_all(&rest[..place])?;
            let escape: &[u8] = match rest[place] {
                b'<' => b"&lt;",
                b'>' => b"&gt;",
                b'&' => b"&amp;",
                b'"' => b"&quot;",
                b'\n' if self.in_tag => b"&#10;",
                b'\t' if self.in_tag => b"&#9;",
                _ => &rest[place..=place],
            };
            self.out.write_all(escape)?;
            rest = &rest[place + 1..];
        }
        self.out.write_all(rest)
    }
}

/// A printable ASCII character without a meaning in XML: most texts consist of these.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'<' | b'>' | b'&' | b'"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &str) -> String {
        let mut xml = Xml::new(Vec::new()).unwrap();
        xml.open("a").unwrap().attribute("b", value).unwrap().text(value).unwrap();
        String::from_utf8(xml.finish().unwrap()).unwrap()
    }

    #[test]
    fn markup_and_forbidden_characters_are_escaped() {
        let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
        assert_eq!(
            written("a<b>]]>&\"'\n\t\0\u{1b}[0m\u{fffe}</script>"),
            format!(
                "{head}<a b=\"a&lt;b&gt;]]&gt;&amp;&quot;'&#10;&#9;\\u{{0}}\\u{{1b}}[0m\\u{{fffe}}&lt;/script&gt;\">\
                 a&lt;b&gt;]]&gt;&amp;&quot;'\n\t\\u{{0}}\\u{{1b}}[0m\\u{{fffe}}&lt;/script&gt;</a>\n"
            )
        );
    }

    #[test]
    fn elements_close_in_turn() {
        let mut xml = Xml::new(Vec::new()).unwrap();
        xml.open("a").unwrap().open("b").unwrap().close().unwrap().open("c").unwrap();
        let text = String::from_utf8(xml.finish().unwrap()).unwrap();
        assert!(text.ends_with("<a>\n <b/>\n <c/></a>\n"), "{text}");
    }
}
