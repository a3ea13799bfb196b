//! Names of headers compare regardless of upper and lower case: in paths, and in what whole headers are compared with.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::base::diff::EqualOptions;

use super::operand::matcher::Matcher;

/// The member of a response that holds its headers.
const HEADERS: &str = "headers";

/// Where the headers are in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderPlace {
    /// The value is the headers.
    Itself,
    /// The value is a response.
    Member,
}

impl HeaderPlace {
    /// Where the headers of this response are in a value that was selected from it; `None` where it is another part.
    pub(super) fn of(value: &Value, response: &Value) -> Option<Self> {
        if std::ptr::eq(value, response) {
            return Some(Self::Member);
        }
        response.get(HEADERS).filter(|headers| std::ptr::eq(*headers, value)).map(|_| Self::Itself)
    }
}

/// The one spelling of each name that is used on both sides of a comparison.
#[derive(Debug)]
pub(super) struct HeaderNames {
    written: Vec<String>,
}

impl HeaderNames {
    /// As the paths of `ignore`, or a schema, write them; all others in lower case.
    pub(super) fn for_test(test: &Matcher, options: &EqualOptions) -> Self {
        let of_paths = options.ignore.iter().flat_map(|path| words_of(path.as_str())).map(str::to_owned);
        let of_schema = match test {
            Matcher::Schema(schema) => schema.names(),
            _ => &[],
        };
        Self { written: of_paths.chain(of_schema.iter().cloned()).collect() }
    }

    /// A value with its headers in this spelling.
    pub(super) fn value<'v>(&self, value: &'v Value, place: HeaderPlace) -> Cow<'v, Value> {
        let headers = match (place, value) {
            (HeaderPlace::Itself, headers) => headers,
            (HeaderPlace::Member, response) => &response[HEADERS],
        };
        let Some(respelled) = headers.as_object().and_then(|headers| self.members(headers)) else {
            return Cow::Borrowed(value);
        };
        let respelled = Value::Object(respelled);
        if place == HeaderPlace::Itself {
            return Cow::Owned(respelled);
        }
        Cow::Owned(with_headers(value, respelled))
    }

    /// An operand with its headers in this spelling.
    pub(super) fn test<'t>(&self, test: &'t Matcher, place: HeaderPlace) -> Cow<'t, Matcher> {
        let value = |value: &Value| self.value(value, place).into_owned();
        let key = |needle: &Value| match (place, needle) {
            (HeaderPlace::Itself, Value::String(name)) => Value::String(self.spelling(name)),
            _ => needle.clone(),
        };
        Cow::Owned(match test {
            Matcher::Equals(expected) => Matcher::Equals(value(expected)),
            Matcher::Includes(subset) => Matcher::Includes(value(subset)),
            Matcher::OneOf(choices) => Matcher::OneOf(choices.iter().map(value).collect()),
            Matcher::Contains(needle) => Matcher::Contains(key(needle)),
            Matcher::ContainsAny(needles) => Matcher::ContainsAny(needles.iter().map(key).collect()),
            Matcher::ContainsAll(needles) => Matcher::ContainsAll(needles.iter().map(key).collect()),
            _ => return Cow::Borrowed(test),
        })
    }

    /// None where all are so already, and where two names of an operand would become one.
    fn members(&self, headers: &Map<String, Value>) -> Option<Map<String, Value>> {
        respelled(headers, |name| self.spelling(name)).filter(|respelled| respelled.len() == headers.len())
    }

    fn spelling(&self, name: &str) -> String {
        let written = self.written.iter().find(|written| written.eq_ignore_ascii_case(name));
        written.cloned().unwrap_or_else(|| name.to_ascii_lowercase())
    }
}

/// A response whose headers are spelt as a path spells them. `None` where they are so already, as in a path in lower case:
/// the body, which may be large, is not copied then.
pub(super) fn respelled_headers(response: &Value, path: &str) -> Option<Value> {
    let headers = response.get(HEADERS)?.as_object()?;
    let written: Vec<&str> = words_of(path).collect();
    let spelling = |name: &str| {
        let word = written.iter().find(|word| word.eq_ignore_ascii_case(name));
        word.map_or_else(|| name.to_owned(), |word| (*word).to_owned())
    };
    respelled(headers, spelling).map(|headers| with_headers(response, Value::Object(headers)))
}

/// Headers in another spelling; `None` where they are spelt so already.
fn respelled(headers: &Map<String, Value>, spelling: impl Fn(&str) -> String) -> Option<Map<String, Value>> {
    if headers.keys().all(|name| spelling(name) == *name) {
        return None;
    }
    Some(headers.iter().map(|(name, value)| (spelling(name), value.clone())).collect())
}

/// A copy of a response with these headers.
fn with_headers(response: &Value, headers: Value) -> Value {
    let mut response = response.clone();
    response[HEADERS] = headers;
    response
}

/// What in a path may be the name of a header.
fn words_of(path: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "!#%&+-.^_`|~".contains(c);
    let words = move || path.split(move |c: char| !is_name(c));
    words()
        .flat_map(|word| [word, word.trim_matches('.')])
        .chain(words().flat_map(|word| word.split('.')))
        .filter(|word| !word.is_empty())
}
