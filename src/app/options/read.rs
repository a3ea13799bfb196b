//! Reads the values of options, wherever their text comes from.

use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::app::options::field::utf8;
use crate::base::units::{Money, UnitError, parse_count, parse_limit, parse_money};
use crate::budget::MOST_CURRENCIES;
use crate::plan::shard::Shard;
use crate::record::event::{ShardChoice, ShuffleSeed};

/// `--shuffle` without a seed.
pub const RANDOM: &str = "random";

/// A text as it is.
pub fn name(text: &OsStr) -> Result<String, String> {
    utf8(text).map(str::to_owned)
}

/// A path.
pub fn path(text: &OsStr) -> Result<PathBuf, String> {
    if text.is_empty() { Err("a path is not empty".to_owned()) } else { Ok(PathBuf::from(text)) }
}

/// A whole number of any size that fits.
pub fn number<T: std::str::FromStr>(text: &OsStr) -> Result<T, String> {
    let text = utf8(text)?;
    text.parse().map_err(|_| format!("`{text}` is not a whole number"))
}

/// A whole number within bounds.
pub fn whole(text: &OsStr, bounds: RangeInclusive<u32>) -> Result<u32, String> {
    let found = number::<u32>(text)?;
    if bounds.contains(&found) {
        return Ok(found);
    }
    let (least, most) = bounds.into_inner();
    Err(if most == u32::MAX {
        format!("{found} is less than {least}")
    } else {
        format!("{found} is not in {least}..={most}")
    })
}

/// A value with a unit.
pub fn with_unit<T>(text: &OsStr, parse: fn(&str) -> Result<T, UnitError>) -> Result<T, String> {
    parse(utf8(text)?).map_err(|error| error.to_string())
}

/// A duration that is not 0.
pub fn limit(text: &OsStr) -> Result<Duration, String> {
    with_unit(text, parse_limit)
}

/// A number of tokens, at least one.
pub fn some_tokens(text: &str) -> Result<u64, UnitError> {
    match parse_count(text)? {
        0 => Err(UnitError::NotPositive { text: text.to_owned(), example: "400k" }),
        tokens => Ok(tokens),
    }
}

fn some_money(text: &str) -> Result<Money, UnitError> {
    let money = parse_money(text)?;
    if money.amount.is_zero() {
        return Err(UnitError::NotPositive { text: text.to_owned(), example: "3.00USD" });
    }
    Ok(money)
}

/// One more amount of a budget, which has one for each currency.
pub fn next_amount(text: &OsStr, earlier: &[Money]) -> Result<Money, String> {
    let money = with_unit(text, some_money)?;
    if earlier.iter().any(|known| known.currency == money.currency) {
        return Err(format!("there are two amounts in {}; name one", money.currency));
    }
    if earlier.len() == MOST_CURRENCIES {
        return Err(format!("a budget has at most {MOST_CURRENCIES} currencies"));
    }
    Ok(money)
}

/// `random` or a seed.
pub fn shuffle_seed(text: &OsStr) -> Result<ShuffleSeed, String> {
    match utf8(text)? {
        RANDOM => Ok(ShuffleSeed::OfRun),
        seed => {
            let seed = seed.parse().map_err(|_| format!("`{seed}` is not a seed; write a whole number"))?;
            Ok(ShuffleSeed::Given(seed))
        }
    }
}

/// Reads `I/N` or `auto`.
pub fn shard(text: &OsStr) -> Result<ShardChoice, String> {
    match utf8(text)? {
        "auto" => Ok(ShardChoice::Auto),
        text => Shard::parse(text).map(|Shard { index, total, .. }| ShardChoice::Share { index, total }),
    }
}
