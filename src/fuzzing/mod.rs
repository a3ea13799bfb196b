//! The door of the fuzz targets (`fuzz/`): one function a target, each with what must hold for any bytes at all.
//!
//! It exists for `cargo fuzz`, which sets `cfg(fuzzing)`, and for the tests, which run each target on its committed corpus and
//! on seeded mutations of it.

mod answers;
mod paths;
mod records;
mod secrets;
mod suites;
#[cfg(test)]
mod tests;
mod texts;

pub use self::answers::{blocking_document, event_stream, judge_answer};
pub use self::paths::{Selection, json_path, json_schema};
pub use self::records::{cassette, journal, merge, snapshot};
pub use self::secrets::masking;
pub use self::suites::{project_yaml, rows, suite_yaml};
pub use self::texts::template;

/// The text before the first line break, and the bytes after it.
fn split_line(bytes: &[u8]) -> Option<Parts<'_>> {
    let at = bytes.iter().position(|byte| *byte == b'\n')?;
    Some(Parts { first: std::str::from_utf8(&bytes[..at]).ok()?, rest: &bytes[at + 1..] })
}

/// An input that is two.
struct Parts<'a> {
    first: &'a str,
    rest: &'a [u8],
}
