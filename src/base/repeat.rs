//! How often something is done: this many times, or until it is decided.

use serde::{Deserialize, Serialize};

/// How often a test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatRange {
    /// So often, whatever comes of it.
    Fixed(u32),
    /// Until it is decided, within these bounds.
    Until {
        /// At least so often.
        min: u32,
        /// At most so often.
        max: u32,
    },
}

/// The most repeats of a test.
pub const MOST_REPEATS: u32 = 10_000;

impl RepeatRange {
    /// The most there can be.
    pub fn most(self) -> u32 {
        match self {
            Self::Fixed(times) => times,
            Self::Until { max, .. } => max,
        }
    }
}

impl std::fmt::Display for RepeatRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(times) => write!(f, "{times}"),
            Self::Until { min, max } => write!(f, "{min}..{max}"),
        }
    }
}

/// Why a text is no number of repeats.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimesError {
    /// It has another form.
    #[error("`{0}` is not a number of repeats; write e.g. `5`, or `3..40` for as many as it takes to decide")]
    Form(String),
    /// It is out of bounds.
    #[error("{0} lies beyond the bounds: a test runs from 1 to 10,000 times")]
    Bounds(String),
    /// The fewest are more than the most.
    #[error("the fewest repeats, {0}, are more than the most, {1}; write the smaller number first")]
    Reversed(u32, u32),
}

/// Parses `5` or `3..40`.
pub fn parse_times(text: &str) -> Result<RepeatRange, TimesError> {
    let number = |part: &str| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number {
            return Err(TimesError::Form(text.trim().to_owned()));
        }
        let number = part.parse::<u32>().ok().filter(|number| (1..=MOST_REPEATS).contains(number));
        number.ok_or_else(|| TimesError::Bounds(part.to_owned()))
    };
    match text.trim().split_once("..") {
        None => number(text.trim()).map(RepeatRange::Fixed),
        Some((min, max)) => {
            let (min, max) = (number(min.trim())?, number(max.trim())?);
            if min > max { Err(TimesError::Reversed(min, max)) } else { Ok(RepeatRange::Until { min, max }) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_two_bounds() {
        assert_eq!(parse_times("5"), Ok(RepeatRange::Fixed(5)));
        assert_eq!(parse_times(" 3..40 "), Ok(RepeatRange::Until { min: 3, max: 40 }));
        assert_eq!(parse_times("7..7"), Ok(RepeatRange::Until { min: 7, max: 7 }));
        for bad in [
            "", "0", "0..4", "4..0", "-1", "+1", "1.5", "3..", "..4", "3...4", "a", "10001", "3..10001",
            "1e3",
        ] {
            assert!(parse_times(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_times("9..3"), Err(TimesError::Reversed(9, 3)));
        assert!(parse_times("99999999999").unwrap_err().to_string().contains("beyond the bounds"));
        assert_eq!(RepeatRange::Until { min: 3, max: 40 }.to_string(), "3..40");
        assert_eq!((RepeatRange::Until { min: 3, max: 40 }.most(), RepeatRange::Fixed(2).most()), (40, 2));
    }
}
