//! Masks secrets by value, before anything is recorded or printed, in every form in which an endpoint may echo them.
//!
//! Forms: as they are, JSON-escaped (once and twice, with and without escaped non-ASCII and slashes), URL-encoded, Base64 at
//! all three alignments; of one that was cut, the piece beside the ellipsis. Not found: secrets split over two strings, hashed,
//! compressed or transcoded otherwise.

mod pieces;
mod signed;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

pub use self::signed::Signatures;

/// What stands where a secret stood.
const MASK: &str = "***";
/// Pieces of Base64 shorter than this occur by chance.
const SHORTEST_PIECE: usize = 6;
/// The characters that the usual URL encoders leave alone: RFC 3986, encodeURIComponent, HTML forms, Python's `quote`.
const UNRESERVED: [&[u8]; 4] = [b"-_.~", b"-_.!~*'()", b"*-._", b"-_.~/"];

/// Finds and masks a set of secrets; cheap to clone.
#[derive(Debug, Clone)]
pub struct Redactor {
    secrets: Option<Arc<Secrets>>,
}

#[derive(Debug)]
struct Secrets {
    forms: Vec<String>,
    /// All of them as one search, made when it is first needed: a list of tests never needs it.
    all: OnceLock<Regex>,
}

impl Secrets {
    fn search(&self) -> &Regex {
        self.all.get_or_init(|| compile(&self.forms))
    }
}

impl Redactor {
    /// Prepares a set of secrets; empty ones are left out, as are those that consist of asterisks.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets.into_iter().filter(|secret| !secret.trim_matches('*').is_empty()) {
            add_forms(&mut forms, &secret);
        }
        let mut forms: Vec<String> = forms.into_iter().collect();
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        let secrets = Secrets { forms, all: OnceLock::new() };
        Self { secrets: (!secrets.forms.is_empty()).then(|| Arc::new(secrets)) }
    }

    /// Masks every secret in a text; secrets that overlap become one mask.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(secrets) = &self.secrets else { return Cow::Borrowed(text) };
        let mut masked = Cow::Borrowed(text);
        // Again where a mask completes a secret that has asterisks itself; each turn leaves fewer other characters.
        loop {
            let mut places = places(secrets.search(), &masked);
            if places.is_empty() {
                places = pieces::pieces(&secrets.forms, &masked);
            }
            if places.is_empty() {
                return masked;
            }
            masked = Cow::Owned(mask(&masked, &places));
        }
    }

    /// Masks every secret in the keys, texts and numbers below a value.
    pub fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(masked) = self.text(text) {
                    *text = masked;
                }
            }
            Value::Number(number) if self.contains_secret(&number.to_string()) => {
                *value = Value::String(MASK.to_owned())
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(members) => self.members(members),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Tells whether any secret, in any form, or a piece of one that was cut, is in a text.
    pub fn contains_secret(&self, text: &str) -> bool {
        let found = |secrets: &Arc<Secrets>| {
            secrets.search().is_match(text) || !pieces::pieces(&secrets.forms, text).is_empty()
        };
        self.secrets.as_ref().is_some_and(found)
    }

    /// Masks members; keys that become alike are numbered, so that no member is lost.
    fn members(&self, members: &mut Map<String, Value>) {
        members.values_mut().for_each(|member| self.json(member));
        if !members.keys().any(|key| self.contains_secret(key)) {
            return;
        }
        let mut renamed = Map::with_capacity(members.len());
        for (key, member) in std::mem::take(members) {
            let masked = self.text(&key).into_owned();
            let mut name = masked.clone();
            let mut count = 1_usize;
            while renamed.contains_key(&name) {
                count += 1;
                name = format!("{masked}#{count}");
            }
            renamed.insert(name, member);
        }
        *members = renamed;
    }
}

/// Compiles all forms into one search; at one place the longest is tried first.
fn compile(forms: &[String]) -> Regex {
    let escaped: Vec<String> = forms.iter().map(|form| regex::escape(form)).collect();
    let mut builder = RegexBuilder::new(&escaped.join("|"));
    let compiled = builder.size_limit(usize::MAX).dfa_size_limit(1 << 24).build();
    compiled.expect("escaped literals are a valid expression of any size")
}

/// Finds all places of secrets, those that overlap or touch joined into one.
fn places(secrets: &Regex, text: &str) -> Vec<Range<usize>> {
    let mut places: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    while let Some(found) = secrets.find_at(text, from) {
        match places.last_mut() {
            Some(last) if found.start() <= last.end => last.end = last.end.max(found.end()),
            Some(_) | None => places.push(found.range()),
        }
        from = found.start() + text[found.start()..].chars().next().map_or(1, char::len_utf8);
    }
    places
}

