//! Tokens and exact prices by currency, and how much of them may be spent.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rust_decimal::Decimal;

use crate::base::plural::counted;
use crate::base::units::{Money, format_duration};

/// The most currencies that one budget may name.
pub const MOST_CURRENCIES: usize = 4;

/// A currency of three capital letters, as budgets name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(pub [u8; 3]);

impl Currency {
    /// The currency of this name; `None` where it is not three capital letters.
    pub fn of(name: &str) -> Option<Self> {
        let letters: [u8; 3] = name.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// Prices by currency.
pub type Costs = BTreeMap<Currency, Decimal>;

/// The prices of a list of amounts.
pub fn costs_of(money: &[Money]) -> Costs {
    money.iter().filter_map(|money| Some((Currency::of(&money.currency)?, money.amount))).collect()
}

/// What is spent or set aside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Amount {
    /// Tokens.
    pub tokens: u64,
    /// Prices by currency.
    pub cost: Costs,
}

impl Amount {
    /// The price in one currency.
    pub fn in_currency(&self, currency: Currency) -> Decimal {
        self.cost.get(&currency).copied().unwrap_or_default()
    }

    /// Adds what was spent or set aside.
    pub fn add(&mut self, other: &Self) {
        self.tokens = self.tokens.saturating_add(other.tokens);
        for (currency, price) in &other.cost {
            let sum = self.cost.entry(*currency).or_default();
            *sum = sum.saturating_add(*price);
        }
    }

    /// Takes away what is no longer set aside.
    pub fn take(&mut self, other: &Self) {
        self.tokens = self.tokens.saturating_sub(other.tokens);
        for (currency, price) in &other.cost {
            let sum = self.cost.entry(*currency).or_default();
            *sum = sum.saturating_sub(*price).max(Decimal::ZERO);
        }
    }
}

/// How much may be spent; what is absent is not limited.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpendingLimit {
    /// Tokens.
    pub tokens: Option<u64>,
    /// Prices, each currency for itself.
    pub cost: Costs,
    /// Time since it began.
    pub time: Option<Duration>,
}

impl SpendingLimit {
    /// True where nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// True where something is limited that must be set aside before it is spent: tokens or a price.
    pub fn is_reserved(&self) -> bool {
        self.tokens.is_some() || !self.cost.is_empty()
    }
}

/// One kind of thing that is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendingKind {
    /// Tokens.
    Tokens,
    /// A price in a currency.
    Cost(Currency),
    /// Time.
    Time,
}

/// A number of some kind, as people read it: `400,000 tokens`, `3.00 USD`, `25m 00s`.
pub fn told(kind: SpendingKind, value: Decimal) -> String {
    match kind {
        SpendingKind::Tokens => counted(u64::try_from(value).unwrap_or(u64::MAX), "token"),
        SpendingKind::Cost(currency) => format!("{value} {currency}"),
        SpendingKind::Time => {
            let seconds = rust_decimal::prelude::ToPrimitive::to_f64(&value).unwrap_or_default();
            format_duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd() -> Currency {
        Currency::of("USD").unwrap()
    }

    #[test]
    fn sums_are_exact_and_never_wrap() {
        let tenth = Amount { tokens: 1, cost: [(usd(), "0.1".parse().unwrap())].into() };
        let mut sum = Amount::default();
        (0..10).for_each(|_| sum.add(&tenth));
        assert_eq!((sum.tokens, sum.in_currency(usd())), (10, Decimal::ONE));
        sum.add(&Amount { tokens: u64::MAX, cost: [(usd(), Decimal::MAX)].into() });
        assert_eq!((sum.tokens, sum.in_currency(usd())), (u64::MAX, Decimal::MAX));
        let mut little = tenth.clone();
        little.take(&sum);
        assert_eq!((little.tokens, little.in_currency(usd())), (0, Decimal::ZERO), "never below nothing");
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        for other in ["", "US", "usd", "USDT", "U$D", "ÄÖ"] {
            assert_eq!(Currency::of(other), None, "{other}");
        }
        assert_eq!(usd().to_string(), "USD");
    }

    #[test]
    fn amounts_read_well() {
        assert_eq!(told(SpendingKind::Tokens, Decimal::from(400_000)), "400,000 tokens");
        assert_eq!(told(SpendingKind::Tokens, Decimal::ONE), "1 token");
        assert_eq!(told(SpendingKind::Cost(usd()), "3.00".parse().unwrap()), "3.00 USD");
        assert_eq!(told(SpendingKind::Time, Decimal::from(90)), "1m 30s");
    }
}
