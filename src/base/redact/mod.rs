//! Masks secrets by value, before anything is recorded or printed, in every form in which an endpoint may echo them.
//!
//! `forms` says which forms those are; of one that was cut, `pieces` finds what is left beside the ellipsis. All of it takes
//! time in proportion to the text. Not found: secrets split over two strings, hashed, compressed or transcoded otherwise.

mod forms;
mod pieces;
mod signed;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use serde_json::{Map, Value};

use self::forms::add_forms;
use self::pieces::SecretParts;

pub use self::signed::Signatures;

/// What is where a secret was.
const MASK: &str = "***";
/// How often a text is looked through where a mask may complete a secret that has asterisks itself.
const MOST_TURNS: usize = 8;

/// Finds and masks a set of secrets; cheap to clone.
#[derive(Debug, Clone)]
pub struct Redactor {
    secrets: Option<Arc<Secrets>>,
}

#[derive(Debug)]
struct Secrets {
    forms: Vec<String>,
    /// All of them as one search, made when it is first needed: a list of tests never needs it.
    all: OnceLock<AhoCorasick>,
    /// What can be left of them beside a cut, made when the first cut is met.
    pieces: OnceLock<SecretParts>,
}

impl Secrets {
    fn search(&self) -> &AhoCorasick {
        self.all.get_or_init(|| {
            // Long secrets would make a table of a hundred megabytes.
            let search = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(&self.forms);
            search.expect("what fits into the environment fits into a search")
        })
    }

    /// Finds all places of secrets, else those of pieces; those that overlap or touch are one.
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let found = self.whole(text);
        if found.is_empty() { self.cut(text) } else { found }
    }

    fn whole(&self, text: &str) -> Vec<Range<usize>> {
        let mut places: Vec<Range<usize>> = Vec::new();
        if !self.search().is_match(text) {
            return places;
        }
        // They come by their ends; one that ends later may begin before several.
        for found in self.search().find_overlapping_iter(text) {
            let mut place = found.range();
            while let Some(last) = places.pop_if(|last| place.start <= last.end) {
                place.start = place.start.min(last.start);
            }
            places.push(place);
        }
        places
    }

    fn cut(&self, text: &str) -> Vec<Range<usize>> {
        if !text.contains('…') {
            return Vec::new();
        }
        self.pieces.get_or_init(|| SecretParts::of(&self.forms)).find(&self.forms, text)
    }
}

impl Redactor {
    /// Prepares a set of secrets; empty ones are left out, as are those that consist of asterisks.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets.into_iter().filter(|secret| !secret.trim_matches('*').is_empty()) {
            add_forms(&mut forms, &secret);
        }
        let secrets =
            Secrets { forms: forms.into_iter().collect(), all: OnceLock::new(), pieces: OnceLock::new() };
        Self { secrets: (!secrets.forms.is_empty()).then(|| Arc::new(secrets)) }
    }

    /// Masks every secret in a text; secrets that overlap become one mask.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(secrets) = &self.secrets else { return Cow::Borrowed(text) };
        let mut masked = Cow::Borrowed(text);
        // Again for pieces beside a cut, and where a mask completes a secret that has asterisks itself.
        for _ in 0..MOST_TURNS {
            let places = secrets.places(&masked);
            if places.is_empty() {
                return masked;
            }
            masked = Cow::Owned(mask(&masked, &places));
        }
        if secrets.places(&masked).is_empty() { masked } else { Cow::Borrowed(MASK) }
    }

    /// Masks every secret in one line of a file by as many asterisks, so that a mark below it keeps its place.
    pub fn excerpt<'a>(&self, line: &'a str) -> Cow<'a, str> {
        let Some(secrets) = &self.secrets else { return Cow::Borrowed(line) };
        let mut masked = line.to_owned();
        for place in secrets.places(line).into_iter().rev() {
            let stars = "*".repeat(line[place.clone()].chars().count());
            masked.replace_range(place, &stars);
        }
        if masked == line { Cow::Borrowed(line) } else { Cow::Owned(masked) }
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

    /// Returns whether any secret, in any form, or a piece of one that was cut, is in a text.
    pub fn contains_secret(&self, text: &str) -> bool {
        let found = |secrets: &Arc<Secrets>| secrets.search().is_match(text) || !secrets.cut(text).is_empty();
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
    fn masking_that_completes_a_secret_ends() {
        let nested = format!("{}x***{}", "x".repeat(60), "y".repeat(60));
        assert_eq!(redactor(&["x***y", "x***"]).text(&nested), MASK, "what does not end is masked whole");
        assert_eq!(redactor(&["hunter22"]).text(&"***".repeat(1_000)), "***".repeat(1_000));
    }

    #[test]
    fn a_line_of_a_file_keeps_its_width() {
        let redactor = redactor(&["hunt\u{e4}r22"]);
        assert_eq!(redactor.excerpt("key: hunt\u{e4}r22, asert: 1"), "key: ********, asert: 1");
        assert!(matches!(redactor.excerpt("key: 1"), Cow::Borrowed(_)));
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
