//! The two JSON styles of Dify that are not serde's: spaced ASCII, and Flask's compact ASCII.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

/// Python's `json.dumps`: spaces after `,` and `:`, `\uXXXX`.
struct SpacedJson;
/// Flask's compact answers: no spaces, `\uXXXX`, `\/`.
struct FlaskJson;

impl Formatter for SpacedJson {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        write_ascii(writer, fragment)
    }
}

impl Formatter for FlaskJson {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut parts = fragment.split('/');
        write_ascii(writer, parts.next().unwrap_or_default())?;
        for part in parts {
            writer.write_all(b"\\/")?;
            write_ascii(writer, part)?;
        }
        Ok(())
    }
}

fn write_ascii<W: ?Sized + Write>(writer: &mut W, fragment: &str) -> io::Result<()> {
    if fragment.is_ascii() {
        return writer.write_all(fragment.as_bytes());
    }
    let mut units = [0u16; 2];
    for c in fragment.chars() {
        if c.is_ascii() {
            writer.write_all(&[c as u8])?;
        } else {
            for unit in c.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
    }
    Ok(())
}

/// Appends a value as blocking answers write it.
pub fn push_spaced<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let written = value.serialize(&mut serde_json::Serializer::with_formatter(out, SpacedJson));
    written.expect("JSON values serialise into memory");
}

/// A value as blocking answers write it.
pub fn spaced<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    push_spaced(&mut out, value);
    out
}

/// A value as errors, details, logs, parameters and uploads are written, with its final newline.
pub fn flask<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let written = value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, FlaskJson));
    written.expect("JSON values serialise into memory");
    out.push(b'\n');
    out
}

/// Appends a value as streams write it: compact, raw UTF-8.
pub fn push_compact<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("JSON values serialise into memory");
}
