//! `compare` of the project file as written: the gates of comparisons.

use rust_decimal::Decimal;

use crate::base::similarity::Likeness;
use crate::base::units::{parse_exact_share, parse_percent};
use crate::suite::keys::format_key::names;
use crate::suite::keys::of_project::{COMPARE, GATE};
use crate::yaml::node::{MapEntry, Node};
use crate::yaml::reader::Reader;

/// The measures with a gate.
pub const MEASURES: [&str; 5] = ["pass_rate", "tokens", "cost", "latency", "ttft"];
/// The least and the most level of significance that makes sense.
const ALPHA: (f64, f64) = (1e-6, 0.5);

/// The gates of comparisons.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CompareSpec {
    /// Gates of measures.
    pub bounds: Vec<BoundSpec>,
    /// The most tests that may have changed.
    pub max_changed: Option<MostTests>,
    /// The least likeness of the outputs of each test, 0 to 1.
    pub min_similarity: Option<Likeness>,
}

/// The gate of a measure.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundSpec {
    /// One of [`MEASURES`].
    pub measure: &'static str,
    /// The most it may be worse by: a share.
    pub worse_by: Decimal,
    /// The level of significance; `None`: the usual one.
    pub alpha: Option<f64>,
}

/// The most tests that may be something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MostTests {
    /// This many tests.
    Tests(u32),
    /// This share of the tests compared, 0 to 1.
    Share(Decimal),
}

/// Reads `compare`; what is wrong with it is noted in the reader.
pub fn read_compare(reader: &mut Reader<'_>, node: &Node) -> CompareSpec {
    let mut spec = CompareSpec::default();
    for entry in reader.map(node, "`compare`", &names(&COMPARE)) {
        match entry.key.as_str() {
            "max_changed" => {
                spec.max_changed =
                    reader.parsed(&entry.value, "`max_changed`", parse_most).map(|most| most.value);
            }
            "min_similarity" => {
                let read = reader.parsed(&entry.value, "`min_similarity`", parse_likeness);
                spec.min_similarity = read.map(|share| share.value);
            }
            _ => spec.bounds.extend(read_bound(reader, entry)),
        }
    }
    if node.as_map().is_some_and(|entries| entries.is_empty()) {
        reader.problem(node.mark, "`compare` names no gate");
    }
    spec
}

fn read_bound(reader: &mut Reader<'_>, entry: &MapEntry) -> Option<BoundSpec> {
    let measure = measure_named(&entry.key)?;
    let what = |key: &str| format!("`compare.{measure}.{key}`");
    let (mut worse_by, mut alpha, mut named) = (None, None, false);
    for inner in reader.map(&entry.value, &format!("`compare.{measure}`"), &names(&GATE)) {
        match inner.key.as_str() {
            "worse_by" => {
                named = true;
                let read = |text: &str| parse_worse_by(measure, text);
                worse_by = reader.parsed(&inner.value, &what("worse_by"), read);
            }
            "alpha" => alpha = reader.parsed(&inner.value, &what("alpha"), parse_alpha),
            _ => {}
        }
    }
    if !named && entry.value.as_map().is_some() {
        reader.problem(
            entry.mark,
            format!("`compare.{measure}` needs `worse_by`: how much worse it may be, such as `10%`"),
        );
    }
    Some(BoundSpec { measure, worse_by: worse_by?.value, alpha: alpha.map(|alpha| alpha.value) })
}

/// The measure of a name.
pub fn measure_named(name: &str) -> Option<&'static str> {
    MEASURES.into_iter().find(|measure| *measure == name)
}

/// Reads how much worse a measure may be: `10%` or `0.1`; of the pass rate no more than all can be lost.
pub fn parse_worse_by(measure: &str, text: &str) -> Result<Decimal, String> {
    let share = parse_exact_share(text).map_err(|error| error.to_string())?;
    if measure == "pass_rate" && share >= Decimal::ONE {
        return Err(format!(
            "`{text}` could never fail: no more than all passes can be lost, so write less than 100%"
        ));
    }
    Ok(share)
}

/// Reads a level of significance.
pub fn parse_alpha(text: &str) -> Result<f64, String> {
    let alpha = parse_percent(text).map_err(|error| error.to_string())?;
    let (least, most) = ALPHA;
    if (least..=most).contains(&alpha) {
        Ok(alpha)
    } else {
        Err(format!(
            "`{text}` is no level of significance: write a number from {least} to {most}, such as 0.05"
        ))
    }
}

/// Reads how alike outputs must be: a share of at most the whole.
pub fn parse_likeness(text: &str) -> Result<Likeness, String> {
    parse_share(text)?;
    let exact = parse_exact_share(text).map_err(|error| error.to_string())?;
    match Likeness::of_decimal(exact) {
        Some(Likeness::NONE) => {
            Err(format!("`{text}` could never fail: outputs are at least that much alike"))
        }
        Some(likeness) => Ok(likeness),
        None => Err(format!("`{text}` is no share of the whole")),
    }
}

fn parse_share(text: &str) -> Result<Decimal, String> {
    let share = parse_exact_share(text).map_err(|error| error.to_string())?;
    if share <= Decimal::ONE { Ok(share) } else { Err(format!("`{text}` is more than the whole")) }
}

/// Reads a number of tests, or a share of them: `3` or `5%`.
pub fn parse_most(text: &str) -> Result<MostTests, String> {
    match text.parse::<u32>() {
        Ok(tests) => Ok(MostTests::Tests(tests)),
        Err(_) if text.ends_with('%') => match parse_share(text)? {
            all if all == Decimal::ONE => {
                Err(format!("`{text}` could never fail: no more than all tests can change"))
            }
            share => Ok(MostTests::Share(share)),
        },
        Err(_) => Err(format!(
            "`{text}` is neither a number of tests, such as `3`, nor a share of them, such as `5%`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_numbers_or_shares() {
        assert_eq!(parse_most("3"), Ok(MostTests::Tests(3)));
        assert_eq!(parse_most("5%"), Ok(MostTests::Share(Decimal::new(5, 2))));
        for bad in ["0.05", "-1", "100%", "101%", "many", "", "NaN%", "inf%"] {
            assert!(parse_most(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_worse_by("tokens", "150%"), Ok(Decimal::new(15, 1)));
        assert_eq!(parse_worse_by("pass_rate", "99%"), Ok(Decimal::new(99, 2)));
        for (measure, bad) in [
            ("pass_rate", "100%"),
            ("pass_rate", "1"),
            ("tokens", "NaN"),
            ("tokens", "inf"),
            ("tokens", "-1%"),
        ] {
            assert!(parse_worse_by(measure, bad).is_err(), "{measure} {bad}");
        }
        assert_eq!(parse_alpha("5%"), Ok(0.05));
        for bad in ["0", "0.6", "1%5"] {
            assert!(parse_alpha(bad).is_err(), "{bad}");
        }
        for bad in ["1.5", "150%", "0", "0%", "0.0", "NaN"] {
            assert!(parse_likeness(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_likeness("100%"), Ok(Likeness::ALL));
        assert_eq!(parse_likeness("29%"), Ok(Likeness::of(29, 100)));
        assert_eq!(parse_likeness("0.9"), Ok(Likeness::of(9, 10)));
    }
}