fn mask(text: &str, places: &[Range<usize>]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    for place in places {
        masked.push_str(&text[from..place.start]);
        masked.push_str(MASK);
        from = place.end;
    }
    masked.push_str(&text[from..]);
    masked
}

fn add_forms(forms: &mut BTreeSet<String>, secret: &str) {
    for once in json_forms(secret) {
        forms.extend(json_forms(&once));
        forms.insert(once);
    }
    for unreserved in UNRESERVED {
        for (hex, space) in [(HEX_UPPER, "%20"), (HEX_LOWER, "%20"), (HEX_UPPER, "+"), (HEX_LOWER, "+")] {
            forms.insert(url_encoded(secret, unreserved, hex, space));
        }
    }
    for alphabet in [BASE64, BASE64_URL] {
        forms.extend(base64_forms(secret.as_bytes(), alphabet));
    }
    forms.insert(secret.to_owned());
}

const HEX_UPPER: &[u8; 16] = b"0123456789ABCDEF";
const HEX_LOWER: &[u8; 16] = b"0123456789abcdef";

/// Gives the inside of a JSON text, as serde writes it and as encoders that keep to ASCII or escape slashes do.
fn json_forms(text: &str) -> Vec<String> {
    let quoted = Value::String(text.to_owned()).to_string();
    let plain = quoted[1..quoted.len() - 1].to_owned();
    let ascii = |hex: &[u8; 16]| -> String {
        let escape = |c: char| match c {
            c if c.is_ascii() && c != '\u{7f}' => c.to_string(),
            c => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{}", hex_digits(*unit, hex)))
                .collect(),
        };
        plain.chars().map(escape).collect()
    };
    let (upper, lower) = (ascii(HEX_UPPER), ascii(HEX_LOWER));
    [plain, upper, lower].into_iter().flat_map(|form| [form.replace('/', "\\/"), form]).collect()
}

fn hex_digits(unit: u16, hex: &[u8; 16]) -> String {
    [12, 8, 4, 0].map(|shift| char::from(hex[usize::from(unit >> shift) & 15])).iter().collect()
}

fn url_encoded(text: &str, unreserved: &[u8], hex: &[u8; 16], space: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || unreserved.contains(&byte) {
            encoded.push(char::from(byte));
        } else if byte == b' ' {
            encoded.push_str(space);
        } else {
            encoded.extend([
                '%',
                char::from(hex[usize::from(byte >> 4)]),
                char::from(hex[usize::from(byte & 15)]),
            ]);
        }
    }
    encoded
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Gives the Base64 (RFC 4648) of a secret that begins at each of the three places in a group of three bytes: the characters
/// that it alone decides, and, for the end of a text, those with the rest and the padding.
fn base64_forms(secret: &[u8], alphabet: &[u8; 64]) -> Vec<String> {
    let mut forms = Vec::new();
    for shift in 0..3_usize {
        let mut bytes = vec![0; shift];
        bytes.extend_from_slice(secret);
        let encoded = base64(&bytes, alphabet);
        let start = (shift * 8).div_ceil(6);
        let inner = &encoded[start.min(encoded.len())..];
        let decided = (bytes.len() * 8 / 6).saturating_sub(start).min(inner.len());
        let padding = "=".repeat((4 - encoded.len() % 4) % 4);
        forms.extend([inner[..decided].to_owned(), inner.to_owned(), format!("{inner}{padding}")]);
        forms.retain(|form| form.trim_end_matches('=').len() >= SHORTEST_PIECE);
        if shift == 0 && secret.len() >= 3 {
            forms.extend([format!("{encoded}{padding}"), encoded]);
        }
    }
    forms
}

