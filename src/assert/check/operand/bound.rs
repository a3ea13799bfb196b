//! Bounds: a bare value or `{ gte, lte, gt, lt, equals, between }` on counts, durations and money.

use std::cmp::Ordering;
use std::time::Duration;

use serde_json::Value;

use crate::base::units::{Money, parse_count, parse_duration, parse_money};

use super::{OperandError, kind};

/// The keys of a bound written as a mapping.
pub(in crate::assert::check) const BOUND_KEYS: [&str; 6] = ["gte", "lte", "gt", "lt", "equals", "between"];

/// What a bare value of a bound means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::assert::check) enum BareMeaning {
    /// The most it may be.
    Most,
    /// What it must be.
    Exactly,
}

/// Something that is counted or measured, never negative.
pub(in crate::assert::check) trait Quantity: Sized + Clone {
    /// Reads it from a number or text.
    fn parse(value: &Value) -> Result<Self, OperandError>;
    /// Compares two of a kind.
    fn order(&self, other: &Self) -> Ordering;
    /// True for the least possible.
    fn is_zero(&self) -> bool;
    /// As people write it.
    fn show(&self) -> String;
    /// Why two cannot bound the same thing.
    fn clash(&self, _other: &Self) -> Option<String> {
        None
    }
}

/// One condition of a bound.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::assert::check) enum BoundCondition<T> {
    /// At least.
    Gte(T),
    /// At most.
    Lte(T),
    /// More than.
    Gt(T),
    /// Less than.
    Lt(T),
    /// Exactly.
    Equals(T),
}

/// What a quantity must be: all limits hold; there is at least one.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::assert::check) struct QuantityBound<T> {
    limits: Vec<BoundCondition<T>>,
}

impl<T: Quantity> QuantityBound<T> {
    /// Reads a bound; one that holds for every value, or for none, is refused.
    pub(in crate::assert::check) fn parse(value: &Value, bare: BareMeaning) -> Result<Self, OperandError> {
        let limits = match value {
            Value::Object(entries) => {
                if entries.is_empty() {
                    return Err(OperandError::new("a bound without a limit holds for every value")
                        .help("write e.g. `{ gte: …, lte: … }`"));
                }
                let mut limits = Vec::new();
                for (key, limit) in entries {
                    limits.extend(BoundCondition::parse(key, limit)?);
                }
                limits
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                let limit = T::parse(value)?;
                vec![match bare {
                    BareMeaning::Most => BoundCondition::Lte(limit),
                    BareMeaning::Exactly => BoundCondition::Equals(limit),
                }]
            }
        };
        let bound = Self { limits };
        bound.check()?;
        Ok(bound)
    }

    /// Returns whether a value lies within all limits.
    pub(in crate::assert::check) fn holds(&self, value: &T) -> bool {
        self.limits.iter().all(|limit| limit.holds(value))
    }

    /// Returns whether a value that can only grow is already past an upper limit.
    pub(in crate::assert::check) fn is_passed(&self, so_far: &T) -> bool {
        self.limits.iter().any(|limit| match limit {
            BoundCondition::Lte(_) | BoundCondition::Lt(_) => !limit.holds(so_far),
            BoundCondition::Equals(most) => so_far.order(most).is_gt(),
            BoundCondition::Gte(_) | BoundCondition::Gt(_) => false,
        })
    }

    /// Any of the quantities in it.
    pub(in crate::assert::check) fn sample(&self) -> Option<&T> {
        self.limits.first().map(BoundCondition::value)
    }

    /// "at least 1 and at most 3".
    pub(in crate::assert::check) fn show(&self) -> String {
        self.limits.iter().map(BoundCondition::show).collect::<Vec<_>>().join(" and ")
    }

    fn check(&self) -> Result<(), OperandError> {
        let clash = self.limits.windows(2).find_map(|pair| pair[0].value().clash(pair[1].value()));
        if let Some(clash) = clash {
            return Err(OperandError::new(clash));
        }
        if self.limits.iter().all(|limit| matches!(limit, BoundCondition::Gte(least) if least.is_zero())) {
            return Err(OperandError::new(format!("{} holds for every value", self.show())));
        }
        if self.limits.iter().any(|limit| matches!(limit, BoundCondition::Lt(most) if most.is_zero())) {
            return Err(OperandError::new(format!("{} can never hold", self.show())));
        }
        let crossed = self.limits.iter().any(|low| self.limits.iter().any(|high| low.crosses(high)));
        if crossed {
            return Err(OperandError::new(format!(
                "{} can never hold: the limits are reversed",
                self.show()
            )));
        }
        Ok(())
    }
}

