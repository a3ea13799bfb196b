//! The numbers of all attempts, and what is made of them. What is not known may be anything from 0 up: each statistic lies
//! between two bounds, which are one where everything is known.

use rust_decimal::Decimal;

use crate::suite::thresholds::Statistic;

/// A median of fewer is the only value there is.
pub(super) const LEAST_OF_MEDIAN: u64 = 2;

/// What a statistic lies between; a bound that is none is beyond all numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StatisticRange {
    /// The least it can be.
    pub low: Option<Decimal>,
    /// The most it can be.
    pub high: Option<Decimal>,
}

impl StatisticRange {
    /// Nothing is known.
    const OPEN: Self = Self { low: None, high: None };

    fn exact(value: Decimal) -> Self {
        Self { low: Some(value), high: Some(value) }
    }

    fn from(low: Decimal) -> Self {
        Self { low: Some(low), high: None }
    }
}

/// What is known of the number of one attempt, which is never below 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SampleValue {
    /// The number.
    Exact(Decimal),
    /// A part of it: the whole is not known, as where a part of a price is in another currency.
    AtLeast(Decimal),
}

impl SampleValue {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self::AtLeast(Decimal::ZERO);

    /// Exactly this, where it is known.
    pub fn of(value: Option<Decimal>) -> Self {
        value.filter(|value| !value.is_sign_negative()).map_or(Self::UNKNOWN, Self::Exact)
    }
}

/// The numbers of some attempts, none of them below 0.
#[derive(Debug, Clone, Default)]
pub(super) struct NumberSample {
    known: Vec<Decimal>,
    /// The least that each of the others can be.
    open: Vec<Decimal>,
    /// The sum of what is known, with what attempts used that did not finish.
    total: Decimal,
    /// True when such an attempt used more than is known.
    total_open: bool,
}

impl NumberSample {
    /// Adds the number of a finished attempt.
    pub fn add(&mut self, reading: SampleValue) {
        match reading {
            SampleValue::Exact(value) => {
                self.total = self.total.saturating_add(value);
                self.known.push(value);
            }
            SampleValue::AtLeast(least) => {
                self.total = self.total.saturating_add(least);
                self.open.push(least);
            }
        }
    }

    /// Adds to the total what an attempt used that did not finish.
    pub fn add_unfinished(&mut self, used: SampleValue) {
        match used {
            SampleValue::Exact(value) => self.total = self.total.saturating_add(value),
            SampleValue::AtLeast(least) => {
                self.total = self.total.saturating_add(least);
                self.total_open = true;
            }
        }
    }

    /// How many numbers are not known.
    pub fn unknown(&self) -> u64 {
        self.open.len() as u64
    }

    fn count(&self) -> u64 {
        (self.known.len() + self.open.len()) as u64
    }

    fn is_whole(&self) -> bool {
        self.open.is_empty()
    }

    /// The statistic of what is known, to be shown; `None` without a number.
    pub fn known_value(&mut self, statistic: Statistic) -> Option<Decimal> {
        if self.known.is_empty() {
            return None;
        }
        self.known.sort_unstable();
        let count = self.known.len() as u64;
        match statistic {
            Statistic::Share | Statistic::Mean => mean(&self.known, count),
            Statistic::Min => self.known.first().copied(),
            Statistic::Max => self.known.last().copied(),
            Statistic::Total => Some(self.total),
            Statistic::Median => middle(&self.known, count),
            Statistic::Percentile(percentile) => at(&self.known, percentile.rank(count)),
        }
    }

    /// What the statistic lies between, given what is not known. An empty sample says nothing.
    pub fn span(&mut self, statistic: Statistic) -> StatisticRange {
        if self.count() == 0 {
            return StatisticRange::OPEN;
        }
        self.known.sort_unstable();
        let whole = self.is_whole();
        let (least, count) = (self.at_least(), self.count());
        match statistic {
            Statistic::Share | Statistic::Mean => match mean(&least, count) {
                Some(mean) if whole => StatisticRange::exact(mean),
                Some(mean) => StatisticRange::from(mean),
                None => StatisticRange::OPEN,
            },
            Statistic::Total if whole && !self.total_open => StatisticRange::exact(self.total),
            Statistic::Total => StatisticRange::from(self.total),
            Statistic::Min => {
                StatisticRange { low: least.first().copied(), high: self.known.first().copied() }
            }
            Statistic::Max => StatisticRange {
                low: least.last().copied(),
                high: self.known.last().copied().filter(|_| whole),
            },
            Statistic::Median => {
                let count = count.max(LEAST_OF_MEDIAN);
                StatisticRange { low: middle(&self.lowest(count), count), high: middle(&self.known, count) }
            }
            Statistic::Percentile(percentile) => {
                // Attempts that are missing to make it a percentile count as not known.
                let count = count.max(percentile.least_values());
                let rank = percentile.rank(count);
                StatisticRange { low: at(&self.lowest(count), rank), high: at(&self.known, rank) }
            }
        }
    }

    /// All numbers as the least that they can be, in order.
    fn at_least(&self) -> Vec<Decimal> {
        let mut all = [self.known.as_slice(), &self.open].concat();
        all.sort_unstable();
        all
    }

    /// This many numbers as the least that they can be, in order; those that are missing may be 0.
    fn lowest(&self, count: u64) -> Vec<Decimal> {
        let missing = usize::try_from(count.saturating_sub(self.count())).unwrap_or(0);
        let mut all = vec![Decimal::ZERO; missing];
        all.extend(self.at_least());
        all
    }
}

/// The value at a rank from 1 of values in order.
fn at(sorted: &[Decimal], rank: u64) -> Option<Decimal> {
    let index = usize::try_from(rank).ok()?.checked_sub(1)?;
    sorted.get(index).copied()
}

/// The median of this many values, of which the least are given in order: the middle one, or the mean of the two in the middle.
fn middle(sorted: &[Decimal], count: u64) -> Option<Decimal> {
    let (lower, upper) = (at(sorted, count.div_ceil(2))?, at(sorted, count / 2 + 1)?);
    // Half the gap, so that no sum is too large.
    lower.checked_add(upper.checked_sub(lower)?.checked_div(Decimal::TWO)?)
}

/// The sum of values over this many.
fn mean(values: &[Decimal], count: u64) -> Option<Decimal> {
    let sum = values.iter().fold(Decimal::ZERO, |sum, value| sum.saturating_add(*value));
    sum.checked_div(Decimal::from(count))
}
