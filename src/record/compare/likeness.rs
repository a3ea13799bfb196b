//! How alike the outputs of two attempts are, from 0 to 1: texts by words, everything else by place.

use serde_json::Value;

use crate::base::clip::is_clipped;
use crate::base::json_number;
use crate::base::similarity::{Likeness, LikenessError, Method};
use crate::base::stats::energy::Distances;

/// Why it is not known how alike two outputs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnmeasuredOutputs {
    /// They are too long.
    #[error(transparent)]
    TooLong(#[from] LikenessError),
    /// They are not known to their end.
    #[error(
        "the outputs differ and were recorded up to 64 KB, so how alike they are behind that is not known"
    )]
    Cut,
}

/// Gives 1 for equal values. Texts count by the words they have in common, in order; lists and objects as the mean of their
/// members, where one that a side lacks counts 0; anything else is equal or has nothing in common.
pub(crate) fn likeness(a: &Value, b: &Value) -> Result<Likeness, LikenessError> {
    match (a, b) {
        (Value::String(a), Value::String(b)) if a == b => Ok(Likeness::ALL),
        (Value::String(a), Value::String(b)) => Method::Ratio.measure(a, b).map(not_equal),
        (Value::Object(a), Value::Object(b)) => {
            let of_both = a
                .iter()
                .map(|(key, member)| b.get(key).map_or(Ok(Likeness::NONE), |other| likeness(member, other)));
            let alone = b.keys().filter(|key| !a.contains_key(*key)).map(|_| Ok(Likeness::NONE));
            mean(of_both.chain(alone))
        }
        (Value::Array(a), Value::Array(b)) => {
            let alone = std::iter::repeat_n(Ok(Likeness::NONE), a.len().abs_diff(b.len()));
            mean(a.iter().zip(b).map(|(one, other)| likeness(one, other)).chain(alone))
        }
        (Value::Number(a), Value::Number(b)) if json_number::compare(a, b).is_eq() => Ok(Likeness::ALL),
        _ if a == b => Ok(Likeness::ALL),
        _ => Ok(Likeness::NONE),
    }
}

/// Texts that differ only in blanks have all words in common, and are not equal.
fn not_equal(likeness: Likeness) -> Likeness {
    if likeness == Likeness::ALL { Likeness::of(999, 1_000) } else { likeness }
}

fn mean(all: impl Iterator<Item = Result<Likeness, LikenessError>>) -> Result<Likeness, LikenessError> {
    Ok(Likeness::mean(all.collect::<Result<Vec<_>, _>>()?.into_iter()))
}

/// The distances of all outputs of two sides; `None` where one was not measured, and that matters.
///
/// What was recorded cut counts as cut; where the whole differs and what was recorded does not, they are a thousandth apart.
pub(crate) fn distances(a: &[RecordedOutputs<'_>], b: &[RecordedOutputs<'_>]) -> Option<Distances> {
    let all: Vec<&RecordedOutputs> = a.iter().chain(b).collect();
    let mut measured = true;
    let distances = Distances::of(a.len(), b.len(), |one, other| {
        let (one, other) = (all[one], all[other]);
        if one.is_same(other) {
            return 0.0;
        }
        let likeness = likeness(one.value, other.value);
        measured &= likeness.is_ok();
        likeness.map_or(1.0, |likeness| (1.0 - likeness.to_f64()).max(0.001))
    });
    // Of a single pair nothing is asked but whether it differs.
    (measured || all.len() <= 2).then_some(distances)
}

/// Outputs as they were recorded, what varies by itself settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RecordedOutputs<'a> {
    /// The outputs, long texts cut.
    pub value: &'a Value,
    /// Stands for all of them; `None` in records of older versions.
    pub digest: Option<&'a str>,
}

