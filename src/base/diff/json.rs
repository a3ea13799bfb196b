//! The difference of two JSON values by place, array elements aligned; bounded in time and number.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::Value;
use similar::{Algorithm, DiffTag, capture_diff_slices_deadline};

use super::text::diff_until;
use super::{ChangeKind, JsonChange};
use crate::base::borrowed_json::BorrowedValue;
use crate::base::clock;
use crate::base::json_number;
use crate::base::json_path::{push_index, push_name};

/// The most changes that are listed.
const MOST: usize = 1_000;
/// After this time arrays are aligned coarsely and texts not compared in detail.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Lists the places at which two values differ, at most 1,000; `None` where they are equal.
pub fn diff_json(expected: &Value, actual: &Value) -> Vec<JsonChange> {
    let mut comparison = JsonComparison { changes: Vec::new(), deadline: clock::now() + TIMEOUT };
    comparison.values(expected, actual, &DiffPath::default());
    comparison.changes
}

/// Where the two values that are being compared are, each on its side.
#[derive(Clone)]
struct DiffPath {
    expected: String,
    actual: String,
}

impl Default for DiffPath {
    fn default() -> Self {
        Self { expected: "$".to_owned(), actual: "$".to_owned() }
    }
}

impl DiffPath {
    fn member(&self, name: &str) -> Self {
        let mut path = self.clone();
        push_name(&mut path.expected, name);
        push_name(&mut path.actual, name);
        path
    }

    fn elements(&self, expected: usize, actual: usize) -> Self {
        let mut path = self.clone();
        push_index(&mut path.expected, expected);
        push_index(&mut path.actual, actual);
        path
    }
}

struct JsonComparison {
    changes: Vec<JsonChange>,
    deadline: Instant,
}

impl JsonComparison {
    fn values(&mut self, expected: &Value, actual: &Value, path: &DiffPath) {
        if self.changes.len() >= MOST {
            return;
        }
        match (expected, actual) {
            (Value::Object(old), Value::Object(new)) => {
                for (key, member) in old {
                    match new.get(key) {
                        Some(found) => self.values(member, found, &path.member(key)),
                        None => self.removed(member, path.member(key)),
                    }
                }
                for (key, member) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                    self.added(member, path.member(key));
                }
            }
            (Value::Array(old), Value::Array(new)) => self.arrays(old, new, path),
            (Value::Number(old), Value::Number(new)) if json_number::compare(old, new) == Ordering::Equal => {
            }
            _ if expected == actual => {}
            _ => self.changed(expected, actual, path.clone()),
        }
    }

    /// Aligns equal elements; of the others, equal ones elsewhere have moved, and those at the same gap are compared in turn.
    fn arrays(&mut self, old: &[Value], new: &[Value], path: &DiffPath) {
        let old_keys: Vec<Vec<u8>> = old.iter().map(canonical).collect();
        let new_keys: Vec<Vec<u8>> = new.iter().map(canonical).collect();
        let ops = capture_diff_slices_deadline(Algorithm::Myers, &old_keys, &new_keys, Some(self.deadline));
        let gaps: Vec<_> = ops
            .iter()
            .filter(|op| op.tag() != DiffTag::Equal)
            .map(|op| (op.old_range(), op.new_range()))
            .collect();
        let loose =
            |ranges: Vec<std::ops::Range<usize>>| -> Vec<usize> { ranges.into_iter().flatten().collect() };
        let old_loose = loose(gaps.iter().map(|(old, _)| old.clone()).collect());
        let new_loose = loose(gaps.iter().map(|(_, new)| new.clone()).collect());
        let moves = moves(
            LooseElements { keys: &old_keys, places: &old_loose },
            LooseElements { keys: &new_keys, places: &new_loose },
        );
        let arrived: BTreeMap<usize, usize> = moves.iter().map(|(from, to)| (*to, *from)).collect();
        for (old_gap, new_gap) in gaps {
            let mut left = old_gap.filter(|index| !moves.contains_key(index));
            for index in new_gap {
                if let Some(from) = arrived.get(&index) {
                    self.moved(&new[index], path.elements(*from, index));
                } else if let Some(from) = left.next() {
                    self.values(&old[from], &new[index], &path.elements(from, index));
                } else {
                    self.added(&new[index], path.elements(0, index));
                }
            }
            for from in left {
                self.removed(&old[from], path.elements(from, 0));
            }
        }
    }

    fn added(&mut self, actual: &Value, path: DiffPath) {
        self.push(JsonChange {
            path: path.actual,
            kind: ChangeKind::Added,
            expected: None,
            actual: Some(actual.clone()),
            text: None,
            from: None,
        });
    }

    fn removed(&mut self, expected: &Value, path: DiffPath) {
        let expected = Some(expected.clone());
        self.push(JsonChange {
            path: path.expected,
            kind: ChangeKind::Removed,
            expected,
            actual: None,
            text: None,
            from: None,
        });
    }

    fn moved(&mut self, value: &Value, path: DiffPath) {
        let (expected, actual) = (Some(value.clone()), Some(value.clone()));
        self.push(JsonChange {
            path: path.actual,
            kind: ChangeKind::Moved,
            expected,
            actual,
            text: None,
            from: Some(path.expected),
        });
    }

    fn changed(&mut self, expected: &Value, actual: &Value, path: DiffPath) {
        let text = match (expected, actual) {
            (Value::String(old), Value::String(new)) if clock::now() < self.deadline => {
                Some(diff_until(old, new, self.deadline))
            }
            _ => None,
        };
        let (expected, actual) = (Some(expected.clone()), Some(actual.clone()));
        self.push(JsonChange {
            path: path.actual,
            kind: ChangeKind::Changed,
            expected,
            actual,
            text,
            from: None,
        });
    }

    fn push(&mut self, change: JsonChange) {
        if self.changes.len() < MOST {
            self.changes.push(change);
        }
    }
}

