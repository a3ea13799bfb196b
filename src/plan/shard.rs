//! Which share of the selected tests runs here: by a hash of the full name, or balanced by the durations of an earlier run.
//!
//! Every machine draws the same shares from the same tests, so that they are disjoint and complete without talking to each
//! other. A hash does not move a test when others come and go; balancing may.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use crate::base::digest::Digest;
use crate::plan::case::Case;
use crate::plan::share::PlanShare;

/// The most shards there can be.
pub const MOST: u32 = 10_000;

/// One of several shares.
#[derive(Debug, Clone, PartialEq)]
pub struct Shard {
    /// Which, from 1.
    pub index: u32,
    /// How many there are.
    pub total: u32,
    /// How long each test took in an earlier run, by full name, milliseconds; `None`: shares are drawn by hash.
    pub durations: Option<Arc<HashMap<String, f64>>>,
}

impl Shard {
    /// Reads `I/N`, where `I` counts from 1.
    pub fn parse(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(index, total)| Some((whole(index)?, whole(total)?)));
        match numbers {
            Some((index, total)) => Self::new(index, total).map_err(|reason| format!("`{text}`: {reason}")),
            None => Err(format!("`{text}` is no shard; write I/N, such as 1/4, or auto")),
        }
    }

    /// The share `index` of `total`.
    pub fn new(index: u32, total: u32) -> Result<Self, String> {
        if total == 0 || total > MOST {
            return Err(format!("there can be 1 to {MOST} shards"));
        }
        if index == 0 || index > total {
            return Err(format!("shards count from 1 to {total}"));
        }
        Ok(Self { index, total, durations: None })
    }

    /// Leaves the cases that run here, and says of how many.
    pub fn cut(&self, cases: &mut Vec<Case>) -> PlanShare {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let share = PlanShare {
            index: self.index,
            total: self.total,
            cases: count(cases.len()),
            runnable: count(cases.iter().filter(|case| case.skip.is_none()).count()),
        };
        let mut takes = self.takes(cases.iter().map(|case| &*case.name)).into_iter();
        cases.retain(|_| takes.next().unwrap_or_default());
        share
    }

    /// Which of the tests run here, in their order; names are unique.
    pub fn takes<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<bool> {
        match &self.durations {
            None => names.map(|name| by_hash(name, self.total) == self.index).collect(),
            Some(durations) => {
                let names: Vec<&str> = names.collect();
                balanced(&names, durations, self.total).into_iter().map(|shard| shard == self.index).collect()
            }
        }
    }
}

/// A number without a sign.
fn whole(text: &str) -> Option<u32> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

/// The share of a name, from 1: its hash modulo the number of shares.
fn by_hash(name: &str, total: u32) -> u32 {
    let share = Digest::of(name).number() % u64::from(total);
    u32::try_from(share).expect("a remainder is below its divisor") + 1
}

/// The share of each name, from 1: the longest test first, each to the share with the least to do so far (Graham 1969, LPT:
/// the longest share takes at most 4/3 - 1/3N of what is possible).
///
/// A test that the earlier run did not judge is taken to last as long as its median test.
fn balanced(names: &[&str], durations: &HashMap<String, f64>, total: u32) -> Vec<u32> {
    let usual = median(names, durations);
    let weight = |name: &str| durations.get(name).map_or(usual, |duration| micros(*duration));
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|index| (Reverse(weight(names[*index])), names[*index]));
    let mut loads: BinaryHeap<Reverse<(u64, u32)>> = (1..=total).map(|shard| Reverse((0, shard))).collect();
    let mut shares = vec![0; names.len()];
    for index in order {
        let Some(mut least) = loads.peek_mut() else { break };
        shares[index] = least.0.1;
        least.0.0 = least.0.0.saturating_add(weight(names[index]));
    }
    shares
}

/// The median of the durations that are known of these tests, microseconds.
fn median(names: &[&str], durations: &HashMap<String, f64>) -> u64 {
    let mut known: Vec<u64> =
        names.iter().filter_map(|name| durations.get(*name)).map(|duration| micros(*duration)).collect();
    known.sort_unstable();
    known.get(known.len() / 2).copied().unwrap_or(1)
}

