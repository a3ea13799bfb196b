//! Damage to JSON: bytes that must not be read as the original answer.

use bytes::Bytes;

use super::spec::AnswerDamage;

/// What replaces JSON: the beginning of a TLS record.
const GARBAGE: &[u8] = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03\xfe\xff{]]>";
/// The first two bytes of a character that has three.
const HALF_A_CHARACTER: &[u8] = b"\xe4\xbd";

/// The key of a number that blocking answers and many events have.
const ELAPSED: &[u8] = b"\"elapsed_time\":";

/// Damages one JSON object.
pub(super) fn damaged(json: &[u8], damage: AnswerDamage) -> Bytes {
    match damage {
        AnswerDamage::GarbageFrame => Bytes::from_static(GARBAGE),
        AnswerDamage::TruncatedUtf8 => break_utf8(json),
        AnswerDamage::InvalidJson => Bytes::copy_from_slice(&json[..json.len() / 2]),
        AnswerDamage::NanJson => put_nan(json),
    }
}

/// Puts half a character before the first text that is a value.
fn break_utf8(json: &[u8]) -> Bytes {
    let value = [&b"\":\""[..], b"\": \""]
        .into_iter()
        .find_map(|mark| memchr::memmem::find(json, mark).map(|at| at + mark.len()));
    let (before, after) = json.split_at(value.unwrap_or(json.len()));
    [before, HALF_A_CHARACTER, after].concat().into()
}

/// Whether an event has what this damage needs.
pub(super) fn can_be_damaged(json: &[u8], damage: AnswerDamage) -> bool {
    match damage {
        AnswerDamage::GarbageFrame | AnswerDamage::TruncatedUtf8 | AnswerDamage::InvalidJson => true,
        AnswerDamage::NanJson => memchr::memmem::find(json, ELAPSED).is_some(),
    }
}

/// Puts `NaN` in place of the last running time.
fn put_nan(json: &[u8]) -> Bytes {
    let found = memchr::memmem::rfind(json, ELAPSED).map(|at| at + ELAPSED.len());
    let (before, after) = json.split_at(found.unwrap_or(json.len()));
    let end = after.iter().position(|byte| matches!(byte, b',' | b'}')).unwrap_or(after.len());
    [before, b" NaN", &after[end..]].concat().into()
}