impl<T: Quantity> BoundCondition<T> {
    fn parse(key: &str, value: &Value) -> Result<Vec<Self>, OperandError> {
        let one = || T::parse(value).map_err(|error| error.under(key));
        Ok(vec![match key {
            "gte" => Self::Gte(one()?),
            "lte" => Self::Lte(one()?),
            "gt" => Self::Gt(one()?),
            "lt" => Self::Lt(one()?),
            "equals" => Self::Equals(one()?),
            "between" => {
                let Some([low, high]) = value.as_array().map(Vec::as_slice) else {
                    return Err(OperandError::new("`between` takes a list of two, as in `[1, 3]`").under(key));
                };
                let low = T::parse(low).map_err(|error| error.under(0).under(key))?;
                let high = T::parse(high).map_err(|error| error.under(1).under(key))?;
                return Ok(vec![Self::Gte(low), Self::Lte(high)]);
            }
            unknown => return Err(OperandError::unknown_key(unknown, "a bound", &BOUND_KEYS)),
        }])
    }

    fn holds(&self, value: &T) -> bool {
        match self {
            Self::Gte(limit) => value.order(limit).is_ge(),
            Self::Lte(limit) => value.order(limit).is_le(),
            Self::Gt(limit) => value.order(limit).is_gt(),
            Self::Lt(limit) => value.order(limit).is_lt(),
            Self::Equals(limit) => value.order(limit).is_eq(),
        }
    }

    fn crosses(&self, high: &Self) -> bool {
        match (self, high) {
            (Self::Gte(low) | Self::Equals(low), Self::Lte(high) | Self::Equals(high)) => {
                low.order(high).is_gt()
            }
            (Self::Gt(low), Self::Lte(high) | Self::Lt(high) | Self::Equals(high))
            | (Self::Gte(low) | Self::Equals(low), Self::Lt(high)) => low.order(high).is_ge(),
            (Self::Lte(_) | Self::Lt(_), _) | (_, Self::Gte(_) | Self::Gt(_)) => false,
        }
    }

    fn value(&self) -> &T {
        match self {
            Self::Gte(value) | Self::Lte(value) | Self::Gt(value) | Self::Lt(value) | Self::Equals(value) => {
                value
            }
        }
    }

    fn show(&self) -> String {
        let word = match self {
            Self::Gte(_) => "at least",
            Self::Lte(_) => "at most",
            Self::Gt(_) => "more than",
            Self::Lt(_) => "less than",
            Self::Equals(_) => "exactly",
        };
        format!("{word} {}", self.value().show())
    }
}

impl Quantity for u64 {
    fn parse(value: &Value) -> Result<Self, OperandError> {
        scalar(value, "a count")
            .and_then(|text| parse_count(&text).map_err(|error| OperandError::new(error.to_string())))
    }

    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn is_zero(&self) -> bool {
        *self == 0
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Quantity for Duration {
    fn parse(value: &Value) -> Result<Self, OperandError> {
        if let Value::Number(number) = value {
            return Err(OperandError::new(format!("`{number}` has no unit"))
                .help(format!("write `{number}s` or `{number}ms`")));
        }
        scalar(value, "a duration")
            .and_then(|text| parse_duration(&text).map_err(|error| OperandError::new(error.to_string())))
    }

    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn is_zero(&self) -> bool {
        Duration::is_zero(self)
    }

    fn show(&self) -> String {
        show_duration(*self)
    }
}

impl Quantity for Money {
    fn parse(value: &Value) -> Result<Self, OperandError> {
        if let Value::Number(number) = value {
            return Err(OperandError::new(format!("`{number}` has no currency"))
                .help(format!("write e.g. `{number} USD`")));
        }
        scalar(value, "an amount of money")
            .and_then(|text| parse_money(&text).map_err(|error| OperandError::new(error.to_string())))
    }

    fn order(&self, other: &Self) -> Ordering {
        self.amount.cmp(&other.amount)
    }

    fn is_zero(&self) -> bool {
        self.amount.is_zero()
    }

    fn show(&self) -> String {
        self.to_string()
    }

    fn clash(&self, other: &Self) -> Option<String> {
        (self.currency != other.currency)
            .then(|| format!("the limits are in {} and {}", self.currency, other.currency))
    }
}

/// A duration to the microsecond, so that what is just past a limit does not look like it.
pub(in crate::assert::check) fn show_duration(duration: Duration) -> String {
    let (number, unit) = if duration < Duration::from_secs(1) {
        (duration.as_secs_f64() * 1000.0, "ms")
    } else {
        (duration.as_secs_f64(), "s")
    };
    let digits = if unit == "ms" { format!("{number:.3}") } else { format!("{number:.6}") };
    format!("{}{unit}", digits.trim_end_matches('0').trim_end_matches('.'))
}

fn scalar(value: &Value, what: &str) -> Result<String, OperandError> {
    match value {
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text.clone()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(OperandError::new(format!("expected {what}, found {}", kind(value))))
        }
    }
}