/// Whole microseconds, so that every machine adds them up alike; at least one, so that no share takes all short tests.
fn micros(milliseconds: f64) -> u64 {
    // A cast of floats saturates, and makes 0 of what is no number.
    ((milliseconds * 1000.0) as u64).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shard(index: u32, total: u32, durations: Option<&HashMap<String, f64>>) -> Shard {
        Shard { durations: durations.cloned().map(Arc::new), ..Shard::new(index, total).unwrap() }
    }

    /// How many shares take each name.
    fn taken(names: &[String], total: u32, durations: Option<&HashMap<String, f64>>) -> Vec<u32> {
        let mut counts = vec![0; names.len()];
        for index in 1..=total {
            let takes = shard(index, total, durations).takes(names.iter().map(String::as_str));
            takes.iter().zip(&mut counts).for_each(|(taken, count)| *count += u32::from(*taken));
        }
        counts
    }

    #[test]
    fn only_what_is_a_share_is_read() {
        assert_eq!(Shard::parse("1/4"), Ok(shard(1, 4, None)));
        assert_eq!(Shard::parse("4/4"), Ok(shard(4, 4, None)));
        for (text, says) in [
            ("5/4", "count from 1 to 4"),
            ("0/4", "count from 1 to 4"),
            ("0/0", "1 to 10000 shards"),
            ("1/10001", "1 to 10000 shards"),
            ("1", "write I/N"),
            ("/4", "write I/N"),
            ("1/", "write I/N"),
            ("+1/4", "write I/N"),
            ("-1/4", "write I/N"),
            ("1/4/4", "write I/N"),
            (" 1/4", "write I/N"),
            ("1/99999999999", "write I/N"),
            ("", "write I/N"),
        ] {
            let error = Shard::parse(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn hashes_are_those_of_every_machine_and_version() {
        let shares: Vec<u32> =
            ["Support triage::refund", "S::a", "S::b[é]", ""].map(|name| by_hash(name, 8)).to_vec();
        assert_eq!(shares, [4, 6, 4, 7]);
    }

    #[test]
    fn a_test_stays_in_its_share_when_others_come_and_go() {
        let names: Vec<String> = (0..500).map(|number| format!("S::test {number}")).collect();
        let all = shard(2, 7, None).takes(names.iter().map(String::as_str));
        let some = shard(2, 7, None).takes(names.iter().step_by(3).map(String::as_str));
        assert!(all.iter().step_by(3).eq(some.iter()));
    }

    #[test]
    fn shares_by_hash_are_of_like_size() {
        let names: Vec<String> = (0..10_000).map(|number| format!("Suite::row[{number}]")).collect();
        for index in 1..=8 {
            let takes = shard(index, 8, None).takes(names.iter().map(String::as_str));
            let count = takes.iter().filter(|taken| **taken).count();
            assert!((1_100..1_400).contains(&count), "{count}");
        }
    }

    #[test]
    fn long_tests_are_spread() {
        let durations: HashMap<String, f64> =
            [("a", 9_000.0), ("b", 8_000.0), ("c", 7_000.0), ("d", 1_000.0), ("e", 1_000.0), ("f", 1_000.0)]
                .map(|(name, duration)| (name.to_owned(), duration))
                .into();
        let shares = balanced(&["f", "e", "d", "c", "b", "a"], &durations, 3);
        assert_eq!(shares, [3, 2, 3, 3, 2, 1]);
        assert_eq!(balanced(&["new", "a"], &durations, 2), [2, 1]);
        assert_eq!(balanced(&["x", "y"], &HashMap::new(), 2), [1, 2]);
    }

    proptest! {
        #[test]
        fn every_test_runs_in_exactly_one_share(
            names in proptest::collection::hash_set("[a-cé:]{0,6}", 0..60),
            total in 1_u32..9,
            durations in proptest::option::of(proptest::collection::hash_map("[a-cé:]{0,6}", proptest::num::f64::ANY, 0..60)),
        ) {
            let names: Vec<String> = names.into_iter().collect();
            let counts = taken(&names, total, durations.as_ref());
            prop_assert!(counts.iter().all(|count| *count == 1), "{counts:?}");
            let mut turned = names.clone();
            turned.reverse();
            let mut again = shard(1, total, durations.as_ref()).takes(turned.iter().map(String::as_str));
            again.reverse();
            prop_assert_eq!(again, shard(1, total, durations.as_ref()).takes(names.iter().map(String::as_str)));
        }
    }
}