/// The elements of a list that lost their place.
#[derive(Clone, Copy)]
struct LooseElements<'a> {
    /// What all elements are distinguished by.
    keys: &'a [Vec<u8>],
    /// The places of those that lost theirs.
    places: &'a [usize],
}

/// Pairs equal elements that both lost their place, in order: expected index to actual index.
fn moves(old: LooseElements<'_>, new: LooseElements<'_>) -> BTreeMap<usize, usize> {
    let mut places: HashMap<&[u8], VecDeque<usize>> = HashMap::new();
    for index in new.places {
        places.entry(new.keys[*index].as_slice()).or_default().push_back(*index);
    }
    let pair = |index: &usize| Some((*index, places.get_mut(old.keys[*index].as_slice())?.pop_front()?));
    old.places.iter().filter_map(pair).collect()
}

/// Equal values, and only they, have the same.
fn canonical(value: &Value) -> Vec<u8> {
    BorrowedValue::of(value).canonical()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{EqualOptions, equal};
    use super::*;

    fn show(expected: Value, actual: Value) -> Vec<String> {
        let text = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
        let line = |change: &JsonChange| {
            let from = change.from.as_ref().map_or(String::new(), |from| format!(" from {from}"));
            format!(
                "{:?} {}{from}: {} > {}",
                change.kind,
                change.path,
                text(&change.expected),
                text(&change.actual)
            )
        };
        diff_json(&expected, &actual).iter().map(line).collect()
    }

    #[test]
    fn members_are_compared_by_name() {
        let shown =
            show(json!({"a": 1, "b": {"c": true}, "d'": 1}), json!({"e": 1, "b": {"c": false}, "a": 1.0}));
        assert_eq!(
            shown,
            ["Changed $['b']['c']: true > false", "Removed $['d\\'']: 1 > -", "Added $['e']: - > 1"]
        );
        assert_eq!(show(json!(1), json!("1")), ["Changed $: 1 > \"1\""]);
        assert!(show(json!({"a": [1, {"b": 2}]}), json!({"a": [1.0, {"b": 2}]})).is_empty());
    }

    #[test]
    fn elements_are_aligned() {
        assert_eq!(show(json!([1, 2, 3]), json!([0, 1, 2, 3])), ["Added $[0]: - > 0"]);
        assert_eq!(show(json!([1, 2, 3]), json!([1, 3])), ["Removed $[1]: 2 > -"]);
        assert_eq!(
            show(json!([1, {"a": 1, "b": 2}, 3]), json!([0, 1, {"a": 1, "b": 9}, 3])),
            ["Added $[0]: - > 0", "Changed $[2]['b']: 2 > 9"]
        );
        assert_eq!(
            show(json!(["x", "a", "b"]), json!(["a", "b", "x"])),
            ["Moved $[2] from $[0]: \"x\" > \"x\""]
        );
        assert_eq!(show(json!([1.0, 2]), json!([1, 2.0])), [""; 0]);
    }

    #[test]
    fn texts_are_compared_in_detail() {
        let changes = diff_json(&json!({"a": "one two three four"}), &json!({"a": "one two 3 four"}));
        assert_eq!(changes[0].text.as_ref().unwrap().lines.len(), 2);
    }

    #[test]
    fn changes_are_bounded() {
        let many = |offset: i32| -> Value {
            (0..5_000).map(|n| (format!("k{n}"), json!(n + offset))).collect::<serde_json::Map<_, _>>().into()
        };
        assert_eq!(diff_json(&many(0), &many(1)).len(), MOST);
        let list =
            |offset: i64| -> Value { (0..20_000_i64).map(|n| json!(n * 7_919 % 10_007 + offset)).collect() };
        let started = clock::now();
        assert!(diff_json(&list(0), &list(3)).len() <= MOST);
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    }

    #[test]
    fn differences_are_stored_and_read_back() {
        let diff = super::super::Diff::Json(diff_json(&json!([1, "a\nb"]), &json!(["a\nc", 1])));
        let stored = serde_json::to_string(&diff).unwrap();
        assert_eq!(serde_json::from_str::<super::super::Diff>(&stored).unwrap(), diff);
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Value::from),
            (0..3_i32).prop_map(Value::from),
            (0..3_u8).prop_map(|n| json!(f64::from(n))),
            "[ab\n]{0,3}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab\"]", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_change_means_equal(a in json_value(), b in json_value()) {
            prop_assert_eq!(diff_json(&a, &b).is_empty(), equal(&a, &b, &EqualOptions::default()));
            prop_assert!(diff_json(&a, &a).is_empty());
            prop_assert_eq!(canonical(&a) == canonical(&b), equal(&a, &b, &EqualOptions::default()));
        }
    }
}
