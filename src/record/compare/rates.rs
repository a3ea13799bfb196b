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
    /// The rates of the tests that both sides judged; none where there is no such test.
    ///
    /// Tests that a side did not judge at all are told, and red, by themselves.
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

/// By how much sums of fractions exceed what so many tests may lose, times something above 0; none where that is too large.
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
