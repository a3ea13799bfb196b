//! The byte order mark that editors on Windows put before UTF-8: no part of any file that is read here.

/// The three bytes of the mark.
pub const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The bytes of a file behind its mark, if it has one.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}
