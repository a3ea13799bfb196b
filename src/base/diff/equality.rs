//! When two JSON values are the same, and when one holds the other: numbers by exact value, the order of members ignored.

use std::cmp::Ordering;

use serde_json::Value;

use crate::base::json_number;
use crate::base::json_path::{JsonPath, PathStep};

/// Whether upper and lower case differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CaseRule {
    /// They do.
    #[default]
    Exact,
    /// They do not, in texts; names of members stay exact.
    Ignore,
}

/// What equality overlooks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EqualOptions {
    /// Whether case counts in texts.
    pub ignore_case: CaseRule,
    /// Places that are removed from both values first.
    pub ignore: Vec<JsonPath>,
}

/// Returns whether two values are the same.
pub fn equal(expected: &Value, actual: &Value, options: &EqualOptions) -> bool {
    if options.ignore.is_empty() {
        return same(expected, actual, options.ignore_case);
    }
    same(&mask_paths(expected, &options.ignore), &mask_paths(actual, &options.ignore), options.ignore_case)
}

/// Returns whether a value holds another as a subset: members recursively, and each expected element of an array somewhere in
/// the actual array, no two of them in the same place.
pub fn includes(actual: &Value, subset: &Value, case: CaseRule) -> bool {
    match (actual, subset) {
        (Value::Object(actual), Value::Object(subset)) => subset
            .iter()
            .all(|(key, member)| actual.get(key).is_some_and(|found| includes(found, member, case))),
        (Value::Array(actual), Value::Array(subset)) => ElementMatching::new(actual, subset, case).hold_all(),
        _ => same(subset, actual, case),
    }
}

/// Copies a value without the places that the paths select; a selected root leaves `null`.
pub fn mask_paths(value: &Value, paths: &[JsonPath]) -> Value {
    let mut places: Vec<Vec<PathStep>> = paths.iter().flat_map(|path| path.select_places(value)).collect();
    // Backwards, children before parents and later elements first, so that no removal moves a place still to come.
    places.sort_by(|a, b| b.cmp(a));
    places.dedup();
    let mut masked = value.clone();
    for place in places {
        remove(&mut masked, &place);
    }
    masked
}

fn same(expected: &Value, actual: &Value, case: CaseRule) -> bool {
    match (expected, actual) {
        (Value::Number(expected), Value::Number(actual)) => {
            json_number::compare(expected, actual) == Ordering::Equal
        }
        (Value::String(expected), Value::String(actual)) => match case {
            CaseRule::Exact => expected == actual,
            CaseRule::Ignore => expected == actual || expected.to_lowercase() == actual.to_lowercase(),
        },
        (Value::Array(expected), Value::Array(actual)) => {
            expected.len() == actual.len()
                && expected.iter().zip(actual).all(|(expected, actual)| same(expected, actual, case))
        }
        (Value::Object(expected), Value::Object(actual)) => {
            let found = |(key, member)| actual.get(key).is_some_and(|found| same(member, found, case));
            expected.len() == actual.len() && expected.iter().all(found)
        }
        _ => expected == actual,
    }
}

fn remove(value: &mut Value, place: &[PathStep]) {
    match (place, value) {
        ([], value) => *value = Value::Null,
        ([PathStep::Name(name)], Value::Object(members)) => drop(members.shift_remove(name)),
        ([PathStep::Index(index)], Value::Array(items)) if *index < items.len() => drop(items.remove(*index)),
        ([PathStep::Name(name), rest @ ..], Value::Object(members)) => {
            if let Some(member) = members.get_mut(name) {
                remove(member, rest);
            }
        }
        ([PathStep::Index(index), rest @ ..], Value::Array(items)) => {
            if let Some(item) = items.get_mut(*index) {
                remove(item, rest);
            }
        }
        ([PathStep::Name(_) | PathStep::Index(_), ..], _) => {}
    }
}

/// A matching of expected elements to places, grown by augmenting paths (H. W. Kuhn, 1955): an element may push others elsewhere.
struct ElementMatching<'a> {
    actual: &'a [Value],
    subset: &'a [Value],
    case: CaseRule,
    /// Which expected element holds each place.
    holder: Vec<Option<usize>>,
    /// Which place each expected element holds.
    place: Vec<Option<usize>>,
}

impl<'a> ElementMatching<'a> {
    fn new(actual: &'a [Value], subset: &'a [Value], case: CaseRule) -> Self {
        Self { actual, subset, case, holder: vec![None; actual.len()], place: vec![None; subset.len()] }
    }

    fn hold_all(mut self) -> bool {
        self.subset.len() <= self.actual.len() && (0..self.subset.len()).all(|element| self.seat(element))
    }

