//! Reads `thresholds`: every number with its statistics, every statistic with its bounds.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::base::spelling::did_you_mean;
use crate::base::units::{parse_count, parse_duration, parse_exact_share, parse_money};
use crate::suite::thresholds::{
    BOUND_KEYS, METRICS, Statistic, ThresholdComparison, ThresholdMetric, ThresholdSpec,
};
use crate::yaml::node::{MapEntry, Node};
use crate::yaml::reader::Reader;

/// Reads `thresholds`; what is wrong with them is noted in the reader.
pub(super) fn read_thresholds(reader: &mut Reader<'_>, node: &Node) -> Vec<ThresholdSpec> {
    let names = METRICS.map(|(name, _)| name);
    let entries = reader.map(node, "`thresholds`", &names);
    if entries.is_empty() && node.as_map().is_some() {
        let help = "write e.g. `thresholds: { pass_rate: { gte: 0.95 } }`";
        reader.problem_with_help(node.mark, "`thresholds` judges nothing", help);
    }
    let mut read = Vec::new();
    for entry in entries {
        let Some((_, metric)) = METRICS.iter().find(|(name, _)| *name == entry.key) else { continue };
        match metric {
            ThresholdMetric::PassRate => {
                let measured = MeasuredStatistic { metric: *metric, statistic: Statistic::Share };
                read_bound(reader, measured, &entry.value, &mut read)
            }
            ThresholdMetric::Latency
            | ThresholdMetric::ServerLatency
            | ThresholdMetric::Ttft
            | ThresholdMetric::Tokens
            | ThresholdMetric::Cost
            | ThresholdMetric::Steps => read_statistics(reader, *metric, entry, &mut read),
        }
    }
    read
}

fn read_statistics(
    reader: &mut Reader<'_>,
    metric: ThresholdMetric,
    entry: &MapEntry,
    read: &mut Vec<ThresholdSpec>,
) {
    let example = format!("write e.g. `{}`", metric.example());
    let what = format!("`thresholds.{}`", entry.key);
    let Some(entries) = entry.value.as_map() else {
        let message = format!("{what} must say of which statistic: a mapping, found {}", entry.value.kind());
        reader.problem_with_help(entry.value.mark, message, example);
        return;
    };
    if entries.is_empty() {
        reader.problem_with_help(entry.value.mark, format!("{what} judges nothing"), example);
    }
    for MapEntry { key, mark, value } in entries {
        match statistic(metric, key) {
            Ok(statistic) => read_bound(reader, MeasuredStatistic { metric, statistic }, value, read),
            Err(help) => {
                reader.problem_with_help(*mark, format!("unknown statistic `{key}` in {what}"), help);
            }
        }
    }
}

/// The statistic that a key names, else what it may have meant.
fn statistic(metric: ThresholdMetric, key: &str) -> Result<Statistic, String> {
    let known = "known statistics: mean, median, p50, p90, p95, p99 and so on, min, max";
    let total = if metric.is_summed() { ", total" } else { "" };
    match key {
        "share" => Err(format!("{known}{total}")),
        "total" if !metric.is_summed() => Err(format!("a total of {} says nothing; {known}", metric.word())),
        "med" => Err("did you mean `median`?".to_owned()),
        "avg" | "average" => Err("did you mean `mean`?".to_owned()),
        "sum" | "count" => Err("did you mean `total`?".to_owned()),
        "p0" => Err("did you mean `min`?".to_owned()),
        "p100" => Err("did you mean `max`?".to_owned()),
        _ => key.parse().map_err(|_| {
            did_you_mean(key, ["mean", "median", "min", "max", "total"])
                .unwrap_or_else(|| format!("{known}{total}"))
        }),
    }
}

/// A limit as it is written, in the unit of its metric.
struct WrittenLimit {
    limit: Decimal,
    /// That of a price; `None` for every other metric.
    currency: Option<String>,
}

/// A statistic of a metric.
#[derive(Clone, Copy)]
struct MeasuredStatistic {
    metric: ThresholdMetric,
    statistic: Statistic,
}

