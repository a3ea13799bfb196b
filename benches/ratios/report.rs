//! Reads flowproof's own account of a run, `report.json`, without keeping it: how many passed, and the latencies.
//!
//! It relies on two things of the report's schema: `totals.passed` at its top, and `latency_ms` for each attempt.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeSeed};

use crate::failure::Failure;

/// What is taken out of a report.
#[derive(Debug, Default)]
pub struct Account {
    /// `totals.passed`.
    pub passed: Option<u64>,
    /// Every `latency_ms`, sorted.
    pub latencies_ms: Vec<f64>,
}

/// Reads `latest/report.json` in a folder of reports.
pub fn read(reports: &Path) -> Result<Account, Failure> {
    let path = reports.join("latest").join("report.json");
    let name = path.display().to_string();
    let file = File::open(&path).map_err(Failure::io(format!("open {name}")))?;
    let mut account = Account::default();
    let mut reader = serde_json::Deserializer::from_reader(BufReader::new(file));
    Walk { account: &mut account, at: At::Top }
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| Failure::unreadable(&name, error))?;
    account.latencies_ms.sort_by(f64::total_cmp);
    Ok(account)
}

/// Where in the report the walk is, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// The report itself.
    Top,
    /// `totals`.
    Totals,
    /// `totals.passed`.
    Passed,
    /// A `latency_ms`.
    Latency,
    /// Anywhere else.
    Elsewhere,
}

impl At {
    /// Where the value of a key stands.
    fn below(self, key: &str) -> Self {
        match self {
            Self::Top if key == "totals" => Self::Totals,
            Self::Totals if key == "passed" => Self::Passed,
            Self::Top | Self::Totals | Self::Passed | Self::Latency | Self::Elsewhere => match key {
                "latency_ms" => Self::Latency,
                _ => Self::Elsewhere,
            },
        }
    }
}

/// Walks any JSON value and notes what it looks for.
struct Walk<'a> {
    account: &'a mut Account,
    at: At,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Key>()? {
            map.next_value_seed(Walk { account: &mut *self.account, at: self.at.below(&key.0) })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Walk { account: &mut *self.account, at: At::Elsewhere })?.is_some() {}
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        if self.at == At::Passed {
            self.account.passed = Some(number);
        }
        self.visit_f64(number as f64)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        if self.at == At::Latency {
            self.account.latencies_ms.push(number);
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A key of an object.
#[derive(Deserialize)]
struct Key(String);
