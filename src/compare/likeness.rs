//! How alike the outputs of two attempts are, from 0 to 1: texts by words, everything else by place.

use serde_json::Value;

use crate::base::json_number;
use crate::base::similarity;
use crate::base::stats::energy::Distances;

/// Gives 1 for equal values. Texts count by the words they have in common, in order; lists and objects as the mean of their
/// members, where one that a side lacks counts 0; anything else is equal or has nothing in common.
pub(crate) fn likeness(a: &Value, b: &Value) -> f64 {
    match (a, b) {
        (Value::String(a), Value::String(b)) if a == b => 1.0,
        // Texts that differ only in blanks have all words in common, and are not equal.
        (Value::String(a), Value::String(b)) => similarity::ratio(a, b).min(0.999),
        (Value::Object(a), Value::Object(b)) => {
            let of_both =
                a.iter().map(|(key, member)| b.get(key).map_or(0.0, |other| likeness(member, other)));
            let alone = b.keys().filter(|key| !a.contains_key(*key)).count();
            mean(of_both.sum(), a.len() + alone)
        }
        (Value::Array(a), Value::Array(b)) => {
            let sum = a.iter().zip(b).map(|(one, other)| likeness(one, other)).sum();
            mean(sum, a.len().max(b.len()))
        }
        (Value::Number(a), Value::Number(b)) => f64::from(json_number::compare(a, b).is_eq()),
        _ => f64::from(a == b),
    }
}

fn mean(sum: f64, count: usize) -> f64 {
    if count == 0 { 1.0 } else { sum / count as f64 }
}

/// The distances of all outputs of two sides.
///
/// What was recorded cut counts as cut; where the whole differs and what was recorded does not, they are a thousandth apart.
pub(crate) fn distances(a: &[Kept<'_>], b: &[Kept<'_>]) -> Distances {
    let all: Vec<&Kept> = a.iter().chain(b).collect();
    Distances::of(a.len(), b.len(), |one, other| {
        let (one, other) = (all[one], all[other]);
        if one.is_same(other) {
            return 0.0;
        }
        (1.0 - likeness(one.value, other.value)).max(0.001)
    })
}

/// Outputs as they were recorded, what varies by itself settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Kept<'a> {
    /// The outputs, long texts cut.
    pub value: &'a Value,
    /// Stands for all of them; none in records of older versions.
    pub digest: Option<&'a str>,
}

impl Kept<'_> {
    /// True where the whole outputs are equal, as far as is known.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self.digest, other.digest) {
            (Some(one), Some(other)) => one == other,
            (Some(_) | None, Some(_) | None) => self.value == other.value,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn alike_is_between_nothing_and_all() {
        for (a, b, expected) in [
            (json!("a b c d"), json!("a b x d"), 0.75),
            (json!({"x": 1, "y": "a"}), json!({"y": "a", "x": 1.0}), 1.0),
            (json!({"x": 1, "y": 2}), json!({"x": 1}), 0.5),
            (json!([1, 2]), json!([1, 2, 3, 4]), 0.5),
            (json!("1"), json!(1), 0.0),
            (json!({}), json!({}), 1.0),
            (json!(null), json!(null), 1.0),
        ] {
            assert!((likeness(&a, &b) - expected).abs() < 1e-6, "{a} {b}: {}", likeness(&a, &b));
            assert!((likeness(&a, &b) - likeness(&b, &a)).abs() < 1e-12);
        }
        assert!(likeness(&json!("a b"), &json!("a  b")) < 1.0);
    }

    #[test]
    fn what_differs_beyond_what_was_recorded_differs() {
        let value = json!("cut…");
        let one = Kept { value: &value, digest: Some("1") };
        let other = Kept { value: &value, digest: Some("2") };
        assert_eq!(distances(&[one], &[other]).largest(), 0.001);
        assert_eq!(distances(&[one], &[one]).largest(), 0.0);
        assert_eq!(distances(&[one], &[Kept { digest: None, ..other }]).largest(), 0.0);
    }
}
