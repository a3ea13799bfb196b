//! Reads flowproof's own account of a run, `report.json`, without keeping it: how many passed, and the times.
//!
//! It relies on a few things of the report's schema: `totals.passed` at its top; `latency_ms` and `ttft_ms` for each
//! attempt, after the `name` of its case, which ends with the row's number in square brackets.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeSeed};

use crate::failure::Failure;
use crate::times::Times;

/// What is taken out of a report.
#[derive(Debug, Default)]
pub struct Account {
    /// `totals.passed`.
    pub passed: Option<u64>,
    /// Every `latency_ms`, sorted.
    pub latencies_ms: Vec<f64>,
    /// The times of each row.
    pub times: Vec<Times>,
    /// The row whose times follow.
    row: u64,
}

impl Account {
    /// The times of the row that is being read.
    fn of_row(&mut self) -> &mut Times {
        if self.times.last().is_none_or(|times| times.n != self.row) {
            self.times.push(Times { n: self.row, first_token_ms: None, ended_ms: None });
        }
        self.times.last_mut().expect("one was pushed if there was none")
    }
}

/// The number of the row that a test was made of: `bench::row[17]`.
fn row_of(name: &str) -> Option<u64> {
    name.strip_suffix(']')?.rsplit_once('[')?.1.parse().ok()
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
    /// A `ttft_ms`.
    FirstToken,
    /// A `name`.
    Name,
    /// Anywhere else.
    Elsewhere,
}

impl At {
    /// Where the value of a key is.
    fn below(self, key: &str) -> Self {
        match self {
            Self::Top if key == "totals" => Self::Totals,
            Self::Totals if key == "passed" => Self::Passed,
            Self::Top
            | Self::Totals
            | Self::Passed
            | Self::Latency
            | Self::FirstToken
            | Self::Name
            | Self::Elsewhere => match key {
                "latency_ms" => Self::Latency,
                "ttft_ms" => Self::FirstToken,
                "name" => Self::Name,
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
        match self.at {
            At::Latency => {
                self.account.latencies_ms.push(number);
                self.account.of_row().ended_ms = Some(number);
            }
            At::FirstToken => self.account.of_row().first_token_ms = Some(number),
            At::Top | At::Totals | At::Passed | At::Name | At::Elsewhere => {}
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if self.at == At::Name {
            self.account.row = row_of(text).unwrap_or(0);
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A key of an object.
#[derive(Deserialize)]
struct Key(String);