impl RecordedOutputs<'_> {
    /// True where the whole outputs are equal, if known.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self.digest, other.digest) {
            (Some(one), Some(other)) => one == other,
            (Some(_) | None, Some(_) | None) => self.value == other.value,
        }
    }

    /// How alike the whole outputs are, which is less than wholly where they differ.
    pub fn likeness(&self, other: &Self) -> Result<Likeness, UnmeasuredOutputs> {
        if self.is_same(other) {
            return Ok(Likeness::ALL);
        }
        if self.value.is_null() && other.value.is_null() {
            // Two ends without outputs, each of its own kind.
            return Ok(Likeness::NONE);
        }
        if self.value == other.value || is_clipped(self.value) || is_clipped(other.value) {
            return Err(UnmeasuredOutputs::Cut);
        }
        Ok(not_equal(likeness(self.value, other.value)?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn alike_is_between_nothing_and_all() {
        for (a, b, part, whole) in [
            (json!("a b c d"), json!("a b x d"), 3, 4),
            (json!({"x": 1, "y": "a"}), json!({"y": "a", "x": 1.0}), 1, 1),
            (json!({"x": 1, "y": 2}), json!({"x": 1}), 1, 2),
            (json!([1, 2]), json!([1, 2, 3, 4]), 1, 2),
            (json!([1, 2]), json!([1, 3]), 1, 2),
            (json!([true, null]), json!([false, null]), 1, 2),
            (json!("1"), json!(1), 0, 1),
            (json!({}), json!({}), 1, 1),
            (json!(null), json!(null), 1, 1),
            (json!({"out": "a b c d e f g h i j"}), json!({"out": "a b c d e f g h i x"}), 9, 10),
            (json!("您的退款正在处理中"), json!("您的退款已经处理中"), 7, 9),
        ] {
            assert_eq!(likeness(&a, &b), Ok(Likeness::of(part, whole)), "{a} {b}");
            assert_eq!(likeness(&b, &a), Ok(Likeness::of(part, whole)), "{b} {a}");
        }
        assert!(likeness(&json!("a b"), &json!("a  b")).unwrap() < Likeness::ALL);
    }

    #[test]
    fn what_was_not_measured_is_known_to_be_unknown() {
        let text = |word: &str, count: usize| json!([format!("{word} ").repeat(count)]);
        let (one, other, whole) = (text("a", 100_001), text("b", 100_000), json!("whole"));
        let kept = |value| RecordedOutputs { value, digest: None };
        assert!(matches!(kept(&one).likeness(&kept(&other)), Err(UnmeasuredOutputs::TooLong(_))));
        assert_eq!(kept(&one).likeness(&kept(&one)), Ok(Likeness::ALL));
        assert_eq!(
            distances(&[kept(&one)], &[kept(&other)]).unwrap().largest(),
            1.0,
            "it differs, and that is known"
        );
        assert_eq!(distances(&[kept(&one), kept(&one)], &[kept(&other), kept(&one)]), None);
        assert!(distances(&[kept(&one), kept(&one)], &[kept(&one), kept(&one)]).is_some());
        let cut = crate::base::clip::clip(&json!("word ".repeat(20_000)));
        assert_eq!(kept(&cut).likeness(&kept(&whole)), Err(UnmeasuredOutputs::Cut));
        let nothing = json!(null);
        assert_eq!(kept(&nothing).likeness(&kept(&cut)), Err(UnmeasuredOutputs::Cut));
        assert_eq!(kept(&nothing).likeness(&kept(&whole)), Ok(Likeness::NONE));
        let (first, second) = (
            RecordedOutputs { digest: Some("1"), ..kept(&cut) },
            RecordedOutputs { digest: Some("2"), ..kept(&cut) },
        );
        assert_eq!(first.likeness(&second), Err(UnmeasuredOutputs::Cut));
        assert_eq!(first.likeness(&first), Ok(Likeness::ALL));
    }

    #[test]
    fn what_differs_beyond_what_was_recorded_differs() {
        let value = json!("cut…");
        let one = RecordedOutputs { value: &value, digest: Some("1") };
        let other = RecordedOutputs { value: &value, digest: Some("2") };
        assert_eq!(distances(&[one], &[other]).unwrap().largest(), 0.001);
        assert_eq!(distances(&[one], &[one]).unwrap().largest(), 0.0);
        assert_eq!(distances(&[one], &[RecordedOutputs { digest: None, ..other }]).unwrap().largest(), 0.0);
    }
}