/// Encodes without padding.
fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word =
            group.iter().zip([16, 8, 0]).fold(0_u32, |word, (byte, shift)| word | u32::from(*byte) << shift);
        for shift in [18, 12, 6, 0].into_iter().take(group.len() + 1) {
            encoded.push(char::from(alphabet[(word >> shift) as usize & 63]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn redactor(secrets: &[&str]) -> Redactor {
        Redactor::new(secrets.iter().map(|secret| (*secret).to_owned()))
    }

    #[test]
    fn secrets_are_masked_in_text() {
        let redactor = redactor(&["app-123456", "", "hunter22"]);
        assert_eq!(redactor.text("Bearer app-123456, hunter22hunter22."), "Bearer ***, ***.");
        assert!(matches!(redactor.text("nothing here"), Cow::Borrowed("nothing here")));
        assert!(redactor.contains_secret("xhunter22") && !redactor.contains_secret("hunter2"));
        assert_eq!(Redactor::new([]).text("x"), "x");
    }

    #[test]
    fn what_is_left_of_a_cut_secret_is_masked() {
        let redactor = redactor(&["app-123456"]);
        assert_eq!(redactor.text("app-123456app-123… (20 bytes in all)"), "******… (20 bytes in all)");
        assert!(redactor.contains_secret("\\\"app-1234\\\"…") && !redactor.contains_secret("app-1234"));
    }

    #[test]
    fn the_longest_wins_and_overlaps_are_one_mask() {
        assert_eq!(redactor(&["secret", "secret-long"]).text("a secret-long b"), "a *** b");
        assert_eq!(redactor(&["abcdef", "defghi"]).text("xabcdefghix"), "x***x");
        assert_eq!(redactor(&["aaaaaa"]).text("aaaaaaaaab"), "***b");
        assert_eq!(redactor(&["abcdef", "x***y!"]).text("xabcdefy!"), "***");
        assert_eq!(redactor(&["***"]).text("***"), "***");
    }

    #[test]
    fn encoded_forms_are_masked() {
        let secret = "p@ss \"wörd\"/\n+1~";
        let redactor = redactor(&[secret]);
        let json = serde_json::to_string(secret).unwrap();
        for form in [
            json.clone(),
            serde_json::to_string(&json).unwrap(),
            "p@ss \\\"w\\u00f6rd\\\"\\/\\n+1~".to_owned(),
            "p@ss \\\"w\\u00F6rd\\\"/\\n+1~".to_owned(),
            "p%40ss%20%22w%C3%B6rd%22%2F%0A%2B1~".to_owned(),
            "p%40ss+%22w%c3%b6rd%22%2f%0a%2b1%7e".to_owned(),
            "p%40ss%20%22w%C3%B6rd%22/%0A%2B1~".to_owned(),
        ] {
            let masked = redactor.text(&form);
            assert!(masked.contains(MASK) && !masked.contains("ss"), "{form}: {masked}");
        }
    }

    #[test]
    fn base64_is_masked_at_every_alignment() {
        assert_eq!(base64(b"foob", BASE64), "Zm9vYg");
        assert_eq!(base64(&[251, 255], BASE64_URL), "-_8");
        let secret = "hunter22?>~";
        let redactor = redactor(&[secret]);
        for alphabet in [BASE64, BASE64_URL] {
            for before in ["", "u", "us", "use", "user:"] {
                for after in ["", "x", "xy", "xyz"] {
                    let whole = base64(format!("{before}{secret}{after}").as_bytes(), alphabet);
                    let masked = redactor.text(&whole).into_owned();
                    assert!(masked.contains(MASK), "{before}|{after}: {whole}");
                    let left = masked.replace(MASK, "").len();
                    assert!(left <= (before.len() + after.len()) * 4 / 3 + 3, "{before}|{after}: {masked}");
                }
            }
        }
        assert_eq!(redactor.text(&format!("{}=", base64(secret.as_bytes(), BASE64))), "***");
    }

    #[test]
    fn json_is_masked_in_keys_texts_and_numbers() {
        let mut value =
            json!({"k hunter22": 1, "k ***": 2, "deep": [{"a": "x hunter22"}], "n": 12345678, "b": true});
        redactor(&["hunter22", "345678"]).json(&mut value);
        assert_eq!(value, json!({"k ***": 1, "k ***#2": 2, "deep": [{"a": "x ***"}], "n": "***", "b": true}));
    }

    proptest! {
        #[test]
        fn no_secret_comes_through(secrets in prop::collection::vec("[ab*\"é /]{2,4}", 1..4), text in "[ab*\"é /]{0,24}") {
            let redactor = Redactor::new(secrets.clone());
            let masked = redactor.text(&text).into_owned();
            let mut value = json!({"k": text.clone()});
            redactor.json(&mut value);
            for secret in secrets.iter().filter(|secret| !secret.trim_matches('*').is_empty()) {
                prop_assert!(!masked.contains(secret.as_str()), "{:?} in {:?}", secret, masked);
                prop_assert!(!value["k"].as_str().unwrap().contains(secret.as_str()));
            }
        }

        #[test]
        fn no_text_panics(secret in "\\PC{0,12}", text in "\\PC{0,40}") {
            let redactor = Redactor::new([secret.clone()]);
            let _ = redactor.text(&text);
            let around = format!("{text}{secret}{text}");
            prop_assert!(secret.trim_matches('*').is_empty() || !redactor.text(&around).contains(&secret));
        }
    }
}
