//! The earlier attempts of one test in a few numbers; pure.

use rust_decimal::Decimal;

use crate::app::forecast::read::AttemptSample;
use crate::base::stats::quantile::Percentile;
use crate::budget::{Costs, Currency, Expected};

/// The percentile that is set aside, in hundredths of a percent.
const SET_ASIDE: u32 = 9_500;

/// What the earlier attempts of one test used.
#[derive(Debug, Default)]
pub(crate) struct PastUsage {
    samples: Vec<AttemptSample>,
}

impl PastUsage {
    /// Adds an attempt.
    pub fn add(&mut self, sample: AttemptSample) {
        self.samples.push(sample);
    }

    /// How many there are.
    pub fn attempts(&self) -> usize {
        self.samples.len()
    }

    /// What 95 of 100 attempts do not exceed, where that is known: nearest rank.
    pub fn expected(&self) -> Expected {
        let currencies = self.currencies();
        let cost =
            currencies.into_iter().filter_map(|currency| Some((currency, upper(self.prices(currency))?)));
        Expected { tokens: upper(self.tokens()), cost: cost.collect() }
    }

    /// The mean of the tokens that are known.
    pub fn mean_tokens(&self) -> Option<f64> {
        mean(self.tokens().into_iter().map(|tokens| tokens as f64).collect())
    }

    /// The mean price of each currency.
    pub fn mean_cost(&self) -> Costs {
        let mean = |currency| {
            let prices = self.prices(currency);
            let count = Decimal::from(prices.len());
            let sum = prices.into_iter().fold(Decimal::ZERO, Decimal::saturating_add);
            Some((currency, sum.checked_div(count)?))
        };
        self.currencies().into_iter().filter_map(mean).collect()
    }

    /// The mean of the durations, in seconds.
    pub fn mean_seconds(&self) -> Option<f64> {
        mean(self.samples.iter().filter_map(|sample| sample.latency_ms).map(|ms| ms / 1e3).collect())
    }

    fn tokens(&self) -> Vec<u64> {
        self.samples.iter().filter_map(|sample| sample.tokens).collect()
    }

    /// Prices in one currency; nothing where an attempt cost only in others.
    fn prices(&self, currency: Currency) -> Vec<Decimal> {
        let known = self.samples.iter().filter_map(|sample| sample.cost.as_ref());
        known.map(|cost| cost.get(&currency).copied().unwrap_or_default()).collect()
    }

    fn currencies(&self) -> std::collections::BTreeSet<Currency> {
        self.samples
            .iter()
            .filter_map(|sample| sample.cost.as_ref())
            .flat_map(|cost| cost.keys().copied())
            .collect()
    }
}

/// The value that 95 of 100 do not exceed; `None` of none.
fn upper<T: Ord + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_unstable();
    let percentile = Percentile::new(SET_ASIDE)?;
    let rank = usize::try_from(percentile.rank(values.len() as u64)).ok()?;
    values.get(rank.checked_sub(1)?).copied()
}

fn mean(values: Vec<f64>) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
