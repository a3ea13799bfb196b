//! Short stable hashes of texts and values: 64 bits of BLAKE3, written as 16 hexadecimal digits.
//!
//! They name things across processes and versions, so their form must never change: each part is hashed with its length.

use std::fmt;
use std::io::{self, Read};

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A short hash; of two different texts among a million the chance of the same one is below 1 to 10 million.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(u64);

impl Digest {
    /// The hash of one text.
    pub fn of(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    /// The hash of the bytes of one text.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::short(blake3::hash(bytes))
    }

    /// The hash of all that is read, piece by piece.
    pub fn of_all(reader: impl Read) -> io::Result<Self> {
        Ok(Self::short(blake3::Hasher::new().update_reader(reader)?.finalize()))
    }

    /// The hash as a number, evenly spread.
    pub fn number(self) -> u64 {
        self.0
    }

    /// True of the default: nothing was hashed.
    pub fn is_none(&self) -> bool {
        self.0 == 0
    }

    fn short(hash: blake3::Hash) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]).max(1))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let text = std::array::from_fn::<u8, 16, _>(|at| DIGITS[(self.0 >> (60 - 4 * at)) as usize & 15]);
        serializer.serialize_str(std::str::from_utf8(&text).expect("digits are text"))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HexDigest;
        impl Visitor<'_> for HexDigest {
            type Value = Digest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("16 hexadecimal digits")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Digest, E> {
                let is_whole = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                let digits = is_whole.then(|| u64::from_str_radix(text, 16).ok()).flatten();
                digits.map(Digest).ok_or_else(|| E::custom("a hash is 16 hexadecimal digits"))
            }
        }
        deserializer.deserialize_str(HexDigest)
    }
}

/// Hashes several parts, each distinguished from its neighbours.
#[derive(Clone, Default)]
pub struct Digester {
    /// What was added; hashed at once, which takes a fraction of the time of many small pieces.
    all: Vec<u8>,
}

impl Digester {
    /// Adds a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as u64);
        self.all.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds a number.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.all.extend_from_slice(&number.to_le_bytes());
        self
    }

    /// Adds any JSON as it would be written, without spaces.
    pub fn json(&mut self, value: &Value) -> &mut Self {
        let text = value.to_string();
        self.text(&text)
    }

    /// The hash of all that was added.
    pub fn finish(&self) -> Digest {
        Digest::of_bytes(&self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_same_in_every_version() {
        assert_eq!(Digest::of("triage::refund is billing").to_string(), "371a6c51813af9c9");
    }

    #[test]
    fn a_hash_is_read_as_it_was_written() {
        for text in ["", "a", "triage::refund"] {
            let written = serde_json::to_string(&Digest::of(text)).unwrap();
            assert_eq!(written, format!("\"{}\"", Digest::of(text)));
            assert_eq!(serde_json::from_str::<Digest>(&written).unwrap(), Digest::of(text));
        }
        for bad in ["\"\"", "\"123\"", "\"zzzzzzzzzzzzzzzz\"", "\"+123456789abcdef\"", "7", "null"] {
            let read = serde_json::from_str::<Digest>(bad);
            assert!(read.is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_read_has_the_hash_of_its_bytes() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        assert_eq!(Digest::of_all(bytes.as_slice()).unwrap(), Digest::of_bytes(&bytes));
        assert_ne!(Digest::of_all(&bytes[1..]).unwrap(), Digest::of_bytes(&bytes));
        assert_eq!(format!("{:?}", Digest::of("a")), Digest::of("a").to_string());
        let wrong = serde_json::from_str::<Digest>("7").unwrap_err().to_string();
        assert!(wrong.contains("expected 16 hexadecimal digits"), "{wrong}");
    }

    #[test]
    fn json_is_a_part_like_others() {
        let of = |value: Value, after: &str| Digester::default().json(&value).text(after).finish();
        let hash = of(serde_json::json!({"a": 1}), "x");
        assert_eq!(hash, Digester::default().text(r#"{"a":1}"#).text("x").finish());
        assert_ne!(hash, of(serde_json::json!({"a": 2}), "x"));
        assert_ne!(hash, of(serde_json::json!({"a": 1}), "y"));
    }

    #[test]
    fn parts_do_not_run_together() {
        let of = |parts: &[&str]| {
            let mut digester = Digester::default();
            for part in parts {
                digester.text(part);
            }
            digester.finish()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["a"]), of(&["a", ""]));
    }
}