    fn seat(&mut self, element: usize) -> bool {
        let mut reached: Vec<Option<usize>> = vec![None; self.actual.len()];
        let mut waiting = vec![element];
        while let Some(element) = waiting.pop() {
            for (place, actual) in self.actual.iter().enumerate() {
                if reached[place].is_some() || !includes(actual, &self.subset[element], self.case) {
                    continue;
                }
                reached[place] = Some(element);
                match self.holder[place] {
                    Some(holder) => waiting.push(holder),
                    None => {
                        self.shift(place, &reached);
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Gives a free place to who reached it, that one's old place to who reached that, and so on.
    fn shift(&mut self, free: usize, reached: &[Option<usize>]) {
        let mut next = Some(free);
        while let Some(place) = next {
            let Some(element) = reached[place] else { return };
            next = self.place[element].replace(place);
            self.holder[place] = Some(element);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn is_equal(expected: Value, actual: Value) -> bool {
        equal(&expected, &actual, &EqualOptions::default())
    }

    fn holds(actual: Value, subset: Value) -> bool {
        includes(&actual, &subset, CaseRule::Exact)
    }

    #[test]
    fn equality_is_by_value() {
        assert!(is_equal(json!({"a": 1, "b": [1.0]}), json!({"b": [1], "a": 1.0})));
        assert!(!is_equal(json!(9007199254740993_i64), json!(9007199254740992.0)));
        assert!(!is_equal(json!([1, 2]), json!([2, 1])));
        assert!(!is_equal(json!({"a": null}), json!({})));
        assert!(!is_equal(json!({"a": null}), json!({"b": null})));
        assert!(!is_equal(json!("1"), json!(1)));
        assert!(!is_equal(json!(false), json!(null)));
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert!(!is_equal(read("0.1000000000000000000001"), json!(0.1)));
        assert!(is_equal(read("[1e2, 1.50]"), json!([100, 1.5])));
        assert!(is_equal(read("123456789012345678901234567890.0"), read("123456789012345678901234567890")));
    }

    #[test]
    fn case_and_places_may_be_overlooked() {
        let options =
            EqualOptions { ignore_case: CaseRule::Ignore, ignore: vec![JsonPath::parse("$..id").unwrap()] };
        assert!(equal(&json!({"a": ["É"], "id": 1}), &json!({"a": ["é"], "id": 2}), &options));
        assert!(equal(&json!({"x": [{"id": 1, "v": 2}]}), &json!({"x": [{"v": 2}]}), &options));
        assert!(!equal(&json!({"A": 1}), &json!({"a": 1}), &options));
    }

    #[test]
    fn texts_that_differ_by_more_than_case_differ() {
        let options = EqualOptions { ignore_case: CaseRule::Ignore, ..EqualOptions::default() };
        for (expected, actual) in [("Kettle", "Teapot"), ("kettle", "kettles"), ("", "a"), ("é", "e")] {
            assert!(!equal(&json!(expected), &json!(actual), &options), "{expected} {actual}");
            assert!(
                !equal(&json!({"a": [expected]}), &json!({"a": [actual]}), &options),
                "{expected} {actual}"
            );
            assert!(!includes(&json!({"a": [actual]}), &json!({"a": [expected]}), CaseRule::Ignore));
        }
        assert!(!equal(&json!("1"), &json!(1), &options));
        assert!(!is_equal(json!("Kettle"), json!("kettle")));
        assert!(!holds(json!(["Kettle"]), json!(["kettle"])));
    }

    #[test]
    fn subsets() {
        assert!(holds(json!({"a": {"b": 1, "c": 2}, "d": 3}), json!({"a": {"b": 1.0}})));
        assert!(!holds(json!({"a": {"b": 1}}), json!({"a": {"c": null}})));
        assert!(holds(json!([1, 2, 3]), json!([3, 1])));
        assert!(!holds(json!([1, 2]), json!([1, 1])));
        assert!(!holds(json!({"a": 1}), json!([])));
        assert!(holds(json!({"a": 1}), json!({})));
        assert!(includes(&json!(["Kettle"]), &json!(["kettle"]), CaseRule::Ignore));
    }

    #[test]
    fn elements_make_room_for_each_other() {
        assert!(holds(json!([{"a": 1, "b": 1}, {"a": 1}]), json!([{"a": 1}, {"b": 1}])));
        assert!(holds(
            json!([{"a": 1}, {"a": 1, "b": 1}, {"a": 1, "b": 1, "c": 1}]),
            json!([{}, {"a": 1}, {"b": 1}])
        ));
        assert!(!holds(json!([{"a": 1, "b": 1}, {"c": 1}]), json!([{"a": 1}, {"b": 1}])));
    }

    #[test]
    fn masked_places_are_gone() {
        let paths = |texts: &[&str]| -> Vec<JsonPath> {
            texts.iter().map(|text| JsonPath::parse(text).unwrap()).collect()
        };
        let value = json!({"a": [1, {"id": 2, "v": 3}, 4, 5], "b": 6, "c": 7});
        assert_eq!(
            mask_paths(&value, &paths(&["$.a[0]", "$.a[2]", "$..id", "$.a[1].id", "$.nope"])).to_string(),
            r#"{"a":[{"v":3},5],"b":6,"c":7}"#
        );
        assert_eq!(mask_paths(&value, &paths(&["$.a", "$.a[1].id"])).to_string(), r#"{"b":6,"c":7}"#);
        assert_eq!(mask_paths(&value, &paths(&["$"])), json!(null));
        assert_eq!(mask_paths(&value, &[]), value);
    }

    proptest! {
        #[test]
        fn an_array_includes_its_permutations(mut items in prop::collection::vec(0..4_u8, 0..7), seed in any::<prop::sample::Index>()) {
            let whole = json!(items);
            if !items.is_empty() {
                let turn = seed.index(items.len());
                items.rotate_left(turn);
            }
            prop_assert!(holds(whole.clone(), json!(items)));
            items.push(9);
            prop_assert!(!holds(whole, json!(items)));
        }
    }
}
