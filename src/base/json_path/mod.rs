//! JSONPath (RFC 9535): compiling paths under limits, selecting values under a bound of steps, and writing where they lie.
//!
//! The libraries that were looked at panic on unfinished escapes, parse nested filters in exponential time, compare numbers as
//! doubles and select without a bound, and none of them can be interrupted: so the grammar is read here. The consortium's
//! compliance suite (`tests/data/jsonpath`) is its test.

mod error;
mod filter;
mod hint;
mod parse;
mod parse_filter;
mod parse_string;
mod place;
mod select;
mod syntax;

use serde_json::Value;

use super::effort::{Effort, EffortError};

pub use self::error::JsonPathError;
pub use self::place::{PathStep, push_index, push_name, show_place};

use self::select::{PathSearch, StepTrail};
use self::syntax::{PathQuery, SegmentReach, Selector};

/// The most bytes a path may have.
const LONGEST: usize = 2048;
/// The most steps that the places of one path may have together.
const MOST_STEPS: u64 = 2_000_000;

/// A compiled path.
#[derive(Clone)]
pub struct JsonPath {
    text: String,
    query: PathQuery,
}

impl PartialEq for JsonPath {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl std::fmt::Debug for JsonPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("JsonPath").field(&self.text).finish()
    }
}

impl JsonPath {
    /// Compiles a path; refuses more than 2 KiB and more than 12 levels of brackets and parentheses.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        if text.is_empty() {
            let message = "the path is empty; `$` is the whole value".to_owned();
            return Err(JsonPathError { message, offset: None, help: None });
        }
        if text.len() > LONGEST {
            let message = format!("the path has {} bytes, the most is {LONGEST}", text.len());
            return Err(JsonPathError { message, offset: None, help: None });
        }
        match parse::parse_query(text) {
            Ok(query) => Ok(Self { text: text.to_owned(), query }),
            Err(error) => Err(JsonPathError { help: hint::hint(text), ..error }),
        }
    }

    /// Selects values in document order.
    pub fn select_values<'a>(
        &self,
        root: &'a Value,
        effort: &Effort<'_>,
    ) -> Result<Vec<&'a Value>, EffortError> {
        let selected = PathSearch::new(root, effort).run(&self.query, root, &mut StepTrail::default())?;
        Ok(selected.into_iter().map(|selected| selected.value).collect())
    }

    /// Selects places alone, as names and indices from the root down.
    pub fn find_places(&self, root: &Value, effort: &Effort<'_>) -> Result<Vec<Vec<PathStep>>, EffortError> {
        let mut trail = StepTrail::kept();
        let selected = PathSearch::new(root, effort).run(&self.query, root, &mut trail)?;
        let (mut places, room) = (Vec::with_capacity(selected.len()), Effort::new(MOST_STEPS));
        for selected in selected {
            let steps = trail.steps(selected);
            room.spend(steps.len() as u64 + 1)?;
            places.push(steps);
        }
        Ok(places)
    }

    /// The places within the usual bound of work, and none beyond it: only for those who know that [`Self::find_places`] succeeds.
    pub fn select_places(&self, root: &Value) -> Vec<Vec<PathStep>> {
        self.find_places(root, &Effort::default()).unwrap_or_default()
    }

    /// True for a path that may look at much more than it selects: at every depth, or through filters.
    pub fn is_wide(&self) -> bool {
        let is_filter = |selector: &Selector| matches!(selector, Selector::Filter(_));
        let segments = &self.query.segments;
        let lists = segments
            .iter()
            .filter(|segment| segment.selectors.len() > 1 || !PathQuery::is_narrow(segment))
            .count();
        lists > 3
            || segments
                .iter()
                .any(|one| one.reach == SegmentReach::Descendants || one.selectors.iter().any(is_filter))
    }

    /// The path as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
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
                    PathStep::Name(name) => push_name(&mut path, &name),
                    PathStep::Index(index) => push_index(&mut path, index),
                }
            }
            path
        });
        places
            .zip(path.select_values(root, &Effort::default()).unwrap())
            .map(|(path, value)| Selected { path, value })
            .collect()
    }

    fn check(path: &str, root: &Value, expected: &[(&str, Value)]) {
        let path = JsonPath::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let found = select(&path, root);
        let found: Vec<(&str, Value)> =
            found.iter().map(|one| (one.path.as_str(), one.value.clone())).collect();
        assert_eq!(found, expected, "{}", path.as_str());
        let values: Vec<Value> =
            path.select_values(root, &Effort::default()).unwrap().into_iter().cloned().collect();
        assert_eq!(
            values,
            expected.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>(),
            "{}",
            path.as_str()
        );
    }

    #[test]
    fn the_compliance_suite_holds() {
        let suite: Value =
            serde_json::from_str(include_str!("../../../tests/data/jsonpath/cts.json")).unwrap();
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
        let alone: Value =
            path.select_values(&test["document"], &Effort::default()).unwrap().into_iter().cloned().collect();
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
            JsonPath::parse(path)
                .unwrap()
                .select_values(&root, &Effort::default())
                .unwrap()
                .into_iter()
                .cloned()
                .collect()
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
        assert_eq!(
            JsonPath::parse("$[?@[?@>1]]")
                .unwrap()
                .select_values(&json!([[2], [0]]), &Effort::default())
                .unwrap(),
            [&json!([2])]
        );
    }

    #[test]
    fn filters_compare_numbers_exactly() {
        let root = json!([9_007_199_254_740_992_u64, 9_007_199_254_740_993_u64, 1, 1.0, u64::MAX]);
        check("$[?@ == 9007199254740993]", &root, &[("$[1]", json!(9_007_199_254_740_993_u64))]);
        check(
            "$[?@ > 9007199254740992 && @ < 18446744073709551615]",
            &root,
            &[("$[1]", json!(9_007_199_254_740_993_u64))],
        );
        check("$[?@ == 1]", &root, &[("$[2]", json!(1)), ("$[3]", json!(1.0))]);
        let long = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let root = long("[0.1,0.1000000000000000000001,99999999999999999999999,1e400]");
        check("$[?@ > 0.1 && @ < 1]", &root, &[("$[1]", long("0.1000000000000000000001"))]);
        check("$[?@ == 99999999999999999999999]", &root, &[("$[2]", long("99999999999999999999999"))]);
        check("$[?@ > 99999999999999999999999]", &root, &[("$[3]", long("1e400"))]);
        let error = JsonPath::parse("$.a[?@ > 1e9999999999999999999 && @.b == 'x']").unwrap_err();
        assert!(error.message.contains("not a number") && error.offset == Some(9), "{error:?}");
        for path in
            ["$.a9007199254740993", "$['9007199254740993', \"\\\"9007199254740993\"]", "$[?@.y < 1e300]"]
        {
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
        for (path, offset, message) in [
            ("category", 0, "start at `$`"),
            ("$.a[é]", 4, "a bracket holds"),
            ("$['\\u", 3, "four hexadecimal digits"),
            ("$['\\uD800']", 3, "half a character"),
            ("$[\"\\uD800\\u0041\"]", 3, "half a character"),
            ("$[\"\\uDC00", 3, "half a character"),
            ("$['\\", 3, "in the middle of an escape"),
            ("$['a\\q']", 4, "is no escape"),
            ("$['a", 2, "`'` is never closed"),
            ("$[0", 1, "`[` is never closed"),
            ("$[?(@.a", 3, "`(` is never closed"),
            ("$[?length(@.a", 9, "`(` is never closed"),
            ("$.a.[0]", 4, "without a dot"),
            ("$[?search(@.a, '(')]", 15, "not a regular expression"),
            ("$[?foo(@)]", 3, "no function"),
        ] {
            let error = JsonPath::parse(path).unwrap_err();
            assert!(error.message.contains(message), "{path}: {}", error.message);
            assert_eq!(error.offset, Some(offset), "{path}");
        }
    }

    #[test]
    fn a_hint_means_what_was_meant() {
        for (path, meant) in [
            (".reply", "$.reply"),
            ("@.reply", "$.reply"),
            ("reply", "$.reply"),
            ("..id", "$..id"),
            ("$reply", "$.reply"),
            ("$.content-type", "$['content-type']"),
            ("$.a.b-c.d", "$.a['b-c'].d"),
            ("content-type", "$['content-type']"),
            ("$..b-c", "$..['b-c']"),
            ("a[0]", "$.a[0]"),
            ("$.a.[0].b", "$.a[0].b"),
            ("$.a.0.b", "$.a[0].b"),
            ("$['a'", "$['a']"),
            ("$['a", "$['a']"),
            ("$.a[0", "$.a[0]"),
            ("$[a]", "$['a']"),
            ("[0].a", "$[0].a"),
            ("$.a ", "$.a"),
            ("a b", "$['a b']"),
        ] {
            let error = JsonPath::parse(path).unwrap_err();
            assert_eq!(error.help, Some(format!("did you mean `{meant}`?")), "{path}");
            assert!(JsonPath::parse(meant).is_ok(), "{meant}");
        }
        for path in ["$.a.length()", "a.length()", "$.a.size()"] {
            let help = JsonPath::parse(path).unwrap_err().help.unwrap();
            assert!(help.contains("`path: $.a`") && help.contains("`length`"), "{help}");
        }
        for path in ["$['\\u", "$[?@.a = 1]", "$.a || $.b", "$[", "$.", "$.a..", "{{ x }}", "$[?(@.a"] {
            assert_eq!(JsonPath::parse(path).unwrap_err().help, None, "{path}");
        }
    }

    /// Each more `..*` multiplies the nodes: the work ends at its bound, whatever is asked for.
    #[test]
    fn paths_that_multiply_end_undecided() {
        let mut root = json!(1);
        (0..60).for_each(|_| root = json!([root]));
        let wide = json!(vec![json!(vec![1; 30]); 30]);
        let path = |text: &str| JsonPath::parse(text).unwrap();
        assert_eq!(path("$..*").select_values(&root, &Effort::default()).unwrap().len(), 60);
        assert_eq!(path("$..*..*").select_values(&root, &Effort::default()).unwrap().len(), 60 * 59 / 2);
        let in_a_filter = format!("$[?value(${}) == 1]", "..*".repeat(7));
        for (text, root) in [
            (format!("${}", "..*".repeat(7)), &root),
            (format!("${}", "[*,*,*,*,*,*,*,*]".repeat(12)), &root),
            (format!("${}", "..[*,*]".repeat(9)), &root),
            ("$..[?count(@..*..*..*..*) > 1]".to_owned(), &root),
            (in_a_filter, &root),
            ("$..[?@..[?@..[?@..[?count(@..*) == 1]]]]".to_owned(), &root),
            (format!("${}", "[0:30,0:30,0:30,0:30,0:30]".repeat(9)), &json!(vec![wide.clone(); 30])),
        ] {
            assert!(path(&text).select_values(root, &Effort::new(1_000_000)).is_err(), "{text}");
            assert!(path(&text).find_places(root, &Effort::new(1_000_000)).is_err(), "{text}");
        }
        let many = format!("${}", "..*".repeat(7));
        assert_eq!(
            path(&many).select_values(&root, &Effort::default()),
            Err(EffortError::TooMany(1_000_000))
        );
        let filters = "$..[?count(@..*..*..*..*) > 1]";
        assert_eq!(
            path(filters).select_values(&root, &Effort::new(100_000)),
            Err(EffortError::UsedUp(100_000))
        );
        let over = || true;
        assert_eq!(path(&many).select_values(&root, &Effort::until(&over)), Err(EffortError::Ended));
    }

    #[test]
    fn patterns_of_a_value_are_compiled_once() {
        let values: Vec<Value> = (0..2000).map(|index| json!(index.to_string())).collect();
        let root = json!({ "regex": "[0-9]*[02468]", "bad": "(", "values": values });
        let path = JsonPath::parse("$.values[?match(@, $.regex)]").unwrap();
        assert_eq!(path.select_values(&root, &Effort::new(100_000)).unwrap().len(), 1000);
        let path = JsonPath::parse("$.values[?match(@, $.bad)]").unwrap();
        assert_eq!(path.select_values(&root, &Effort::new(100_000)).unwrap().len(), 0);
    }

    #[test]
    fn long_and_deep_paths_are_refused_at_once() {
        assert!(JsonPath::parse(&format!("$.{}", "a".repeat(2046))).is_ok());
        assert!(JsonPath::parse(&format!("$.{}", "a".repeat(2047))).is_err());
        let deep = |levels: usize| format!("${}@{}", "[?@".repeat(levels - 1) + "[?", "]".repeat(levels));
        assert!(JsonPath::parse(&deep(13)).unwrap_err().message.contains("deeper"));
        let _ = JsonPath::parse(&deep(12));
        let _ = JsonPath::parse(&format!("$[?{}@{}]", "(".repeat(11), ")".repeat(11)));
        let _ = JsonPath::parse(&format!("${}", "[?@".repeat(12)));
        let _ = JsonPath::parse(&format!("${}{}", "[?@.a".repeat(12), "==1]".repeat(12)));
        let _ = JsonPath::parse(&format!("$[?{}@.a==1{}", "!(".repeat(11), "&&@.b)".repeat(11)));
        let _ = JsonPath::parse(&format!("$[?{}@.a", "length(".repeat(11)));
        assert!(JsonPath::parse("$['[[[[[[[[[[[[[[[[']").is_ok());
        assert!(JsonPath::parse("$['\\'[[[[[[[[[[[[[[[[']").is_ok());
    }

    #[test]
    fn places_are_steps() {
        let root = json!({"a": [{"b": 1}, {"b": 2}]});
        let places = JsonPath::parse("$.a[1].b").unwrap().select_places(&root);
        assert_eq!(
            places,
            [vec![PathStep::Name("a".into()), PathStep::Index(1), PathStep::Name("b".into())]]
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\$?[\\[\\]().?@*:,'\" a-c0-9&|!=<>-]{0,24}|\\PC{0,24}") {
            let _ = JsonPath::parse(&text);
        }

        /// Another reader of the same standard selects the same values.
        #[test]
        fn another_reader_agrees(text in "\\$(\\.[ab]|\\.\\.[ab]|\\.\\*|\\.\\.\\*|\\[(-?[0-3]|'a'|\\*|-?[0-3]?:-?[0-3]?|-?[0-3]?::-?[12]|0,'b',\\*|\\?@\\.a|\\?!@\\.b|\\?@(\\.a)? (==|<=|<|!=) (1|'x'|null|\\$\\.b)|\\?@\\.a && \\(@\\.b \\|\\| @\\[0\\] > 1\\)|\\?count\\(@\\.\\.\\*\\) > 2|\\?length\\(@\\) >= 1)\\]){0,3}") {
            let root = json!({ "a": [1, { "a": "x", "b": [2, null] }, [3, [1]], "x"], "b": { "a": null, "b": { "a": 1, "b": "x" } } });
            let ours = JsonPath::parse(&text).map(|path| path.select_values(&root, &Effort::default()).unwrap().into_iter().cloned().collect::<Vec<_>>());
            let theirs = serde_json_path::JsonPath::parse(&text).map(|path| path.query(&root).all().into_iter().cloned().collect::<Vec<_>>());
            prop_assert_eq!(ours.ok(), theirs.ok(), "{}", text);
        }

        #[test]
        fn a_normalized_path_selects_what_it_stands_for(names in prop::collection::vec("\\PC{0,4}|[\\x00-\\x1f'\"\\\\]{1,3}", 1..4)) {
            let root = names.iter().rev().fold(json!([7]), |child, name| json!({"": 0, name: child}));
            let path = JsonPath::parse("$..[0]").unwrap();
            let found = select(&path, &root);
            prop_assert_eq!(found.len(), 1);
            let again = JsonPath::parse(&found[0].path).unwrap();
            let seven = json!(7);
            prop_assert_eq!(again.select_values(&root, &Effort::default()).unwrap(), vec![&seven]);
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
