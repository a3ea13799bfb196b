//! Paths and schemas, each with a document.

use serde_json::{Value, json};

use super::{Parts, split_line};
use crate::assert::check::fuzzed::check_schema;
use crate::base::effort::Effort;
use crate::base::json_path::{JsonPath, PathStep, push_index, push_name};

/// The steps of one search.
const STEPS: u64 = 100_000;
/// How many places are looked up again by their own paths.
const LOOKED_UP: usize = 20;

/// What a path selects of a document, for the comparison with another reader.
#[derive(Debug)]
pub struct Selection {
    /// The path as it is written.
    pub path: String,
    /// What it is looked up in.
    pub document: Value,
    /// What it selects; `None` where it is refused.
    pub values: Option<Vec<Value>>,
}

impl Selection {
    /// True where the other reader, `serde_json_path`, can be asked: it panics on unfinished escapes, takes exponential time for
    /// filters in filters, and compares numbers as doubles, where ours compares them exactly.
    pub fn is_comparable(&self) -> bool {
        let path = &self.path;
        !path.contains('\\')
            && path.matches(['?', '(']).count() <= 4
            && path.matches(['[', '*', '.']).count() <= 12
            && is_exact_as_double(path)
            && is_exact_as_double(&self.document.to_string())
    }

    /// Panics where the other reader, given what it selects or that it refuses the path, does not agree.
    pub fn assert_agrees(&self, theirs: Option<Vec<Value>>) {
        let has_pattern = ["match", "search"].iter().any(|function| self.path.contains(function));
        if self.values.is_none() && has_pattern {
            // A pattern that is none is refused here, and holds for nothing there.
            return;
        }
        assert_eq!(self.values, theirs, "{}", self.path);
    }
}

/// True for a text in which different numbers are different doubles: of 15 digits at most, with exponents of two at most.
fn is_exact_as_double(text: &str) -> bool {
    let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    text.split(|c| !is_of_number(c)).all(|number| {
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, ""));
        let digits = |part: &str| part.bytes().filter(u8::is_ascii_digit).count();
        digits(mantissa) <= 15 && digits(exponent) <= 2
    })
}

/// A path in the first line, and a document below it: places and values agree, and each place is found by its own path.
/// None where the search was not finished.
pub fn json_path(bytes: &[u8]) -> Option<Selection> {
    let Parts { first: path, rest } = split_line(bytes)?;
    let document = match rest {
        [] => {
            json!({ "a": [1, { "a": "x", "b": [2, null] }, [3, [1]], "x"], "b": { "a": null, "b": { "a": 1, "b": "x" } } })
        }
        rest => serde_json::from_slice(rest).ok()?,
    };
    let compiled = match JsonPath::parse(path) {
        Ok(compiled) => compiled,
        Err(error) => {
            assert!(error.offset.is_none_or(|at| at <= path.len()), "{error:?}");
            return Some(Selection { path: path.to_owned(), document, values: None });
        }
    };
    let values = compiled.select_values(&document, &Effort::new(STEPS)).ok()?;
    if let Ok(places) = compiled.find_places(&document, &Effort::new(STEPS)) {
        assert_eq!(places.len(), values.len(), "{path}");
        for (place, value) in places.iter().zip(&values).take(LOOKED_UP) {
            let own = normalized(place);
            let again = JsonPath::parse(&own).map(|own| own.select_values(&document, &Effort::default()));
            assert!(own.len() > 2_000 || again == Ok(Ok(vec![value])), "{path}: {own}: {again:?}");
        }
    }
    let values = values.into_iter().cloned().collect();
    Some(Selection { path: path.to_owned(), document, values: Some(values) })
}

fn normalized(place: &[PathStep]) -> String {
    let mut path = String::from("$");
    for step in place {
        match step {
            PathStep::Name(name) => push_name(&mut path, name),
            PathStep::Index(index) => push_index(&mut path, *index),
        }
    }
    path
}

/// A schema in the first line, and a value below it.
pub fn json_schema(bytes: &[u8]) {
    let Some(Parts { first: schema, rest: value }) = split_line(bytes) else { return };
    if let (Ok(schema), Ok(value)) = (serde_json::from_str(schema), serde_json::from_slice(value)) {
        check_schema(&schema, &value);
    }
}
