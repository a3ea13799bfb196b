//! The numbers of all attempts, and what is made of them. What is not known may be anything from 0 up: each statistic lies
//! between two bounds, which are one where everything is known.

use rust_decimal::Decimal;

use crate::base::stats::quantile::Percentile;
use crate::suite::thresholds::Statistic;

/// What a statistic lies between; a bound that is none is beyond all numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    /// The least it can be.
    pub low: Option<Decimal>,
    /// The most it can be.
    pub high: Option<Decimal>,
}

impl Span {
    /// Nothing is known.
    const OPEN: Self = Self { low: None, high: None };

    fn exact(value: Decimal) -> Self {
        Self { low: Some(value), high: Some(value) }
    }

    fn from(low: Decimal) -> Self {
        Self { low: Some(low), high: None }
    }
}

/// The numbers of some attempts, none of them below 0.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    known: Vec<Decimal>,
    unknown: u64,
    /// The sum of what is known, with what attempts used that did not finish.
    total: Decimal,
    /// True when such an attempt used what nobody knows.
    total_open: bool,
}

impl Sample {
    /// Adds the number of a finished attempt.
    pub fn add(&mut self, value: Option<Decimal>) {
        match value.filter(|value| !value.is_sign_negative()) {
            Some(value) => {
                self.total = self.total.saturating_add(value);
                self.known.push(value);
            }
            None => self.unknown += 1,
        }
    }

    /// Adds to the total what an attempt used that did not finish; none where it ran and that is not known.
    pub fn add_unfinished(&mut self, used: Option<Decimal>) {
        match used.filter(|value| !value.is_sign_negative()) {
            Some(value) => self.total = self.total.saturating_add(value),
            None => self.total_open = true,
        }
    }

    /// How many numbers are not known.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    fn count(&self) -> u64 {
        self.known.len() as u64 + self.unknown
    }

    fn is_whole(&self) -> bool {
        self.unknown == 0
    }

    /// The statistic of what is known, to be shown; none without a number.
    pub fn known_value(&mut self, statistic: Statistic) -> Option<Decimal> {
        if self.known.is_empty() {
            return None;
        }
        self.known.sort_unstable();
        match statistic {
            Statistic::Share | Statistic::Mean => self.mean(self.known.len() as u64),
            Statistic::Min => self.known.first().copied(),
            Statistic::Max => self.known.last().copied(),
            Statistic::Total => Some(self.total),
            Statistic::Percentile(percentile) => self.at(percentile.rank(self.known.len() as u64)),
        }
    }

    /// What the statistic lies between, given what is not known. An empty sample says nothing.
    pub fn span(&mut self, statistic: Statistic) -> Span {
        if self.count() == 0 {
            return Span::OPEN;
        }
        self.known.sort_unstable();
        let whole = self.is_whole();
        match statistic {
            Statistic::Share | Statistic::Mean => match self.mean(self.count()) {
                Some(mean) if whole => Span::exact(mean),
                Some(mean) => Span::from(mean),
                None => Span::OPEN,
            },
            Statistic::Total if whole && !self.total_open => Span::exact(self.total),
            Statistic::Total => Span::from(self.total),
            Statistic::Min => {
                let least = self.known.first().copied();
                Span { low: least.filter(|_| whole).or(Some(Decimal::ZERO)), high: least }
            }
            Statistic::Max => {
                let most = self.known.last().copied();
                Span { low: most.or(Some(Decimal::ZERO)), high: most.filter(|_| whole) }
            }
            Statistic::Percentile(percentile) => self.percentile(percentile),
        }
    }

    /// Attempts that are missing to make it a percentile count as not known.
    fn percentile(&self, percentile: Percentile) -> Span {
        let count = self.count().max(percentile.least_values());
        let missing = count - self.known.len() as u64;
        let rank = percentile.rank(count);
        let low = match rank.checked_sub(missing) {
            None | Some(0) => Some(Decimal::ZERO),
            Some(rank) => self.at(rank),
        };
        Span { low, high: self.at(rank) }
    }

    /// The known value at a rank from 1.
    fn at(&self, rank: u64) -> Option<Decimal> {
        let index = usize::try_from(rank).ok()?.checked_sub(1)?;
        self.known.get(index).copied()
    }

    /// The sum of what is known over so many.
    fn mean(&self, count: u64) -> Option<Decimal> {
        let sum = self.known.iter().fold(Decimal::ZERO, |sum, value| sum.saturating_add(*value));
        sum.checked_div(Decimal::from(count))
    }
}
