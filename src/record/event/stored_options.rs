//! How a journal writes the options of a run: times in milliseconds, a rate per second, everything with a unit as text.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::repeat::{RepeatRange, parse_times};
use crate::base::units::{Money, RequestRate, parse_money};

/// A duration as milliseconds.
pub(super) mod milliseconds {
    use super::*;

    pub fn serialize<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        time.map(whole).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
    }
}

/// A rate as requests a second; one that cannot be kept was not asked for.
pub(super) mod per_second {
    use super::*;

    pub fn serialize<S: Serializer>(rate: &Option<RequestRate>, serializer: S) -> Result<S::Ok, S::Error> {
        rate.map(|rate| rate.per_second).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RequestRate>, D::Error> {
        let rate = Option::<f64>::deserialize(deserializer)?;
        Ok(rate.map(|per_second| RequestRate { per_second }).filter(|rate| rate.is_usable()))
    }
}

/// Repeats as they are written on the command line; what cannot be read was not asked for.
pub(super) mod repeats {
    use super::*;

    pub fn serialize<S: Serializer>(times: &Option<RepeatRange>, serializer: S) -> Result<S::Ok, S::Error> {
        times.map(|times| times.to_string()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RepeatRange>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.and_then(|text| parse_times(&text).ok()))
    }
}

/// Amounts as they are written on the command line; those that cannot be read were not asked for.
pub(super) mod amounts {
    use super::*;

    pub fn serialize<S: Serializer>(amounts: &[Money], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(amounts.iter().map(Money::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Money>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        Ok(texts.iter().filter_map(|text| parse_money(text).ok()).collect())
    }
}

/// Paths as text.
pub(super) mod paths {
    use super::*;

    pub fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
        Ok(Vec::<String>::deserialize(deserializer)?.into_iter().map(PathBuf::from).collect())
    }
}
