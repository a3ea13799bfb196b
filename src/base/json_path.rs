//! JSONPath (RFC 9535): compiling paths under limits, selecting values, and writing where they stand.
//!
//! The parser of `serde_json_path` is exponential in nested filters and unbounded in depth, so long and deep paths are refused
//! before it sees them. Its filters compare numbers as doubles, so whole numbers that a double cannot tell from their neighbours
//! are refused in them; exact comparison is the business of the predicates.

use serde_json::Value;
use serde_json_path::PathElement;

/// The most bytes a path may have.
const LONGEST: usize = 2048;
/// The most brackets and parentheses that may be open at once.
const DEEPEST: usize = 12;

/// From here on doubles do not tell whole numbers apart.
const INEXACT: u64 = 1 << 53;

/// A compiled path.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    text: String,
    compiled: serde_json_path::JsonPath,
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JsonPathError {
    /// What is wrong, without the place.
    pub message: String,
    /// The byte in the path's text where it goes wrong, where that is known.
    pub offset: Option<usize>,
}

impl JsonPath {
    /// Compiles a path; refuses more than 2 KiB, more than 12 levels of brackets and parentheses, and numbers that would be rounded.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        check_limits(text)?;
        match serde_json_path::JsonPath::parse(text) {
            Ok(compiled) => check_numbers(text).map(|()| Self { text: text.to_owned(), compiled }),
            Err(error) => Err(syntax_error(text, &error)),
        }
    }

    /// Selects values in document order.
    pub fn select_values<'a>(&'a self, root: &'a Value) -> Vec<&'a Value> {
        self.compiled.query(root).all()
    }

    /// Selects places alone, as names and indices from the root down.
    pub fn select_places(&self, root: &Value) -> Vec<Vec<Step>> {
        let nodes = self.compiled.query_located(root);
        nodes.iter().map(|node| node.location().iter().map(Step::from_element).collect()).collect()
    }

    /// The path as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// One step from a value down to a child.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A member of an object, by its name.
    Name(String),
    /// An element of an array, from 0.
    Index(usize),
}

impl Step {
    fn from_element(element: &PathElement<'_>) -> Self {
        match element {
            PathElement::Name(name) => Self::Name((*name).to_owned()),
            PathElement::Index(index) => Self::Index(*index),
        }
    }
}

/// The normalized path of a place as people write it: `$.a[0]['b c']`.
pub fn show_place(steps: &[Step]) -> String {
    let mut path = String::from("$");
    for step in steps {
        match step {
            Step::Index(index) => push_index(&mut path, *index),
            Step::Name(name) if is_shorthand(name) => {
                path.push('.');
                path.push_str(name);
            }
            Step::Name(name) => push_name(&mut path, name),
        }
    }
    path
}

/// True for a name that may follow a dot.
fn is_shorthand(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_')
}

/// Appends `['name']` to a normalized path, escaped as RFC 9535 prescribes.
pub fn push_name(path: &mut String, name: &str) {
    path.push_str("['");
    for character in name.chars() {
        match character {
            '\u{8}' => path.push_str("\\b"),
            '\t' => path.push_str("\\t"),
            '\n' => path.push_str("\\n"),
            '\u{c}' => path.push_str("\\f"),
            '\r' => path.push_str("\\r"),
            '\'' => path.push_str("\\'"),
            '\\' => path.push_str("\\\\"),
            control if control < ' ' => path.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => path.push(other),
        }
    }
    path.push_str("']");
}

/// Appends `[index]` to a normalized path.
pub fn push_index(path: &mut String, index: usize) {
    path.push_str(&format!("[{index}]"));
}

fn check_limits(text: &str) -> Result<(), JsonPathError> {
    if text.len() > LONGEST {
        return Err(JsonPathError {
            message: format!("the path has {} bytes, the most is {LONGEST}", text.len()),
            offset: None,
        });
    }
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (offset, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'[' | b'(') => depth += 1,
            (None, b']' | b')') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        if depth > DEEPEST {
            let message = format!("the path nests brackets and parentheses deeper than {DEEPEST}");
            return Err(JsonPathError { message, offset: Some(offset) });
        }
    }
    Ok(())
}

