//! The pass rate: each test's share of passes on both sides, exact.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::base::stats::RandomDraws;
use crate::base::stats::mcnemar;
use crate::base::stats::sign_flip::TwoSidedChance;
use crate::record::compare::chance::{self, Difference};
use crate::record::compare::paired::MissingPairs;
use crate::record::compare::sample::{Observation, TestPair};
use crate::record::compare::stand::{BoundStanding, CompareLimit, Position};

/// The pass rates of all tests that both sides judged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rates {
    tests: Vec<PairedRates>,
    /// The repeats that a side did not judge, of tests of which it judged others.
    pub missing: MissingPairs,
}

/// A test on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PairedRates {
    a: PassRate,
    b: PassRate,
    at: f64,
}

/// How many attempts were judged, how many of them passed, and how many were not judged.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PassRate {
    passed: u32,
    judged: u32,
    unjudged: u32,
}

impl PassRate {
    fn of(side: &[Observation]) -> Option<Self> {
        let count = |is: &dyn Fn(&Observation) -> bool| {
            u32::try_from(side.iter().filter(|seen| is(seen)).count()).unwrap_or(u32::MAX)
        };
        let judged = count(&|seen| seen.passed.is_some());
        let passed = count(&|seen| seen.passed == Some(true));
        (judged > 0).then_some(Self { passed, judged, unjudged: count(&|seen| seen.passed.is_none()) })
    }

    /// The rate if all that was not judged had passed, or if none had.
    fn with(self, passed: u32) -> Self {
        Self { passed: self.passed + passed, judged: self.judged + self.unjudged, unjudged: 0 }
    }

    fn share(self) -> f64 {
        f64::from(self.passed) / f64::from(self.judged)
    }
}

impl PairedRates {
    fn lost(self) -> f64 {
        self.a.share() - self.b.share()
    }
}

impl Rates {
    /// The rates of the tests that both sides judged; `None` where there is no such test.
    ///
    /// Tests that a side did not judge at all are reported, and red, by themselves.
    pub fn of(pairs: &[TestPair]) -> Option<Self> {
        let both = |pair: &TestPair| {
            let at = pair.a.first().map_or(0.0, |seen| seen.sent);
            Some(PairedRates { a: PassRate::of(&pair.a)?, b: PassRate::of(&pair.b)?, at })
        };
        let tests: Vec<PairedRates> = pairs.iter().filter_map(both).collect();
        let unjudged =
            |rate: fn(&PairedRates) -> PassRate| tests.iter().map(|test| rate(test).unjudged as usize).sum();
        let missing = MissingPairs { a: unjudged(|test| test.a), b: unjudged(|test| test.b), both: 0 };
        (!tests.is_empty()).then_some(Self { tests, missing })
    }

    /// How many tests there are.
    pub fn cases(&self) -> usize {
        self.tests.len()
    }

    /// Attempts that were judged on both sides.
    pub fn pairs(&self) -> usize {
        self.tests.iter().map(|test| test.a.judged.min(test.b.judged) as usize).sum()
    }

    /// The share of passes lost, each test counting as much as another.
    pub fn worse_by(&self) -> f64 {
        self.tests.iter().map(|test| test.lost()).sum::<f64>() / self.tests.len() as f64
    }

    /// Could chance have lost, or won, as many?
    ///
    /// The exact test of McNemar where each test ran once, else each test's difference, sides swapped.
    pub fn test(&self, draws: RandomDraws) -> TwoSidedChance {
        if self.tests.iter().all(|test| test.a.judged == 1 && test.b.judged == 1) {
            let count = |is: fn(f64) -> bool| {
                let found = self.tests.iter().filter(|test| is(test.lost())).count();
                u32::try_from(found).unwrap_or(u32::MAX)
            };
            let (lost, won) = (count(|lost| lost > 0.0), count(|lost| lost < 0.0));
            let tests = u32::try_from(self.tests.len()).unwrap_or(u32::MAX);
            return TwoSidedChance {
                greater: mcnemar::one_sided(lost, won, tests),
                less: mcnemar::one_sided(won, lost, tests),
            };
        }
        chance::of(&self.differences(0.0, |test| *test), draws)
    }

    /// Holds the share of passes lost against what is allowed.
    ///
    /// A repeat that was not judged may have passed or not.
    pub fn against(&self, limit: &CompareLimit, draws: RandomDraws) -> BoundStanding {
        let worst =
            |test: &PairedRates| PairedRates { a: test.a.with(test.a.unjudged), b: test.b.with(0), ..*test };
        let best =
            |test: &PairedRates| PairedRates { a: test.a.with(0), b: test.b.with(test.b.unjudged), ..*test };
        let at_best = self.differences(limit.allowed.to_f64().unwrap_or(1.0), best);
        let test = if limit.allowed.is_zero() && self.missing == MissingPairs::default() {
            self.test(draws)
        } else {
            chance::of(&at_best, draws)
        };
        BoundStanding {
            found: self.position(limit.allowed, |test| *test),
            worst: self.position(limit.allowed, worst),
            best: self.position(limit.allowed, best),
            test: test.greater,
            times: limit.times(&at_best),
        }
    }

