//! `thresholds` of a suite: which number, which statistic of it, and its bounds.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::base::stats::quantile::Percentile;
use crate::base::units::{format_count, format_duration, format_share};
use crate::yaml::node::FilePosition;

/// The numbers that may be judged.
pub const METRICS: [(&str, ThresholdMetric); 7] = [
    ("pass_rate", ThresholdMetric::PassRate),
    ("latency", ThresholdMetric::Latency),
    ("server_latency", ThresholdMetric::ServerLatency),
    ("ttft", ThresholdMetric::Ttft),
    ("tokens", ThresholdMetric::Tokens),
    ("cost", ThresholdMetric::Cost),
    ("steps", ThresholdMetric::Steps),
];

/// The keys of a bound.
pub const BOUND_KEYS: [(&str, ThresholdComparison); 4] = [
    ("gte", ThresholdComparison::Gte),
    ("lte", ThresholdComparison::Lte),
    ("gt", ThresholdComparison::Gt),
    ("lt", ThresholdComparison::Lt),
];

/// A number that every attempt has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdMetric {
    /// Whether it passed.
    PassRate,
    /// Client clock, milliseconds.
    Latency,
    /// Dify's clock, milliseconds.
    ServerLatency,
    /// Client clock, request to first model token, milliseconds.
    Ttft,
    /// Dify's total.
    Tokens,
    /// The price in one currency.
    Cost,
    /// Dify's steps.
    Steps,
}

/// What is made of the numbers of all attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Statistic {
    /// The share of attempts.
    Share,
    /// The arithmetic mean.
    Mean,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The sum.
    Total,
    /// The value in the middle, or the mean of the two there.
    Median,
    /// The value at a rank.
    Percentile(Percentile),
}

/// How a statistic is compared with its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdComparison {
    /// At least.
    Gte,
    /// At most.
    Lte,
    /// More than.
    Gt,
    /// Less than.
    Lt,
}

/// One threshold as written.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdSpec {
    /// Which number.
    pub metric: ThresholdMetric,
    /// What is made of it.
    pub statistic: Statistic,
    /// How it is compared.
    pub comparison: ThresholdComparison,
    /// With what: a share, milliseconds, a count or an amount.
    pub limit: Decimal,
    /// The currency of an amount.
    pub currency: Option<String>,
    /// Where the bound is.
    pub mark: FilePosition,
}

impl ThresholdMetric {
    /// Its key.
    pub fn word(self) -> &'static str {
        METRICS.iter().find(|(_, metric)| *metric == self).map_or("", |(word, _)| *word)
    }

    /// A value of it for people.
    pub fn show(self, value: Decimal, currency: Option<&str>) -> String {
        let number = || f64::try_from(value).unwrap_or(f64::MAX);
        match self {
            Self::PassRate => format_share(number()),
            Self::Latency | Self::ServerLatency | Self::Ttft => {
                let duration = std::time::Duration::try_from_secs_f64(number() / 1e3);
                format_duration(duration.unwrap_or(std::time::Duration::MAX))
            }
            Self::Tokens | Self::Steps => match u64::try_from(value) {
                Ok(count) if value.is_integer() => format_count(count),
                Ok(_) | Err(_) => value.round_dp(1).normalize().to_string(),
            },
            Self::Cost => format!("{} {}", value.round_dp(8).normalize(), currency.unwrap_or_default()),
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share => f.write_str("share"),
            Self::Mean => f.write_str("mean"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Total => f.write_str("total"),
            Self::Median => f.write_str("median"),
            Self::Percentile(percentile) => {
                let (whole, part) = (percentile.hundredths() / 100, percentile.hundredths() % 100);
                match part {
                    0 => write!(f, "p{whole}"),
                    _ => write!(f, "p{}", Decimal::new(i64::from(percentile.hundredths()), 2).normalize()),
                }
            }
        }
    }
}

impl FromStr for Statistic {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "share" => return Ok(Self::Share),
            "mean" => return Ok(Self::Mean),
            "min" => return Ok(Self::Min),
            "max" => return Ok(Self::Max),
            "total" => return Ok(Self::Total),
            "median" => return Ok(Self::Median),
            _ => {}
        }
        let number = text.strip_prefix('p').filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit()));
        let hundredths = number
            .and_then(|digits| digits.parse::<Decimal>().ok())
            .and_then(|percent| percent.checked_mul(Decimal::ONE_HUNDRED))
            .filter(Decimal::is_integer)
            .and_then(|hundredths| u32::try_from(hundredths).ok());
        let percentile = hundredths.and_then(Percentile::new).map(Self::Percentile);
        percentile.ok_or_else(|| format!("`{text}` is no statistic"))
    }
}

impl TryFrom<String> for Statistic {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Statistic> for String {
    fn from(statistic: Statistic) -> Self {
        statistic.to_string()
    }
}

impl ThresholdComparison {
    /// "at most".
    pub fn words(self) -> &'static str {
        match self {
            Self::Gte => "at least",
            Self::Lte => "at most",
            Self::Gt => "more than",
            Self::Lt => "less than",
        }
    }

    /// True where more is worse.
    pub fn is_upper(self) -> bool {
        match self {
            Self::Lte | Self::Lt => true,
            Self::Gte | Self::Gt => false,
        }
    }

    /// Compares.
    pub fn holds(self, value: Decimal, limit: Decimal) -> bool {
        match self {
            Self::Gte => value >= limit,
            Self::Lte => value <= limit,
            Self::Gt => value > limit,
            Self::Lt => value < limit,
        }
    }
}