/// Refuses whole numbers from 2^53 on in the filters of a path that is well formed: they would also select their neighbours.
fn check_numbers(text: &str) -> Result<(), JsonPathError> {
    let bytes = text.as_bytes();
    let (mut at, mut quote) = (0, None);
    while let Some(byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, first) if is_word(*first) => {
                let length = bytes[at..].iter().take_while(|byte| is_word(**byte) || **byte == b'.').count();
                let word = &text[at..at + length];
                let is_whole = word.bytes().all(|byte| byte.is_ascii_digit());
                if is_whole && word.parse().map_or(true, |number: u64| number >= INEXACT) {
                    let message = format!(
                        "a filter compares numbers as doubles, which cannot tell {word} from its neighbours: \
                         select with `match: any` and `equals` instead"
                    );
                    return Err(JsonPathError { message, offset: Some(at) });
                }
                at += length;
                continue;
            }
            (None, _) => {}
        }
        at += 1;
    }
    Ok(())
}

/// True within a name or number.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn syntax_error(text: &str, error: &serde_json_path::ParseError) -> JsonPathError {
    if text.is_empty() {
        return JsonPathError {
            message: "the path is empty; `$` is the whole value".to_owned(),
            offset: None,
        };
    }
    if !text.starts_with('$') {
        return JsonPathError {
            message: format!("a path starts with `$`: did you mean `$.{text}`?"),
            offset: Some(0),
        };
    }
    let offset = error.position().saturating_sub(1).min(text.len());
    let offset = (0..=offset).rev().find(|offset| text.is_char_boundary(*offset));
    JsonPathError { message: format!("invalid JSONPath: {}", error.message()), offset }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    struct Selected<'a> {
        path: String,
        value: &'a Value,
    }

    /// Values with their normalized paths (RFC 9535, section 2.7).
    fn select<'a>(path: &'a JsonPath, root: &'a Value) -> Vec<Selected<'a>> {
        let places = path.select_places(root).into_iter().map(|steps| {
            let mut path = String::from("$");
            for step in steps {
                match step {
                    Step::Name(name) => push_name(&mut path, &name),
                    Step::Index(index) => push_index(&mut path, index),
                }
            }
            path
        });
        places.zip(path.select_values(root)).map(|(path, value)| Selected { path, value }).collect()
    }

    fn check(path: &str, root: &Value, expected: &[(&str, Value)]) {
        let path = JsonPath::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let found = select(&path, root);
        let found: Vec<(&str, Value)> =
            found.iter().map(|one| (one.path.as_str(), one.value.clone())).collect();
        assert_eq!(found, expected, "{}", path.as_str());
        let values: Vec<Value> = path.select_values(root).into_iter().cloned().collect();
        assert_eq!(
            values,
            expected.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>(),
            "{}",
            path.as_str()
        );
    }

    #[test]
    fn the_compliance_suite_holds() {
        let suite: Value = serde_json::from_str(include_str!("../../tests/data/jsonpath/cts.json")).unwrap();
        let tests = suite["tests"].as_array().unwrap();
        assert_eq!(tests.len(), 687);
        let broken: Vec<String> = tests.iter().filter_map(|test| compliance(test).err()).collect();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }

    fn compliance(test: &Value) -> Result<(), String> {
        let (name, selector) = (&test["name"], test["selector"].as_str().unwrap());
        let path = match (JsonPath::parse(selector), test["invalid_selector"] == true) {
            (Ok(path), false) => path,
            (Err(_), true) => return Ok(()),
            (Ok(_), true) => return Err(format!("{name}: {selector} is accepted")),
            (Err(error), false) => return Err(format!("{name}: {selector} is refused: {error}")),
        };
        let found = select(&path, &test["document"]);
        let values: Value = found.iter().map(|one| one.value.clone()).collect();
        let paths: Value = found.iter().map(|one| Value::from(one.path.clone())).collect();
        let alone: Value = path.select_values(&test["document"]).into_iter().cloned().collect();
        let holds = |actual: &Value, one: &str, several: &str| match (test.get(one), test.get(several)) {
            (Some(expected), _) => actual == expected,
            (None, Some(alternatives)) => alternatives.as_array().unwrap().contains(actual),
            (None, None) => one == "result_paths",
        };
        if holds(&values, "result", "results")
            && holds(&paths, "result_paths", "results_paths")
            && alone == values
        {
            return Ok(());
        }
        Err(format!("{name}: {selector} gives {values} at {paths}"))
    }

    /// RFC 9535, tables 5, 7, 9, 11, 14, 15 and 16.
    #[test]
    fn names_indices_wildcards_and_slices() {
        let root = json!({"o": {"j j": {"k.k": 3}}, "'": {"@": 2}});
        check("$.o['j j']", &root, &[("$['o']['j j']", json!({"k.k": 3}))]);
        check("$.o['j j'][\"k.k\"]", &root, &[("$['o']['j j']['k.k']", json!(3))]);
        check("$[\"'\"][\"@\"]", &root, &[("$['\\'']['@']", json!(2))]);
        let letters = json!(["a", "b", "c", "d", "e", "f", "g"]);
        check("$[1]", &letters, &[("$[1]", json!("b"))]);
        check("$[-2]", &letters, &[("$[5]", json!("f"))]);
        check("$[1:3]", &letters, &[("$[1]", json!("b")), ("$[2]", json!("c"))]);
        check("$[1:5:2]", &letters, &[("$[1]", json!("b")), ("$[3]", json!("d"))]);
        check("$[5:1:-2]", &letters, &[("$[5]", json!("f")), ("$[3]", json!("d"))]);
        check("$[0,0]", &letters, &[("$[0]", json!("a")), ("$[0]", json!("a"))]);
        check("$[9]", &letters, &[]);
        check("$[*]", &json!([1, null]), &[("$[0]", json!(1)), ("$[1]", json!(null))]);
        check(
            "$..j",
            &json!({"j": 1, "a": [5, {"j": 4}]}),
            &[("$['j']", json!(1)), ("$['a'][1]['j']", json!(4))],
        );
        check("$", &json!(null), &[("$", json!(null))]);
    }

    /// RFC 9535, table 12.
    #[test]
    fn filters() {
        let root = json!({
            "a": [3, 5, 1, 2, 4, 6, {"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}],
            "o": {"p": 1, "q": 2, "r": 3, "s": 5, "t": {"u": 6}}, "e": "f"
        });
        let values = |path: &str| -> Vec<Value> {
            JsonPath::parse(path).unwrap().select_values(&root).into_iter().cloned().collect()
        };
        assert_eq!(values("$.a[?@.b == 'kilo']"), [json!({"b": "kilo"})]);
        assert_eq!(values("$.a[?(@.b == 'kilo')]"), [json!({"b": "kilo"})]);
        assert_eq!(values("$.a[?@>3.5]"), [json!(5), json!(4), json!(6)]);
        assert_eq!(values("$.a[?@.b]").len(), 4);
        assert_eq!(values("$[?@[?@.b]]").len(), 1);
        assert_eq!(values("$.o[?@<3, ?@<3]"), [json!(1), json!(2), json!(1), json!(2)]);
        assert_eq!(values("$.a[?@<2 || @.b == \"k\"]"), [json!(1), json!({"b": "k"})]);
        assert_eq!(values("$.a[?match(@.b, \"[jk]\")]"), [json!({"b": "j"}), json!({"b": "k"})]);
        assert_eq!(values("$.a[?search(@.b, \"[jk]\")]").len(), 3);
        assert_eq!(values("$.o[?@>1 && @<4]"), [json!(2), json!(3)]);
        assert_eq!(values("$.o[?@.u || @.x]"), [json!({"u": 6})]);
        assert_eq!(values("$.a[?@.b == $.x]").len(), 6);
        assert_eq!(values("$.a[?@ == @]").len(), 10);
        assert_eq!(values("$.a[?length(@.b) == 4]"), [json!({"b": "kilo"})]);
        assert_eq!(values("$[?count(@.*) == 5]").len(), 1);
        assert_eq!(JsonPath::parse("$[?@[?@>1]]").unwrap().select_values(&json!([[2], [0]])), [&json!([2])]);
    }

    #[test]
    fn numbers_that_a_double_rounds_are_refused_in_filters() {
        for path in [
            "$[?@.id == 9007199254740992]",
            "$[?@.id==-9007199254740993]",
            "$.a[?@ > 99999999999999999999999 && @.b == 'x']",
        ] {
            let error = JsonPath::parse(path).unwrap_err();
            assert!(error.message.contains("as doubles") && error.offset.is_some(), "{path}: {error:?}");
        }
        for path in [
            "$[?@.id == 9007199254740991]",
            "$.a9007199254740993",
            "$['9007199254740993', \"\\\"9007199254740993\"]",
            "$[?@.id == '9007199254740993']",
            "$[?@.x == 9007199254740993.5 || @.y < 1e300]",
        ] {
            assert!(JsonPath::parse(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn names_are_escaped_as_the_rfc_prescribes() {
        for (name, escaped) in [
            ("\u{b}", "\\u000b"),
            ("\u{1f}", "\\u001f"),
            ("\u{8}\t\n\u{c}\r", "\\b\\t\\n\\f\\r"),
            ("\\'\"", "\\\\\\'\""),
            ("é\u{7f}", "é\u{7f}"),
        ] {
            check("$.*", &json!({name: 1}), &[(&format!("$['{escaped}']"), json!(1))]);
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for bad in [
            "",
            " ",
            "a",
            "$.",
            "$.a ",
            " $.a",
            "$[",
            "$[]",
            "$.a.",
            "$..",
            "$[01]",
            "$[-0]",
            "$['a'",
            "$[a]",
            "$.1a",
            "$[1:2:3:4]",
            "$[?]",
            "$[?@.a = 1]",
            "$[?@.a == b]",
            "$[?length(@.a)]",
            "$[?count(1) == 1]",
            "$[?@.* == 1]",
            "$[?unknown(@)]",
            "$[9007199254740992]",
            "$.a[?(@.b == 'c']",
            "$[\"\\u12\"]",
            "$['\\ud800']",
            "$.a b",
            "$[?@ == 01]",
            "$ .a.",
            "$&a",
        ] {
            assert!(JsonPath::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn errors_say_where_and_what() {
        let error = JsonPath::parse("category").unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.offset),
            ("a path starts with `$`: did you mean `$.category`?", Some(0))
        );
        let error = JsonPath::parse("$.a[é]").unwrap_err();
        assert!(error.offset.is_some_and(|offset| "$.a[é]".is_char_boundary(offset)), "{error:?}");
        assert!(error.message.starts_with("invalid JSONPath: "), "{error}");
    }

    #[test]
    fn long_and_deep_paths_are_refused_at_once() {
        assert!(JsonPath::parse(&format!("$.{}", "a".repeat(2046))).is_ok());
        assert!(JsonPath::parse(&format!("$.{}", "a".repeat(2047))).is_err());
        let deep = |levels: usize| format!("${}@{}", "[?@".repeat(levels - 1) + "[?", "]".repeat(levels));
        assert!(JsonPath::parse(&deep(13)).unwrap_err().message.contains("deeper"));
        let started = Instant::now();
        let _ = JsonPath::parse(&deep(12));
        let _ = JsonPath::parse(&format!("$[?{}@{}]", "(".repeat(11), ")".repeat(11)));
        let _ = JsonPath::parse(&format!("${}", "[?@".repeat(12)));
        let _ = JsonPath::parse(&format!("${}{}", "[?@.a".repeat(12), "==1]".repeat(12)));
        let _ = JsonPath::parse(&format!("$[?{}@.a==1{}", "!(".repeat(11), "&&@.b)".repeat(11)));
        let _ = JsonPath::parse(&format!("$[?{}@.a", "length(".repeat(11)));
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert!(JsonPath::parse("$['[[[[[[[[[[[[[[[[']").is_ok());
        assert!(JsonPath::parse("$['\\'[[[[[[[[[[[[[[[[']").is_ok());
    }

    #[test]
    fn places_are_steps() {
        let root = json!({"a": [{"b": 1}, {"b": 2}]});
        let places = JsonPath::parse("$.a[1].b").unwrap().select_places(&root);
        assert_eq!(places, [vec![Step::Name("a".into()), Step::Index(1), Step::Name("b".into())]]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\$?[\\[\\]().?@*:,'\" a-c0-9&|!=<>-]{0,24}|\\PC{0,24}") {
            let _ = JsonPath::parse(&text);
        }

        #[test]
        fn a_normalized_path_selects_what_it_stands_for(names in prop::collection::vec("\\PC{0,4}|[\\x00-\\x1f'\"\\\\]{1,3}", 1..4)) {
            let root = names.iter().rev().fold(json!([7]), |child, name| json!({"": 0, name: child}));
            let path = JsonPath::parse("$..[0]").unwrap();
            let found = select(&path, &root);
            prop_assert_eq!(found.len(), 1);
            let again = JsonPath::parse(&found[0].path).unwrap();
            let seven = json!(7);
            prop_assert_eq!(again.select_values(&root), vec![&seven]);
        }
    }

    #[test]
    fn a_place_is_shown_as_people_write_it() {
        let root = json!({ "a": [{ "b c": 1, "it's": 2, "ü_1": 3, "1x": 4, "\n": 5 }] });
        let path = JsonPath::parse("$.a[0].*").unwrap();
        let shown: Vec<String> = path.select_places(&root).iter().map(|place| show_place(place)).collect();
        assert_eq!(
            shown,
            ["$.a[0]['b c']", "$.a[0]['it\\'s']", "$.a[0].ü_1", "$.a[0]['1x']", "$.a[0]['\\n']"]
        );
        assert_eq!(show_place(&[]), "$");
    }
}