/// Reads what a statistic must be: a bare value, or a mapping of comparisons.
fn read_bound(
    reader: &mut Reader<'_>,
    measured: MeasuredStatistic,
    node: &Node,
    read: &mut Vec<ThresholdSpec>,
) {
    let MeasuredStatistic { metric, statistic } = measured;
    let what = match metric {
        ThresholdMetric::PassRate => "`thresholds.pass_rate`".to_owned(),
        ThresholdMetric::Latency
        | ThresholdMetric::ServerLatency
        | ThresholdMetric::Ttft
        | ThresholdMetric::Tokens
        | ThresholdMetric::Cost
        | ThresholdMetric::Steps => format!("`thresholds.{}.{statistic}`", metric.word()),
    };
    let bare = match metric {
        ThresholdMetric::PassRate => ThresholdComparison::Gte,
        ThresholdMetric::Latency
        | ThresholdMetric::ServerLatency
        | ThresholdMetric::Ttft
        | ThresholdMetric::Tokens
        | ThresholdMetric::Cost
        | ThresholdMetric::Steps => ThresholdComparison::Lte,
    };
    let mut found = Vec::new();
    let mut limit = |reader: &mut Reader<'_>, comparison, node: &Node| {
        let parsed = reader.parsed(node, &what, |text| metric.parse(text))?;
        let WrittenLimit { limit, currency } = parsed.value;
        found.push(ThresholdSpec { metric, statistic, comparison, limit, currency, mark: node.mark });
        Some(())
    };
    if node.as_map().is_none() {
        limit(reader, bare, node);
    } else {
        let entries = reader.map(node, &what, &BOUND_KEYS.map(|(key, _)| key));
        if entries.is_empty() {
            let help = format!("write e.g. `{}`", metric.example());
            reader.problem_with_help(node.mark, format!("{what} has no bound"), help);
        }
        for entry in entries {
            let comparison = BOUND_KEYS.iter().find(|(key, _)| *key == entry.key);
            if let Some((_, comparison)) = comparison {
                limit(reader, *comparison, &entry.value);
            }
        }
    }
    note_senseless(reader, &what, &found);
    read.extend(found);
}

/// Notes bounds that hold for every value, or for none.
fn note_senseless(reader: &mut Reader<'_>, what: &str, found: &[ThresholdSpec]) {
    for bound in found {
        let at = |text: &str| {
            let limit = bound.metric.show(bound.limit, bound.currency.as_deref());
            format!("{what}: {} {limit} {text}", bound.comparison.words())
        };
        let is_share = bound.metric == ThresholdMetric::PassRate;
        let (least, most) = (bound.limit.is_zero(), is_share && bound.limit >= Decimal::ONE);
        match bound.comparison {
            ThresholdComparison::Gte if least => reader.problem(bound.mark, at("holds for every value")),
            ThresholdComparison::Lte if most => reader.problem(bound.mark, at("holds for every value")),
            ThresholdComparison::Lt if least => reader.problem(bound.mark, at("can never hold")),
            ThresholdComparison::Gt if most => reader.problem(bound.mark, at("can never hold")),
            ThresholdComparison::Gte if is_share && bound.limit > Decimal::ONE => {
                reader.problem(bound.mark, at("can never hold"));
            }
            ThresholdComparison::Gte
            | ThresholdComparison::Lte
            | ThresholdComparison::Gt
            | ThresholdComparison::Lt => {}
        }
    }
    let (upper, lower): (Vec<_>, Vec<_>) = found.iter().partition(|bound| bound.comparison.is_upper());
    for high in upper {
        for low in lower.iter().filter(|low| low.limit > high.limit && low.currency == high.currency) {
            let message = format!("{what}: the bounds are reversed, so that no value can lie between them");
            reader.problem(low.mark, message);
        }
    }
}

impl ThresholdMetric {
    /// An example of its thresholds.
    fn example(self) -> &'static str {
        match self {
            Self::PassRate => "pass_rate: { gte: 0.95 }",
            Self::Latency => "latency: { p95: 15s }",
            Self::ServerLatency => "server_latency: { p95: 15s }",
            Self::Ttft => "ttft: { p95: 2500ms }",
            Self::Tokens => "tokens: { mean: 3500, total: 400k }",
            Self::Cost => "cost: { mean: 0.01 USD, total: 2.00 USD }",
            Self::Steps => "steps: { max: 12 }",
        }
    }

    fn is_summed(self) -> bool {
        match self {
            Self::Tokens | Self::Cost => true,
            Self::PassRate | Self::Latency | Self::ServerLatency | Self::Ttft | Self::Steps => false,
        }
    }

    /// Reads a value of it, and its currency.
    fn parse(self, text: &str) -> Result<WrittenLimit, String> {
        let plain = |value: Option<Decimal>| {
            value
                .map(|limit| WrittenLimit { limit, currency: None })
                .ok_or_else(|| format!("`{text}` is too large"))
        };
        match self {
            Self::PassRate => plain(Some(parse_exact_share(text).map_err(|error| error.to_string())?)),
            Self::Latency | Self::ServerLatency | Self::Ttft => {
                let duration = parse_duration(text).map_err(|error| error.to_string())?;
                plain(nanoseconds(duration).checked_div(Decimal::from(1_000_000)))
            }
            Self::Tokens | Self::Steps => {
                plain(Some(Decimal::from(parse_count(text).map_err(|error| error.to_string())?)))
            }
            Self::Cost => {
                let money = parse_money(text).map_err(|error| error.to_string())?;
                Ok(WrittenLimit { limit: money.amount, currency: Some(money.currency.to_string()) })
            }
        }
    }
}

fn nanoseconds(duration: Duration) -> Decimal {
    Decimal::from_i128_with_scale(i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX), 0)
}