    fn differences(&self, allowed: f64, of: impl Fn(&PairedRates) -> PairedRates) -> Vec<Difference> {
        let difference = |test: &PairedRates| Difference { value: of(test).lost() - allowed, at: test.at };
        self.tests.iter().map(difference).collect()
    }

    /// Where the mean loss lies: fractions of few denominators are added exactly.
    fn position(&self, allowed: Decimal, of: impl Fn(&PairedRates) -> PairedRates) -> Position {
        let mut sums: BTreeMap<u32, i128> = BTreeMap::new();
        for test in self.tests.iter().map(&of) {
            *sums.entry(test.a.judged).or_default() += i128::from(test.a.passed);
            *sums.entry(test.b.judged).or_default() -= i128::from(test.b.passed);
        }
        let tests = self.tests.len() as i128;
        let rounded = || {
            let lost = self.differences(allowed.to_f64().unwrap_or(1.0), &of);
            lost.iter().map(|lost| lost.value).sum::<f64>() > 1e-9
        };
        let is_beyond = excess(&sums, tests, allowed).map_or_else(rounded, |excess| excess > 0);
        if is_beyond { Position::Beyond } else { Position::Within }
    }
}

/// By how much sums of fractions exceed what this many tests may lose, times something above 0; `None` where that is too large.
fn excess(sums: &BTreeMap<u32, i128>, tests: i128, allowed: Decimal) -> Option<i128> {
    let common = sums.keys().try_fold(1_i128, |common, next| {
        let next = i128::from(*next);
        common.checked_mul(next / divisor(common, next))
    })?;
    let lost = sums.iter().try_fold(0_i128, |sum, (denominator, numerator)| {
        sum.checked_add(numerator.checked_mul(common / i128::from(*denominator))?)
    })?;
    let scale = 10_i128.checked_pow(allowed.scale())?;
    let may = tests.checked_mul(common)?.checked_mul(allowed.mantissa())?;
    lost.checked_mul(scale)?.checked_sub(may)
}

