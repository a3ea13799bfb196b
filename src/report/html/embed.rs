//! JSON inside a page: in elements that no browser runs, and in which it sees neither tag, comment nor line separator.

use std::io::{self, Write};

/// Adds JSON as an element of these attributes.
pub(super) fn element(out: &mut impl Write, attributes: &str, json: &[u8]) -> io::Result<()> {
    enclosed(out, attributes, json, ["", ""])
}

/// Adds the members of a list as an element of these attributes.
pub(super) fn list(out: &mut impl Write, attributes: &str, members: &[u8]) -> io::Result<()> {
    enclosed(out, attributes, members, ["[", "]"])
}

/// Adds the members of an object as an element of these attributes.
pub(super) fn object(out: &mut impl Write, attributes: &str, members: &[u8]) -> io::Result<()> {
    enclosed(out, attributes, members, ["{", "}"])
}

fn enclosed(
    out: &mut impl Write,
    attributes: &str,
    json: &[u8],
    [before, after]: [&str; 2],
) -> io::Result<()> {
    write!(out, "<script type=\"application/json\" {attributes}>{before}")?;
    write_escaped(out, json)?;
    writeln!(out, "{after}</script>")
}

/// Writes JSON without `<`, U+2028 and U+2029: in JSON they occur only in texts, where an escape means the same.
fn write_escaped(out: &mut impl Write, json: &[u8]) -> io::Result<()> {
    let mut rest = json;
    while let Some(at) = memchr::memchr2(b'<', 0xe2, rest) {
        let (before, from) = rest.split_at(at);
        let (escape, length): (&[u8], usize) = match from {
            [b'<', ..] => (b"\\u003c", 1),
            [0xe2, 0x80, 0xa8, ..] => (b"\\u2028", 3),
            [0xe2, 0x80, 0xa9, ..] => (b"\\u2029", 3),
            _ => (&from[..1], 1),
        };
        out.write_all(before)?;
        out.write_all(escape)?;
        rest = &from[length..];
    }
    out.write_all(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn escaped(json: &str) -> String {
        let mut out = Vec::new();
        write_escaped(&mut out, json.as_bytes()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_text_ends_its_element() {
        let text = Value::from("</script><!-- <b> \u{2028}\u{2029} “quotes” —");
        let json = escaped(&text.to_string());
        assert!(!json.contains(['<', '\u{2028}', '\u{2029}']), "{json}");
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), text);
    }

    proptest! {
        #[test]
        fn what_is_embedded_is_what_was_written(text in ".{0,40}[<\u{2028}\u{2029}“]?.{0,40}") {
            let value = Value::from(text);
            prop_assert_eq!(serde_json::from_str::<Value>(&escaped(&value.to_string())).unwrap(), value);
        }
    }
}
