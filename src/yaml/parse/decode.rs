//! Bytes to text: UTF-8 without a byte order mark and without NUL, else a problem at the first bad byte.

use crate::base::byte_order_mark::MARK;
use crate::base::origin::Place;
use crate::yaml::node::{FilePosition, SourceText};
use crate::yaml::problem::Problem;

/// The file's bytes as text: UTF-8, a byte order mark dropped, no NUL.
pub fn decode(name: &str, mut bytes: Vec<u8>) -> Result<SourceText, Box<Problem>> {
    if bytes.starts_with(MARK) {
        bytes.drain(..MARK.len());
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        let problem = Problem::new(Place::file(name), "the file is UTF-16, not UTF-8");
        return Err(Box::new(problem.help("save it as UTF-8")));
    }
    let nul = memchr::memchr(0, &bytes);
    match (String::from_utf8(bytes), nul) {
        (Ok(text), None) => Ok(SourceText::new(name, text)),
        (Ok(text), Some(at)) => Err(refuse_at(name, text, at, "a NUL byte")),
        (Err(error), _) => {
            let at = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            Err(refuse_at(name, text, at, "not UTF-8"))
        }
    }
}

/// A spreadsheet's file as text: also UTF-16, in which they save "Unicode text", where its byte order mark says so.
pub fn decode_sheet(name: &str, bytes: Vec<u8>) -> Result<SourceText, Box<Problem>> {
    let unit: fn([u8; 2]) -> u16 = match bytes.as_slice() {
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => return decode(name, bytes),
    };
    let (pairs, odd) = bytes[2..].as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    match char::decode_utf16(units).collect::<Result<String, _>>() {
        Ok(text) if odd.is_empty() => decode(name, text.into_bytes()),
        Ok(_) | Err(_) => {
            let problem = Problem::new(Place::file(name), "the file begins as UTF-16 and is none");
            Err(Box::new(problem.help("save it as UTF-8")))
        }
    }
}

fn refuse_at(name: &str, text: String, at: usize, what: &str) -> Box<Problem> {
    let text = text.replace('\0', "\u{FFFD}");
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let line = memchr::memchr_iter(b'\n', &text.as_bytes()[..at]).count() as u32 + 1;
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let mark = FilePosition { line, column: text[start..at].chars().count() as u32 + 1, width: 1 };
    let place = SourceText::new(name, text).place(mark);
    Box::new(Problem::new(place, format!("the file is no text: {what}")).help("save it as UTF-8 text"))
}