/// The greatest common divisor.
fn divisor(one: i128, other: i128) -> i128 {
    if other == 0 { one } else { divisor(other, one % other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: RandomDraws = RandomDraws { count: 999, seed: 5 };

    /// Tests whose repeats passed (p), failed (f) or were not judged (e) on each side.
    fn pairs(tests: &[(usize, &str, &str)]) -> Vec<TestPair> {
        let side = |marks: &str| -> Vec<Observation> {
            let seen =
                |mark| Observation { passed: (mark != 'e').then_some(mark == 'p'), ..Observation::default() };
            marks.chars().map(seen).collect()
        };
        let one = |(count, a, b): &(usize, &str, &str)| {
            vec![TestPair { a: side(a), b: side(b), ..TestPair::default() }; *count]
        };
        tests.iter().flat_map(one).collect()
    }

    fn rates(tests: &[(usize, &str, &str)]) -> Rates {
        Rates::of(&pairs(tests)).unwrap()
    }

    fn against(tests: &[(usize, &str, &str)], allowed: &str) -> BoundStanding {
        let limit = CompareLimit { allowed: allowed.parse().unwrap(), level: 0.05 };
        rates(tests).against(&limit, DRAWS)
    }

    #[test]
    fn each_test_counts_as_much_as_another_however_often_it_ran() {
        let missing = |a, b| MissingPairs { a, b, both: 0 };
        for (tests, worse_by, cases, pairs, expected) in [
            (&[(1, "pp", "pf"), (3, "ppppp", "ppppp")][..], 0.125, 4, 17, missing(0, 0)),
            (&[(1, "pe", "pp"), (1, "p", "fee")], 0.5, 2, 2, missing(1, 2)),
            (&[(2, "ff", "pf")], -0.5, 2, 4, missing(0, 0)),
            (&[(1, "ppp", "ppf"), (1, "e", "p"), (1, "p", "ee")], 1.0 / 3.0, 1, 3, missing(0, 0)),
        ] {
            let rates = rates(tests);
            assert!((rates.worse_by() - worse_by).abs() < 1e-12, "{tests:?}: {}", rates.worse_by());
            assert_eq!((rates.cases(), rates.pairs(), rates.missing), (cases, pairs, expected), "{tests:?}");
        }
        assert_eq!(Rates::of(&pairs(&[(3, "e", "p"), (2, "p", "")])), None);
    }

    #[test]
    fn mcnemar_judges_what_ran_once_on_both_sides_and_nothing_else() {
        // Four lost and one won of twenty: 6 and 31 of the 32 ways to choose sides, of 2^20 that all tests could have shown.
        let (changed, all) = ([(4, "p", "f"), (1, "f", "p")], 0.5_f64.powi(20));
        for (other, attainable) in [
            ((15, "p", "p"), all),
            ((15, "p", "pp"), 0.001),
            ((15, "pp", "p"), 0.001),
            ((15, "ff", "ff"), 0.001),
        ] {
            let TwoSidedChance { greater, less } = rates(&[changed[0], changed[1], other]).test(DRAWS);
            assert!((greater.p - 6.0 / 32.0).abs() < 1e-12, "{other:?} {greater:?}");
            assert!((less.p - 31.0 / 32.0).abs() < 1e-12, "{other:?} {less:?}");
            assert!((greater.attainable - attainable).abs() < 1e-12, "{other:?} {greater:?}");
            assert_eq!(greater.attainable, less.attainable);
        }
    }

    #[test]
    fn mcnemar_judges_against_a_bound_of_nothing_where_nothing_is_missing() {
        let attainable = |tests: &[(usize, &str, &str)], allowed| against(tests, allowed).test.attainable;
        assert_eq!(attainable(&[(20, "p", "f")], "0"), 0.5_f64.powi(20));
        assert_eq!(attainable(&[(20, "p", "f")], "0.5"), 0.001);
        assert_eq!(attainable(&[(19, "p", "f"), (1, "pe", "f")], "0"), 0.001);
        assert_eq!(attainable(&[(19, "p", "f"), (1, "pe", "f")], "0.5"), 0.001);
    }

    #[test]
    fn each_test_is_held_against_the_bound_by_what_it_lost() {
        // Five of twenty lose all, half of which is allowed: fifteen lie as far below the bound as five above it.
        let standing = against(&[(5, "p", "f"), (15, "p", "p")], "0.5");
        assert_eq!(
            (standing.found, standing.best, standing.times),
            (Position::Within, Position::Within, None)
        );
        assert!(standing.test.p > 0.97, "{standing:?}");
        let standing = against(&[(15, "p", "f"), (5, "p", "p")], "0.5");
        assert_eq!((standing.found, standing.worst), (Position::Beyond, Position::Beyond));
        assert!(standing.test.p < 0.04, "{standing:?}");
    }

    #[test]
    fn a_repeat_that_was_not_judged_may_have_passed_or_not() {
        use Position::{Beyond, Within};
        for (a, b, allowed, expected) in [
            // Nothing is lost by what is known, a third if the last of B failed.
            ("ppp", "ppe", "0", [Within, Beyond, Within]),
            ("ppp", "ppe", "0.3333", [Within, Beyond, Within]),
            ("ppp", "ppe", "0.3334", [Within, Within, Within]),
            // Half by what is known, a third if the last of B passed, two thirds if it failed.
            ("ppp", "pfe", "0.32", [Beyond, Beyond, Beyond]),
            ("ppp", "pfe", "0.4", [Beyond, Beyond, Within]),
            ("ppp", "pfe", "0.6", [Within, Beyond, Within]),
            ("ppp", "pfe", "0.7", [Within, Within, Within]),
            // A half by what is known; if the last of A failed a third is lost, two thirds if it passed.
            ("pfe", "fff", "0.3", [Beyond, Beyond, Beyond]),
            ("pfe", "fff", "0.4", [Beyond, Beyond, Within]),
            ("pfe", "fff", "0.6", [Within, Beyond, Within]),
        ] {
            let BoundStanding { found, worst, best, .. } = against(&[(10, a, b)], allowed);
            assert_eq!([found, worst, best], expected, "{a} {b} {allowed}");
        }
    }

    #[test]
    fn shares_of_many_denominators_are_exact_at_the_bound() {
        // One of 2, of 4, … of 256 repeats is lost: together 255/256, in the mean of eight tests 255/2048.
        let tests: Vec<(usize, String, String)> = (1..=8)
            .map(|power| {
                let repeats = 1 << power;
                (1, "p".repeat(repeats), format!("{}f", "p".repeat(repeats - 1)))
            })
            .collect();
        let tests: Vec<(usize, &str, &str)> =
            tests.iter().map(|(count, a, b)| (*count, a.as_str(), b.as_str())).collect();
        let found = |allowed| against(&tests, allowed).found;
        assert_eq!(found("0.12451171875"), Position::Within);
        assert_eq!(
            found("0.1245117187499999999999999999"),
            Position::Beyond,
            "by less than a float can show"
        );
        // 1/3 in each of 3 of 30 tests, beside sevenths.
        let thirds = [(3, "ppp", "ppf"), (27, "ppppppp", "ppppppp")];
        assert_eq!(against(&thirds, "0.0333333333333333333333333334").found, Position::Within);
        assert_eq!(against(&thirds, "0.0333333333333333333333333333").found, Position::Beyond);
    }
}
