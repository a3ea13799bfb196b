//! What all attempts of a record used, whether their results count or not: a budget that goes on counts it.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, BufReader};

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::base::digest::Digest;
use crate::record::attempt::{AttemptUse, JudgeFact, JudgesSpent, ObservedUse, Price, REJECTED};
use crate::record::event::{AttemptStart, Event, LeftAttempt};
use crate::record::journal::JournalError;
use crate::record::journal::at_work::{AttemptKey, RunningAttempts};
use crate::record::journal::lines::FromStart;
use crate::record::journal::read::RunRecord;

/// What the attempts of a test used, their judges included.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TestSpent {
    /// The tokens that are known.
    pub tokens: u64,
    /// The most that one attempt used.
    pub largest: u64,
    /// Attempts that may have run, and whose tokens nobody knows.
    pub unknown: u32,
    /// Exact sums by currency.
    pub cost: BTreeMap<String, Decimal>,
}

#[derive(Deserialize)]
struct UsageLine {
    attempt_finished: UsedAttempt,
}

/// An attempt, as far as it says what it used.
#[derive(Deserialize)]
struct UsedAttempt {
    key: Digest,
    #[serde(default)]
    repeat: u32,
    #[serde(default)]
    attempt: u32,
    #[serde(default)]
    retried: bool,
    facts: UsedFacts,
    #[serde(default)]
    judges: Vec<JudgeFact>,
}

#[derive(Deserialize)]
struct UsedFacts {
    tokens: Option<u64>,
    #[serde(default)]
    cost: Vec<Price>,
    status: Option<String>,
    seen: Option<ObservedUse>,
}

impl RunRecord {
    /// Reads what the attempts of each test used. The fold reports a line that cannot be read.
    pub(crate) fn spent(&self) -> Result<HashMap<Digest, TestSpent>, JournalError> {
        let failed = |source: io::Error| JournalError::Io { path: self.path().to_owned(), source };
        let mut input = BufReader::with_capacity(256 * 1024, FromStart::of(self.file()));
        let (mut spent, mut line) = (HashMap::<Digest, TestSpent>::new(), Vec::new());
        let mut at_work = RunningAttempts::default();
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line).map_err(failed)? == 0 {
                for (key, count) in at_work.open_by_case() {
                    spent.entry(key).or_default().unknown += count;
                }
                return Ok(spent);
            }
            if line.starts_with(b"{\"attempt_started\"") || line.starts_with(b"{\"attempt_left\"") {
                match serde_json::from_slice(&line) {
                    Ok(Event::AttemptStarted(AttemptStart { key, repeat, attempt, .. })) => {
                        at_work.begin(AttemptKey { key, repeat, attempt });
                    }
                    Ok(Event::AttemptLeft(left)) => {
                        let LeftAttempt { key, repeat, attempt, .. } = left;
                        at_work.end(AttemptKey { key, repeat, attempt });
                        spent.entry(key).or_default().leave(&left.seen);
                    }
                    Ok(_) | Err(_) => {}
                }
                continue;
            }
            if line.starts_with(b"{\"attempt_finished\"")
                && let Ok(UsageLine { attempt_finished: used }) = serde_json::from_slice(&line)
            {
                at_work.end(AttemptKey { key: used.key, repeat: used.repeat, attempt: used.attempt });
                spent.entry(used.key).or_default().add(&used);
            }
        }
    }
}

impl TestSpent {
    /// Adds an attempt that was given up.
    fn leave(&mut self, seen: &ObservedUse) {
        let known = AttemptUse::of(None, &[], Some(seen));
        self.tokens = self.tokens.saturating_add(known.tokens);
        self.largest = self.largest.max(known.tokens);
        self.unknown += u32::from(!known.tokens_known);
        self.add_prices(known.cost);
    }

    fn add_prices(&mut self, prices: &[Price]) {
        for price in prices {
            if let Ok(amount) = price.amount.parse::<Decimal>() {
                let sum = self.cost.entry(price.currency.clone()).or_default();
                *sum = sum.saturating_add(amount);
            }
        }
    }

    fn add(&mut self, used: &UsedAttempt) {
        let mut judges = JudgesSpent::default();
        judges.add(&used.judges);
        let UsedFacts { tokens, cost, status, seen } = &used.facts;
        let known = AttemptUse::of(*tokens, cost, seen.as_ref());
        let tokens = known.tokens.saturating_add(judges.tokens);
        self.tokens = self.tokens.saturating_add(tokens);
        self.largest = self.largest.max(tokens);
        // What was refused, or sent again since it surely did not run, used nothing.
        let ran = !used.retried && status.as_deref() != Some(REJECTED);
        self.unknown += u32::from(!known.tokens_known && ran);
        let prices = known
            .cost
            .iter()
            .filter_map(|price| Some((price.currency.clone(), price.amount.parse::<Decimal>().ok()?)));
        for (currency, amount) in prices.chain(judges.cost) {
            let sum = self.cost.entry(currency).or_default();
            *sum = sum.saturating_add(amount);
        }
    }
}
